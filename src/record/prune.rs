//! Which rows go when their time is up.

use super::RecordError;
use super::chain::{Checkpoint, Head, content, genesis};
use super::row::Linked;
use crate::model::Digest;

/// Rows that are removed in one transaction: few enough to keep those who append waiting for some
/// milliseconds at most.
pub(super) const SLICE: i64 = 200;

/// What is known of the rows of a writer that were removed before.
pub(super) struct Past {
    /// The last of them.
    pub(super) end: Head,
    /// Number of the last checkpoint.
    number: u64,
    /// Its seal.
    seal: Digest,
}

impl Past {
    pub(super) fn new(writer: &str, last: Option<(Checkpoint, Digest)>) -> Self {
        match last {
            None => Self { end: Head::of_new(writer.to_owned()), number: 0, seal: genesis(writer) },
            Some((checkpoint, seal)) => Self {
                end: Head {
                    writer: checkpoint.writer,
                    sequence: checkpoint.sequence,
                    hash: checkpoint.hash,
                },
                number: checkpoint.number,
                seal,
            },
        }
    }

    /// The checkpoint after the removal of the first of `rows`, which follow the past, up to the
    /// first that was recorded at `before` or later; none when that is the very first.
    ///
    /// A row that does not hold is not removed: that would be the end of all traces.
    pub(super) fn checkpoint(
        &self,
        rows: &[Linked],
        before: i64,
        now: i64,
    ) -> Result<Option<Checkpoint>, RecordError> {
        let mut end = self.end.clone();
        for linked in rows.iter().take_while(|linked| linked.row.recorded_at < before) {
            let next = end.after(content(&linked.row));
            let told = (linked.sequence, linked.previous, linked.hash);
            if told != (next.sequence, end.hash, next.hash) {
                let Head { writer, sequence, .. } = next;
                let detail = format!("writer {writer}, row {sequence} is not what was written");
                return Err(RecordError::Tampered { detail });
            }
            end = next;
        }
        if end.sequence == self.end.sequence {
            return Ok(None);
        }
        Ok(Some(Checkpoint {
            writer: end.writer,
            number: self.number.saturating_add(1),
            sequence: end.sequence,
            hash: end.hash,
            pruned_at: u64::try_from(now).unwrap_or_default(),
            previous: self.seal,
        }))
    }
}

/// Holds a head that this process has left behind against the one that it finds.
pub(super) fn goes_on_from(
    confirmed: &Head,
    found: Option<&Head>,
    hash_there: Option<Digest>,
) -> Result<(), RecordError> {
    let rewound =
        || RecordError::Rewound { writer: confirmed.writer.clone(), sequence: confirmed.sequence };
    let found = found.ok_or_else(rewound)?;
    match found.sequence.cmp(&confirmed.sequence) {
        std::cmp::Ordering::Less => Err(rewound()),
        std::cmp::Ordering::Equal if found.hash == confirmed.hash => Ok(()),
        std::cmp::Ordering::Equal => Err(rewound()),
        // Its row may have been pruned since.
        std::cmp::Ordering::Greater => match hash_there {
            Some(hash) if hash != confirmed.hash => Err(rewound()),
            Some(_) | None => Ok(()),
        },
    }
}
