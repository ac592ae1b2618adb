//! Which run and logged model speak of a version.
//!
//! MLflow lets a client name any run with a version whose files are elsewhere, and any run beside
//! a logged model. Their metrics would then be those of other files, so a run or logged model
//! counts only where the files of the version are its own. Versions that a version was made of are
//! known by a name that may be another's by now, so they too count only with the same files.

use serde::Deserialize;

use super::caller::Caller;
use super::client::{Answer, Client};
use super::error::RegistryError;
use super::lookup::Version;
use super::mutation::NewVersion;
use super::refusal::quoted;
use super::source::{VersionSource, climbs, is_id};
use crate::model::Undecided;

/// Versions made of versions made of versions, and so on.
const STEPS: usize = 8;

/// What a version says of where it comes from.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    source: String,
    run_id: Option<String>,
    model_id: Option<String>,
    /// Where its files are; MLflow settles that once it is made.
    files: Option<String>,
}

/// What speaks of a version.
#[derive(Debug, Default)]
pub(super) struct Lineage {
    pub(super) run: Option<Run>,
    pub(super) logged_model: Option<LoggedModel>,
}

#[derive(Debug)]
pub(super) struct Run {
    info: RunInfo,
    answer: Answer,
}

#[derive(Debug)]
pub(super) struct LoggedModel {
    info: ModelInfo,
    answer: Answer,
}

#[derive(Debug, Deserialize)]
struct RunBody {
    info: RunInfo,
}

#[derive(Debug, Deserialize)]
struct RunInfo {
    run_id: String,
    #[serde(default)]
    artifact_uri: String,
}

#[derive(Debug, Deserialize)]
struct ModelBody {
    info: ModelInfo,
}

#[derive(Debug, Deserialize)]
struct ModelInfo {
    model_id: String,
    #[serde(default)]
    artifact_uri: String,
    #[serde(default)]
    source_run_id: String,
}

/// Why nothing can be told of a version.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error("{0}")]
    Foreign(String),
}

impl Broken {
    /// Whether it says nothing of the version, only that MLflow could not be asked.
    pub(super) fn is_transient(&self) -> bool {
        matches!(self, Self::Registry(error) if !error.is_absence())
    }
}

impl From<Broken> for Undecided {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Registry(error) => error.into(),
            Broken::Foreign(detail) => {
                Self::EvidenceMismatch { source_name: "mlflow/model-version".to_owned(), detail }
            }
        }
    }
}

impl Run {
    pub(super) fn id(&self) -> &str {
        &self.info.run_id
    }

    pub(super) const fn answer(&self) -> &Answer {
        &self.answer
    }
}

impl LoggedModel {
    pub(super) const fn answer(&self) -> &Answer {
        &self.answer
    }
}

impl Origin {
    pub(super) async fn of_version(
        client: &Client,
        caller: &Caller,
        version: &Version,
    ) -> Result<Self, RegistryError> {
        let filled = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        Ok(Self {
            source: version.source.clone(),
            run_id: filled(&version.run_id),
            model_id: filled(&version.model_id),
            files: Some(client.files(caller, &version.name, &version.version).await?),
        })
    }

    pub(super) fn of_new(new: &NewVersion) -> Self {
        Self {
            source: new.source.to_string(),
            run_id: new.run_id.clone(),
            model_id: new.model_id.clone(),
            files: None,
        }
    }
}

impl Lineage {
    pub(super) async fn of_version(
        client: &Client,
        caller: &Caller,
        version: &Version,
    ) -> Result<Self, Broken> {
        let origin = Origin::of_version(client, caller, version).await?;
        Self::trace(client, caller, &origin).await
    }

    /// Follows a version to the run and the logged model that its files are of.
    pub(super) async fn trace(
        client: &Client,
        caller: &Caller,
        origin: &Origin,
    ) -> Result<Self, Broken> {
        let tracer = Tracer { client, caller };
        let mut origin = origin.clone();
        for _ in 0..STEPS {
            let source = VersionSource::parse(&origin.source).map_err(Broken::Foreign)?;
            let VersionSource::Version { model, version } = &source else {
                return tracer.end(&origin, &source).await;
            };
            let next = client.version(caller, model, version).await?;
            let next = Origin::of_version(client, caller, &next).await?;
            let same = |own: &Option<String>, other: &Option<String>| own.is_none() || own == other;
            if !same(&origin.run_id, &next.run_id) || !same(&origin.model_id, &next.model_id) {
                return Err(Broken::Foreign(format!(
                    "it names another run or logged model than the version {} that it is made of; register it again",
                    quoted(&origin.source)
                )));
            }
            if let (Some(files), Some(others)) = (&origin.files, &next.files)
                && files != others
            {
                return Err(Broken::Foreign(format!(
                    "its files are at {}, and the version {} that it says it was made of has others, at {}; register it again",
                    quoted(files),
                    quoted(&origin.source),
                    quoted(others)
                )));
            }
            origin = next;
        }
        Err(Broken::Foreign(format!("it is made of more than {STEPS} versions of each other")))
    }
}

struct Tracer<'a> {
    client: &'a Client,
    caller: &'a Caller,
}

