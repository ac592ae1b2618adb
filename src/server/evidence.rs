//! Where the evidence of a question comes from.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::GateSet;
use crate::evidence::{About, Collector, Frozen, Side};
use crate::model::{Digest, ModelVersion, Snapshot, Target, Undecided};

/// The evidence of a question.
pub enum Evidence {
    /// Read and frozen already.
    Frozen(Frozen),
    /// It could not be had; the decision is undecided by these reasons, and is on record.
    Unusable(Vec<Undecided>),
    /// Still as it came. The thread that judges reads it, by what the gate file says of formats.
    Raw {
        /// What it must speak of.
        about: About,
        /// The pieces, in any order.
        pieces: Vec<Piece>,
    },
}

/// A piece of evidence that has not been read.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Name that a file with it would have.
    pub name: String,
    /// Its content.
    pub bytes: Bytes,
    /// Which version it speaks of.
    pub side: Side,
}

impl From<Result<Frozen, Vec<Undecided>>> for Evidence {
    fn from(frozen: Result<Frozen, Vec<Undecided>>) -> Self {
        match frozen {
            Ok(frozen) => Self::Frozen(frozen),
            Err(reasons) => Self::Unusable(reasons),
        }
    }
}

impl Evidence {
    /// What has been read already; itself when it has not.
    pub(super) fn read(self) -> Result<Result<Frozen, Vec<Undecided>>, Box<Self>> {
        match self {
            Self::Frozen(frozen) => Ok(Ok(frozen)),
            Self::Unusable(reasons) => Ok(Err(reasons)),
            raw @ Self::Raw { .. } => Err(Box::new(raw)),
        }
    }

    /// Reads what has not been read.
    pub(super) fn freeze(self, gates: &GateSet) -> Result<Frozen, Vec<Undecided>> {
        match self {
            Self::Frozen(frozen) => Ok(frozen),
            Self::Unusable(reasons) => Err(reasons),
            Self::Raw { about, pieces } => {
                let mut collector = Collector::new(about, gates.assignments().to_vec());
                for Piece { name, bytes, side } in &pieces {
                    collector.add_bytes(name, bytes, *side);
                }
                collector.freeze().map_err(|errors| errors.into_iter().map(Into::into).collect())
            }
        }
    }
}

/// Frozen evidence as deciding takes it.
pub(super) type Taken = Result<(Arc<Snapshot>, Digest), Vec<Undecided>>;

/// What evidence is wanted for.
pub struct Wanted<'a> {
    /// The version that is to move.
    pub subject: &'a ModelVersion,
    /// Where it is to go.
    pub target: &'a Target,
    /// The gates that it is judged by, which say what formats files have.
    pub gates: &'a GateSet,
    /// When nobody waits for it any longer.
    pub until: Instant,
}

/// What a collector answers.
pub type Collected<'a> = Pin<Box<dyn Future<Output = Evidence> + Send + 'a>>;

/// Gets evidence from a registry. One for each registry that the server knows.
pub trait Collect: Send + Sync {
    /// Name of the registry, as questions give it.
    fn registry(&self) -> &str;

    /// Collects what the registry has on a version. What cannot be had makes the evidence
    /// [`Evidence::Unusable`]: there is no error that is less than that.
    fn collect<'a>(&'a self, wanted: Wanted<'a>) -> Collected<'a>;
}
