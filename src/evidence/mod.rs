//! From files to a frozen snapshot: detection, one reader per format, and the digest of it all.
//!
//! Everything read here is hostile until it is parsed. A file that cannot be understood, that is
//! too large or too deep, or that speaks of something else is an [`EvidenceError`]; nothing is
//! skipped in silence.

mod collector;
mod error;
mod files;
mod format;
mod freeze;
mod json;
pub mod limits;
mod node;
mod said;
mod tree;

use std::fmt;

pub use collector::Collector;
pub use error::{EvidenceError, Fault};
pub use format::{Format, UnknownFormat, lockgate::schema};
pub use freeze::Frozen;

use crate::model::{Digest, Target};

/// JSON that not every reader takes for the same, or that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidJson(String);

/// Reads JSON that means the same to every reader: UTF-8 without a byte order mark, no key twice,
/// no number that loses digits, bounded in depth and size.
///
/// # Errors
/// What is wrong with it, and where.
pub fn parse_json(bytes: &[u8]) -> Result<serde_json::Value, InvalidJson> {
    let read = json::read(bytes).and_then(|text| {
        let parsed = text.parse()?;
        format::refuse_bare_words(&parsed)?;
        Ok(parsed.value.into())
    });
    read.map_err(|problem| InvalidJson(problem.in_words()))
}

/// Which version a piece of evidence speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The version that asks.
    Candidate,
    /// The version that would be replaced. Only its metrics are kept.
    Baseline,
}

impl Side {
    /// What a piece of evidence of this name is called, also in messages.
    fn full(self, name: &str) -> String {
        match self {
            Self::Candidate => name.to_owned(),
            Self::Baseline => format!("baseline/{name}"),
        }
    }
}

/// What the evidence must speak of.
#[derive(Clone, Debug)]
pub struct About {
    /// Name of the registered model; none takes evidence of any.
    pub model: Option<String>,
    /// Version as the registry writes it; none takes evidence of any.
    pub version: Option<String>,
    /// Digests of the artifacts the promotion is about. When there are any, a candidate source
    /// that names digests must name one of these; a source that names none is let through.
    pub digests: Vec<Digest>,
    /// Where the version is to go: decides what a registered model says of the current version.
    pub target: Target,
}

/// What the files whose name matches a pattern are read as. The first that matches counts.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// Matched against the path below the evidence directory, `/` as separator; against the file
    /// name where a single file was named.
    pub glob: globset::GlobMatcher,
    /// What they are.
    pub assigned: Assigned,
}

/// What a file is read as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Assigned {
    /// A report in this format, whatever it looks like.
    Format(Format),
    /// OpenCost allocations, whose answers do not name their currency: an ISO 4217 code.
    OpenCostIn(Currency),
    /// A JSON document that policies read under this name.
    Document(String),
    /// No evidence. The file is not opened; a directory is not entered.
    Ignore,
}

/// An ISO 4217 currency code: three upper-case letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Currency(String);

/// Text that is no currency code.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a currency; write its ISO 4217 code, such as `USD`")]
pub struct InvalidCurrency(pub String);

impl Currency {
    /// The three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Currency {
    type Error = InvalidCurrency;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let letters = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        if letters { Ok(Self(text)) } else { Err(InvalidCurrency(error::quoted(&text))) }
    }
}

impl std::str::FromStr for Currency {
    type Err = InvalidCurrency;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.to_owned().try_into()
    }
}
