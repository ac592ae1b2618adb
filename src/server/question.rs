//! What the server is asked, and what it answers.

use std::sync::Arc;
use std::time::Duration;

use super::Evidence;
use crate::decision::Decision;
use crate::model::{DecisionId, ModelVersion, Origin, Target};

/// A promotion as it is asked for; the server adds the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The version that is to move.
    pub subject: ModelVersion,
    /// Where it is now, when known.
    pub source: Option<Target>,
    /// Where it is to go.
    pub target: Target,
    /// Who wants it to move, when known.
    pub requested_by: Option<String>,
}

/// What is to be decided.
pub struct Question {
    /// The promotion.
    pub promotion: Asked,
    /// By which way it came.
    pub origin: Origin,
    /// Who asked the server, by the credentials it showed.
    pub asked_by: Option<String>,
    /// What it is judged on.
    pub evidence: Evidence,
    /// Whether the decision is put on record; not so for a trial that has no effect.
    pub record: bool,
}

/// A decision that is on record, unless the question did not want that.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What it is called.
    pub id: DecisionId,
    /// The decision.
    pub decision: Arc<Decision>,
}

/// Why there is no decision. Whoever is told this takes it for undecided, and so never for allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Every thread is busy and the queue is full.
    #[error("too many promotions are being judged; ask again in {} s", .retry_after.as_secs())]
    Overloaded {
        /// When it may be worth asking again.
        retry_after: Duration,
    },
    /// The decision was not there in time.
    #[error("the promotion could not be judged in time; ask again")]
    Deadline,
    /// It is decided, but could not be put on record.
    #[error("the decision could not be put on record, so it does not count; ask again later")]
    RecordUnavailable,
    /// The gates have not been loaded yet.
    #[error("the gates are still being loaded; ask again in some seconds")]
    NotReady,
    /// The server is about to stop.
    #[error("the server is shutting down; ask again")]
    ShuttingDown,
    /// The server has failed; its log says how.
    #[error("the server failed to judge the promotion; its log says more")]
    Failed,
}

impl Refused {
    /// One of every kind.
    pub(super) const ALL: [Self; 6] = [
        Self::Overloaded { retry_after: Duration::ZERO },
        Self::Deadline,
        Self::RecordUnavailable,
        Self::NotReady,
        Self::ShuttingDown,
        Self::Failed,
    ];

    /// Stable snake_case code, by which programs tell refusals apart.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Overloaded { .. } => "overloaded",
            Self::Deadline => "deadline_exceeded",
            Self::RecordUnavailable => "record_unavailable",
            Self::NotReady => "not_ready",
            Self::ShuttingDown => "shutting_down",
            Self::Failed => "internal_error",
        }
    }
}
