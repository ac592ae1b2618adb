//! What a mutation would move, by what the registry holds now.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::caller::Caller;
use super::client::Client;
use super::mutation::{Change, Mutation, NewVersion};
use super::planner::{Planner, check_key};
use super::refusal::{Refusal, quoted};
use crate::decision::{Naming, TagPlace};
use crate::model::{ModelVersion, Target};

/// What [`ModelVersion::registry`] is for a version in MLflow, in its default workspace.
pub const REGISTRY: &str = "mlflow";

/// Moves of one change. Evidence is collected for each, while the model waits.
const MOST_MOVES: usize = 100;

/// What a mutation would do to targets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Versions that would come to targets: each is to be judged, and all must be allowed.
    pub moves: Vec<Move>,
    /// Versions that would be taken from targets: a gate that guards one says whether they may.
    pub removals: Vec<Leave>,
    /// Where the files are of the versions that would come into use, by model and version: by the
    /// names alone, another version that has come to have them would be taken for the one that was
    /// judged.
    pub files: BTreeMap<(String, String), String>,
}

/// One version that would come to a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The version, as gates and decisions speak of it.
    pub subject: ModelVersion,
    /// The stage it is in now, for a change of stage.
    pub source: Option<Target>,
    /// Where it would come to.
    pub target: Target,
    /// What it consists of, which is where evidence comes from.
    pub candidate: Candidate,
    /// The registered model that is at the target by having this version: other than the
    /// subject's where an environment is a model of its own.
    pub model: String,
    /// It would be put out of use, to `None` or `Archived`: only to be judged where a gate names
    /// that stage.
    pub retires: bool,
}

/// What a version that would move consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Candidate {
    /// A version that is in the registry.
    Version {
        /// Its model.
        model: String,
        /// Its number.
        version: String,
    },
    /// A version that is yet to be registered.
    New(NewVersion),
}

/// One version that would be taken from a target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leave {
    /// Its model.
    pub model: String,
    /// The version, where it is known which.
    pub version: Option<String>,
    /// The target it is at.
    pub target: Target,
}

impl Move {
    /// A version of the registry that somebody asks about, outside of any request to MLflow.
    #[must_use]
    pub fn asked(model: &str, version: &str, target: &Target, naming: &Naming) -> Self {
        let base = naming.environment(model).map_or(model, |own| own.base(model));
        let environments = naming.environments.iter();
        let there = environments.filter(|environment| environment.target() == target);
        let holder = there.filter_map(|environment| environment.model_of(base)).next();
        Self {
            subject: subject(REGISTRY.to_owned(), model, version),
            source: None,
            target: target.clone(),
            candidate: Candidate::Version { model: model.to_owned(), version: version.to_owned() },
            model: holder.unwrap_or_else(|| model.to_owned()),
            retires: false,
        }
    }
}

impl Client {
    /// What a mutation would move. The registry is asked on behalf of `caller`.
    ///
    /// # Errors
    /// The registry cannot be asked, knows the model by another name, or the mutation would do
    /// what cannot be judged, or too much.
    pub async fn plan(
        &self,
        caller: &Caller,
        mutation: &Mutation,
        naming: &Naming,
    ) -> Result<Plan, Refusal> {
        let change = &mutation.change;
        if let Change::CreateModel { model, tags } = change {
            return self.plan_new_model(caller, model, tags, naming).await;
        }
        let model = self.registered_model(caller, change.model()).await?;
        let planner = Planner { client: self, caller, naming, model };
        let mut plan = planner.of(change).await?;
        if plan.moves.len() > MOST_MOVES {
            return Err(Refusal::forbidden(format!(
                "this would bring versions to {} targets at once, and {MOST_MOVES} are judged at most; take some away first",
                plan.moves.len()
            )));
        }
        for moved in plan.moves.iter().filter(|moved| !moved.retires) {
            let Candidate::Version { model, version } = &moved.candidate else { continue };
            if let Entry::Vacant(entry) = plan.files.entry((model.clone(), version.clone())) {
                entry.insert(self.files(caller, model, version).await?);
            }
        }
        Ok(plan)
    }

    async fn plan_new_model(
        &self,
        caller: &Caller,
        model: &str,
        tags: &BTreeMap<String, String>,
        naming: &Naming,
    ) -> Result<Plan, Refusal> {
        for key in tags.keys() {
            check_key(naming, key)?;
            if naming.tags_of(TagPlace::Model, key).next().is_some() {
                return Err(Refusal::forbidden(format!(
                    "{} promotes a version, and a new model has none; set it once there is one",
                    quoted(key)
                )));
            }
        }
        // A model that exists is for MLflow to refuse; under another name, it may not.
        match self.registered_model(caller, model).await {
            Ok(_) => Ok(Plan::default()),
            Err(error) if error.is_absence() => Ok(Plan::default()),
            Err(error) => Err(error.into()),
        }
    }
}

pub(super) fn subject(registry: String, model: &str, version: &str) -> ModelVersion {
    ModelVersion { registry, model: model.to_owned(), version: version.to_owned(), digest: None }
}
