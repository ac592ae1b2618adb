//! Policies as artifacts in OCI registries: pushed and pulled, pinned by a lock file, kept in
//! stores, and signed.
//!
//! Whatever comes from a registry or out of a store is hostile until its digest has been found to
//! be the one that was asked for. Nothing here touches the network but [`Registry`], and nothing
//! makes one of those before something has to be fetched.

mod artifact;
mod error;
mod fetch;
mod files;
mod lock;
mod registry;
mod signature;
mod store;
mod trust;

pub use artifact::{Artifact, Manifest, Outline};
pub use error::DistributionError;
pub use fetch::{Fetched, With, fetch, publish_signature, pull_manifest, push, signatures};
pub use files::{write_secret, write_whole};
pub use lock::{FilePin, LOCK_FILE, Lock, Pin, Used};
pub use registry::{Credentials, Moved, Options, Progress, Registry};
pub use signature::{
    Algorithm, KeyError, KeyPair, PublicKey, SIGNED_FILE, Signatures, SigningKey, Subject,
};
pub use store::{Kept, Store, VENDOR};
pub use trust::{Trust, TrustFault};
