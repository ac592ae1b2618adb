//! Evidence about one version, as MLflow holds it now.
//!
//! MLflow lets metrics, tags and artifacts change at any time, so everything is read once, and
//! what was read is what is judged.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::artifacts::Artifacts;
use super::caller::Caller;
use super::client::{Answer, Client};
use super::error::RegistryError;
use super::lineage::{Lineage, Origin};
use super::lookup::{RegisteredModel, Version};
use super::plan::{Candidate, Move};
use super::{mutation::Stage, tags};
use crate::decision::{Naming, TagPlace};
use crate::evidence::{About, Assignment, Collector, Format, Frozen, Side};
use crate::model::{Digest, Target, Undecided};

/// Time for all of it. Ends before a client of a gateway gives up, which is after two minutes.
const DEADLINE: Duration = Duration::from_secs(60);

/// Told what is being read, for a person who waits.
pub type Progress<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// Evidence that was read from MLflow and is not understood yet.
#[derive(Debug)]
pub struct Gathered {
    about: About,
    documents: Vec<Document>,
}

#[derive(Debug)]
struct Document {
    name: String,
    /// None for a file of the run, which is told apart by its content or the gate file.
    format: Option<Format>,
    bytes: Bytes,
    side: Side,
}

impl Gathered {
    /// What the evidence must speak of.
    #[must_use]
    pub const fn about(&self) -> &About {
        &self.about
    }

    /// Adds everything to what is collected elsewhere.
    pub fn add_to(&self, collector: &mut Collector) {
        for Document { name, format, bytes, side } in &self.documents {
            match format {
                Some(format) => collector.add_known(name, *format, bytes, *side),
                None => collector.add_bytes(name, bytes, *side),
            }
        }
    }

    /// Understands and freezes everything. Takes as long as the evidence is large.
    ///
    /// # Errors
    /// Every piece that could not be understood, or speaks of something else.
    pub fn freeze(self, assignments: Vec<Assignment>) -> Result<Frozen, Vec<Undecided>> {
        let mut collector = Collector::new(self.about.clone(), assignments);
        self.add_to(&mut collector);
        collector.freeze().map_err(|errors| errors.into_iter().map(Into::into).collect())
    }
}

impl Client {
    /// All evidence about a version that would move, frozen.
    ///
    /// # Errors
    /// Everything that could not be had, understood, or speaks of something else.
    pub async fn collect(
        &self,
        caller: &Caller,
        moved: &Move,
        naming: &Naming,
        assignments: Vec<Assignment>,
    ) -> Result<Frozen, Vec<Undecided>> {
        let gathered = self.gather(caller, moved, naming, &assignments, &|_| {}).await?;
        // Parsing hundreds of megabytes would hold up everything else that waits.
        match tokio::task::spawn_blocking(move || gathered.freeze(assignments)).await {
            Ok(frozen) => frozen,
            Err(_) => Err(vec![Undecided::HostFault {
                detail: "reading the evidence ended abnormally".to_owned(),
            }]),
        }
    }

    /// Reads all evidence about a version that would move, within a minute.
    ///
    /// # Errors
    /// What could not be had.
    pub async fn gather(
        &self,
        caller: &Caller,
        moved: &Move,
        naming: &Naming,
        assignments: &[Assignment],
        progress: Progress<'_>,
    ) -> Result<Gathered, Vec<Undecided>> {
        let reader = Reader { client: self, caller, moved, naming, assignments, progress };
        match tokio::time::timeout(DEADLINE, reader.read()).await {
            Ok(gathered) => gathered.map_err(|reason| vec![reason]),
            Err(_) => Err(vec![Undecided::from(RegistryError::TimedOut {
                url: self.url(),
                what: "all that was asked about the version".to_owned(),
                milliseconds: DEADLINE.as_millis(),
            })]),
        }
    }
}

struct Reader<'a> {
    client: &'a Client,
    caller: &'a Caller,
    moved: &'a Move,
    naming: &'a Naming,
    assignments: &'a [Assignment],
    progress: Progress<'a>,
}

/// What is known of the candidate beside its files.
struct Subject {
    origin: Origin,
    /// Its version in the registry, when it is in it.
    version: Option<Version>,
}

