//! Signatures of cosign's older form: a payload that names the digest, and beside it the signature
//! of the payload's bytes.

use serde::Deserialize;

use super::Said;
use super::key::PublicKey;
use crate::model::Digest;

/// Media type of a payload.
pub(in crate::distribution) const PAYLOAD_TYPE: &str =
    "application/vnd.dev.cosign.simplesigning.v1+json";
/// Where a manifest holds the signature of a layer.
pub(in crate::distribution) const ANNOTATION: &str = "dev.cosignproject.cosign/signature";
const KINDS: [&str; 2] =
    ["cosign container image signature", "https://sigstore.dev/cosign/sign/v1"];

#[derive(Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Image {
    docker_manifest_digest: Digest,
}

pub(super) fn verify(payload: &[u8], signature: &[u8], key: &PublicKey, digest: Digest) -> Said {
    if !key.verifies(payload, signature) {
        return Said::ByAnother;
    }
    let Ok(Payload { critical }) = serde_json::from_slice(payload) else {
        return Said::Malformed("its payload is malformed");
    };
    if !KINDS.contains(&critical.kind.as_str()) {
        return Said::OfSomethingElse("it states something else than that the policy is signed");
    }
    if critical.image.docker_manifest_digest != digest {
        return Said::OfSomethingElse("it signs another digest");
    }
    Said::Signed
}
