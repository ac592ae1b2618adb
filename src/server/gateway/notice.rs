//! Changes as MLflow gives notice of them, and which of them the gateway has made itself.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::registry::mlflow::Change;

/// How long a notice may take. MLflow tries for some minutes, and lockgate takes nothing that was
/// signed more than five minutes ago.
const KEPT: Duration = Duration::from_secs(15 * 60);

/// Own changes that are remembered. Past this many the oldest is forgotten, and a notice of it
/// counts as of one that went around: one alarm too many, never one too few.
const REMEMBERED: usize = 65_536;

/// A change to what versions mean, of the kinds that MLflow gives notice of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Notice {
    /// The workspace; MLflow's `default` where there are none.
    pub(super) workspace: String,
    /// The registered model.
    pub(super) model: String,
    /// What happened to it.
    pub(super) event: Event,
}

/// What happened to a registered model.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Event {
    VersionCreated { version: String },
    AliasSet { alias: String, version: String },
    AliasDeleted { alias: String },
    TagSet { version: String, key: String, value: String },
    TagDeleted { version: String, key: String },
}

/// What a change is of: of two changes of one place, the later one is what holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    workspace: String,
    model: String,
    part: Part,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Part {
    Version(String),
    Alias(String),
    Tag { version: String, key: String },
}

impl Notice {
    fn place(&self) -> Place {
        let part = match &self.event {
            Event::VersionCreated { version } => Part::Version(version.clone()),
            Event::AliasSet { alias, .. } | Event::AliasDeleted { alias } => {
                Part::Alias(alias.clone())
            }
            Event::TagSet { version, key, .. } | Event::TagDeleted { version, key } => {
                Part::Tag { version: version.clone(), key: key.clone() }
            }
        };
        Place { workspace: self.workspace.clone(), model: self.model.clone(), part }
    }

    /// The notice that a change will lead to; none for those that MLflow says nothing of.
    /// `created` is the number of a version that it has made.
    pub(super) fn of(change: &Change, workspace: &str, created: Option<&str>) -> Option<Self> {
        let event = match change {
            Change::CreateVersion { .. } => Event::VersionCreated { version: created?.to_owned() },
            Change::SetAlias { alias, version, .. } => {
                Event::AliasSet { alias: alias.clone(), version: version.clone() }
            }
            Change::DeleteAlias { alias, .. } => Event::AliasDeleted { alias: alias.clone() },
            Change::SetVersionTag { version, key, value, .. } => {
                Event::TagSet { version: version.clone(), key: key.clone(), value: value.clone() }
            }
            Change::DeleteVersionTag { version, key, .. } => {
                Event::TagDeleted { version: version.clone(), key: key.clone() }
            }
            Change::CreateModel { .. }
            | Change::UpdateModel { .. }
            | Change::RenameModel { .. }
            | Change::DeleteModel { .. }
            | Change::SetModelTag { .. }
            | Change::DeleteModelTag { .. }
            | Change::UpdateVersion { .. }
            | Change::TransitionStage { .. }
            | Change::DeleteVersion { .. } => return None,
        };
        let (workspace, model) = (workspace.to_owned(), change.model().to_owned());
        Some(Self { workspace, model, event })
    }
}

/// Seconds since the Unix epoch, by this machine's clock; notices have those of MLflow's.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// The gateway's own changes of late.
#[derive(Debug, Default)]
pub(super) struct Own(Mutex<Changes>);

#[derive(Debug, Default)]
struct Changes {
    made: HashMap<Notice, Made>,
    /// The last change of each place, unless somebody else has changed it since.
    last: HashMap<Place, Notice>,
    /// In the order in which they were made; an entry that was made again is there twice.
    order: VecDeque<(Notice, u64)>,
}

#[derive(Clone, Copy, Debug)]
struct Made {
    /// Until when it is remembered, in seconds.
    until: u64,
    /// When the place was changed again: what is made of it later is not this change.
    ended: Option<u64>,
}

impl Own {
    /// Remembers a change that the gateway has made, or may have made.
    ///
    /// Several notices may come of one change, as there may be several webhooks, so it is not
    /// forgotten with the first.
    pub(super) fn remember(&self, notice: Notice, now: u64) {
        let until = now.saturating_add(KEPT.as_secs());
        let mut changes = self.lock();
        changes.end(&notice.place(), now);
        changes.made.insert(notice.clone(), Made { until, ended: None });
        changes.last.insert(notice.place(), notice.clone());
        changes.order.push_back((notice, until));
        while let Some((oldest, its)) = changes.order.front() {
            if *its > now && changes.order.len() <= REMEMBERED {
                break;
            }
            if changes.made.get(oldest).is_some_and(|made| made.until == *its) {
                let oldest = oldest.clone();
                changes.made.remove(&oldest);
                if changes.last.get(&oldest.place()) == Some(&oldest) {
                    changes.last.remove(&oldest.place());
                }
            }
            changes.order.pop_front();
        }
    }

    /// Whether the gateway has made this change, which MLflow says was made `at` that second.
    pub(super) fn knows(&self, notice: &Notice, at: Option<u64>, now: u64) -> bool {
        let changes = self.lock();
        changes.made.get(notice).is_some_and(|made| {
            let held = made.ended.is_none_or(|ended| at.is_some_and(|at| at <= ended));
            made.until > now && held
        })
    }

