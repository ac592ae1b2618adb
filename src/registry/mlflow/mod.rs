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
mod source;
mod tags;

pub use body::MAX_BODY_BYTES;
pub use caller::{Caller, InvalidCredentials};
pub use client::{Client, InvalidAddress};
pub use collect::{Gathered, Progress};
pub use error::RegistryError;
pub use lookup::{RegisteredModel, Version};
pub use mutation::{Change, Mutation, NewVersion, Stage, read};
pub use plan::{Candidate, Leave, Move, Plan, REGISTRY};
pub use refusal::{Reason, Refusal};
pub use route::{Class, Operation, Routes, WORKSPACE};
pub use source::VersionSource;
pub use tags::decision_key;
