use std::sync::Arc;

use crate::model::DecisionId;

/// What keeps the record from taking or giving an entry.
///
/// One failed commit is told to everybody whose entry was in it, so it can be cloned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// There is none.
    #[error("there is no record at `{location}`; `lockgate serve --record` makes one")]
    Missing {
        /// Where it was looked for.
        location: String,
    },
    /// What is there is not a record, or must not be used as it is.
    #[error("`{location}` cannot be used as a record: {detail}")]
    Unusable {
        /// Where it is.
        location: String,
        /// What is wrong with it.
        detail: Arc<str>,
    },
    /// A later version of lockgate has written it.
    #[error(
        "the record `{location}` has version {found} and this lockgate knows {known} and earlier; use the lockgate that wrote it"
    )]
    Newer {
        /// Where it is.
        location: String,
        /// Version of its schema.
        found: i64,
        /// The last version that is known.
        known: i64,
    },
    /// The entry can never be stored.
    #[error("the decision does not fit into the record: {detail}")]
    Unfit {
        /// Which part of it, and why.
        detail: String,
    },
    /// Another decision is on record under the same id.
    #[error("another decision is on record as `{id}`")]
    Duplicate {
        /// The id.
        id: DecisionId,
    },
    /// It was not written and will not be: the database is gone or refuses.
    #[error("the record is not available: {detail}")]
    Unavailable {
        /// What the database says.
        detail: Arc<str>,
    },
    /// It was not written and will not be: its turn did not come in time.
    #[error("the record did not come to it in time")]
    Overdue,
    /// It was sent off, and whether it was written was not to be learnt in time. It may be found
    /// on record under its id; appending it again under the same id does no harm.
    #[error("whether the decision was recorded is not known: {detail}")]
    Unknown {
        /// What went wrong.
        detail: Arc<str>,
    },
    /// The record ends before an entry that this process has written: it was replaced by an
    /// earlier copy, or cut.
    #[error(
        "the record has lost entries: writer {writer} wrote {sequence} and it is not there as written; restore the record, or restart to go on with what is left of it"
    )]
    Rewound {
        /// Which chain.
        writer: String,
        /// The last entry that was known to be on record.
        sequence: u64,
    },
    /// What is stored is not what was written.
    #[error("the record does not hold: {detail}; `lockgate decision verify-log` tells more")]
    Tampered {
        /// Which part of it.
        detail: String,
    },
    /// It was opened for reading only.
    #[error("the record was opened for reading only")]
    ReadOnly,
    /// It was closed.
    #[error("the record is closed")]
    Closed,
}

impl RecordError {
    /// Whether the entry may be on record in spite of the error.
    #[must_use]
    pub const fn leaves_outcome_open(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }

    pub(super) fn unavailable(detail: impl std::fmt::Display) -> Self {
        Self::Unavailable { detail: one_line(detail) }
    }

    pub(super) fn unknown(detail: impl std::fmt::Display) -> Self {
        Self::Unknown { detail: one_line(detail) }
    }

    pub(super) fn unusable(
        location: impl std::fmt::Display,
        detail: impl std::fmt::Display,
    ) -> Self {
        Self::Unusable { location: location.to_string(), detail: one_line(detail) }
    }
}

/// A database's own words in one line, cut where they get long.
fn one_line(detail: impl std::fmt::Display) -> Arc<str> {
    let text = detail.to_string();
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(500).collect::<String>().into()
}