    /// Somebody else has changed what a notice is of: it is no longer as the gateway left it.
    pub(super) fn changed(&self, notice: &Notice, at: u64) {
        self.lock().end(&notice.place(), at);
    }

    /// A model is there no longer: what comes under its name is another one.
    pub(super) fn left(&self, workspace: &str, model: &str, at: u64) {
        let mut changes = self.lock();
        let own = |place: &&Place| place.model == model && place.workspace == workspace;
        let places: Vec<Place> = changes.last.keys().filter(own).cloned().collect();
        for place in &places {
            changes.end(place, at);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Changes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Changes {
    fn end(&mut self, place: &Place, at: u64) {
        let last = self.last.remove(place);
        if let Some(made) = last.and_then(|last| self.made.get_mut(&last)) {
            made.ended = Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::mlflow::DEFAULT_WORKSPACE;

    fn notice_of(event: Event) -> Notice {
        let (workspace, model) = (DEFAULT_WORKSPACE.to_owned(), "fraud".to_owned());
        Notice { workspace, model, event }
    }

    fn created(version: usize) -> Notice {
        notice_of(Event::VersionCreated { version: version.to_string() })
    }

    fn champion(version: &str) -> Notice {
        notice_of(Event::AliasSet { alias: "champion".to_owned(), version: version.to_owned() })
    }

    const fn at(seconds: u64) -> u64 {
        1_700_000_000 + seconds
    }

    #[test]
    fn knows_its_changes_for_a_while_however_often_it_is_asked() {
        let own = Own::default();
        let kept = KEPT.as_secs();
        own.remember(created(1), at(0));
        assert!(own.knows(&created(1), None, at(0)) && own.knows(&created(1), None, at(0)));
        assert!(!own.knows(&created(2), None, at(0)));
        own.remember(created(1), at(kept - 1));
        assert!(own.knows(&created(1), None, at(kept + 1)));
        assert!(!own.knows(&created(1), None, at(kept + kept)));
    }

    #[test]
    fn what_is_set_back_by_hand_is_not_its_own() {
        let own = Own::default();
        own.remember(champion("1"), at(0));
        own.remember(champion("2"), at(300));
        assert!(own.knows(&champion("2"), Some(at(300)), at(301)));
        assert!(!own.knows(&champion("1"), Some(at(360)), at(361)));
        // The notice of what it did first may come as late.
        assert!(own.knows(&champion("1"), Some(at(0)), at(361)));
        assert!(!own.knows(&champion("1"), None, at(361)));
        // Taking the alias away is of the same place.
        let deleted = notice_of(Event::AliasDeleted { alias: "champion".to_owned() });
        own.remember(deleted.clone(), at(400));
        assert!(own.knows(&deleted, Some(at(400)), at(401)));
        assert!(!own.knows(&champion("2"), Some(at(460)), at(461)));
        own.remember(champion("2"), at(500));
        assert!(own.knows(&champion("2"), Some(at(500)), at(501)));
        assert!(!own.knows(&deleted, Some(at(560)), at(561)));
        // Nor is it where somebody else came in between.
        own.changed(&champion("1"), at(600));
        assert!(!own.knows(&champion("2"), Some(at(660)), at(661)));
    }

    #[test]
    fn each_tag_of_each_version_is_a_place_of_its_own() {
        let own = Own::default();
        let tag = |version: &str, key: &str, value: &str| {
            let (version, key) = (version.to_owned(), key.to_owned());
            notice_of(Event::TagSet { version, key, value: value.to_owned() })
        };
        own.remember(tag("1", "deploy", "prod"), at(0));
        own.remember(tag("2", "deploy", "dev"), at(10));
        own.remember(tag("1", "team", "risk"), at(10));
        assert!(own.knows(&tag("1", "deploy", "prod"), Some(at(20)), at(20)));
        own.remember(tag("1", "deploy", "dev"), at(30));
        assert!(!own.knows(&tag("1", "deploy", "prod"), Some(at(40)), at(40)));
    }

    #[test]
    fn a_model_that_left_has_done_nothing() {
        let own = Own::default();
        own.remember(created(1), at(0));
        own.remember(champion("1"), at(0));
        own.left(DEFAULT_WORKSPACE, "another", at(5));
        assert!(own.knows(&champion("1"), Some(at(9)), at(9)));
        own.left(DEFAULT_WORKSPACE, "fraud", at(10));
        assert!(!own.knows(&champion("1"), Some(at(20)), at(20)));
        assert!(!own.knows(&created(1), Some(at(20)), at(20)));
    }

    #[test]
    fn forgets_the_oldest_when_there_are_too_many() {
        let own = Own::default();
        for version in 0..=REMEMBERED {
            own.remember(created(version), at(0));
        }
        assert!(!own.knows(&created(0), None, at(0)) && own.knows(&created(1), None, at(0)));
        let changes = own.lock();
        let sizes = [changes.made.len(), changes.last.len(), changes.order.len()];
        assert_eq!(sizes, [REMEMBERED; 3]);
    }
}
