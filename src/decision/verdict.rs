use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::gate::Unmatched;
use crate::model::Undecided;

/// The answer to a promotion. The worse of two is the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every rule that counts holds.
    Allow,
    /// Nothing is known to be broken, but not everything could be judged. Admission treats it
    /// as a denial.
    Undecided,
    /// A rule that counts is broken.
    Deny,
}

/// Text that is no verdict.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a verdict; write `allow`, `deny` or `undecided`")]
pub struct UnknownVerdict(pub String);

impl FromStr for Verdict {
    type Err = UnknownVerdict;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Allow, Self::Deny, Self::Undecided]
            .into_iter()
            .find(|verdict| verdict.as_str() == text)
            .ok_or_else(|| UnknownVerdict(text.chars().take(100).collect()))
    }
}

impl Verdict {
    /// The word for it in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Undecided => "undecided",
            Self::Deny => "deny",
        }
    }

    /// What a reason for not deciding leads to.
    ///
    /// The one place where that is said. It has no catch-all arm, so that a new reason does not
    /// compile until somebody has said what it leads to, and only one arm can ever be `Allow`:
    /// the one that a gate file asks for by name.
    #[must_use]
    pub const fn of(reason: &Undecided, unmatched: Unmatched) -> Self {
        match reason {
            Undecided::NoMatchingGate => match unmatched {
                Unmatched::Deny => Self::Deny,
                Unmatched::Undecided => Self::Undecided,
                Unmatched::Allow => Self::Allow,
            },
            Undecided::Unloadable { .. }
            | Undecided::Untrusted { .. }
            | Undecided::Trap { .. }
            | Undecided::FuelExhausted { .. }
            | Undecided::DeadlineExceeded { .. }
            | Undecided::MemoryExhausted { .. }
            | Undecided::StackExhausted { .. }
            | Undecided::OutputOversize { .. }
            | Undecided::OutputInvalid { .. }
            | Undecided::OutputUnreadable { .. }
            | Undecided::NothingChecked
            | Undecided::ParamsRefused { .. }
            | Undecided::EvidenceRefused { .. }
            | Undecided::HostFault { .. }
            | Undecided::EvidenceUnreadable { .. }
            | Undecided::EvidenceMismatch { .. }
            | Undecided::EvidenceMissing { .. }
            | Undecided::EvidenceUndated { .. }
            | Undecided::EvidenceStale { .. }
            | Undecided::EvidenceFromFuture { .. }
            | Undecided::RequestTimeout
            | Undecided::RecordNotWritten { .. } => Self::Undecided,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
