//! lockgate decides whether a model version may move up a stage.

pub mod decision;
pub mod evaluation;
pub mod model;
pub mod policy;
pub mod wasm;
