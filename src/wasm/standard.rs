//! The policies in the binary, built from `policies/` together with it.

use crate::model::Digest;

/// A policy in the binary.
pub(super) struct Standard {
    pub(super) name: &'static str,
    digest: [u8; 32],
    pub(super) component: &'static [u8],
}

impl Standard {
    pub(super) const fn digest(&self) -> Digest {
        Digest::from_bytes(self.digest)
    }
}

include!(concat!(env!("OUT_DIR"), "/standard.rs"));

/// Finds `std/NAME`.
pub(super) fn find(name: &str) -> Option<&'static Standard> {
    STANDARD.iter().find(|standard| standard.name == name)
}

/// Whether a component is one of those in the binary.
pub(super) fn is_one(digest: Digest) -> bool {
    STANDARD.iter().any(|standard| standard.digest() == digest)
}

/// Names of the policies in the binary, in alphabetical order.
pub fn names() -> impl Iterator<Item = &'static str> {
    STANDARD.iter().map(|standard| standard.name)
}

/// The component of `std/NAME`; none when there is no policy of that name.
#[must_use]
pub fn component(name: &str) -> Option<&'static [u8]> {
    find(name).map(|standard| standard.component)
}
