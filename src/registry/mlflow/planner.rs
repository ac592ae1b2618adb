//! What each change does to targets.

use std::collections::{BTreeMap, BTreeSet};

use super::caller::Caller;
use super::client::Client;
use super::lookup::{RegisteredModel, Version};
use super::mutation::{Change, NewVersion, Stage, is_version};
use super::plan::{Candidate, Leave, Move, Plan, subject};
use super::refusal::{Refusal, quoted};
use super::source::VersionSource;
use super::tags::is_prompt;
use crate::decision::{Environment, Naming, PromotionTag, TagPlace};
use crate::model::Target;

/// What a change does to targets of one model.
pub(super) struct Planner<'a> {
    pub(super) client: &'a Client,
    pub(super) caller: &'a Caller,
    pub(super) naming: &'a Naming,
    pub(super) model: RegisteredModel,
}

impl Planner<'_> {
    pub(super) async fn of(&self, change: &Change) -> Result<Plan, Refusal> {
        let mut plan = Plan::default();
        match change {
            Change::CreateModel { .. }
            | Change::UpdateModel { .. }
            | Change::UpdateVersion { .. } => {}
            Change::RenameModel { new_name, .. } => self.rename(new_name, &mut plan).await?,
            Change::DeleteModel { .. } => plan.removals.extend(self.held().await?.into_keys()),
            Change::SetModelTag { key, value, .. } => self.model_tag(key, value, &mut plan)?,
            Change::DeleteModelTag { key, .. } => self.no_model_tag(key, &mut plan)?,
            Change::SetAlias { alias, version, .. } => {
                self.same_alias(alias)?;
                let target = Target::Alias(alias.clone());
                plan.moves.push(self.registered(version, target));
            }
            Change::DeleteAlias { alias, .. } => {
                self.same_alias(alias)?;
                if let Some(version) = self.model.alias(alias) {
                    plan.removals.push(self.leave(version, Target::Alias(alias.clone())));
                }
            }
            Change::CreateVersion { source, tags, .. } => self.create(source, tags, &mut plan)?,
            Change::TransitionStage { version, stage, archive_existing, .. } => {
                self.transition(version, *stage, &mut plan).await?;
                if *archive_existing {
                    self.archive(version, *stage, &mut plan).await?;
                }
            }
            Change::DeleteVersion { version, .. } => {
                let version = self.version(version).await?;
                plan.removals.extend(self.places_of(&version)?);
            }
            Change::SetVersionTag { version, key, value, .. } => {
                self.version_tag(version, key, Some(value), &mut plan).await?;
            }
            Change::DeleteVersionTag { version, key, .. } => {
                self.version_tag(version, key, None, &mut plan).await?;
            }
        }
        Ok(plan)
    }

    fn registered(&self, version: &str, target: Target) -> Move {
        let (model, version) = (self.model.name.clone(), version.to_owned());
        Move {
            subject: subject(self.caller.registry(), &model, &version),
            source: None,
            target,
            candidate: Candidate::Version { model: model.clone(), version },
            model,
            retires: false,
        }
    }

    fn leave(&self, version: &str, target: Target) -> Leave {
        Leave { model: self.model.name.clone(), version: Some(version.to_owned()), target }
    }

    async fn version(&self, version: &str) -> Result<Version, Refusal> {
        Ok(self.client.version(self.caller, &self.model.name, version).await?)
    }

    fn same_alias(&self, alias: &str) -> Result<(), Refusal> {
        self.model.check_case(alias).map_err(Refusal::unclear)
    }

    async fn transition(
        &self,
        version: &str,
        stage: Stage,
        plan: &mut Plan,
    ) -> Result<(), Refusal> {
        let now = self.version(version).await?.stage();
        let at = |stage: Stage| Target::Stage(stage.as_str().to_owned());
        let mut arrival = self.registered(version, at(stage));
        arrival.source = now.map(at);
        arrival.retires = !stage.is_active();
        plan.moves.push(arrival);
        if let Some(now) = now.filter(|now| *now != stage && now.is_active()) {
            plan.removals.push(self.leave(version, at(now)));
        }
        Ok(())
    }

    /// The versions that make room for one in its stage.
    async fn archive(&self, version: &str, stage: Stage, plan: &mut Plan) -> Result<(), Refusal> {
        let at = |stage: Stage| Target::Stage(stage.as_str().to_owned());
        for other in self.client.versions(self.caller, &self.model).await? {
            if other.version != version && other.stage() == Some(stage) {
                let mut arrival = self.registered(&other.version, at(Stage::Archived));
                arrival.source = Some(at(stage));
                arrival.retires = true;
                plan.moves.push(arrival);
            }
        }
        Ok(())
    }

    fn create(
        &self,
        new: &NewVersion,
        tags: &BTreeMap<String, String>,
        plan: &mut Plan,
    ) -> Result<(), Refusal> {
        let name = &self.model.name;
        if is_prompt(tags)? != self.model.is_prompt() {
            return Err(Refusal::forbidden(format!(
                "a prompt has versions that are prompts, and a model has none that is, or MLflow would hide versions of {} from searches; register it under another name",
                quoted(name)
            )));
        }
        let mut targets = BTreeSet::new();
        let environment = self.naming.environment(name);
        targets.extend(environment.map(|environment| environment.target().clone()));
        for (key, value) in tags {
            check_key(self.naming, key)?;
            for tag in self.naming.tags_of(TagPlace::Version, key) {
                targets.extend(target_of(tag, value)?);
            }
        }
        let base = environment.map_or(name.as_str(), |environment| environment.base(name));
        let candidate = match &new.source {
            VersionSource::Version { model, version } => {
                Candidate::Version { model: model.clone(), version: version.clone() }
            }
            VersionSource::LoggedModel(_)
            | VersionSource::Run { .. }
            | VersionSource::Elsewhere(_) => Candidate::New(new.clone()),
        };
        let version = match &new.source {
            VersionSource::Version { model, version } if model == base => version.clone(),
            source @ (VersionSource::Version { .. }
            | VersionSource::LoggedModel(_)
            | VersionSource::Run { .. }
            | VersionSource::Elsewhere(_)) => source.to_string(),
        };
        plan.moves.extend(targets.into_iter().map(|target| Move {
            subject: subject(self.caller.registry(), base, &version),
            source: None,
            target,
            candidate: candidate.clone(),
            model: name.clone(),
            retires: false,
        }));
        Ok(())
    }

    /// Whatever the model's versions are at, they leave under the old name, and come to under the
    /// new one.
    async fn rename(&self, new_name: &str, plan: &mut Plan) -> Result<(), Refusal> {
        let newest = self.model.newest().map(|version| version.version.clone());
        let held = self.held().await?;
        let arriving = self.naming.environment(new_name).map(Environment::target).cloned();
        let mut arrivals: BTreeSet<(String, Target)> = held
            .keys()
            .filter(|leave| !matches!(held.get(leave), Some(Held::ByName)))
            .filter_map(|leave| Some((leave.version.clone()?, leave.target.clone())))
            .collect();
        arrivals.extend(newest.zip(arriving));
        let base = self.naming.environment(new_name).map_or(new_name, |own| own.base(new_name));
        for (version, target) in arrivals {
            let mut arrival = self.registered(&version, target);
            let by_name = matches!(arrival.target, Target::Environment(_));
            arrival.subject.model = if by_name { base } else { new_name }.to_owned();
            arrival.retires = matches!(&arrival.target, Target::Stage(stage)
                if !Stage::parse(stage).is_some_and(Stage::is_active));
            plan.moves.push(arrival);
        }
        plan.removals.extend(held.into_keys());
        Ok(())
    }

    fn model_tag(&self, key: &str, value: &str, plan: &mut Plan) -> Result<(), Refusal> {
        check_key(self.naming, key)?;
        for tag in self.naming.tags_of(TagPlace::Model, key) {
            if !is_version(value) {
                return Err(Refusal::unclear(format!(
                    "{} promotes the version that it names, and {} is none; write it as `3`",
                    quoted(key),
                    quoted(value)
                )));
            }
            if let Some(target) = target_of(tag, value)? {
                plan.moves.push(self.registered(value, target));
            }
        }
        Ok(())
    }

    fn no_model_tag(&self, key: &str, plan: &mut Plan) -> Result<(), Refusal> {
        check_key(self.naming, key)?;
        let tags = self.model.tags();
        if let Some(version) = tags.get(key) {
            for tag in self.naming.tags_of(TagPlace::Model, key) {
                let target = tag.target.clone();
                plan.removals.extend(target.map(|target| self.leave(version, target)));
            }
        }
        Ok(())
    }

    async fn version_tag(
        &self,
        version: &str,
        key: &str,
        value: Option<&str>,
        plan: &mut Plan,
    ) -> Result<(), Refusal> {
        check_key(self.naming, key)?;
        let tags: Vec<&PromotionTag> = self.naming.tags_of(TagPlace::Version, key).collect();
        if tags.is_empty() {
            return Ok(());
        }
        let known = self.version(version).await?;
        let before = known.tags().get(key).copied().map(str::to_owned);
        for tag in tags {
            let new = value.map(|value| target_of(tag, value)).transpose()?.flatten();
            // A value that came past lockgate may mean nothing.
            let old = before.as_deref().and_then(|value| tag.target_of(value).ok().flatten());
            if let Some(old) = old.filter(|old| Some(old) != new.as_ref()) {
                plan.removals.push(self.leave(version, old));
            }
            plan.moves.extend(new.map(|target| self.registered(version, target)));
        }
        Ok(())
    }

    /// Where one version is.
    fn places_of(&self, version: &Version) -> Result<Vec<Leave>, Refusal> {
        let number = version.version.as_str();
        let aliases = self.model.aliases().filter(|(_, at)| *at == number);
        let mut targets: BTreeSet<Target> =
            aliases.map(|(alias, _)| Target::Alias(alias.to_owned())).collect();
        let stage = version.stage().filter(|stage| stage.is_active());
        targets.extend(stage.map(|stage| Target::Stage(stage.as_str().to_owned())));
        let environment = self.naming.environment(&self.model.name);
        targets.extend(environment.map(|environment| environment.target().clone()));
        for (key, value) in version.tags() {
            for tag in self.naming.tags_of(TagPlace::Version, key) {
                targets.extend(tag.target_of(value).ok().flatten());
            }
        }
        for (key, value) in self.model.tags() {
            for tag in self.naming.tags_of(TagPlace::Model, key) {
                targets.extend(tag.target.clone().filter(|_| value == number));
            }
        }
        Ok(targets.into_iter().map(|target| self.leave(number, target)).collect())
    }

    /// Where any version of the model is, and by what.
    async fn held(&self) -> Result<BTreeMap<Leave, Held>, Refusal> {
        let by_name = self.naming.environment(&self.model.name).map(Environment::target);
        let mut held = BTreeMap::new();
        for version in self.client.versions(self.caller, &self.model).await? {
            for place in self.places_of(&version)? {
                let how =
                    if Some(&place.target) == by_name { Held::ByName } else { Held::BySaying };
                held.insert(place, how);
            }
        }
        Ok(held)
    }
}

/// By what a version is at a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    /// By the name of its model.
    ByName,
    /// By an alias, a stage or a tag.
    BySaying,
}

fn target_of(tag: &PromotionTag, value: &str) -> Result<Option<Target>, Refusal> {
    tag.target_of(value).map_err(|_| {
        let (key, value) = (quoted(&tag.key), quoted(value));
        Refusal::unclear(format!("the tag {key} names an environment, and {value} is none"))
    })
}

/// A key that a database could take for that of a promotion tag must be written as that one is.
pub(super) fn check_key(naming: &Naming, key: &str) -> Result<(), Refusal> {
    if naming.tags.is_empty() {
        return Ok(());
    }
    if !key.is_ascii() {
        return Err(Refusal::unclear(format!(
            "the tag {} is not ASCII, and some databases would take it for another; write it in ASCII",
            quoted(key)
        )));
    }
    match naming.tags.iter().find(|tag| tag.key != key && tag.key.eq_ignore_ascii_case(key)) {
        Some(tag) => Err(Refusal::unclear(format!(
            "the tag {} differs from {} in case alone, which some databases take for the same; write it as that",
            quoted(key),
            quoted(&tag.key)
        ))),
        None => Ok(()),
    }
}
