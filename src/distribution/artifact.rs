//! The form of a policy in a registry: the Wasm OCI artifact of the CNCF's TAG Runtime, so that
//! other tools can read it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::DistributionError;
use crate::model::{Description, Digest};

pub(super) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const CONFIG_TYPE: &str = "application/vnd.wasm.config.v0+json";
pub(super) const LAYER_TYPE: &str = "application/wasm";
/// What a config is that says nothing.
pub(super) const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";

/// Bytes of a manifest or an index; registries refuse larger ones.
pub(super) const MANIFEST_BYTES: u64 = 4 << 20;

/// What a manifest says of one blob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    pub(super) media_type: String,
    pub(super) digest: Digest,
    pub(super) size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) artifact_type: Option<String>,
    /// Anything else, such as a platform, so that an entry is written back as it was.
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: BTreeMap<String, String>,
}

impl Descriptor {
    pub(super) fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: Digest::of(bytes),
            size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            artifact_type: None,
            rest: Map::new(),
            annotations: BTreeMap::new(),
        }
    }

    /// Holds bytes against what was said of them.
    pub(super) fn check(&self, what: &str, bytes: &[u8]) -> Result<(), DistributionError> {
        let found = Digest::of(bytes);
        if found != self.digest {
            let (what, expected) = (what.to_owned(), self.digest);
            return Err(DistributionError::Altered { what, expected, found });
        }
        self.check_size(what, u64::try_from(bytes.len()).unwrap_or(u64::MAX))
    }

    /// Holds a size against what was said of it.
    pub(super) fn check_size(&self, what: &str, found: u64) -> Result<(), DistributionError> {
        if found == self.size {
            return Ok(());
        }
        let said = self.size;
        let detail = format!("it is of {found} bytes, and its manifest says {said}");
        Err(DistributionError::unusable(what, detail))
    }
}

/// An image manifest, of which policies and signatures are.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ImageManifest {
    pub(super) schema_version: u8,
    pub(super) media_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) artifact_type: Option<String>,
    pub(super) config: Descriptor,
    pub(super) layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: BTreeMap<String, String>,
}

/// The manifest of a policy, its digest known to be right.
#[derive(Clone, Debug)]
pub struct Manifest {
    pub(super) bytes: Vec<u8>,
    digest: Digest,
    layer: Descriptor,
}

impl Manifest {
    /// Reads a manifest and holds it to what a policy's has to be.
    pub(super) fn read(bytes: Vec<u8>, what: &str) -> Result<Self, DistributionError> {
        let unusable = |detail: String| DistributionError::unusable(what, detail);
        let value: Value = serde_json::from_slice(&bytes)
            .map_err(|error| unusable(format!("its manifest is no JSON: {error}")))?;
        let media_type = value.get("mediaType").and_then(Value::as_str).unwrap_or_default();
        if media_type == INDEX_TYPE || media_type.contains("manifest.list") {
            return Err(unusable(
                "it is an index of several artifacts; name the one that is meant by its digest"
                    .to_owned(),
            ));
        }
        if media_type != MANIFEST_TYPE {
            return Err(unusable(format!(
                "its manifest is of the type `{}` and not `{MANIFEST_TYPE}`",
                shown(media_type)
            )));
        }
        let manifest: ImageManifest = serde_json::from_slice(&bytes)
            .map_err(|error| unusable(format!("its manifest is malformed: {error}")))?;
        if manifest.config.media_type != CONFIG_TYPE {
            return Err(unusable(format!(
                "its config is of the type `{}`, so it is no Wasm artifact (`{CONFIG_TYPE}`)",
                shown(&manifest.config.media_type)
            )));
        }
        let count = manifest.layers.len();
        let Ok([layer]) = <[Descriptor; 1]>::try_from(manifest.layers) else {
            return Err(unusable(format!("it has {count} layers, and a policy has one")));
        };
        if layer.media_type != LAYER_TYPE {
            return Err(unusable(format!(
                "its layer is of the type `{}` and not `{LAYER_TYPE}`",
                shown(&layer.media_type)
            )));
        }
        let digest = Digest::of(&bytes);
        Ok(Self { bytes, digest, layer })
    }

    /// Digest of the manifest, by which the artifact is pinned and signed.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Digest of the component.
    #[must_use]
    pub const fn component(&self) -> Digest {
        self.layer.digest
    }

    /// Size of the component, bytes.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.layer.size
    }

    pub(super) const fn layer(&self) -> &Descriptor {
        &self.layer
    }
}

