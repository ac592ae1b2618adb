//! The resources of KServe, `serving.kserve.io`: where each says which model it serves.

use serde_json::Value;
use serde_json::value::RawValue;

use super::graph::check_graph;
use super::llm::{Role, of_llm};
use super::part::Part;
use super::pod::{self, INTERNAL, Marks};
use super::review::shown;
use super::service::{check_runtime, of_service, of_trained};
use super::source::Source;
use super::template;
use crate::model::ModelVersion;

const GROUP: &str = "serving.kserve.io";
/// Names of the model and version that a resource may carry for people to see.
const MODEL_LABEL: &str = "lockgate.dev/model";
const VERSION_LABEL: &str = "lockgate.dev/version";

/// A resource that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    InferenceService,
    TrainedModel,
    InferenceGraph,
    LlmInferenceService,
    LlmInferenceServiceConfig,
    ServingRuntime,
}

/// What a resource says of models.
pub(super) struct Resource {
    pub(super) labels: Labels,
    pub(super) sources: Vec<Source>,
}

/// The labels of a resource that speak of its model.
#[derive(Default)]
pub(super) struct Labels {
    model: Option<String>,
    version: Option<String>,
}

impl Labels {
    pub(super) fn agree_with(&self, subject: &ModelVersion) -> Result<(), String> {
        let pairs = [
            (MODEL_LABEL, &self.model, &subject.model),
            (VERSION_LABEL, &self.version, &subject.version),
        ];
        for (label, said, found) in pairs {
            if let Some(said) = said.as_ref().filter(|said| *said != found) {
                return Err(format!(
                    "the label `{label}` says `{}`, and the address of the model `{found}`; correct the one that is wrong",
                    shown(said)
                ));
            }
        }
        Ok(())
    }
}

impl Kind {
    pub(super) fn of(group: &str, version: &str, kind: &str) -> Option<Self> {
        if group != GROUP {
            return None;
        }
        match (kind, version) {
            ("InferenceService", "v1beta1") => Some(Self::InferenceService),
            ("TrainedModel", "v1alpha1") => Some(Self::TrainedModel),
            ("InferenceGraph", "v1alpha1") => Some(Self::InferenceGraph),
            ("ServingRuntime", "v1alpha1") => Some(Self::ServingRuntime),
            ("LLMInferenceService", "v1alpha1" | "v1alpha2") => Some(Self::LlmInferenceService),
            ("LLMInferenceServiceConfig", "v1alpha1" | "v1alpha2") => {
                Some(Self::LlmInferenceServiceConfig)
            }
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::InferenceService => "InferenceService",
            Self::TrainedModel => "TrainedModel",
            Self::InferenceGraph => "InferenceGraph",
            Self::LlmInferenceService => "LLMInferenceService",
            Self::LlmInferenceServiceConfig => "LLMInferenceServiceConfig",
            Self::ServingRuntime => "ServingRuntime",
        }
    }

    /// Reads a resource of this kind.
    pub(super) fn read(self, raw: &RawValue, namespace: &str) -> Result<Resource, String> {
        let Object { metadata, spec } = self.object(raw)?;
        match self {
            Self::InferenceService | Self::LlmInferenceService => {
                template::refuse("spec", spec.get())?;
                template::refuse_unplain(&metadata.annotations)?;
            }
            Self::ServingRuntime => template::check_runtime("spec", spec.get())?,
            Self::LlmInferenceServiceConfig => template::check_base("spec", spec.get())?,
            Self::TrainedModel | Self::InferenceGraph => {}
        }
        let spec = Part::read("spec".to_owned(), spec)?;
        let mut sources = Vec::new();
        match self {
            Self::InferenceService => of_service(spec, namespace, &mut sources)?,
            Self::TrainedModel => of_trained(spec, &mut sources)?,
            Self::InferenceGraph => check_graph(spec, namespace)?,
            Self::LlmInferenceService => of_llm(spec, Role::Service, namespace, &mut sources)?,
            Self::LlmInferenceServiceConfig => of_llm(spec, Role::Base, namespace, &mut sources)?,
            Self::ServingRuntime => check_runtime(spec, namespace)?,
        }
        metadata.refuse_orders(&sources)?;
        let mut labels = metadata.labels;
        let labels =
            Labels { model: labels.remove(MODEL_LABEL), version: labels.remove(VERSION_LABEL) };
        Ok(Resource { labels, sources })
    }