impl Reader<'_> {
    async fn read(self) -> Result<Gathered, Undecided> {
        let mut documents = Vec::new();
        let (subject, model) = self.subject(&mut documents).await?;
        let lineage = Lineage::trace(self.client, self.caller, &subject.origin).await?;
        lineage_documents(&lineage, Side::Candidate, &mut documents);
        if let Some(run) = &lineage.run {
            (self.progress)("the files below `lockgate/` of the run");
            let artifacts = Artifacts::new(self.client, self.caller, run.id(), self.assignments);
            for (name, bytes) in artifacts.read(self.progress).await? {
                documents.push(Document { name, format: None, bytes, side: Side::Candidate });
            }
        }
        let target_model = self.target_model(model.as_ref()).await?;
        let current = self.current(target_model.as_ref()).await?;
        if let Some(current) = &current {
            (self.progress)(&format!("version {} that is there now", current.version));
            self.baseline(current, &mut documents).await?;
        }
        self.said_by_tags(&subject, current.as_ref(), &mut documents)?;
        Ok(Gathered { about: self.about(), documents })
    }

    fn about(&self) -> About {
        let (model, version) = match &self.moved.candidate {
            Candidate::Version { model, version } => (model.clone(), Some(version.clone())),
            Candidate::New(_) => (self.moved.subject.model.clone(), None),
        };
        let digests: Vec<Digest> = self.moved.subject.digest.into_iter().collect();
        About { model: Some(model), version, digests, target: self.moved.target.clone() }
    }

    /// The candidate's own entry in the registry, and the model that it is of.
    async fn subject(
        &self,
        documents: &mut Vec<Document>,
    ) -> Result<(Subject, Option<RegisteredModel>), Undecided> {
        match &self.moved.candidate {
            Candidate::New(new) => {
                Ok((Subject { origin: Origin::of_new(new), version: None }, None))
            }
            Candidate::Version { model, version } => {
                (self.progress)("the version and its model");
                let (own, of) = tokio::join!(
                    self.client.version_answer(self.caller, model, version),
                    self.client.registered_model_answer(self.caller, model),
                );
                let ((own, own_answer), (of, of_answer)) = (own?, of?);
                documents.push(Document {
                    name: "mlflow/model-version".to_owned(),
                    format: Some(Format::MlflowModelVersion),
                    bytes: own_answer.bytes,
                    side: Side::Candidate,
                });
                documents.push(Document {
                    name: "mlflow/registered-model".to_owned(),
                    format: Some(Format::MlflowRegisteredModel),
                    bytes: of_answer.bytes,
                    side: Side::Candidate,
                });
                let origin = Origin::of_version(self.client, self.caller, &own).await?;
                Ok((Subject { origin, version: Some(own) }, Some(of)))
            }
        }
    }

    /// The model whose target it is, when it exists. For a rename, which gives it another name, the
    /// model as it is.
    async fn target_model(
        &self,
        own: Option<&RegisteredModel>,
    ) -> Result<Option<RegisteredModel>, Undecided> {
        if let Some(own) = own.filter(|own| own.name == self.moved.model) {
            return Ok(Some(own.clone()));
        }
        match self.client.registered_model(self.caller, &self.moved.model).await {
            Ok(model) => Ok(Some(model)),
            Err(error) if error.is_absence() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The version that the target means now.
    async fn current(&self, model: Option<&RegisteredModel>) -> Result<Option<Version>, Undecided> {
        let Some(model) = model else { return Ok(None) };
        let target = &self.moved.target;
        let version = match target {
            Target::Stage(stage) => {
                let there = Stage::parse(stage).and_then(|stage| model.in_stage(stage));
                there.map(|version| version.version.clone())
            }
            Target::Alias(alias) => {
                model.check_case(alias).map_err(|detail| Undecided::EvidenceUnreadable {
                    source_name: "mlflow/registered-model".to_owned(),
                    detail,
                })?;
                model.alias(alias).map(str::to_owned)
            }
            Target::Environment(_) => self.current_in_environment(model).await?,
        };
        let Some(version) = version else { return Ok(None) };
        // It may have been deleted since.
        match self.client.version(self.caller, &model.name, &version).await {
            Ok(version) => Ok(Some(version)),
            Err(error) if error.is_absence() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// By the name of the model it is the newest version; by a tag of the model, the one that the
    /// tag names; by a tag of versions, the newest that has it.
    async fn current_in_environment(
        &self,
        model: &RegisteredModel,
    ) -> Result<Option<String>, Undecided> {
        let target = &self.moved.target;
        let environment = self.naming.environment(&model.name);
        if environment.is_some_and(|environment| environment.target() == target) {
            return Ok(model.newest().map(|version| version.version.clone()));
        }
        let tags = model.tags();
        let mut tagged = self.naming.tags.iter();
        let by_model = tagged.find_map(|tag| {
            let own = tag.place == TagPlace::Model && tag.target.as_ref() == Some(target);
            tags.get(tag.key.as_str()).filter(|_| own).map(|version| (*version).to_owned())
        });
        if by_model.is_some() || !self.naming.tags.iter().any(|t| t.place == TagPlace::Version) {
            return Ok(by_model);
        }
        let versions = self.client.versions(self.caller, model).await?;
        let there = |version: &&Version| {
            version.tags().into_iter().any(|(key, value)| {
                let mut tags = self.naming.tags_of(TagPlace::Version, key);
                tags.any(|tag| tag.target_of(value).ok().flatten().as_ref() == Some(target))
            })
        };
        let newest = versions.iter().filter(there).max_by_key(|version| version.number());
        Ok(newest.map(|version| version.version.clone()))
    }

    /// Metrics of the version that would be replaced. Where its run is gone or has none, the
    /// snapshot says that there is such a version and nothing of its metrics, which is what a
    /// policy that compares must refuse to compare with.
    async fn baseline(
        &self,
        current: &Version,
        documents: &mut Vec<Document>,
    ) -> Result<(), Undecided> {
        let lineage = match Lineage::of_version(self.client, self.caller, current).await {
            Ok(lineage) => lineage,
            Err(broken) if broken.is_transient() => return Err(broken.into()),
            Err(_) => return Ok(()),
        };
        let before = documents.len();
        lineage_documents(&lineage, Side::Baseline, documents);
        let measured = |document: &Document| {
            let value: Value = serde_json::from_slice(&document.bytes).unwrap_or_default();
            ["/run/data/metrics", "/model/data/metrics"].iter().any(|pointer| {
                let metrics = value.pointer(pointer).and_then(Value::as_array);
                metrics.is_some_and(|metrics| !metrics.is_empty())
            })
        };
        let added = documents.split_off(before);
        documents.extend(added.into_iter().filter(measured));
        Ok(())
    }

    /// What only tags say: approvals, and by which decisions versions came where.
    fn said_by_tags(
        &self,
        subject: &Subject,
        current: Option<&Version>,
        documents: &mut Vec<Document>,
    ) -> Result<(), Undecided> {
        let approvals = match &subject.version {
            Some(version) => tags::approvals(&version.tags())?,
            None => None,
        };
        // Of stages and aliases the model itself says which version they mean.
        let told_by_model = match (&self.moved.target, &self.moved.candidate) {
            (Target::Environment(_), _) | (_, Candidate::New(_)) => false,
            (Target::Stage(_) | Target::Alias(_), Candidate::Version { .. }) => true,
        };
        let now = (!told_by_model).then(|| current.map(|current| current.version.as_str()));
        let history = tags::history(subject.version.iter().chain(current), now);
        for (name, content) in [("mlflow/approvals", approvals), ("mlflow/history", history)] {
            documents.extend(content.map(|content| Document {
                name: name.to_owned(),
                format: Some(Format::Lockgate),
                bytes: Bytes::from(content.to_string()),
                side: Side::Candidate,
            }));
        }
        Ok(())
    }
}

fn lineage_documents(lineage: &Lineage, side: Side, documents: &mut Vec<Document>) {
    let mut add = |name: &str, format, answer: &Answer| {
        let (name, bytes) = (name.to_owned(), answer.bytes.clone());
        documents.push(Document { name, format: Some(format), bytes, side });
    };
    if let Some(run) = &lineage.run {
        add("mlflow/run", Format::MlflowRun, run.answer());
    }
    if let Some(model) = &lineage.logged_model {
        add("mlflow/logged-model", Format::MlflowLoggedModel, model.answer());
    }
}
