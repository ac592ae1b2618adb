//! Holding every row against the chain.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::chain::{Checkpoint, Head, genesis};
use super::row::Linked;
use crate::model::Digest;

/// Faults that are told; the rest is only counted.
const TOLD: usize = 100;

/// What verifying a record has shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// The chains, in the order of their writers' ids.
    pub chains: Vec<Chain>,
    /// The first 100 things that are wrong.
    pub faults: Vec<Fault>,
    /// How many are wrong in all.
    pub fault_count: u64,
}

impl Verification {
    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_intact(&self) -> bool {
        self.fault_count == 0
    }

    /// How many decisions there are.
    #[must_use]
    pub fn decisions(&self) -> u64 {
        self.chains.iter().map(|chain| chain.decisions).sum()
    }
}

/// What one writer has written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Its end.
    pub head: Head,
    /// How many of its decisions are there.
    pub decisions: u64,
    /// How many of its decisions were removed when their time was up.
    pub pruned: u64,
}

/// Something that is wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Id of the writer whose chain it is in; none for what is in none.
    pub writer: Option<String>,
    /// Number of the row.
    pub sequence: Option<u64>,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A column is not what its hash was made of.
    #[error("the row was changed after it was written: it is not what its hash was made of")]
    Edited,
    /// A row does not refer to the one before.
    #[error("the row does not follow the one before it: one of the two was exchanged")]
    Unlinked,
    /// Rows are missing before this one.
    #[error("the row before it should be number {expected}: rows were removed or reordered")]
    Gap {
        /// Number of the row that is missing.
        expected: u64,
    },
    /// Rows are missing at the end.
    #[error("rows are missing at the end: the last should be number {expected}")]
    Truncated {
        /// Number that the last row should have.
        expected: u64,
    },
    /// The head of the chain is missing.
    #[error("the writer's head is missing, so rows may be missing at the end")]
    Headless,
    /// The head of the chain is not that of its last row.
    #[error("the writer's head is not that of its last row")]
    HeadDiffers,
    /// A column cannot be what was written.
    #[error("column `{column}` cannot have been written so")]
    Malformed {
        /// Which one.
        column: &'static str,
    },
    /// The account of what was pruned does not hold.
    #[error("the account of pruned rows was changed: checkpoint {number} does not hold")]
    Checkpoint {
        /// Which one.
        number: u64,
    },
    /// A snapshot that a row refers to is missing.
    #[error("the snapshot that the row refers to is missing")]
    SnapshotMissing,
    /// A snapshot is not what its digest was made of.
    #[error("snapshot {digest} was changed: it is not what its digest was made of")]
    SnapshotEdited {
        /// Under which digest it is stored.
        digest: String,
    },
    /// The chain ends before a head that was taken from it earlier.
    #[error("an earlier head says that there were {expected} rows: rows were removed at the end")]
    BehindHead {
        /// What the head says.
        expected: u64,
    },
    /// The chain is not the one that a head was taken from.
    #[error("an earlier head has another hash for this row: the chain was written anew")]
    OffHead,
    /// A writer of whom a head was taken has no chain.
    #[error("an earlier head was taken from this writer, and none of its rows is there")]
    ChainMissing,
    /// The database itself is damaged.
    #[error("the database is damaged: {detail}")]
    Damaged {
        /// In its own words.
        detail: String,
    },
}

impl Problem {
    /// Stable snake_case code, by which programs tell problems apart.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Edited => "edited",
            Self::Unlinked => "unlinked",
            Self::Gap { .. } => "gap",
            Self::Truncated { .. } => "truncated",
            Self::Headless => "headless",
            Self::HeadDiffers => "head_differs",
            Self::Malformed { .. } => "malformed",
            Self::Checkpoint { .. } => "checkpoint",
            Self::SnapshotMissing => "snapshot_missing",
            Self::SnapshotEdited { .. } => "snapshot_edited",
            Self::BehindHead { .. } => "behind_head",
            Self::OffHead => "off_head",
            Self::ChainMissing => "chain_missing",
            Self::Damaged { .. } => "damaged",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(writer) = &self.writer {
            write!(f, "writer {writer}, ")?;
        }
        if let Some(sequence) = self.sequence {
            write!(f, "row {sequence}: ")?;
        }
        self.problem.fmt(f)
    }
}

/// A row that is in its place and has the wrong type.
#[derive(Debug)]
pub(super) struct Malformed {
    pub(super) writer: Option<String>,
    pub(super) sequence: Option<u64>,
    pub(super) column: &'static str,
}

/// Takes rows in the order of writer and sequence, and finds what is wrong with them.
pub(super) struct Verifier {
    heads: BTreeMap<String, Head>,
    checkpoints: BTreeMap<String, Vec<(Checkpoint, Digest)>>,
    /// Heads that were taken earlier, by writer.
    anchors: BTreeMap<String, Vec<Head>>,
    current: Option<Progress>,
    seen: BTreeSet<String>,
    result: Verification,
}

/// How far a chain has been followed.
struct Progress {
    head: Head,
    decisions: u64,
    pruned: u64,
}

impl Verifier {
    pub(super) fn new(
        heads: Vec<Head>,
        checkpoints: Vec<(Checkpoint, Digest)>,
        anchors: &[Head],
    ) -> Self {
        let mut by_writer: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for (checkpoint, seal) in checkpoints {
            by_writer.entry(checkpoint.writer.clone()).or_default().push((checkpoint, seal));
        }
        let mut anchored: BTreeMap<String, Vec<Head>> = BTreeMap::new();
        for anchor in anchors {
            anchored.entry(anchor.writer.clone()).or_default().push(anchor.clone());
        }
        Self {
            heads: heads.into_iter().map(|head| (head.writer.clone(), head)).collect(),
            checkpoints: by_writer,
            anchors: anchored,
            current: None,
            seen: BTreeSet::new(),
            result: Verification::default(),
        }
    }

