//! A decision as it is stored.

use std::sync::Arc;

use super::RecordError;
use super::chain::{content, link};
use crate::decision::Decision;
use crate::evidence::Frozen;
use crate::model::{DecisionId, Digest, Origin};
use crate::report;

/// Most bytes of a name: two of them and an id fit into an entry of a PostgreSQL index.
pub(super) const LONGEST_NAME: usize = 1024;
/// Most bytes of a decision.
pub(super) const LONGEST_DOCUMENT: usize = 16 * 1024 * 1024;
/// Most bytes of a snapshot. The files that it is made of may have 256 MiB between them.
pub(super) const LONGEST_SNAPSHOT: usize = 256 * 1024 * 1024;

/// A decision that is to be recorded.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it will be called.
    pub id: DecisionId,
    /// By which way it was asked for.
    pub origin: Origin,
    /// Who asked: the identity that was verified, not the one that the request claims.
    pub asked_by: Option<String>,
    /// The decision.
    pub decision: Arc<Decision>,
    /// The evidence that it was made on, to be kept with it.
    pub snapshot: Option<Arc<Frozen>>,
}

/// Every column of an entry but those that link it to the one before. As they are in the
/// database: what was tampered with has to be hashed before it is understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) recorded_at: i64,
    pub(super) origin: String,
    pub(super) asked_by: Option<String>,
    pub(super) verdict: String,
    pub(super) registry: String,
    pub(super) model: String,
    pub(super) version: String,
    pub(super) target: String,
    pub(super) requested_by: Option<String>,
    pub(super) snapshot: Option<Digest>,
    pub(super) document: String,
}

/// A row with the columns that link it to the one before.
#[derive(Clone, Debug)]
pub(super) struct Linked {
    pub(super) writer: String,
    pub(super) sequence: u64,
    pub(super) previous: Digest,
    pub(super) hash: Digest,
    pub(super) row: Row,
}

impl Linked {
    /// Whether its hash is the one of what it holds.
    pub(super) fn holds(&self) -> bool {
        link(&self.writer, self.sequence, self.previous, content(&self.row)) == self.hash
    }
}

impl Row {
    /// Everything that takes time is done here, before the entry is queued for its writer.
    pub(super) fn of(entry: &Entry, recorded_at: i64) -> Result<Self, RecordError> {
        let Entry { id, origin, asked_by, decision, snapshot } = entry;
        let promotion = &decision.promotion;
        let row = Self {
            id: id.to_string(),
            recorded_at,
            origin: origin.as_str().to_owned(),
            asked_by: asked_by.clone(),
            verdict: decision.verdict.as_str().to_owned(),
            registry: promotion.subject.registry.clone(),
            model: promotion.subject.model.clone(),
            version: promotion.subject.version.clone(),
            target: promotion.target.to_string(),
            requested_by: promotion.requested_by.clone(),
            snapshot: snapshot.as_ref().map(|frozen| frozen.digest),
            document: report::json_line(decision).map_err(|error| RecordError::Unfit {
                detail: format!("it cannot be written as JSON: {error}"),
            })?,
        };
        row.fits(snapshot.as_deref())?;
        if row.target.parse().as_ref() != Ok(&promotion.target) {
            return Err(unfit("its target cannot be told by its name"));
        }
        if row.snapshot.is_some() && row.snapshot != decision.evidence.digest {
            return Err(unfit("its snapshot is not the one that it was made on"));
        }
        Ok(row)
    }

    /// One entry that the database refuses would take all that wait with it down.
    fn fits(&self, snapshot: Option<&Frozen>) -> Result<(), RecordError> {
        let names = [
            ("who asked", self.asked_by.as_deref()),
            ("the registry", Some(self.registry.as_str())),
            ("the model", Some(self.model.as_str())),
            ("the version", Some(self.version.as_str())),
            ("the target", Some(self.target.as_str())),
            ("who it was requested by", self.requested_by.as_deref()),
        ];
        for (what, name) in names {
            let name = name.unwrap_or_default();
            if name.len() > LONGEST_NAME {
                return Err(unfit(&format!("{what} has more than {LONGEST_NAME} bytes")));
            }
            if name.contains('\0') {
                return Err(unfit(&format!("{what} contains a NUL character")));
            }
        }
        if self.document.len() > LONGEST_DOCUMENT {
            return Err(unfit(&format!("it has more than {LONGEST_DOCUMENT} bytes")));
        }
        if snapshot.is_some_and(|frozen| frozen.canonical.len() > LONGEST_SNAPSHOT) {
            return Err(unfit(&format!("its snapshot has more than {LONGEST_SNAPSHOT} bytes")));
        }
        Ok(())
    }

    /// Whether it says the same, whenever it was said.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        let recorded_at = self.recorded_at;
        *self == Self { recorded_at, ..other.clone() }
    }
}

fn unfit(detail: &str) -> RecordError {
    RecordError::Unfit { detail: detail.to_owned() }
}
