//! The admission server: whoever wants to move a model version asks it, and is answered with a
//! decision that is on record, or with none.

mod evidence;
mod gatekeeper;
mod gates;
pub mod gateway;
mod metrics;
mod pool;

pub use evidence::{Collect, Collected, Evidence, Piece, Wanted};
pub use gatekeeper::{Answer, Asked, Capacity, Gatekeeper, Question, Refused};
pub use gates::{GateSet, GatesUnusable, LoadGates};
pub use metrics::Metrics;
