//! Which rows go when their time is up.

use super::RecordError;
use super::chain::{Checkpoint, Head, content, genesis};
use super::row::Linked;
use crate::model::Digest;

/// Rows that are removed in one transaction: few enough to keep those who append waiting for some
/// milliseconds at most.
pub(super) const SLICE: i64 = 200;

/// How far a row may lie in the future. Clocks differ by less; what lies further was recorded while
/// one was wrong.
const AHEAD: i64 = 24 * 60 * 60 * 1000;

/// The latest time at which a row can have been recorded, as of `now`.
pub(super) const fn latest(now: i64) -> i64 {
    now.saturating_add(AHEAD)
}

/// The number of the last of `rows`, if when it was recorded is only told by a row after it.
pub(super) fn undated(rows: &[Linked], now: i64) -> Option<u64> {
    rows.last().filter(|last| last.row.recorded_at > latest(now)).map(|last| last.sequence)
}

/// How many of the first of `rows` were recorded before a time. One from the future was recorded
/// before the next one that is not, or else it would keep all after it for as long; `next` is when
/// the first of those after `rows` was.
fn due(rows: &[Linked], mut next: Option<i64>, before: i64, now: i64) -> usize {
    let dated = rows.iter().rev().map(|linked| {
        let at = linked.row.recorded_at;
        if at <= latest(now) {
            next = Some(at);
        }
        next.unwrap_or(at)
    });
    let dated: Vec<i64> = dated.collect();
    dated.iter().rev().take_while(|at| **at < before).count()
}

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
    /// first that was recorded at `before` or later; none when that is the very first. `next` is
    /// when the row that [`undated`] asks for was recorded.
    ///
    /// A row that does not hold is not removed: that would be the end of all traces.
    pub(super) fn checkpoint(
        &self,
        rows: &[Linked],
        next: Option<i64>,
        before: i64,
        now: i64,
    ) -> Result<Option<Checkpoint>, RecordError> {
        let mut end = self.end.clone();
        for linked in rows.iter().take(due(rows, next, before, now)) {
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

#[cfg(test)]
mod tests {
    use super::super::row::Row;
    use super::*;

    const WRITER: &str = "0198c6a5-6f2e-7b1a-9c3d-2f4e5a6b7c8d";
    const DAY: i64 = 24 * 60 * 60 * 1000;
    const NOW: i64 = 20_000 * DAY;

    /// A chain of rows that were recorded so many days before now.
    fn chain(ages: &[i64]) -> Vec<Linked> {
        let mut head = Head::of_new(WRITER.to_owned());
        let link = |age: &i64| {
            let row = Row {
                id: String::new(),
                recorded_at: NOW - age * DAY,
                origin: String::new(),
                asked_by: None,
                verdict: String::new(),
                registry: String::new(),
                model: String::new(),
                version: String::new(),
                target: String::new(),
                requested_by: None,
                snapshot: None,
                document: String::new(),
            };
            let previous = head.hash;
            head = head.after(content(&row));
            let Head { writer, sequence, hash } = head.clone();
            Linked { writer, sequence, previous, hash, row }
        };
        ages.iter().map(link).collect()
    }

    fn removed(ages: &[i64], next: Option<i64>, older_than: i64) -> u64 {
        let past = Past::new(WRITER, None);
        let next = next.map(|age| NOW - age * DAY);
        let checkpoint = past.checkpoint(&chain(ages), next, NOW - older_than * DAY, NOW).unwrap();
        checkpoint.map_or(0, |checkpoint| checkpoint.sequence)
    }

    #[test]
    fn a_clock_that_was_wrong_once_keeps_nothing_from_going() {
        assert_eq!(removed(&[120, 110, -3650, 100, 10], None, 90), 4);
        assert_eq!(removed(&[120, -3650, -3650, 10], None, 90), 1);
        // Of what comes after those that are looked at it is known when it was.
        assert_eq!(removed(&[120, -3650, -3650], Some(100), 90), 3);
        assert_eq!(removed(&[120, -3650, -3650], Some(10), 90), 1);
    }

    #[test]
    fn what_only_lies_in_the_future_stays_unless_it_is_meant() {
        assert_eq!(removed(&[120, -3650], None, 90), 1);
        assert_eq!(removed(&[120, -3650], None, -4000), 2);
        assert_eq!(undated(&chain(&[120, -3650]), NOW), Some(2));
        assert_eq!(undated(&chain(&[-3650, 120]), NOW), None);
    }
}