/// What the artifact says of its component besides the component itself.
#[derive(Clone, Debug)]
pub struct Outline<'a> {
    /// What the policy says of itself.
    pub description: &'a Description,
    /// Names that the component imports.
    pub imports: &'a [String],
    /// Names that it exports.
    pub exports: &'a [String],
    /// When it was made, RFC 3339.
    pub created: &'a str,
}

/// A policy as it is pushed.
#[derive(Clone, Debug)]
pub struct Artifact {
    pub(super) manifest: Manifest,
    pub(super) config: Vec<u8>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WasmConfig<'a> {
    created: &'a str,
    architecture: &'static str,
    os: &'static str,
    layer_digests: [Digest; 1],
    component: Component<'a>,
}

#[derive(Serialize)]
struct Component<'a> {
    exports: &'a [String],
    imports: &'a [String],
}

impl Artifact {
    /// The artifact of a component. The same component and outline give the same artifact.
    ///
    /// # Errors
    /// Only what cannot happen: texts that are no JSON.
    pub fn new(component: &[u8], outline: &Outline<'_>) -> Result<Self, DistributionError> {
        let what = "the artifact";
        let unusable = |error: serde_json::Error| DistributionError::unusable(what, error);
        let layer = Descriptor::of(LAYER_TYPE, component);
        let Outline { description, imports, exports, created } = outline;
        let config = serde_json::to_vec(&WasmConfig {
            created,
            architecture: "wasm",
            // Which of the two kinds of Wasm it is: a component.
            os: "wasip2",
            layer_digests: [layer.digest],
            component: Component { exports, imports },
        })
        .map_err(unusable)?;
        let annotations = [
            ("org.opencontainers.image.title", &description.name),
            ("org.opencontainers.image.version", &description.version),
            ("org.opencontainers.image.description", &description.summary),
        ];
        let manifest = ImageManifest {
            schema_version: 2,
            media_type: MANIFEST_TYPE.to_owned(),
            artifact_type: None,
            config: Descriptor::of(CONFIG_TYPE, &config),
            layers: vec![layer],
            subject: None,
            annotations: annotations
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value.clone()))
                .collect(),
        };
        let manifest = serde_json::to_vec(&manifest).map_err(unusable)?;
        Ok(Self { manifest: Manifest::read(manifest, what)?, config })
    }

    /// Its manifest.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }
}

/// A text of somebody else's, short enough for a message.
fn shown(text: &str) -> String {
    text.chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest(change: impl FnOnce(&mut Value)) -> Result<Manifest, String> {
        let description = Description {
            name: "tenure".into(),
            version: "1.0.0".into(),
            summary: "How long".into(),
            rules: Vec::new(),
            params_schema: "{}".into(),
        };
        let outline = Outline {
            description: &description,
            imports: &[],
            exports: &[],
            created: "1970-01-01T00:00:00Z",
        };
        let artifact = Artifact::new(b"\0asm", &outline).unwrap();
        let mut value = serde_json::from_slice(&artifact.manifest.bytes).unwrap();
        change(&mut value);
        let bytes = serde_json::to_vec(&value).unwrap();
        Manifest::read(bytes, "`it`").map_err(|error| error.to_string())
    }

    #[test]
    fn reads_what_it_makes() {
        let manifest = manifest(|_| ()).unwrap();
        assert_eq!(manifest.component(), Digest::of(b"\0asm"));
        assert_eq!(manifest.size(), 4);
    }

    #[test]
    fn refuses_whatever_is_no_policy() {
        let layer = |value: &Value| value["layers"][0].clone();
        for (part, change) in [
            (
                "index",
                Box::new(|v: &mut Value| v["mediaType"] = json!(INDEX_TYPE))
                    as Box<dyn FnOnce(&mut Value)>,
            ),
            ("not `application/vnd.oci.image.manifest", Box::new(|v| v["mediaType"] = json!("x"))),
            (
                "config",
                Box::new(|v| {
                    v["config"]["mediaType"] = json!("application/vnd.oci.image.config.v1+json")
                }),
            ),
            ("type `text/plain`", Box::new(|v| v["layers"][0]["mediaType"] = json!("text/plain"))),
            ("2 layers", Box::new(move |v| v["layers"] = json!([layer(v), layer(v)]))),
            ("0 layers", Box::new(|v| v["layers"] = json!([]))),
            ("malformed", Box::new(|v| v["layers"][0]["digest"] = json!("sha512:00"))),
            ("malformed", Box::new(|v| v["layers"][0]["size"] = json!(-1))),
        ] {
            let error = manifest(change).unwrap_err();
            assert!(error.contains(part), "{part}: {error}");
        }
    }
}
