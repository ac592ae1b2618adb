//! MLflow's model registry over its REST API.

mod artifacts;
mod body;
mod caller;
mod client;
mod collect;
mod error;
mod lineage;
mod lookup;
mod mutation;
mod path;
mod plan;
mod planner;
mod refusal;
mod route;
mod screen;
mod source;
mod tags;
mod trust;

pub use body::MAX_BODY_BYTES;
pub use caller::{Caller, InvalidCredentials};
pub use client::{Client, InvalidAddress};
pub use collect::{Gathered, Progress};
pub use error::RegistryError;
pub use lookup::{RegisteredModel, Version};
pub use mutation::{Change, Mutation, NewVersion, Stage, read};
pub use plan::{Candidate, Leave, Move, Plan, REGISTRY};
pub use refusal::{Reason, Refusal};
pub use route::{
    Class, DECIDING, DEFAULT_WORKSPACE, Operation, Routes, WORKSPACE, named_by_connection,
};
pub use screen::Screen;
pub use source::VersionSource;
pub use tags::{PROMPT, decided_target, decision_key};
pub use trust::Trust;
