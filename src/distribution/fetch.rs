//! Between registries and this machine: everything that reaches for the network.

use std::collections::BTreeMap;
use std::future::Future;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize as _;
use serde_json::Value;

use super::artifact::{
    Artifact, Descriptor, EMPTY_TYPE, INDEX_TYPE, ImageManifest, MANIFEST_TYPE, Manifest,
};
use super::error::DistributionError;
use super::registry::{Options, Registry, stand_in};
use super::signature::bundle::{self, BUNDLE_TYPE, PREDICATE_TYPE};
use super::signature::{SIGNATURE_BYTES, Signatures, Simple, simple};
use crate::model::Digest;
use crate::policy::OciRef;

/// Signatures of cosign's older form that one manifest may hold.
const SIMPLE: usize = 64;
/// A config that says nothing.
const EMPTY: &[u8] = b"{}";

/// A policy as it came from its registry, every digest found right.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Its manifest.
    pub manifest: Manifest,
    /// Its component.
    pub component: Vec<u8>,
    /// Its signatures, not verified yet.
    pub signatures: Signatures,
    /// Whether they were asked for; if not, that there are none says nothing.
    pub with: With,
}

/// Whether a policy is fetched with its signatures, for which the registry has to be asked several
/// times more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum With {
    /// They are kept, or somebody trusts the policy for them.
    Signatures,
    /// Nobody asks for them.
    Nothing,
}

/// What a reference means now, without its component.
///
/// # Errors
/// The registry cannot be asked, or has no such policy.
pub fn pull_manifest(reference: &OciRef, options: &Options) -> Result<Manifest, DistributionError> {
    blocking(async {
        let registry = Registry::open(reference, options)?;
        manifest(&registry, reference).await
    })
}

/// Pulls what a reference means now. `limit` is the size that a component may have.
///
/// # Errors
/// The registry cannot be asked, or what it has is no policy.
pub fn fetch(
    reference: &OciRef,
    limit: u64,
    with: With,
    options: &Options,
) -> Result<Fetched, DistributionError> {
    blocking(async {
        let registry = Registry::open(reference, options)?;
        let manifest = manifest(&registry, reference).await?;
        let component = registry.blob(manifest.layer(), limit).await?.to_vec();
        let signatures = match with {
            With::Signatures => collect(&registry, manifest.digest()).await?,
            With::Nothing => Signatures::default(),
        };
        Ok(Fetched { manifest, component, signatures, with })
    })
}

/// The signatures that a registry holds of a manifest.
///
/// # Errors
/// The registry cannot be asked.
pub fn signatures(
    reference: &OciRef,
    digest: Digest,
    options: &Options,
) -> Result<Signatures, DistributionError> {
    blocking(async { collect(&Registry::open(reference, options)?, digest).await })
}

/// Pushes a policy under its tag, or its digest alone; the reference by which it is pinned.
///
/// # Errors
/// The registry cannot be asked, or does not take it.
pub fn push(
    reference: &OciRef,
    component: Vec<u8>,
    artifact: &Artifact,
    options: &Options,
) -> Result<OciRef, DistributionError> {
    let pinned = reference.at(artifact.manifest.digest());
    blocking(async {
        let registry = Registry::open(reference, options)?;
        registry.put_blob(Bytes::from(component)).await?;
        registry.put_blob(Bytes::from(artifact.config.clone())).await?;
        let digest = artifact.manifest.digest().to_string();
        let tag = reference.tag().unwrap_or(&digest);
        let bytes = Bytes::from(artifact.manifest.bytes.clone());
        registry.put_manifest(tag, MANIFEST_TYPE, bytes).await?;
        Ok(pinned)
    })
}

/// Puts a signature of a policy beside it.
///
/// # Errors
/// The registry cannot be asked, or does not take it.
pub fn publish_signature(
    reference: &OciRef,
    signed: &Manifest,
    bundle: Vec<u8>,
    options: &Options,
) -> Result<(), DistributionError> {
    let unwritable = |error: serde_json::Error| DistributionError::unusable("the signature", error);
    let layer = Descriptor::of(BUNDLE_TYPE, &bundle);
    let annotations = [
        ("dev.sigstore.bundle.content", "dsse-envelope"),
        ("dev.sigstore.bundle.predicateType", PREDICATE_TYPE),
    ];
    let annotations: BTreeMap<String, String> =
        annotations.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let manifest = ImageManifest {
        schema_version: 2,
        media_type: MANIFEST_TYPE.to_owned(),
        artifact_type: Some(BUNDLE_TYPE.to_owned()),
        config: Descriptor::of(EMPTY_TYPE, EMPTY),
        layers: vec![layer],
        subject: Some(Descriptor::of(MANIFEST_TYPE, &signed.bytes)),
        annotations: annotations.clone(),
    };
    let bytes = serde_json::to_vec(&manifest).map_err(unwritable)?;
    let mut own = Descriptor::of(MANIFEST_TYPE, &bytes);
    own.artifact_type = Some(BUNDLE_TYPE.to_owned());
    own.annotations = annotations;
    blocking(async {
        let registry = Registry::open(reference, options)?;
        registry.put_blob(Bytes::from(bundle)).await?;
        registry.put_blob(Bytes::from_static(EMPTY)).await?;
        let digest = own.digest.to_string();
        let listed = registry.put_manifest(&digest, MANIFEST_TYPE, Bytes::from(bytes)).await?;
        if listed {
            return Ok(());
        }
        let mut entries = registry.tagged_index(signed.digest()).await?;
        if entries.iter().any(|entry| entry.get("digest").is_some_and(|of| *of == digest)) {
            return Ok(());
        }
        entries.push(serde_json::to_value(own).map_err(unwritable)?);
        let index = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": INDEX_TYPE,
            "manifests": entries,
        });
        let index = serde_json::to_vec(&index).map_err(unwritable)?;
        let tag = stand_in(signed.digest());
        registry.put_manifest(&tag, INDEX_TYPE, Bytes::from(index)).await.map(drop)
    })
}

