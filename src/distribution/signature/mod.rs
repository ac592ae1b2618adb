//! Who has signed a policy.
//!
//! A signature is of a digest: that of the manifest for a policy in a registry, that of the
//! component for a policy in a file.

pub(super) mod bundle;
mod key;
pub(super) mod simple;

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::error::DistributionError;
use super::files;
use crate::model::Digest;
pub use key::{Algorithm, KeyError, KeyPair, PublicKey, SigningKey};

/// Bytes of one signature, with everything that tools put beside it.
pub(super) const SIGNATURE_BYTES: u64 = 1 << 20;
/// Bytes of a file of signatures.
const FILE_BYTES: u64 = 16 << 20;
/// Bytes of the signatures of one policy that a registry gives. A store writes them in less than a
/// file of them may have.
const GIVEN_BYTES: usize = 8 << 20;
/// Signatures of one policy that are tried.
const SIGNATURES: usize = 320;

/// What the name of a component's file is followed by for the file of its signatures.
pub const SIGNED_FILE: &str = ".sigstore.json";

/// What is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject(pub Digest);

/// The signatures that came with a policy, whoever they are by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signatures {
    bundles: Vec<String>,
    simple: Vec<Simple>,
    /// Whether there are more, which were not looked at.
    more: bool,
}

/// A signature of cosign's older form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Simple {
    pub(super) payload: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

impl Simple {
    const fn len(&self) -> usize {
        self.payload.len().saturating_add(self.signature.len())
    }
}

