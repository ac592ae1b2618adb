//! The gateway: stands between MLflow and its clients, so that no promotion goes around its gate.
//!
//! Requests that can move no model version are passed on as they come, streamed both ways.

mod locks;
mod proxy;
mod refusal;
mod webhook;

pub use proxy::{InvalidUpstream, Patience, Peer, Proxy, Upstream};
pub use refusal::Refusal;
pub use webhook::{InvalidSecret, Secret};
