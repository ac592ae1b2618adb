//! What came of the cases of one policy, told in three formats. A report only tells: no exit code
//! comes from here.

mod human;
mod json;
mod junit;

use std::fmt;
use std::io;
use std::str::FromStr;
use std::time::Duration;

pub(super) use human::{grouped, spent};
pub use json::schema;

use super::{CaseResult, Coverage, Status};
use crate::model::{Description, Digest};
use crate::report::is_for_people;

/// All there is to tell.
#[derive(Clone, Copy)]
pub struct Report<'a> {
    /// The policy as it was named.
    pub reference: &'a str,
    /// What it says of itself.
    pub description: &'a Description,
    /// Digest of its component.
    pub digest: Digest,
    /// What came of each case, in the order of their names.
    pub results: &'a [CaseResult],
    /// Which rules the cases hold the policy to.
    pub coverage: &'a Coverage,
    /// Whether these are all the cases there are, so that what they leave out is left out.
    pub whole: bool,
    /// How long all of it took.
    pub elapsed: Duration,
}

/// How many cases ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// As expected.
    pub passed: usize,
    /// Otherwise.
    pub failed: usize,
    /// Not at all, as they could not be read.
    pub unreadable: usize,
}

impl Tally {
    /// Counts results.
    #[must_use]
    pub fn of(results: &[CaseResult]) -> Self {
        let mut tally = Self::default();
        for result in results {
            let count = match result.status {
                Status::Passed => &mut tally.passed,
                Status::Failed(_) => &mut tally.failed,
                Status::Unreadable(_) => &mut tally.unreadable,
            };
            *count += 1;
        }
        tally
    }
}

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// For people at a terminal.
    Table,
    /// For programs; versioned.
    Json,
    /// JUnit XML, for the test view of a CI system.
    Junit,
}

/// Text that names no format.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a format; write `table`, `json` or `junit`")]
pub struct UnknownFormat(pub String);

impl Format {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Table, Self::Json, Self::Junit];

    /// The word for it on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Junit => "junit",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| {
                format.as_str() == text || (*format == Self::Table && is_for_people(text))
            })
            .ok_or_else(|| UnknownFormat(text.chars().take(100).collect()))
    }
}

/// Tells it in a format; `color` is for people alone.
///
/// # Errors
/// When it cannot be put in that format.
pub fn render(format: Format, report: &Report<'_>, color: bool) -> io::Result<String> {
    match format {
        Format::Table => Ok(human::render(report, color)),
        Format::Json => json::render(report),
        Format::Junit => junit::render(report),
    }
}

/// A number of something: `1 case`, `2 cases`.
pub(super) fn counted(number: usize, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}