/// What a signature says of a digest, as far as one key can tell. The best comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Said {
    /// Nothing that could be understood.
    Malformed(&'static str),
    /// It is not by this key.
    ByAnother,
    /// It is by this key, and about something else.
    OfSomethingElse(&'static str),
    /// The holder of the key signed it.
    Signed,
}

/// The form in which stores keep signatures.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u8,
    bundles: Vec<Box<RawValue>>,
    simple: Vec<StoredSimple>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredSimple {
    payload: String,
    signature: String,
}

impl Signatures {
    /// Signs a digest; the bundle with the signature.
    ///
    /// # Errors
    /// This machine gives no random numbers.
    pub fn sign(key: &SigningKey, Subject(digest): Subject) -> Result<Vec<u8>, KeyError> {
        bundle::sign(key, digest)
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bundles.len().saturating_add(self.simple.len())
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds one that a registry gives; whether there was room for it.
    pub(super) fn add_bundle(&mut self, bundle: String) -> bool {
        let fits = self.has_room_for(bundle.len());
        if fits {
            self.bundles.push(bundle);
        }
        fits
    }

    /// The same of the older form.
    pub(super) fn add_simple(&mut self, simple: Simple) -> bool {
        let fits = self.has_room_for(simple.len());
        if fits {
            self.simple.push(simple);
        }
        fits
    }

    /// Notes that there are more than are looked at.
    pub(super) const fn pass_over(&mut self) {
        self.more = true;
    }

    fn has_room_for(&mut self, bytes: usize) -> bool {
        let bundles = self.bundles.iter().map(String::len);
        let taken: usize = bundles.chain(self.simple.iter().map(Simple::len)).sum();
        let fits = taken.saturating_add(bytes) <= GIVEN_BYTES;
        self.more |= !fits;
        fits
    }

    /// Whether one of them is by this key and of this digest.
    ///
    /// # Errors
    /// What is wrong with the one that comes closest.
    pub fn verify(&self, key: &PublicKey, subject: Subject) -> Result<(), String> {
        self.tried(key, subject).map_err(|problem| match (self.more, self.len()) {
            (false, _) => problem,
            (true, 0) => {
                format!("{problem} that could be read, and there are more than are looked at")
            }
            (true, count) => {
                format!("{problem}; there are more than these {count}, which were not looked at")
            }
        })
    }

    fn tried(&self, key: &PublicKey, Subject(digest): Subject) -> Result<(), String> {
        let bundles = self.bundles.iter().map(|bundle| bundle::verify(bundle, key, digest));
        let simple = self
            .simple
            .iter()
            .map(|Simple { payload, signature }| simple::verify(payload, signature, key, digest));
        match bundles.chain(simple).take(SIGNATURES).max() {
            Some(Said::Signed) => Ok(()),
            None => Err("it has no signature".to_owned()),
            Some(Said::ByAnother) => match self.len() {
                1 => Err("its signature is by another key, or was altered".to_owned()),
                count => Err(format!("its {count} signatures are by other keys, or were altered")),
            },
            Some(Said::OfSomethingElse(problem)) => {
                Err(format!("it has a signature by this key that does not count: {problem}"))
            }
            Some(Said::Malformed(problem)) => {
                Err(format!("its signature cannot be read: {problem}"))
            }
        }
    }

    /// The file of signatures of a component's file.
    #[must_use]
    pub fn beside(component: &Path) -> PathBuf {
        let mut name = component.file_name().unwrap_or_default().to_owned();
        name.push(SIGNED_FILE);
        component.with_file_name(name)
    }

    /// Reads the file of signatures of a component's file: one bundle, or several one after the
    /// other. Without the file there are none.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn read_beside(component: &Path) -> Result<Self, DistributionError> {
        let path = Self::beside(component);
        let Some(bytes) = files::read(&path, FILE_BYTES)? else { return Ok(Self::default()) };
        let mut this = Self::default();
        for bundle in serde_json::Deserializer::from_slice(&bytes).into_iter::<Box<RawValue>>() {
            let bundle = bundle.map_err(|error| {
                DistributionError::unusable(format!("`{}`", path.display()), error)
            })?;
            this.bundles.push(bundle.get().to_owned());
        }
        Ok(this)
    }

    /// Adds a bundle to the file of signatures of a component's file.
    ///
    /// # Errors
    /// A file that cannot be read or written.
    pub fn add_beside(component: &Path, bundle: &[u8]) -> Result<PathBuf, DistributionError> {
        let path = Self::beside(component);
        let mut bytes = files::read(&path, FILE_BYTES)?.unwrap_or_default();
        if !bytes.is_empty() && !bytes.ends_with(b"\n") {
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(bundle);
        bytes.push(b'\n');
        files::write_whole(&path, &bytes)?;
        Ok(path)
    }

    /// The text in which a store keeps them: the same for the same signatures.
    pub(super) fn to_stored(&self) -> Result<Vec<u8>, DistributionError> {
        let unwritable =
            |error: serde_json::Error| DistributionError::unusable("a signature", error);
        let mut bundles = self.bundles.clone();
        bundles.sort();
        let mut simple: Vec<_> = self.simple.iter().collect();
        simple.sort_by_key(|simple| (&simple.payload, &simple.signature));
        let stored = Stored {
            version: 1,
            bundles: bundles
                .into_iter()
                .map(RawValue::from_string)
                .collect::<Result<_, _>>()
                .map_err(unwritable)?,
            simple: simple
                .into_iter()
                .map(|Simple { payload, signature }| StoredSimple {
                    payload: STANDARD.encode(payload),
                    signature: STANDARD.encode(signature),
                })
                .collect(),
        };
        let mut text = serde_json::to_vec_pretty(&stored).map_err(unwritable)?;
        text.push(b'\n');
        Ok(text)
    }

    /// Reads what a store has kept.
    pub(super) fn read_stored(path: &Path) -> Result<Self, DistributionError> {
        let Some(bytes) = files::read(path, FILE_BYTES)? else { return Ok(Self::default()) };
        let unusable =
            |detail: String| DistributionError::unusable(format!("`{}`", path.display()), detail);
        let stored: Stored =
            serde_json::from_slice(&bytes).map_err(|error| unusable(error.to_string()))?;
        if stored.version != 1 {
            return Err(unusable("it is of a newer lockgate".to_owned()));
        }
        let decoded = |text: &str| {
            STANDARD.decode(text).map_err(|_| unusable("it holds no base64".to_owned()))
        };
        let simple = stored.simple.iter().map(|StoredSimple { payload, signature }| {
            Ok(Simple { payload: decoded(payload)?, signature: decoded(signature)? })
        });
        let bundles = stored.bundles.iter().map(|bundle| bundle.get().to_owned()).collect();
        let simple = simple.collect::<Result<_, DistributionError>>()?;
        Ok(Self { bundles, simple, more: false })
    }
}
