//! What the registry holds now.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::caller::Caller;
use super::client::{Answer, Client};
use super::error::RegistryError;
use super::mutation::Stage;
use super::refusal::quoted;

/// Pages of versions that are looked through, of [`PAGE`] versions each.
const PAGES: usize = 50;
const PAGE: &str = "200";

/// A registered model.
#[derive(Clone, Debug, Deserialize)]
pub struct RegisteredModel {
    /// As the registry writes it, which may be in another case than it was asked for.
    pub name: String,
    /// Its aliases.
    #[serde(default)]
    aliases: Vec<Alias>,
    /// The newest version of each stage.
    #[serde(default)]
    pub latest_versions: Vec<Version>,
    #[serde(default)]
    tags: Vec<Tag>,
}

/// A version of a registered model.
#[derive(Clone, Debug, Deserialize)]
pub struct Version {
    /// Its model.
    pub name: String,
    /// Its number.
    pub version: String,
    /// The stage it is in.
    #[serde(default)]
    pub current_stage: String,
    /// Where its files are.
    #[serde(default)]
    pub source: String,
    /// The run it was registered with; empty for none.
    #[serde(default)]
    pub run_id: String,
    /// The logged model it was registered with; empty for none.
    #[serde(default)]
    pub model_id: String,
    /// Its aliases.
    #[serde(default)]
    pub aliases: Vec<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Clone, Debug, Deserialize)]
struct Alias {
    alias: String,
    version: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}

fn as_map(tags: &[Tag]) -> BTreeMap<&str, &str> {
    tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())).collect()
}

impl RegisteredModel {
    /// Its aliases, each with the version that it means.
    pub fn aliases(&self) -> impl Iterator<Item = (&str, &str)> {
        self.aliases.iter().map(|entry| (entry.alias.as_str(), entry.version.as_str()))
    }

    /// The version that an alias means.
    #[must_use]
    pub fn alias(&self, alias: &str) -> Option<&str> {
        self.aliases().find(|(own, _)| *own == alias).map(|(_, version)| version)
    }

    /// The newest version in a stage, which is what the stage means.
    #[must_use]
    pub fn in_stage(&self, stage: Stage) -> Option<&Version> {
        self.latest_versions.iter().find(|version| version.stage() == Some(stage))
    }

    /// The newest version of all.
    #[must_use]
    pub fn newest(&self) -> Option<&Version> {
        self.latest_versions.iter().max_by_key(|version| version.number())
    }

    /// Its tags.
    #[must_use]
    pub fn tags(&self) -> BTreeMap<&str, &str> {
        as_map(&self.tags)
    }
}

impl Version {
    /// The stage it is in.
    #[must_use]
    pub fn stage(&self) -> Option<Stage> {
        Stage::parse(&self.current_stage)
    }

    /// Its tags.
    #[must_use]
    pub fn tags(&self) -> BTreeMap<&str, &str> {
        as_map(&self.tags)
    }

    pub(super) fn number(&self) -> u64 {
        self.version.parse().unwrap_or(0)
    }

    /// The run, when there is one.
    #[must_use]
    pub fn run(&self) -> Option<&str> {
        Some(self.run_id.as_str()).filter(|id| !id.is_empty())
    }
}

impl Client {
    /// A registered model.
    ///
    /// # Errors
    /// MLflow cannot be asked, has no such model, or calls it by another name.
    pub async fn registered_model(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<RegisteredModel, RegistryError> {
        self.registered_model_answer(caller, name).await.map(|(model, _)| model)
    }

    pub(super) async fn registered_model_answer(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<(RegisteredModel, Answer), RegistryError> {
        let answer = self.get_json(caller, "registered-models/get", &[("name", name)]).await?;
        let model: RegisteredModel = answer.member("registered_model")?;
        same_name("the model", name, &model.name)?;
        Ok((model, answer))
    }

    /// A version of a registered model.
    ///
    /// # Errors
    /// MLflow cannot be asked, has no such version, or calls it by another name.
    pub async fn version(
        &self,
        caller: &Caller,
        model: &str,
        version: &str,
    ) -> Result<Version, RegistryError> {
        self.version_answer(caller, model, version).await.map(|(version, _)| version)
    }

    pub(super) async fn version_answer(
        &self,
        caller: &Caller,
        model: &str,
        version: &str,
    ) -> Result<(Version, Answer), RegistryError> {
        let query = [("name", model), ("version", version)];
        let answer = self.get_json(caller, "model-versions/get", &query).await?;
        let found: Version = answer.member("model_version")?;
        same_name("the model", model, &found.name)?;
        same_name("the version", version, &found.version)?;
        Ok((found, answer))
    }

    /// Every version of a registered model.
    ///
    /// # Errors
    /// MLflow cannot be asked, or there are more than 10,000.
    pub async fn versions(
        &self,
        caller: &Caller,
        model: &str,
    ) -> Result<Vec<Version>, RegistryError> {
        let what = || "`GET /api/2.0/mlflow/model-versions/search`".to_owned();
        let quote = match (model.contains('\''), model.contains('"')) {
            (false, _) => '\'',
            (true, false) => '"',
            (true, true) => {
                let detail = format!("a search cannot name {}; rename the model", quoted(model));
                return Err(RegistryError::Unusable { what: what(), detail });
            }
        };
        let filter = format!("name={quote}{model}{quote}");
        let mut versions = Vec::new();
        let mut token = String::new();
        for _ in 0..PAGES {
            let mut query = vec![("filter", filter.as_str()), ("max_results", PAGE)];
            if !token.is_empty() {
                query.push(("page_token", &token));
            }
            let answer = self.get_json(caller, "model-versions/search", &query).await?;
            if answer.value.get("model_versions").is_some() {
                versions.extend(answer.member::<Vec<Version>>("model_versions")?);
            }
            match answer.value.get("next_page_token").and_then(serde_json::Value::as_str) {
                Some(next) if !next.is_empty() => token = next.to_owned(),
                _ => return Ok(versions),
            }
        }
        let detail = "the model has more than 10000 versions; delete old ones".to_owned();
        Err(RegistryError::Unusable { what: what(), detail })
    }
}

/// Databases that compare without regard to case, accents or blanks at the end find one name
/// under another, which no gate may know.
fn same_name(what: &str, asked: &str, found: &str) -> Result<(), RegistryError> {
    if asked == found {
        return Ok(());
    }
    Err(RegistryError::Unusable {
        what: format!("{what} {}", quoted(asked)),
        detail: format!("the registry calls it {}; use that name", quoted(found)),
    })
}
