//! The resources of KServe, `serving.kserve.io`: where each says which model it serves.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::fields::{
    Framework, Graph, Llm, LlmModel, Metadata, Object, Predictor, Service, Storage, StorageUri,
    Trained,
};
use super::review::shown;
use crate::model::ModelVersion;

const GROUP: &str = "serving.kserve.io";
/// Has a pod's model downloaded from somewhere else, whatever its resource says.
const REDIRECTION: &str = "internal.serving.kserve.io/storage-initializer-sourceuri";
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
}

/// What a resource says of models.
pub(super) struct Resource {
    pub(super) labels: Labels,
    pub(super) sources: Vec<Source>,
}

/// Where a model is taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) place: String,
    address: Option<String>,
    /// Everything else that says where it is.
    storage: Option<Storage>,
}

impl Source {
    /// Whether two are of one model, wherever in the resource they stand. What cannot be told is
    /// never the same.
    pub(super) fn same_model(&self, other: &Self) -> bool {
        self.address.is_some() && self.address == other.address && self.storage == other.storage
    }

    /// The address of the model's files.
    pub(super) fn address(&self) -> Result<&str, String> {
        let place = &self.place;
        if self.storage.as_ref().is_some_and(|storage| !storage.parameters.is_empty()) {
            return Err(format!(
                "{place}: `storage.parameters` can lead to another model than the address; leave them out"
            ));
        }
        self.address.as_deref().ok_or_else(|| {
            format!("{place} does not say which version of a model it serves; give it a `storageUri` such as `models:/NAME/VERSION`")
        })
    }
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
            ("LLMInferenceService", "v1alpha1" | "v1alpha2") => Some(Self::LlmInferenceService),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::InferenceService => "InferenceService",
            Self::TrainedModel => "TrainedModel",
            Self::InferenceGraph => "InferenceGraph",
            Self::LlmInferenceService => "LLMInferenceService",
        }
    }

    /// Reads a resource of this kind.
    pub(super) fn read(self, raw: &RawValue, namespace: &str) -> Result<Resource, String> {
        let Object { metadata, spec, .. } = self.object(raw)?;
        let mut sources = Vec::new();
        match self {
            Self::InferenceService => of_service(&self.parse(spec)?, &mut sources)?,
            Self::TrainedModel => {
                let Trained { model } = self.parse(spec)?;
                of_framework(&model, "spec.model", true, &mut sources)?;
            }
            Self::InferenceGraph => check_graph(&self.parse(spec)?, namespace)?,
            Self::LlmInferenceService => of_llm(&self.parse(spec)?, &mut sources),
        }
        refuse_redirection(metadata.annotations.as_ref())?;
        let mut labels = metadata.labels.unwrap_or_default();
        let labels =
            Labels { model: labels.remove(MODEL_LABEL), version: labels.remove(VERSION_LABEL) };
        Ok(Resource { labels, sources })
    }

    /// Whether two states of a resource serve the same whatever they serve: nothing of what is
    /// specified differs. Finalizers and labels come and go like that.
    pub(super) fn serves_alike(self, one: &RawValue, other: &RawValue) -> bool {
        let (Ok(one), Ok(other)) = (self.object(one), self.object(other)) else { return false };
        let redirection = |metadata: &Metadata| {
            metadata.annotations.as_ref().and_then(|all| all.get(REDIRECTION).cloned())
        };
        let parsed = |raw: &RawValue| serde_json::from_str::<Value>(raw.get()).ok();
        redirection(&one.metadata) == redirection(&other.metadata)
            && (one.spec.get() == other.spec.get()
                || parsed(one.spec).is_some_and(|spec| Some(spec) == parsed(other.spec)))
    }

    fn object(self, raw: &RawValue) -> Result<Object<'_>, String> {
        let object: Object<'_> = self.parse(raw)?;
        let of_group = object.api_version.split_once('/').is_some_and(|(group, _)| group == GROUP);
        if object.kind != self.name() || !of_group {
            return Err("the resource is of another kind than the review says".to_owned());
        }
        Ok(object)
    }

    fn parse<'a, T: Deserialize<'a>>(self, raw: &'a RawValue) -> Result<T, String> {
        serde_json::from_str(raw.get()).map_err(|error| {
            format!("the {} cannot be read: {}", self.name(), shown(&error.to_string()))
        })
    }
}

fn refuse_redirection(annotations: Option<&BTreeMap<String, String>>) -> Result<(), String> {
    if annotations.is_some_and(|annotations| annotations.contains_key(REDIRECTION)) {
        return Err(format!(
            "the annotation `{REDIRECTION}` can lead to another model than the resource names; remove it"
        ));
    }
    Ok(())
}

fn of_service(service: &Service, sources: &mut Vec<Source>) -> Result<(), String> {
    of_predictor(&service.predictor, "spec.predictor", true, sources)?;
    for (index, canary) in service.canary.iter().flatten().enumerate() {
        let place = format!("spec.canary[{index}].predictor");
        of_predictor(&canary.predictor, &place, true, sources)?;
    }
    // What stands before or beside a model need not be one.
    for (place, part) in
        [("spec.transformer", &service.transformer), ("spec.explainer", &service.explainer)]
    {
        if let Some(part) = part {
            of_predictor(part, place, false, sources)?;
        }
    }
    Ok(())
}