    /// Whether two states of a resource serve the same whatever they serve: nothing of what is
    /// specified differs, nor of what KServe reads beside it. Finalizers and labels come and go like
    /// that.
    pub(super) fn serves_alike(self, one: &RawValue, other: &RawValue) -> bool {
        let (Ok(one), Ok(other)) = (self.object(one), self.object(other)) else { return false };
        let parsed = |raw: &RawValue| serde_json::from_str::<Value>(raw.get()).ok();
        one.metadata.leading().eq(other.metadata.leading())
            && (one.spec.get() == other.spec.get()
                || parsed(one.spec).is_some_and(|spec| Some(spec) == parsed(other.spec)))
    }

    fn object(self, raw: &RawValue) -> Result<Object<'_>, String> {
        let object = Part::read(format!("the {}", self.name()), raw)?;
        let version: Option<String> = object.get("apiVersion")?;
        let kind: Option<String> = object.get("kind")?;
        let version = version.as_deref().and_then(|version| version.split_once('/'));
        let found = version.zip(kind.as_deref());
        if found.and_then(|((group, version), kind)| Self::of(group, version, kind)) != Some(self) {
            return Err("the resource is of another kind than the review says".to_owned());
        }
        let (mut annotations, mut labels) = (None, None);
        if let Some(metadata) = object.part("metadata")? {
            (annotations, labels) = (metadata.get("annotations")?, metadata.get("labels")?);
        }
        let metadata = Metadata {
            annotations: annotations.unwrap_or_default(),
            labels: labels.unwrap_or_default(),
        };
        let spec = object.get("spec")?.ok_or("the resource has no `spec`")?;
        Ok(Object { metadata, spec })
    }
}

struct Object<'a> {
    metadata: Metadata,
    spec: &'a RawValue,
}

struct Metadata {
    annotations: Marks,
    labels: Marks,
}

/// Annotations that KServe keeps for itself when it turns one version of a kind into another.
const CONVERTED: [&str; 2] = ["model-criticality", "lora-criticalities"];
/// The annotation with the address of the model that KServe holds a copy of on its nodes.
const CACHED: &str = "localmodel-sourceuri";
/// What KServe writes down beside it before anybody is asked.
const BESIDE_CACHED: [&str; 3] = ["localmodel-pvc-name", "localmodel", "localmodel-namespace"];

impl Metadata {
    /// What KServe takes for orders to itself.
    fn orders(&self) -> impl Iterator<Item = (&String, &String)> {
        self.annotations.iter().chain(&self.labels).filter(|(key, _)| pod::is_internal(key))
    }

    /// What of it has a say in what is served: orders, and what a runtime is filled in with.
    fn leading(&self) -> impl Iterator<Item = (&String, &String)> {
        let filled_in = self.annotations.iter().filter(|(key, _)| template::fills_in(key));
        self.orders().chain(filled_in)
    }

    /// Annotations and labels that lead to another model than the resource names. Those of a copy
    /// on the nodes are KServe's own where they are of the one model that the resource names: it
    /// has written or removed them itself then.
    fn refuse_orders(&self, sources: &[Source]) -> Result<(), String> {
        let cached = self.annotations.get(&format!("{INTERNAL}{CACHED}"));
        let main = match sources {
            [first, ..] => first.named().filter(|_| first.is_main()),
            [] => None,
        };
        let of_main = match (cached, main) {
            (Some(cached), Some(main)) => is_same(main, cached),
            _ => false,
        };
        for (key, _) in self.orders() {
            let name = key.strip_prefix(INTERNAL).unwrap_or_default();
            let own = CONVERTED.contains(&name)
                || of_main && (name == CACHED || BESIDE_CACHED.contains(&name));
            if !own {
                return Err(pod::internal("metadata", key));
            }
        }
        Ok(())
    }
}

/// Whether two addresses are of one model. One that lies below another is not: a folder of several
/// models could be the copy.
fn is_same(address: &str, other: &str) -> bool {
    address.trim_end_matches('/') == other.trim_end_matches('/')
}