async fn manifest(registry: &Registry, reference: &OciRef) -> Result<Manifest, DistributionError> {
    let shown = format!("`{reference}`");
    let bytes = match (reference.digest(), reference.tag()) {
        (Some(digest), _) => registry.manifest_of(digest).await?,
        (None, Some(tag)) => registry.manifest(tag).await?,
        (None, None) => None,
    };
    let bytes = bytes.ok_or_else(|| DistributionError::Missing(reference.to_string()))?;
    Manifest::read(bytes.to_vec(), &shown)
}

/// Signatures of both forms, as many as are looked at. Nothing that is listed as one is an error:
/// it cannot make a policy trusted, and whoever may write to the repository could otherwise keep
/// everybody from using it.
async fn collect(registry: &Registry, digest: Digest) -> Result<Signatures, DistributionError> {
    let mut signatures = Signatures::default();
    let referrers = registry.referrers(digest, BUNDLE_TYPE).await?;
    if referrers.more {
        signatures.pass_over();
    }
    for referrer in referrers.found {
        let Some(bundle) = bundled(registry, referrer, digest).await? else { continue };
        if bundle::concerns(&bundle, digest) && !signatures.add_bundle(bundle) {
            break;
        }
    }
    let tag = format!("{}.sig", stand_in(digest));
    let manifest = passable(registry.manifest(&tag).await)?.flatten();
    let manifest: Value =
        manifest.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    let layers = manifest.get("layers").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let layers = layers.iter().filter_map(|layer| Descriptor::deserialize(layer).ok());
    for (count, layer) in
        layers.filter(|layer| layer.media_type == simple::PAYLOAD_TYPE).enumerate()
    {
        if count == SIMPLE {
            signatures.pass_over();
            break;
        }
        let signature = layer.annotations.get(simple::ANNOTATION);
        let Some(signature) = signature.and_then(|text| STANDARD.decode(text).ok()) else {
            continue;
        };
        let Some(payload) = passable(registry.blob(&layer, SIGNATURE_BYTES).await)? else {
            continue;
        };
        if !signatures.add_simple(Simple { payload: payload.to_vec(), signature }) {
            break;
        }
    }
    Ok(signatures)
}

/// The bundle that an artifact carries which is about a manifest; none where it is another or
/// carries none.
async fn bundled(
    registry: &Registry,
    referrer: Digest,
    about: Digest,
) -> Result<Option<String>, DistributionError> {
    let manifest = passable(registry.manifest_of(referrer).await)?.flatten();
    let Some(ImageManifest { subject: Some(subject), layers, .. }) =
        manifest.and_then(|bytes| serde_json::from_slice(&bytes).ok())
    else {
        return Ok(None);
    };
    let Ok([layer]) = <[Descriptor; 1]>::try_from(layers) else { return Ok(None) };
    if subject.digest != about || layer.media_type != BUNDLE_TYPE {
        return Ok(None);
    }
    let blob = passable(registry.blob(&layer, SIGNATURE_BYTES).await)?;
    Ok(blob.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok()))
}

/// Passes over what is broken by itself, and not over a registry that cannot be asked.
fn passable<T>(result: Result<T, DistributionError>) -> Result<Option<T>, DistributionError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(
            DistributionError::Altered { .. }
            | DistributionError::Missing(_)
            | DistributionError::TooLarge { .. }
            | DistributionError::Unusable { .. }
            // Such as one that the registry's own scanner holds back.
            | DistributionError::Refused { status: 400..=428 | 430..=499, .. },
        ) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Runs what waits for a registry to its end, on a thread of its own: whoever calls may be in the
/// middle of a runtime.
fn blocking<T: Send>(
    work: impl Future<Output = Result<T, DistributionError>> + Send,
) -> Result<T, DistributionError> {
    let failed = |detail: String| DistributionError::Client(detail);
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| failed(error.to_string()))?;
            let result = runtime.block_on(work);
            // A credential helper that does not answer is not waited for.
            runtime.shutdown_background();
            result
        });
        worker.join().unwrap_or_else(|_| Err(failed("asking ended abnormally".to_owned())))
    })
}