/// Everything that a predictor serves. One that serves something that cannot be seen is left
/// with a source without an address, which nobody can read.
fn of_predictor(
    predictor: &Predictor,
    place: &str,
    must_serve: bool,
    sources: &mut Vec<Source>,
) -> Result<(), String> {
    refuse_redirection(predictor.annotations.as_ref())?;
    let before = sources.len();
    let frameworks = [
        ("model", &predictor.model),
        ("sklearn", &predictor.sklearn),
        ("xgboost", &predictor.xgboost),
        ("tensorflow", &predictor.tensorflow),
        ("pytorch", &predictor.pytorch),
        ("triton", &predictor.triton),
        ("onnx", &predictor.onnx),
        ("huggingface", &predictor.huggingface),
        ("pmml", &predictor.pmml),
        ("lightgbm", &predictor.lightgbm),
        ("paddle", &predictor.paddle),
        ("art", &predictor.art),
    ];
    let elsewhere = predictor.storage_uris.as_ref().is_some_and(|uris| !uris.is_empty());
    for (name, framework) in frameworks {
        if let Some(framework) = framework {
            let place = format!("{place}.{name}");
            of_framework(framework, &place, must_serve && !elsewhere, sources)?;
        }
    }
    for (index, StorageUri { uri }) in predictor.storage_uris.iter().flatten().enumerate() {
        sources.push(Source {
            place: format!("{place}.storageUris[{index}]"),
            address: Some(uri.clone()),
            storage: None,
        });
    }
    let worker = predictor.worker_spec.as_ref();
    let lists = [
        ("containers", &predictor.containers),
        ("initContainers", &predictor.init_containers),
        ("workerSpec.containers", worker.map_or(&None, |worker| &worker.containers)),
        ("workerSpec.initContainers", worker.map_or(&None, |worker| &worker.init_containers)),
    ];
    for (name, containers) in lists {
        for (index, container) in containers.iter().flatten().enumerate() {
            of_framework(container, &format!("{place}.{name}[{index}]"), false, sources)?;
        }
    }
    if must_serve && sources.len() == before {
        sources.push(Source { place: place.to_owned(), address: None, storage: None });
    }
    Ok(())
}

fn of_framework(
    framework: &Framework,
    place: &str,
    must_serve: bool,
    sources: &mut Vec<Source>,
) -> Result<(), String> {
    let before = sources.len();
    if framework.storage_uri.is_some() || framework.storage.is_some() {
        sources.push(Source {
            place: place.to_owned(),
            address: framework.storage_uri.clone().or_else(|| in_storage(&framework.storage)),
            storage: framework.storage.clone(),
        });
    }
    for variable in framework.env.iter().flatten().filter(|variable| variable.name == "STORAGE_URI")
    {
        let known = variable.value.as_ref().filter(|_| variable.value_from.is_none());
        sources.push(Source {
            place: format!("{place}.env"),
            address: Some(
                known
                    .ok_or_else(|| {
                        format!("{place}: STORAGE_URI is taken from elsewhere; write its value")
                    })?
                    .clone(),
            ),
            storage: None,
        });
    }
    let words = framework.args.iter().chain(&framework.command).flatten();
    for word in words {
        let name = word.split(['=', ' ']).next().unwrap_or_default().replace('_', "-");
        if matches!(name.as_str(), "--model-id" | "--model-dir")
            && (must_serve || sources.len() > before)
        {
            return Err(format!(
                "{place}: the argument `{}` can lead to another model than the address; leave it out",
                shown(word)
            ));
        }
    }
    if must_serve && sources.len() == before {
        sources.push(Source { place: place.to_owned(), address: None, storage: None });
    }
    Ok(())
}

/// An address for what lies in the storage that a secret tells of: `storage:KEY/PATH`.
fn in_storage(storage: &Option<Storage>) -> Option<String> {
    let Storage { path, key, .. } = storage.as_ref()?;
    Some(format!("storage:{}/{}", key.as_deref().unwrap_or("default"), path.as_deref()?))
}

fn of_llm(llm: &Llm, sources: &mut Vec<Source>) {
    let source = |place: String, model: Option<&LlmModel>| Source {
        place,
        address: model.and_then(|model| model.uri.clone()),
        storage: None,
    };
    sources.push(source("spec.model".to_owned(), llm.model.as_ref()));
    let lora = llm.model.as_ref().and_then(|model| model.lora.as_ref());
    for (index, adapter) in lora.iter().flat_map(|lora| lora.adapters.iter().flatten()).enumerate()
    {
        sources.push(source(format!("spec.model.lora.adapters[{index}]"), Some(adapter)));
    }
}

/// A graph serves no model itself. It leads to services, which have been judged where they are
/// services of KServe in its own namespace.
fn check_graph(graph: &Graph, namespace: &str) -> Result<(), String> {
    for (name, router) in &graph.nodes {
        for step in router.steps.iter().flatten() {
            if let Some(url) = step.service_url.as_deref().filter(|url| !url.is_empty())
                && !within(url, namespace)
            {
                return Err(format!(
                    "spec.nodes.{}: `{}` leads out of the namespace, where nobody has judged what is served; name an InferenceService with `serviceName`",
                    shown(name),
                    shown(url)
                ));
            }
        }
    }
    Ok(())
}

/// Whether an address is one of a service in the namespace.
fn within(url: &str, namespace: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")) else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.split_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        Some(_) => return false,
        None => authority,
    };
    let mut labels = host.split('.');
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if !labels.next().is_some_and(is_label) {
        return false;
    }
    let rest: Vec<&str> = labels.collect();
    match rest.as_slice() {
        [] => true,
        [space, rest @ ..] => {
            *space == namespace && matches!(rest, [] | ["svc"] | ["svc", "cluster", "local"])
        }
    }
}
