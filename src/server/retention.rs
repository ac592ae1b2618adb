//! Decisions that are old enough are removed while the server runs.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::model::Timestamp;
use crate::record::{Pruned, Record};

/// How often is looked for decisions that are old enough: often enough that no more is removed at a
/// time than was recorded in an hour.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// How long decisions are kept, and what became of those that are kept no longer.
#[derive(Clone, Debug)]
pub struct Retention {
    age: Duration,
    runs: Family<Ended, Counter>,
    removed: Family<Removed, Counter>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Word(&'static str);

impl EncodeLabelValue for Word {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        self.0.encode(encoder)
    }
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

    /// Removes what is old enough, now and every hour, for as long as it is polled.
    pub(super) async fn keep_up(self, record: Record) {
        loop {
            self.prune(&record).await;
            tokio::time::sleep(EVERY).await;
        }
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
                self.count("failed");
                tracing::error!(cause = %error, %before, "the record could not be pruned");
                None
            }
        }
    }

    fn before(&self) -> Option<Timestamp> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_seconds(now.saturating_sub(self.age).as_secs())
    }

    fn count(&self, result: &'static str) {
        self.runs.get_or_create(&Ended { result: Word(result) }).inc();
    }
}
