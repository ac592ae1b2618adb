//! Whether the record has the allow by which a change was made.
//!
//! This gateway may not know any more what it did before it was started, and knows nothing of what
//! another one before the same MLflow has done. What they allowed is on record, if they share it.
//! A tag of the version is no proof of it: whoever goes around the gateway can write one.

use crate::decision::{Movement, Naming, Verdict};
use crate::model::{DecisionId, Origin, Target, Timestamp};
use crate::record::{Filter, Page, PageSize, Record, RecordError};
use crate::registry::mlflow::{Leave, Move, decided_target};

/// How long before a change its allow may have been recorded. The gateway carries it out at once,
/// and MLflow has two minutes to do so unless told otherwise.
const BEFORE: u64 = 150;

/// How far the clocks of MLflow and the gateways may be apart, and what is lost as times are cut to
/// seconds.
const APART: u64 = 3;

/// Decisions that are looked through for one of the workspace. They are of one target of one name,
/// in minutes.
const SEEN: u16 = 100;

/// The record, asked about one change.
pub(super) struct Recorded<'a> {
    pub(super) record: &'a Record,
    /// The workspace that it was made in, as decisions name it.
    pub(super) registry: String,
    /// When the change was made; none when nobody knows, and then nothing explains it.
    pub(super) at: Option<Timestamp>,
}

impl Recorded<'_> {
    /// Whether every one of these moves was allowed shortly before, and none was moved off since.
    pub(super) async fn has_allowed(&self, moves: &[Move]) -> Result<bool, RecordError> {
        for moved in moves {
            let subject = &moved.subject;
            let last = self.last(&subject.model, &moved.target).await?;
            let explained = last.is_some_and(|(movement, version)| {
                movement == Movement::Promotion && version == subject.version
            });
            if !explained {
                return Ok(false);
            }
        }
        Ok(!moves.is_empty())
    }

    /// The same of versions that left.
    pub(super) async fn has_let_go(&self, removals: &[Leave]) -> Result<bool, RecordError> {
        for leave in removals {
            let last = self.last(&leave.model, &leave.target).await?;
            let explained = last.is_some_and(|(movement, version)| {
                movement == Movement::Removal
                    && leave.version.as_ref().is_none_or(|own| *own == version)
            });
            if !explained {
                return Ok(false);
            }
        }
        Ok(!removals.is_empty())
    }

    /// The last thing that was allowed for a target of a model until the change was made. What came
    /// before it is no explanation: setting an alias back to what it was last week is a change. Nor
    /// is what somebody has gone around since.
    async fn last(
        &self,
        model: &str,
        target: &Target,
    ) -> Result<Option<(Movement, String)>, RecordError> {
        let allowed = self.newest(model, target, Origin::Mlflow, Some(Verdict::Allow)).await?;
        let Some(allowed) = allowed else { return Ok(None) };
        let around = self.newest(model, target, Origin::Bypassed, None).await?;
        if around.is_some_and(|around| around > allowed) {
            return Ok(None);
        }
        // The row is held against its hash by reading all of it.
        let recorded = self.record.get(allowed).await?;
        Ok(recorded.map(|recorded| (recorded.summary.movement, recorded.summary.version)))
    }

    /// The newest decision on a target of a model until the change was made. Ids are in the order of
    /// time.
    async fn newest(
        &self,
        model: &str,
        target: &Target,
        origin: Origin,
        verdict: Option<Verdict>,
    ) -> Result<Option<DecisionId>, RecordError> {
        let Some(at) = self.at else { return Ok(None) };
        let filter = Filter {
            model: Some(model.to_owned()),
            target: Some(target.clone()),
            verdict,
            origin: Some(origin),
            since: Timestamp::from_seconds(at.seconds().saturating_sub(BEFORE)),
            until: Timestamp::from_seconds(at.seconds().saturating_add(APART)),
            version: None,
        };
        let size = PageSize::new(SEEN).unwrap_or(PageSize::DEFAULT);
        let listing = self.record.list(&filter, Page { size, after: None }).await?;
        let own = listing.decisions.into_iter().find(|one| one.registry == self.registry);
        Ok(own.map(|own| own.id))
    }

    /// Whether a tag is the one that a gateway writes after the allow that it names.
    pub(super) async fn has_tagged(
        &self,
        naming: &Naming,
        model: &str,
        version: &str,
        key: &str,
        value: &str,
    ) -> Result<bool, RecordError> {
        let (Some(target), Ok(id)) = (decided_target(key), value.parse::<DecisionId>()) else {
            return Ok(false);
        };
        let Some(recorded) = self.record.get(id).await? else { return Ok(false) };
        let summary = recorded.summary;
        // A version of an environment goes by the name of what it was made of.
        let base = naming.environment(model).map_or(model, |own| own.base(model));
        let same_version = base != model || summary.version == version;
        Ok(summary.verdict == Verdict::Allow
            && summary.registry == self.registry
            && summary.origin == Origin::Mlflow
            && summary.movement == Movement::Promotion
            && summary.target == target
            && [model, base].contains(&summary.model.as_str())
            && same_version)
    }
}