impl Tracer<'_> {
    async fn end(&self, origin: &Origin, source: &VersionSource) -> Result<Lineage, Broken> {
        let logged_model = match (source, &origin.model_id) {
            (VersionSource::LoggedModel(id), Some(named)) if id != named => {
                return Err(foreign("logged model", named, source));
            }
            (VersionSource::LoggedModel(id), _) | (_, Some(id)) => {
                Some(self.logged_model(id).await?)
            }
            (_, None) => None,
        };
        let from_model = logged_model.as_ref().map(|model| model.info.source_run_id.as_str());
        let from_model = from_model.filter(|id| !id.is_empty());
        let run_id = match (origin.run_id.as_deref(), from_model) {
            // Files of a logged model are of the run that logged it, and of no other.
            (Some(named), Some(logged)) if named != logged => {
                return Err(foreign("run", named, source));
            }
            (Some(named), None) if logged_model.is_some() => {
                return Err(foreign("run", named, source));
            }
            (named, logged) => named.or(logged),
        };
        let run = match run_id {
            Some(id) => Some(self.run(id).await?),
            None => None,
        };
        let run_root = run.as_ref().map(|run| run.info.artifact_uri.as_str());
        let model_root = logged_model.as_ref().map(|model| model.info.artifact_uri.as_str());
        // A run may have logged many models, whose files are none of each other's.
        let root = model_root.or(run_root);
        let is_within_root = |uri: &str| root.is_some_and(|root| is_within(uri, root));
        let held = match source {
            VersionSource::Run { run_id, .. } => {
                logged_model.is_none() && run.as_ref().is_some_and(|run| run.id() == run_id)
            }
            VersionSource::LoggedModel(_) => true,
            VersionSource::Elsewhere(uri) => root.is_none() || is_within_root(uri),
            VersionSource::Version { .. } => false,
        };
        let settled = origin.files.as_deref().filter(|files| *files != origin.source);
        if let Some(files) = settled.filter(|files| Some(*files) != root && !is_within_root(files))
        {
            return Err(Broken::Foreign(format!(
                "its files are at {}, and not at {} as it says; register it again",
                quoted(files),
                quoted(&origin.source)
            )));
        }
        match (&run, held) {
            (_, true) => Ok(Lineage { run, logged_model }),
            (Some(run), false) => match &logged_model {
                Some(model) => Err(foreign("logged model", &model.info.model_id, source)),
                None => Err(foreign("run", run.id(), source)),
            },
            (None, false) => Err(Broken::Foreign(format!(
                "its files are at {}, and it names no run that they are of; register it with its run",
                quoted(&source.to_string())
            ))),
        }
    }

    async fn run(&self, id: &str) -> Result<Run, Broken> {
        let answer = self.client.get_json(self.caller, "runs/get", &[("run_id", id)]).await?;
        let body: RunBody = answer.member("run")?;
        check_id("run", id, &body.info.run_id)?;
        Ok(Run { info: body.info, answer })
    }

    async fn logged_model(&self, id: &str) -> Result<LoggedModel, Broken> {
        if !is_id(id) {
            let text = format!("{} is no logged model's identifier", quoted(id));
            return Err(Broken::Foreign(text));
        }
        let route = format!("logged-models/{id}");
        let answer = self.client.get_json(self.caller, &route, &[]).await?;
        let body: ModelBody = answer.member("model")?;
        check_id("logged model", id, &body.info.model_id)?;
        Ok(LoggedModel { info: body.info, answer })
    }
}

fn check_id(what: &str, asked: &str, found: &str) -> Result<(), RegistryError> {
    if asked == found {
        return Ok(());
    }
    let (what, detail) =
        (format!("the {what} {}", quoted(asked)), format!("it is of {}", quoted(found)));
    Err(RegistryError::Unusable { what, detail })
}

fn foreign(what: &str, id: &str, source: &VersionSource) -> Broken {
    Broken::Foreign(format!(
        "it names the {what} {}, and its files are not of it but at {}, so nothing is known of them; register it with the run that made them",
        quoted(id),
        quoted(&source.to_string())
    ))
}

/// Whether a URI is below another, however its path may be read.
fn is_within(uri: &str, root: &str) -> bool {
    let path = |uri: &str| uri.strip_prefix("file://").unwrap_or(uri).to_owned();
    let (uri, root) = (path(uri), path(root));
    let root = root.trim_end_matches('/');
    let below = uri.strip_prefix(root).and_then(|rest| rest.strip_prefix('/'));
    !root.is_empty() && below.is_some_and(|rest| !rest.is_empty() && !climbs(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_is_below_the_artifacts_of_a_run() {
        let root = "mlflow-artifacts:/1/8c01/artifacts";
        assert!(is_within("mlflow-artifacts:/1/8c01/artifacts/model", root));
        assert!(is_within("/mnt/1/8c01/artifacts/model", "file:///mnt/1/8c01/artifacts/"));
        for uri in [
            "mlflow-artifacts:/1/8c01/artifacts",
            "mlflow-artifacts:/1/8c01/artifacts2/model",
            "mlflow-artifacts:/1/8c01/artifacts/../../2/x",
            "mlflow-artifacts:/1/8c01/artifacts/%2e%2e/x",
            "s3://evil/1/8c01/artifacts/model",
        ] {
            assert!(!is_within(uri, root), "{uri}");
        }
        assert!(!is_within("/x", ""));
    }
}
