//! Policies in registries, against Debian's `docker-registry`, other tools that read and sign
//! artifacts, and servers that mean no good.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod folder;
mod hostile;
mod locking;
mod login;
mod referrers;
mod registry;
mod serving;
mod sharing;
mod signing;
mod stub;
mod tampering;
mod tools;
mod trusting;
mod vendoring;
