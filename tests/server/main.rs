//! The admission server as its users meet it: the real process, on loopback.
#![expect(clippy::unwrap_used, reason = "the helpers of tests may fail as tests do")]
#![expect(clippy::panic, reason = "the helpers of tests may fail as tests do")]
#![expect(clippy::indexing_slicing, reason = "JSON that lacks a key is null, and fails the test")]

mod auth;
#[path = "../record/cluster.rs"]
#[expect(dead_code, reason = "not all of what the tests of the record need")]
mod cluster;
mod decisions;
mod exposure;
mod http;
mod killed;
mod kserve;
mod kubernetes;
mod limits;
mod manifests;
mod openapi;
mod overload;
mod record;
mod reload;
mod served;
mod shutdown;
mod tls;
mod tracing;
