//! Changes as MLflow gives notice of them, and which of them the gateway has made itself.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

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

impl Notice {
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

/// The gateway's own changes of late.
#[derive(Debug, Default)]
pub(super) struct Own(Mutex<Changes>);

#[derive(Debug, Default)]
struct Changes {
    until: HashMap<Notice, Instant>,
    /// In the order in which they were made; an entry that was made again is there twice.
    order: VecDeque<(Notice, Instant)>,
}

impl Own {
    /// Remembers a change that the gateway has made, or may have made.
    ///
    /// Several notices may come of one change, as there may be several webhooks, so it is not
    /// forgotten with the first.
    pub(super) fn remember(&self, notice: Notice, now: Instant) {
        let until = now + KEPT;
        let mut changes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        changes.until.insert(notice.clone(), until);
        changes.order.push_back((notice, until));
        while let Some((oldest, its)) = changes.order.front() {
            if *its > now && changes.order.len() <= REMEMBERED {
                break;
            }
            if changes.until.get(oldest) == Some(its) {
                let oldest = oldest.clone();
                changes.until.remove(&oldest);
            }
            changes.order.pop_front();
        }
    }

    /// Whether the gateway has made this change.
    pub(super) fn knows(&self, notice: &Notice, now: Instant) -> bool {
        let changes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        changes.until.get(notice).is_some_and(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::mlflow::DEFAULT_WORKSPACE;

    fn notice(version: usize) -> Notice {
        Notice {
            workspace: DEFAULT_WORKSPACE.to_owned(),
            model: "fraud".to_owned(),
            event: Event::VersionCreated { version: version.to_string() },
        }
    }

    #[test]
    fn knows_its_changes_for_a_while_however_often_it_is_asked() {
        let (own, start) = (Own::default(), Instant::now());
        let second = Duration::from_secs(1);
        own.remember(notice(1), start);
        assert!(own.knows(&notice(1), start) && own.knows(&notice(1), start));
        assert!(!own.knows(&notice(2), start));
        own.remember(notice(1), start + KEPT - second);
        assert!(own.knows(&notice(1), start + KEPT + second));
        assert!(!own.knows(&notice(1), start + KEPT + KEPT));
    }

    #[test]
    fn forgets_the_oldest_when_there_are_too_many() {
        let (own, now) = (Own::default(), Instant::now());
        for version in 0..=REMEMBERED {
            own.remember(notice(version), now);
        }
        assert!(!own.knows(&notice(0), now) && own.knows(&notice(1), now));
        let changes = own.0.lock().unwrap();
        assert_eq!((changes.until.len(), changes.order.len()), (REMEMBERED, REMEMBERED));
    }
}
