//! What is generated from the contract, one module for each of its major versions.

pub(super) mod v1;
