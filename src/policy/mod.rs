//! The port through which a decision reaches a policy, whatever runs it.

pub mod answer;
mod facts;
mod limits;
mod oci;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

pub use facts::Facts;
pub use limits::{LimitOutOfRange, Limits};
pub use oci::{InvalidOciRef, OciRef, is_loopback};

use crate::model::{Check, Description, Digest, LogLine, RunUsage, Undecided};

/// Where a policy's component is found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyRef {
    /// One of the policies in the binary, `std/NAME`.
    Standard(String),
    /// A component file.
    Path(PathBuf),
    /// An artifact in an OCI registry, `oci://REGISTRY/REPOSITORY:TAG`.
    Oci(OciRef),
}

impl FromStr for PolicyRef {
    type Err = InvalidOciRef;

    /// `std/NAME` is a standard policy and `oci://…` one in a registry; everything else is a path.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(name) = text.strip_prefix("std/") {
            return Ok(Self::Standard(name.to_owned()));
        }
        if text.starts_with(OciRef::SCHEME) {
            return text.parse().map(Self::Oci);
        }
        Ok(Self::Path(PathBuf::from(text)))
    }
}

impl fmt::Display for PolicyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard(name) => write!(f, "std/{name}"),
            Self::Path(path) => path.display().fmt(f),
            Self::Oci(reference) => reference.fmt(f),
        }
    }
}

/// A policy as a gate calls it.
#[derive(Clone, Debug, PartialEq)]
pub struct Invocation {
    /// The component.
    pub reference: PolicyRef,
    /// JSON object the policy is given.
    pub params: Arc<str>,
    /// What it may use.
    pub limits: Limits,
}

/// Makes policies ready to run.
pub trait PolicyLoader: Send + Sync {
    /// Loads and describes a policy.
    ///
    /// # Errors
    /// [`Undecided::Unloadable`] for a component that cannot be had or breaks the contract, and
    /// the variants of [`Policy::evaluate`] when its `describe` does not come to an end.
    fn load(&self, reference: &PolicyRef) -> Result<Arc<dyn Policy>, Undecided>;
}

/// A loaded policy. Evaluations share nothing and may run at the same time.
pub trait Policy: Send + Sync {
    /// What the policy says of itself.
    fn description(&self) -> &Description;

    /// Digest of the component.
    fn digest(&self) -> Digest;

    /// Runs the policy once, within `limits`. Waits while as many run already as may.
    fn evaluate(&self, facts: &Facts, params: &str, limits: &Limits) -> Evaluation;

    /// The same for whoever cannot wait; none when it would have to.
    fn evaluate_at_once(&self, facts: &Facts, params: &str, limits: &Limits) -> Option<Evaluation>;
}

/// One run of a policy.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Every check it made, or why it could not judge.
    pub result: Result<Vec<Check>, Undecided>,
    /// What the run took.
    pub usage: RunUsage,
    /// What it logged, at most as much as [`Limits`] allows.
    pub log: Vec<LogLine>,
}
