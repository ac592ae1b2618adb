use std::process::{ExitCode, Termination};

use crate::decision::Verdict;

/// How the process ends. Stable: pipelines are built on these numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: allow, or the command has done what it was asked.
    Done,
    /// 1: deny.
    Deny,
    /// 2: wrong usage or configuration.
    Usage,
    /// 3: undecided.
    Undecided,
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Allow => Self::Done,
            Verdict::Deny => Self::Deny,
            Verdict::Undecided => Self::Undecided,
        }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Done => 0,
            Self::Deny => 1,
            Self::Usage => 2,
            Self::Undecided => 3,
        })
    }
}
