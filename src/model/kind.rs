use std::fmt;

use serde::{Deserialize, Serialize};

/// The kinds of evidence a gate can require, one for each interface of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Metadata, tags, card and artifacts of the model version.
    Model,
    /// Evaluation metrics.
    Metrics,
    /// Results of test suites.
    Tests,
    /// GPU usage and forecasts.
    Cost,
    /// Security scans and findings.
    Security,
    /// Who has agreed.
    Approvals,
    /// Earlier transitions and what the target means now.
    History,
    /// JSON documents of any other kind.
    Documents,
}

impl Kind {
    /// Every kind, in the order of the contract.
    pub const ALL: [Self; 8] = [
        Self::Model,
        Self::Metrics,
        Self::Tests,
        Self::Cost,
        Self::Security,
        Self::Approvals,
        Self::History,
        Self::Documents,
    ];

    /// The word for it in config and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Metrics => "metrics",
            Self::Tests => "tests",
            Self::Cost => "cost",
            Self::Security => "security",
            Self::Approvals => "approvals",
            Self::History => "history",
            Self::Documents => "documents",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