    pub(super) fn fault(&mut self, writer: Option<&str>, sequence: Option<u64>, problem: Problem) {
        self.result.fault_count = self.result.fault_count.saturating_add(1);
        if self.result.faults.len() < TOLD {
            let writer = writer.map(|writer| writer.chars().take(100).collect());
            self.result.faults.push(Fault { writer, sequence, problem });
        }
    }

    pub(super) fn malformed(&mut self, row: Malformed) {
        let Malformed { writer, sequence, column } = row;
        if let Some(writer) = &writer {
            self.enter(writer);
        }
        self.fault(writer.as_deref(), sequence, Problem::Malformed { column });
        // The rows after it have their own hashes; the place is taken.
        if let (Some(progress), Some(sequence)) = (&mut self.current, sequence) {
            progress.head.sequence = sequence;
            progress.decisions = progress.decisions.saturating_add(1);
        }
    }

    /// Follows the chain by one row. After a fault it goes on from what the row itself says, so
    /// that each fault is told once and where it is.
    pub(super) fn row(&mut self, linked: Linked) {
        let holds = linked.holds();
        let Linked { writer, sequence, previous, hash, .. } = linked;
        self.enter(&writer);
        let Some(progress) = &mut self.current else { return };
        let before = progress.head.clone();
        progress.decisions = progress.decisions.saturating_add(1);
        progress.head = Head { writer: writer.clone(), sequence, hash };
        let expected = before.sequence.saturating_add(1);
        if sequence != expected {
            self.fault(Some(&writer), Some(sequence), Problem::Gap { expected });
        } else if previous != before.hash {
            self.fault(Some(&writer), Some(sequence), Problem::Unlinked);
        }
        if !holds {
            self.fault(Some(&writer), Some(sequence), Problem::Edited);
        }
        let anchors = self.anchors.get(&writer).into_iter().flatten();
        let off = anchors.clone().any(|head| head.sequence == sequence && head.hash != hash);
        if off {
            self.fault(Some(&writer), Some(sequence), Problem::OffHead);
        }
    }

    /// Goes over to a writer's chain, unless it is the one that is followed already.
    fn enter(&mut self, writer: &str) {
        if self.current.as_ref().is_some_and(|progress| progress.head.writer == writer) {
            return;
        }
        self.leave();
        let (start, pruned) = self.start_of(writer);
        self.seen.insert(writer.to_owned());
        let anchors = self.anchors.get(writer).into_iter().flatten();
        if anchors.clone().any(|head| head.sequence == start.sequence && head.hash != start.hash) {
            self.fault(Some(writer), Some(start.sequence), Problem::OffHead);
        }
        self.current = Some(Progress { head: start, decisions: 0, pruned });
    }

    /// Where the rows of a writer begin: after those that were pruned.
    fn start_of(&mut self, writer: &str) -> (Head, u64) {
        let mut previous = genesis(writer);
        let mut start = Head::of_new(writer.to_owned());
        let mut broken = Vec::new();
        for (index, (checkpoint, seal)) in
            self.checkpoints.get(writer).into_iter().flatten().enumerate()
        {
            let number = (index as u64).saturating_add(1);
            if checkpoint.number != number
                || checkpoint.previous != previous
                || checkpoint.seal() != *seal
                || checkpoint.sequence <= start.sequence
            {
                broken.push(checkpoint.number);
            }
            previous = *seal;
            start.sequence = checkpoint.sequence;
            start.hash = checkpoint.hash;
        }
        for number in broken {
            self.fault(Some(writer), None, Problem::Checkpoint { number });
        }
        let pruned = start.sequence;
        (start, pruned)
    }

    /// Holds the end of the chain against its head and the heads that were taken earlier.
    fn leave(&mut self) {
        let Some(Progress { head, decisions, pruned }) = self.current.take() else { return };
        let writer = head.writer.clone();
        match self.heads.get(&writer).cloned() {
            None => self.fault(Some(&writer), None, Problem::Headless),
            Some(stored) if stored.sequence > head.sequence => {
                let expected = stored.sequence;
                self.fault(Some(&writer), Some(head.sequence), Problem::Truncated { expected });
            }
            Some(stored) if stored != head => {
                self.fault(Some(&writer), Some(head.sequence), Problem::HeadDiffers);
            }
            Some(_) => {}
        }
        for anchor in self.anchors.get(&writer).cloned().unwrap_or_default() {
            if anchor.sequence > head.sequence {
                let expected = anchor.sequence;
                self.fault(Some(&writer), Some(head.sequence), Problem::BehindHead { expected });
            }
        }
        self.result.chains.push(Chain { head, decisions, pruned });
    }

    /// After the last row.
    pub(super) fn finish(mut self) -> Verification {
        self.leave();
        // Chains without a single row: pruned to the end, or emptied.
        let writers: BTreeSet<String> =
            self.heads.keys().chain(self.checkpoints.keys()).cloned().collect();
        for writer in writers.difference(&self.seen.clone()) {
            self.enter(writer);
            self.leave();
        }
        let lost: Vec<String> =
            self.anchors.keys().filter(|writer| !self.seen.contains(*writer)).cloned().collect();
        for writer in lost {
            self.fault(Some(&writer), None, Problem::ChainMissing);
        }
        self.result.chains.sort_by(|one, other| one.head.writer.cmp(&other.head.writer));
        self.result
    }
}
