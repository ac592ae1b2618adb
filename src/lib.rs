//! lockgate decides whether a model version may move up a stage.

pub mod cases;
pub mod cli;
pub mod config;
pub mod decision;
pub mod distribution;
pub mod evaluation;
pub mod evidence;
pub mod model;
pub(crate) mod net;
pub mod policy;
pub mod project;
pub mod record;
pub mod registry;
pub mod report;
pub mod server;
pub(crate) mod text;
pub mod wasm;
