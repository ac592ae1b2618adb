//! What the registry holds now.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::caller::Caller;
use super::client::{Answer, Client};
use super::error::RegistryError;
use super::mutation::Stage;
use super::refusal::quoted;
use super::tags::PROMPT;

/// Versions that are looked through, in pages of [`PAGE`] versions each.
const MOST: u64 = 10_000;
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

    /// Refuses an alias that is there in another case: databases that compare without regard to it
    /// take `Champion` for `champion`, and would replace what nobody compared with.
    ///
    /// # Errors
    /// What to write instead.
    pub(super) fn check_case(&self, alias: &str) -> Result<(), String> {
        let mut aliases = self.aliases().map(|(own, _)| own);
        match aliases.find(|own| own.eq_ignore_ascii_case(alias) && *own != alias) {
            None => Ok(()),
            Some(own) => Err(format!(
                "the alias {} differs from {} in case alone, which some databases take for the same; write it as that",
                quoted(alias),
                quoted(own)
            )),
        }
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

    /// Whether MLflow takes it for a prompt.
    pub(super) fn is_prompt(&self) -> bool {
        self.tags().get(PROMPT).is_some_and(|value| value.eq_ignore_ascii_case("true"))
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

    /// Where MLflow takes the files of a version from. It settles that when the version is made:
    /// what a version says it was made of may have gone since, or be another one of that name.
    ///
    /// # Errors
    /// MLflow cannot be asked, or has no such version.
    pub(super) async fn files(
        &self,
        caller: &Caller,
        model: &str,
        version: &str,
    ) -> Result<String, RegistryError> {
        let query = [("name", model), ("version", version)];
        let answer = self.get_json(caller, "model-versions/get-download-uri", &query).await?;
        answer.member("artifact_uri")
    }

    /// Every version of a registered model.
    ///
    /// # Errors
    /// MLflow cannot be asked, there are more than 10,000, or it does not find one that it names.
    pub(super) async fn versions(
        &self,
        caller: &Caller,
        model: &RegisteredModel,
    ) -> Result<Vec<Version>, RegistryError> {
        let quote = match (model.name.contains('\''), model.name.contains('"')) {
            (false, _) => '\'',
            (true, false) => '"',
            (true, true) => {
                let name = quoted(&model.name);
                return Err(unsearchable(format!("it cannot name {name}; rename the model")));
            }
        };
        let of_model = format!("name={quote}{}{quote}", model.name);
        let mut found = BTreeMap::new();
        self.search(caller, &of_model, &mut found).await?;
        // Once one version of a name has had the tag of a prompt, MLflow finds none of them unless
        // it is asked for that tag, and then those alone that have it.
        let hidden = found.is_empty();
        let of_prompt = format!("{of_model} AND tags.`{PROMPT}` = 'true'");
        self.search(caller, &of_prompt, &mut found).await?;
        if hidden {
            self.try_each(caller, model, &mut found).await?;
        }
        let aliased = model.aliases().map(|(_, version)| version);
        let mut named = aliased.chain(model.latest_versions.iter().map(|own| own.version.as_str()));
        match named.find(|version| !found.contains_key(*version)) {
            None => Ok(found.into_values().collect()),
            Some(version) => Err(unsearchable(format!(
                "it does not find version {} of {}, which is there; ask again",
                quoted(version),
                quoted(&model.name)
            ))),
        }
    }

    /// Adds what a search for versions finds, by number.
    async fn search(
        &self,
        caller: &Caller,
        filter: &str,
        found: &mut BTreeMap<String, Version>,
    ) -> Result<(), RegistryError> {
        let mut token = String::new();
        for _ in 0..PAGES {
            let mut query = vec![("filter", filter), ("max_results", PAGE)];
            if !token.is_empty() {
                query.push(("page_token", &token));
            }
            let answer = self.get_json(caller, "model-versions/search", &query).await?;
            if answer.value.get("model_versions").is_some() {
                let page = answer.member::<Vec<Version>>("model_versions")?;
                found.extend(page.into_iter().map(|version| (version.version.clone(), version)));
            }
            match answer.value.get("next_page_token").and_then(serde_json::Value::as_str) {
                Some(next) if !next.is_empty() => token = next.to_owned(),
                _ => return Ok(()),
            }
        }
        Err(too_many())
    }

    /// Adds every version that is there and was not found: each is asked for by its number.
    async fn try_each(
        &self,
        caller: &Caller,
        model: &RegisteredModel,
        found: &mut BTreeMap<String, Version>,
    ) -> Result<(), RegistryError> {
        let newest = model.newest().map_or(0, Version::number);
        if newest > MOST {
            return Err(too_many());
        }
        for number in (1..=newest).map(|number| number.to_string()) {
            if found.contains_key(&number) {
                continue;
            }
            match self.version(caller, &model.name, &number).await {
                Ok(version) => drop(found.insert(number, version)),
                // Deleted.
                Err(error) if error.is_absence() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn too_many() -> RegistryError {
    unsearchable(format!("the model has more than {MOST} versions; delete old ones"))
}

fn unsearchable(detail: String) -> RegistryError {
    RegistryError::Unusable {
        what: "`GET /api/2.0/mlflow/model-versions/search`".to_owned(),
        detail,
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
