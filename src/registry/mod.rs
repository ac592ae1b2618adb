//! Model registries: what a request to one would move, and the evidence it holds.

pub mod kubernetes;
pub mod mlflow;
