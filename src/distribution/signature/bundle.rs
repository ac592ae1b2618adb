//! Signatures as Sigstore bundles: a DSSE envelope around an in-toto statement, as cosign writes
//! them with a key pair.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::{Deserialize, Serialize};

use super::Said;
use super::key::{KeyError, PublicKey, SigningKey};
use crate::model::Digest;

/// Media type of a bundle, and the type of the artifact that carries one.
pub(in crate::distribution) const BUNDLE_TYPE: &str =
    "application/vnd.dev.sigstore.bundle.v0.3+json";
/// What the statement says: this artifact is signed. Other statements about it, such as the result
/// of a scan, are true of it and no approval.
pub(in crate::distribution) const PREDICATE_TYPE: &str = "https://sigstore.dev/cosign/sign/v1";
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const STATEMENT_TYPES: [&str; 2] =
    ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"];
/// Signatures of one envelope that are tried.
const SIGNATURES: usize = 16;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    media_type: String,
    #[serde(default)]
    verification_material: VerificationMaterial,
    dsse_envelope: Envelope,
}

/// Says by which key, and is not believed: the key is the one that the gate file trusts.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct VerificationMaterial {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_key: Option<Hint>,
}

#[derive(Serialize, Deserialize)]
struct Hint {
    #[serde(default)]
    hint: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Serialize, Deserialize)]
struct Signature {
    sig: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keyid: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    #[serde(default)]
    predicate: serde_json::Value,
}

#[derive(Serialize, Deserialize)]
struct Subject {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    digest: DigestSet,
}

#[derive(Serialize, Deserialize)]
struct DigestSet {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
}

/// Signs a digest.
pub(super) fn sign(key: &SigningKey, digest: Digest) -> Result<Vec<u8>, KeyError> {
    let unwritable = |_| KeyError::Form("the signature cannot be written as JSON");
    let statement = Statement {
        kind: STATEMENT_TYPES[0].to_owned(),
        subject: vec![Subject { name: None, digest: DigestSet { sha256: Some(digest.hex()) } }],
        predicate_type: PREDICATE_TYPE.to_owned(),
        predicate: serde_json::json!({}),
    };
    let payload = serde_json::to_vec(&statement).map_err(unwritable)?;
    let signature = key.sign(&pre_authentication(PAYLOAD_TYPE, &payload))?;
    let bundle = Bundle {
        media_type: BUNDLE_TYPE.to_owned(),
        verification_material: VerificationMaterial {
            public_key: Some(Hint { hint: key.public().hint()? }),
        },
        dsse_envelope: Envelope {
            payload: STANDARD.encode(payload),
            payload_type: PAYLOAD_TYPE.to_owned(),
            signatures: vec![Signature { sig: STANDARD.encode(signature), keyid: None }],
        },
    };
    serde_json::to_vec(&bundle).map_err(unwritable)
}

/// What a bundle says of a digest, as far as it was signed with `key`.
pub(super) fn verify(bundle: &str, key: &PublicKey, digest: Digest) -> Said {
    let Ok(Bundle { media_type, dsse_envelope, .. }) = serde_json::from_str(bundle) else {
        return Said::Malformed("it is no Sigstore bundle with a DSSE envelope");
    };
    if media_type != BUNDLE_TYPE {
        return Said::Malformed("it is a Sigstore bundle of another version than 0.3");
    }
    let Envelope { payload, payload_type, signatures } = dsse_envelope;
    let Some(payload) = decoded(&payload) else {
        return Said::Malformed("its payload is no base64");
    };
    let message = pre_authentication(&payload_type, &payload);
    let signed = signatures.iter().take(SIGNATURES).any(|signature| {
        decoded(&signature.sig).is_some_and(|signature| key.verifies(&message, &signature))
    });
    // Nothing of the payload is looked at before it is known whose words it is.
    if !signed {
        return Said::ByAnother;
    }
    if payload_type != PAYLOAD_TYPE {
        return Said::OfSomethingElse("it signs no in-toto statement");
    }
    let Ok(statement) = serde_json::from_slice::<Statement>(&payload) else {
        return Said::Malformed("its statement is malformed");
    };
    if !STATEMENT_TYPES.contains(&statement.kind.as_str()) {
        return Said::Malformed("its statement is of a type that is not known");
    }
    if statement.predicate_type != PREDICATE_TYPE {
        return Said::OfSomethingElse("it states something else than that the policy is signed");
    }
    if statement.is_about(digest) {
        Said::Signed
    } else {
        Said::OfSomethingElse("it signs another digest")
    }
}

