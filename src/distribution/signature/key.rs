//! Key pairs: ed25519 and ECDSA on P-256, in PEM files as OpenSSL and cosign have them.

use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pkcs8::der::asn1::{BitStringRef, OctetStringRef};
use pkcs8::der::pem::LineEnding;
use pkcs8::der::{Decode as _, Encode as _, pem};
use pkcs8::spki::{AlgorithmIdentifierRef, ObjectIdentifier, SubjectPublicKeyInfoRef};
use pkcs8::{Document, PrivateKeyInfo, SecretDocument};
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, UnparsedPublicKey,
};

use crate::distribution::files;
use crate::model::Digest;

/// Bytes of a file with a key.
const KEY_BYTES: u64 = 64 << 10;

const ED25519_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const EC_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

const PUBLIC: &str = "PUBLIC KEY";
const PRIVATE: &str = "PRIVATE KEY";

/// A key that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("{0}")]
    File(String),
    /// It is no such key.
    #[error("{0}")]
    Form(&'static str),
}

/// The kinds of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ed25519.
    Ed25519,
    /// ECDSA on the curve P-256 with SHA-256, as cosign's own key pairs are.
    EcdsaP256,
}

/// A key that signatures are verified with.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    algorithm: Algorithm,
    /// As the algorithm has it: 32 bytes, or an uncompressed point.
    key: Vec<u8>,
}

/// A key that signs. Never printed.
pub struct SigningKey(Pair);

enum Pair {
    Ed25519(Ed25519KeyPair),
    EcdsaP256(EcdsaKeyPair),
}

/// A new pair of keys, in PEM.
pub struct KeyPair {
    /// Is to be kept secret.
    pub private: String,
    /// Is given to whoever verifies.
    pub public: String,
}

const NOT_PUBLIC: KeyError = KeyError::Form(
    "it is no public key in PEM; it begins with `-----BEGIN PUBLIC KEY-----`, as `lockgate policy key new`, cosign and `openssl pkey -pubout` write it",
);
const NOT_PRIVATE: KeyError = KeyError::Form(
    "it is no private key in PEM (PKCS#8); it begins with `-----BEGIN PRIVATE KEY-----`, as `lockgate policy key new` and `openssl genpkey` write it",
);
const OTHER_ALGORITHM: KeyError =
    KeyError::Form("it is a key of another kind; keys are ed25519 or ECDSA on P-256");

impl PublicKey {
    /// Reads a PEM file.
    ///
    /// # Errors
    /// A file that cannot be read, or holds no such key.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        Self::from_pem(&read(path)?)
    }

    /// Reads a key in PEM (SubjectPublicKeyInfo).
    ///
    /// # Errors
    /// A text that is no such key.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let (label, document) = Document::from_pem(text.trim()).map_err(|_| NOT_PUBLIC)?;
        if label != PUBLIC {
            return Err(NOT_PUBLIC);
        }
        let info =
            SubjectPublicKeyInfoRef::from_der(document.as_bytes()).map_err(|_| NOT_PUBLIC)?;
        let key = info.subject_public_key.as_bytes().ok_or(NOT_PUBLIC)?.to_vec();
        let AlgorithmIdentifierRef { oid, parameters } = info.algorithm;
        let algorithm = if oid == ED25519_OID && parameters.is_none() && key.len() == 32 {
            Algorithm::Ed25519
        } else if oid == EC_OID && info.algorithm.parameters_oid() == Ok(P256_OID) {
            if key.len() != 65 || key.first() != Some(&4) {
                return Err(KeyError::Form("its point is compressed; write the key uncompressed"));
            }
            Algorithm::EcdsaP256
        } else {
            return Err(OTHER_ALGORITHM);
        };
        Ok(Self { algorithm, key })
    }

    /// The key in PEM.
    ///
    /// # Errors
    /// Only what cannot happen.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        pem::encode_string(PUBLIC, LineEnding::LF, &self.to_der()?).map_err(|_| NOT_PUBLIC)
    }

    fn to_der(&self) -> Result<Vec<u8>, KeyError> {
        let p256 = P256_OID;
        let algorithm = match self.algorithm {
            Algorithm::Ed25519 => AlgorithmIdentifierRef { oid: ED25519_OID, parameters: None },
            Algorithm::EcdsaP256 => {
                AlgorithmIdentifierRef { oid: EC_OID, parameters: Some((&p256).into()) }
            }
        };
        let subject_public_key = BitStringRef::from_bytes(&self.key).map_err(|_| NOT_PUBLIC)?;
        SubjectPublicKeyInfoRef { algorithm, subject_public_key }.to_der().map_err(|_| NOT_PUBLIC)
    }

    /// What names the key, as cosign has it: a hash of the key, in base64.
    ///
    /// # Errors
    /// Only what cannot happen.
    pub(super) fn hint(&self) -> Result<String, KeyError> {
        Ok(STANDARD.encode(Digest::of(&self.to_der()?).as_bytes()))
    }

    /// Whether somebody who holds the private key signed the message.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self.algorithm {
            Algorithm::Ed25519 => {
                UnparsedPublicKey::new(&ED25519, &self.key).verify(message, signature).is_ok()
            }
            Algorithm::EcdsaP256 => UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.key)
                .verify(message, signature)
                .is_ok(),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Reads a PEM file.
    ///
    /// # Errors
    /// A file that cannot be read, or holds no such key.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        Self::from_pem(&read(path)?)
    }

    /// Reads a private key in PEM (PKCS#8).
    ///
    /// # Errors
    /// A text that is no such key.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.contains("ENCRYPTED") {
            return Err(KeyError::Form(
                "the private key is encrypted, which is not supported; sign with cosign and its key instead, lockgate verifies that",
            ));
        }
        if text.contains("BEGIN EC PRIVATE KEY") {
            return Err(KeyError::Form(
                "it is an EC key in its older form; turn it into PKCS#8 with `openssl pkcs8 -topk8 -nocrypt`",
            ));
        }
        let (label, document) = SecretDocument::from_pem(text).map_err(|_| NOT_PRIVATE)?;
        if label != PRIVATE {
            return Err(NOT_PRIVATE);
        }
        let bytes = document.as_bytes();
        let info = PrivateKeyInfo::from_der(bytes).map_err(|_| NOT_PRIVATE)?;
        let oid = info.algorithm.oid;
        if oid == ED25519_OID {
            // OpenSSL leaves the public key out, which is made from the private one anyway.
            let pair =
                Ed25519KeyPair::from_pkcs8_maybe_unchecked(bytes).map_err(|_| NOT_PRIVATE)?;
            Ok(Self(Pair::Ed25519(pair)))
        } else if oid == EC_OID {
            let random = SystemRandom::new();
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, bytes, &random)
                .map(|pair| Self(Pair::EcdsaP256(pair)))
                .map_err(|_| OTHER_ALGORITHM)
        } else {
            Err(OTHER_ALGORITHM)
        }
    }

    /// The key that verifies what this one signs.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        match &self.0 {
            Pair::Ed25519(pair) => PublicKey {
                algorithm: Algorithm::Ed25519,
                key: pair.public_key().as_ref().to_vec(),
            },
            Pair::EcdsaP256(pair) => PublicKey {
                algorithm: Algorithm::EcdsaP256,
                key: pair.public_key().as_ref().to_vec(),
            },
        }
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        match &self.0 {
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::EcdsaP256(pair) => pair
                .sign(&SystemRandom::new(), message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| NO_RANDOMNESS),
        }
    }
}

