//! The gateway before MLflow, over real sockets.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests")]

mod admitting;
mod approving;
mod attacking;
mod failing;
mod gateway;
mod noticing;
mod page;
mod passing;
mod promoting;
#[path = "../mlflow/server.rs"]
mod server;
mod upstream;
mod volume;
mod ways;
mod wire;
