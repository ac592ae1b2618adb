use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// Whose signatures policies have to have.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in crate::config) struct Trust {
    /// The public keys that signatures are verified with.
    #[serde(default)]
    #[schemars(with = "Vec<TrustedKey>", length(max = 64))]
    pub(in crate::config) keys: Vec<Value>,
    /// What policies have to be signed by. Every entry that matches a policy has to be met.
    #[serde(default)]
    #[schemars(with = "Vec<SignedPolicies>", length(max = 64))]
    pub(in crate::config) require: Vec<Value>,
    /// Patterns for the policies that load without a signature, unless `require` says otherwise.
    #[serde(default)]
    #[schemars(length(max = 32))]
    pub(in crate::config) unsigned: Vec<String>,
}

/// A public key, ed25519 or ECDSA on P-256.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in crate::config) struct TrustedKey {
    /// What the gate file and reports call its owner.
    #[schemars(required, regex(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"))]
    pub(in crate::config) name: Option<String>,
    /// The path of a PEM file, relative to this file, or the PEM text itself.
    #[schemars(required, length(min = 1))]
    pub(in crate::config) key: Option<String>,
}

/// Policies, and whose signature they have to have.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in crate::config) struct SignedPolicies {
    /// Patterns for the policies: `oci://registry.example.org/*`, `./policies/*.wasm`.
    #[schemars(required, length(min = 1, max = 32))]
    pub(in crate::config) policies: Option<Vec<String>>,
    /// Names of keys. A signature by one of them is enough.
    #[schemars(required, length(min = 1, max = 32))]
    pub(in crate::config) signed_by: Option<Vec<String>>,
}