/// Whether a bundle is one and names a digest, whoever signed it: if not, it is not worth keeping.
pub(in crate::distribution) fn concerns(bundle: &str, digest: Digest) -> bool {
    let Ok(Bundle { media_type, dsse_envelope, .. }) = serde_json::from_str(bundle) else {
        return false;
    };
    let Envelope { payload, payload_type, .. } = dsse_envelope;
    let statement = decoded(&payload).and_then(|payload| serde_json::from_slice(&payload).ok());
    media_type == BUNDLE_TYPE
        && payload_type == PAYLOAD_TYPE
        && statement.is_some_and(|statement: Statement| statement.is_about(digest))
}

impl Statement {
    fn is_about(&self, digest: Digest) -> bool {
        let hex = digest.hex();
        self.subject.iter().any(|subject| subject.digest.sha256.as_ref() == Some(&hex))
    }
}

/// What is signed of an envelope, by the DSSE specification.
fn pre_authentication(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut message =
        format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    message.extend_from_slice(payload);
    message
}

/// Base64 of either alphabet, which DSSE both allows.
fn decoded(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::key::{Algorithm, KeyPair};
    use super::*;

    #[test]
    fn the_message_is_as_the_specification_has_it() {
        assert_eq!(
            pre_authentication("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    fn key() -> SigningKey {
        SigningKey::from_pem(&KeyPair::new(Algorithm::Ed25519).unwrap().private).unwrap()
    }

    /// A bundle whose statement was changed before it was signed.
    fn signed(key: &SigningKey, digest: Digest, change: impl FnOnce(&mut Value)) -> String {
        let mut bundle: Value = serde_json::from_slice(&sign(key, digest).unwrap()).unwrap();
        let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap().to_owned();
        let mut statement = serde_json::from_slice(&STANDARD.decode(payload).unwrap()).unwrap();
        change(&mut statement);
        let payload = serde_json::to_vec(&statement).unwrap();
        let signature = key.sign(&pre_authentication(PAYLOAD_TYPE, &payload)).unwrap();
        bundle["dsseEnvelope"]["payload"] = json!(STANDARD.encode(payload));
        bundle["dsseEnvelope"]["signatures"][0]["sig"] = json!(STANDARD.encode(signature));
        bundle.to_string()
    }

    #[test]
    fn a_signature_is_of_one_digest_by_one_key_and_says_so() {
        let other = key().public();
        let (key, digest) = (key(), Digest::of(b"x"));
        let public = key.public();
        assert_eq!(verify(&signed(&key, digest, |_| ()), &public, digest), Said::Signed);
        let said = verify(&signed(&key, Digest::of(b"y"), |_| ()), &public, digest);
        assert!(matches!(said, Said::OfSomethingElse(_)));
        assert_eq!(verify(&signed(&key, digest, |_| ()), &other, digest), Said::ByAnother);
        let scan = |statement: &mut Value| {
            statement["predicateType"] = json!("https://cosign.sigstore.dev/attestation/vuln/v1");
        };
        let said = verify(&signed(&key, digest, scan), &public, digest);
        assert!(matches!(said, Said::OfSomethingElse(_)), "{said:?}");
        let kind = |statement: &mut Value| statement["_type"] = json!("x");
        let said = verify(&signed(&key, digest, kind), &public, digest);
        assert!(matches!(said, Said::Malformed(_)), "{said:?}");
    }

    #[test]
    fn every_change_after_signing_tells() {
        let (key, digest) = (key(), Digest::of(b"x"));
        let bundle = signed(&key, digest, |_| ());
        for (pointer, value) in [
            ("/dsseEnvelope/payloadType", json!("application/vnd.in-toto+jso")),
            ("/dsseEnvelope/payload", json!(STANDARD.encode("{}"))),
            ("/dsseEnvelope/signatures/0/sig", json!("AAAA")),
            ("/dsseEnvelope/signatures/0/sig", json!("?")),
            ("/dsseEnvelope/signatures", json!([])),
            ("/dsseEnvelope/payload", json!("?")),
            ("/mediaType", json!("application/vnd.dev.sigstore.bundle+json;version=0.1")),
            ("/dsseEnvelope", json!(null)),
        ] {
            let mut changed: Value = serde_json::from_str(&bundle).unwrap();
            *changed.pointer_mut(pointer).unwrap() = value;
            let said = verify(&changed.to_string(), &key.public(), digest);
            assert_ne!(said, Said::Signed, "{pointer}");
        }
    }
}
