//! The admission server: whoever wants to move a model version asks it, and is answered with a
//! decision that is on record, or with none.

mod app;
mod auth;
mod body;
mod decisions;
mod evidence;
mod gatekeeper;
mod gates;
pub mod gateway;
mod kubernetes;
mod listen;
mod metrics;
mod pool;
mod problem;
mod query;
mod question;
mod ready;
mod reload;
mod retention;
mod routes;
mod scope;
mod serve;
mod telemetry;
mod text;
mod tls;

pub use auth::{
    Credentials, Doorkeeper, InvalidCredentials, InvalidName, NewToken, Principal, Role,
    UnknownRole,
};
pub use body::{BodyLimits, Room};
pub use evidence::{Collect, Collected, Evidence, Piece, Wanted};
pub use gatekeeper::{Capacity, Gatekeeper};
pub use gates::{GateSet, GatesUnusable, LoadGates};
pub use kubernetes::Settings as KubernetesSettings;
pub use listen::ConnectionLimits;
pub use metrics::Metrics;
pub use pool::STACK;
pub use question::{Answer, Asked, Question, Refused};
pub use retention::Retention;
pub use serve::{ServeError, Setup, serve};
pub use telemetry::{LogFormat, Telemetry, TelemetryError, UnknownLogFormat};
pub use tls::{Tls, TlsFiles, TlsUnusable};