const NO_RANDOMNESS: KeyError = KeyError::Form("this machine gives no random numbers");

impl KeyPair {
    /// Makes a new pair.
    ///
    /// # Errors
    /// This machine gives no random numbers.
    pub fn new(algorithm: Algorithm) -> Result<Self, KeyError> {
        let random = SystemRandom::new();
        let private = match algorithm {
            Algorithm::Ed25519 => {
                let mut seed = [0; 32];
                random.fill(&mut seed).map_err(|_| NO_RANDOMNESS)?;
                // In the plain form that every tool reads, without the public key.
                let seed = OctetStringRef::new(&seed).and_then(|seed| seed.to_der());
                let seed = seed.map_err(|_| NOT_PRIVATE)?;
                let algorithm = AlgorithmIdentifierRef { oid: ED25519_OID, parameters: None };
                PrivateKeyInfo::new(algorithm, &seed).to_der().map_err(|_| NOT_PRIVATE)?
            }
            Algorithm::EcdsaP256 => {
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random)
                    .map_err(|_| NO_RANDOMNESS)?
                    .as_ref()
                    .to_vec()
            }
        };
        let private =
            pem::encode_string(PRIVATE, LineEnding::LF, &private).map_err(|_| NOT_PRIVATE)?;
        let public = SigningKey::from_pem(&private)?.public().to_pem()?;
        Ok(Self { private, public })
    }
}

fn read(path: &Path) -> Result<String, KeyError> {
    let bytes = files::read(path, KEY_BYTES)
        .map_err(|error| KeyError::File(error.to_string()))?
        .ok_or_else(|| KeyError::File(format!("there is no `{}`", path.display())))?;
    String::from_utf8(bytes).map_err(|_| KeyError::Form("it is no text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_signs_the_other_verifies() {
        for algorithm in [Algorithm::Ed25519, Algorithm::EcdsaP256] {
            let pair = KeyPair::new(algorithm).unwrap();
            let (private, public) = (
                SigningKey::from_pem(&pair.private).unwrap(),
                PublicKey::from_pem(&pair.public).unwrap(),
            );
            assert_eq!(private.public(), public);
            let signature = private.sign(b"message").unwrap();
            assert!(public.verifies(b"message", &signature), "{algorithm:?}");
            assert!(!public.verifies(b"messagf", &signature), "{algorithm:?}");
            assert!(!public.verifies(b"message", &signature[1..]), "{algorithm:?}");
            let other = KeyPair::new(algorithm).unwrap();
            let other = PublicKey::from_pem(&other.public).unwrap();
            assert!(!other.verifies(b"message", &signature), "{algorithm:?}");
        }
    }

    #[test]
    fn refuses_what_is_no_key() {
        let pair = KeyPair::new(Algorithm::EcdsaP256).unwrap();
        for text in ["", "x", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"] {
            assert!(PublicKey::from_pem(text).is_err(), "{text}");
            assert!(SigningKey::from_pem(text).is_err(), "{text}");
        }
        assert!(PublicKey::from_pem(&pair.private).is_err());
        assert!(SigningKey::from_pem(&pair.public).is_err());
        let encrypted = pair.private.replace("PRIVATE", "ENCRYPTED SIGSTORE PRIVATE");
        assert!(SigningKey::from_pem(&encrypted).err().unwrap().to_string().contains("cosign"));
    }
}
