//! The fields of KServe's resources that can name a model, as they are written.
//!
//! They are those of the resource definitions of KServe 0.20 and earlier.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Object<'a> {
    pub(super) api_version: String,
    pub(super) kind: String,
    #[serde(default)]
    pub(super) metadata: Metadata,
    #[serde(borrow)]
    pub(super) spec: &'a RawValue,
}

#[derive(Default, Deserialize)]
pub(super) struct Metadata {
    #[serde(default)]
    pub(super) annotations: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(super) labels: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
pub(super) struct Service {
    pub(super) predictor: Predictor,
    #[serde(default)]
    pub(super) transformer: Option<Predictor>,
    #[serde(default)]
    pub(super) explainer: Option<Predictor>,
    #[serde(default)]
    pub(super) canary: Option<Vec<Canary>>,
}

#[derive(Deserialize)]
pub(super) struct Canary {
    pub(super) predictor: Predictor,
}

/// A predictor, transformer or explainer: a framework, or containers of one's own.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Predictor {
    #[serde(default)]
    pub(super) model: Option<Framework>,
    #[serde(default)]
    pub(super) sklearn: Option<Framework>,
    #[serde(default)]
    pub(super) xgboost: Option<Framework>,
    #[serde(default)]
    pub(super) tensorflow: Option<Framework>,
    #[serde(default)]
    pub(super) pytorch: Option<Framework>,
    #[serde(default)]
    pub(super) triton: Option<Framework>,
    #[serde(default)]
    pub(super) onnx: Option<Framework>,
    #[serde(default)]
    pub(super) huggingface: Option<Framework>,
    #[serde(default)]
    pub(super) pmml: Option<Framework>,
    #[serde(default)]
    pub(super) lightgbm: Option<Framework>,
    #[serde(default)]
    pub(super) paddle: Option<Framework>,
    /// Of an explainer.
    #[serde(default)]
    pub(super) art: Option<Framework>,
    #[serde(default)]
    pub(super) storage_uris: Option<Vec<StorageUri>>,
    #[serde(default)]
    pub(super) containers: Option<Vec<Framework>>,
    #[serde(default)]
    pub(super) init_containers: Option<Vec<Framework>>,
    #[serde(default)]
    pub(super) worker_spec: Option<Worker>,
    #[serde(default)]
    pub(super) annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Worker {
    #[serde(default)]
    pub(super) containers: Option<Vec<Framework>>,
    #[serde(default)]
    pub(super) init_containers: Option<Vec<Framework>>,
}

#[derive(Deserialize)]
pub(super) struct StorageUri {
    pub(super) uri: String,
}

/// A framework's server, or a container.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Framework {
    #[serde(default)]
    pub(super) storage_uri: Option<String>,
    #[serde(default)]
    pub(super) storage: Option<Storage>,
    #[serde(default)]
    pub(super) env: Option<Vec<Variable>>,
    #[serde(default)]
    pub(super) args: Option<Vec<String>>,
    #[serde(default)]
    pub(super) command: Option<Vec<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Storage {
    #[serde(default)]
    pub(super) path: Option<String>,
    #[serde(default)]
    pub(super) key: Option<String>,
    #[serde(default)]
    pub(super) parameters: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Variable {
    pub(super) name: String,
    #[serde(default)]
    pub(super) value: Option<String>,
    #[serde(default)]
    pub(super) value_from: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Trained {
    pub(super) model: Framework,
}

#[derive(Deserialize)]
pub(super) struct Graph {
    pub(super) nodes: BTreeMap<String, Router>,
}

#[derive(Deserialize)]
pub(super) struct Router {
    #[serde(default)]
    pub(super) steps: Option<Vec<Step>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Step {
    #[serde(default)]
    pub(super) service_url: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Llm {
    #[serde(default)]
    pub(super) model: Option<LlmModel>,
}

#[derive(Deserialize)]
pub(super) struct LlmModel {
    #[serde(default)]
    pub(super) uri: Option<String>,
    #[serde(default)]
    pub(super) lora: Option<Lora>,
}

#[derive(Deserialize)]
pub(super) struct Lora {
    #[serde(default)]
    pub(super) adapters: Option<Vec<LlmModel>>,
}
