//! The MLflow registry: what of it is guarded, and what evidence it gives. Against a real server.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod between;
mod check;
mod client;
mod collect;
mod passing;
mod plan;
mod recorded;
mod routes;
mod server;
mod twice;
