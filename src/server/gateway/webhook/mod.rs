//! Notices of changes, by which those show that went around the gateway.

mod signature;

pub use signature::{InvalidSecret, Secret};
