//! Admission reviews of Kubernetes for the resources of KServe: which model versions a resource
//! would serve, or why that cannot be told.
//!
//! Only bytes go in and only bytes come out. What cannot be read as naming one version of a model
//! is refused, as nobody could judge what it would serve.

mod answer;
mod graph;
mod host;
mod known;
mod llm;
mod names;
mod part;
mod pod;
mod resource;
mod review;
mod service;
mod source;
mod template;
mod tokens;
mod uri;
mod words;

use std::collections::BTreeMap;

pub use answer::{Outcome, answer};
pub use review::{Operation, Review, Unreadable, read};
pub use uri::{InvalidHost, InvalidMapping, Mapping, RegistryHost};

use crate::model::{ModelVersion, Target};

/// What the operator says of how models are named in resources.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Storage addresses that hold the name of a model and its version.
    pub mappings: Vec<Mapping>,
    /// Model registries of Kubeflow that models may be taken from.
    pub registries: Vec<RegistryHost>,
    /// Environments by namespace; a namespace that is not there is an environment of its own name.
    pub environments: BTreeMap<String, String>,
}

impl Rules {
    /// What a resource in a namespace is promoted to.
    #[must_use]
    pub fn target(&self, namespace: &str) -> Target {
        let environment = self.environments.get(namespace).map_or(namespace, String::as_str);
        Target::Environment(environment.to_owned())
    }
}

/// What a review asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Nothing that serves another model than before.
    Nothing,
    /// To serve these.
    Models(Vec<Use>),
    /// Something that cannot be told; the text says what and what to do.
    Unknown(String),
}

/// A model version that a resource serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// Where in the resource, `spec.predictor.model`.
    pub place: String,
    /// The version.
    pub subject: ModelVersion,
    /// Whether its address has the form of a [`Mapping`]: the operator says then that the model is
    /// the one of that name in whatever registry knows it.
    pub mapped: bool,
}
