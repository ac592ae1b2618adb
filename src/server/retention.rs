//! Decisions that are old enough are removed while the server runs.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::metrics::Word;
use crate::model::{DecisionId, Timestamp};
use crate::record::{Filter, Page, PageSize, Pruned, Record, RecordError, Summary};

/// How often is looked for decisions that are old enough: often enough that no more is removed at a
/// time than was recorded in an hour.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// By how much the clock may go ahead of the time that has passed.
const LEAP: Duration = Duration::from_secs(60 * 60);

/// A moment by both clocks of a machine: the one that can be set, and the one that only goes on.
#[derive(Clone, Copy, Debug)]
struct Moment {
    set: Duration,
    steady: Instant,
}

impl Moment {
    fn now() -> Self {
        let set = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { set, steady: Instant::now() }
    }

    /// By how much the clock was set ahead since.
    fn leap_since(self, earlier: Self) -> Duration {
        let passed = self.steady.saturating_duration_since(earlier.steady);
        self.set.saturating_sub(earlier.set).saturating_sub(passed)
    }
}

/// What was found at the start.
#[derive(Clone, Copy, Debug)]
enum Found {
    /// Nothing could be looked at yet.
    Unknown,
    /// The newest decision, and it is older than any that is kept.
    Old(DecisionId),
    /// What may be gone by from now on.
    Sound,
}

/// How long decisions are kept, and what became of those that are kept no longer.
#[derive(Clone, Debug)]
pub struct Retention {
    age: Duration,
    runs: Family<Ended, Counter>,
    removed: Family<Removed, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    result: Word,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Removed {
    what: Word,
}

impl Retention {
    /// Keeps decisions for `age`. What is counted is shown by `registry` from now on.
    #[must_use]
    pub fn new(age: Duration, registry: &mut Registry) -> Self {
        let retention = Self { age, runs: Family::default(), removed: Family::default() };
        registry.register(
            "record_prunes",
            "Times was looked for decisions that are old enough to be removed, by how it ended",
            retention.runs.clone(),
        );
        registry.register(
            "record_pruned",
            "What was removed from the record because it was old enough",
            retention.removed.clone(),
        );
        retention
    }

    /// Removes what is old enough, now and every hour, for as long as it is polled. While the clock
    /// seems to be wrong nothing is removed: what is gone by mistake does not come back.
    pub(super) async fn keep_up(self, record: Record) {
        let mut trusted = Moment::now();
        let mut found = Found::Unknown;
        loop {
            let now = Moment::now();
            match self.doubt(&record, &mut found, now.leap_since(trusted)).await {
                Ok(None) => {
                    trusted = now;
                    self.prune(&record).await;
                }
                Ok(Some(doubt)) => {
                    self.count("failed");
                    tracing::error!("the record is not pruned: {doubt}");
                }
                Err(error) => self.failed(&error),
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Why the clock may be wrong, and what to do.
    async fn doubt(
        &self,
        record: &Record,
        found: &mut Found,
        leap: Duration,
    ) -> Result<Option<String>, RecordError> {
        if leap > LEAP {
            let minutes = leap.as_secs() / 60;
            return Ok(Some(format!(
                "the clock was set ahead by {minutes} min; set it right, or restart the server if it is"
            )));
        }
        *found = match *found {
            Found::Unknown => match newest(record).await? {
                Some(newest) if self.is_over(newest.recorded_at) => Found::Old(newest.id),
                Some(_) | None => Found::Sound,
            },
            Found::Old(id) if record.get(id).await?.is_some() => Found::Old(id),
            Found::Old(_) | Found::Sound => Found::Sound,
        };
        Ok(match found {
            Found::Old(_) => Some(format!(
                "at the start every decision was older than any that is kept, so either nothing was decided for long or the clock is wrong; if it is right, run `lockgate decision prune --older-than {}h` once",
                self.age.as_secs() / 3600
            )),
            Found::Unknown | Found::Sound => None,
        })
    }

    fn is_over(&self, recorded_at: Timestamp) -> bool {
        self.before().is_some_and(|before| recorded_at < before)
    }

    /// Removes what is old enough; none when that failed, which is logged, counted, and tried again
    /// an hour later. The chain of what is left still verifies.
    pub async fn prune(&self, record: &Record) -> Option<Pruned> {
        let before = self.before()?;
        match record.prune(before).await {
            Ok(pruned) => {
                let Pruned { decisions, snapshots } = pruned;
                self.count("pruned");
                self.removed.get_or_create(&Removed { what: Word("decisions") }).inc_by(decisions);
                self.removed.get_or_create(&Removed { what: Word("snapshots") }).inc_by(snapshots);
                tracing::info!(%before, decisions, snapshots, "pruned the record");
                Some(pruned)
            }
            Err(error) => {
                self.failed(&error);
                None
            }
        }
    }

    fn failed(&self, error: &RecordError) {
        self.count("failed");
        tracing::error!(cause = %error, "the record could not be pruned");
    }

    fn before(&self) -> Option<Timestamp> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_seconds(now.saturating_sub(self.age).as_secs())
    }

    fn count(&self, result: &'static str) {
        self.runs.get_or_create(&Ended { result: Word(result) }).inc();
    }
}

async fn newest(record: &Record) -> Result<Option<Summary>, RecordError> {
    let size = PageSize::new(1).unwrap_or(PageSize::DEFAULT);
    let listing = record.list(&Filter::default(), Page { size, after: None }).await?;
    Ok(listing.decisions.into_iter().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_ahead_is_told_from_time_that_passes() {
        let hour = Duration::from_secs(3600);
        let earlier = Moment { set: hour * 1000, steady: Instant::now() };
        for (set, passed, leap) in [(1, 1, 0), (9, 1, 8), (0, 1, 0), (2, 9, 0)] {
            let set = earlier.set + hour * set;
            let later = Moment { set, steady: earlier.steady + hour * passed };
            assert_eq!(later.leap_since(earlier), hour * leap);
        }
        let back = Moment { set: Duration::ZERO, ..earlier };
        assert_eq!(back.leap_since(earlier), Duration::ZERO);
    }
}
