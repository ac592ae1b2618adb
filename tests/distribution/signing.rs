//! Signatures of policies in registries and in files.

use serde_json::{Value, json};

use super::folder::{Folder, damage};
use super::registry::Registry;

/// A policy in a registry, two pairs of keys, and the reference by digest.
fn pushed() -> (Registry, Folder, String) {
    let (registry, folder) = (Registry::start(), Folder::new());
    let push = format!("policy push tenure.wasm {}", registry.oci("risk/tenure:1"));
    let pinned = folder.run(&push).exits(0).line().to_owned();
    folder.run("policy key new risk").exits(0);
    folder.run("policy key new other --algorithm ed25519").exits(0);
    (registry, folder, pinned)
}

/// The index that stands in for the list of what refers to a manifest.
fn referrers(registry: &Registry, pinned: &str) -> Value {
    let digest = pinned.rsplit('@').next().unwrap().replace(':', "-");
    serde_json::from_slice(&registry.manifest("risk/tenure", &digest)).unwrap()
}

#[test]
fn a_key_is_made_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    folder.run("policy key new risk").exits(0);
    let mode = |name: &str| folder.path(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("risk.key"), 0o600);
    let private = folder.read("risk.key");
    folder.run("policy key new risk").exits(2).says("not replaced");
    assert_eq!(folder.read("risk.key"), private);
    assert!(folder.text("risk.pub").starts_with("-----BEGIN PUBLIC KEY-----"));
}

#[test]
fn a_policy_is_signed_by_whoever_signed_it() {
    let (registry, folder, pinned) = pushed();
    let reference = registry.oci("risk/tenure:1");
    for (key, other) in [("risk", "other"), ("other", "nobody")] {
        folder.run(&format!("policy verify {reference} --key {key}.pub")).exits(1);
        let signed = folder.run(&format!("policy sign {pinned} --key {key}.key")).exits(0);
        assert_eq!(signed.line(), pinned);
        folder
            .run(&format!("policy verify {reference} --key {key}.pub"))
            .exits(0)
            .says(&format!("is signed by {key}.pub"));
        if other != "nobody" {
            folder
                .run(&format!("policy verify {reference} --key {key}.pub --key {other}.pub"))
                .exits(1)
                .says("another key");
        }
    }
    // By digest as well, and both keys at once.
    folder.run(&format!("policy verify {pinned} --key risk.pub --key other.pub")).exits(0);
    // Signing again adds nothing.
    let before = referrers(&registry, &pinned)["manifests"].as_array().unwrap().len();
    folder.run(&format!("policy sign {pinned} --key risk.key")).exits(0).says("already");
    let after = referrers(&registry, &pinned)["manifests"].as_array().unwrap().len();
    assert_eq!((before, after), (2, 2));
}

#[test]
fn a_signature_is_stored_as_others_look_for_it() {
    let (registry, folder, pinned) = pushed();
    folder.run(&format!("policy sign {pinned} --key risk.key")).exits(0);
    let index = referrers(&registry, &pinned);
    assert_eq!(index["mediaType"], "application/vnd.oci.image.index.v1+json");
    let entry = &index["manifests"][0];
    let bundle = "application/vnd.dev.sigstore.bundle.v0.3+json";
    assert_eq!(entry["artifactType"], bundle);
    let manifest = registry.manifest("risk/tenure", entry["digest"].as_str().unwrap());
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["artifactType"], bundle);
    assert_eq!(manifest["subject"]["digest"], pinned.rsplit('@').next().unwrap());
    assert_eq!(manifest["layers"][0]["mediaType"], bundle);
    assert_eq!(manifest["annotations"]["dev.sigstore.bundle.content"], "dsse-envelope");
}

#[test]
fn a_signature_that_was_altered_is_none() {
    let (registry, folder, pinned) = pushed();
    folder.run(&format!("policy sign {pinned} --key risk.key")).exits(0);
    let entry = referrers(&registry, &pinned)["manifests"][0]["digest"].clone();
    let manifest = registry.manifest("risk/tenure", entry.as_str().unwrap());
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    damage(&registry.blob(manifest["layers"][0]["digest"].as_str().unwrap()));
    folder.run(&format!("policy verify {pinned} --key risk.pub")).exits(1).says("no signature");
}

#[test]
fn a_signature_of_another_policy_does_not_count() {
    let (registry, folder, pinned) = pushed();
    folder.run(&format!("policy sign {pinned} --key risk.key")).exits(0);
    let push = format!("policy push other.wasm {}", registry.oci("risk/tenure:2"));
    let other = folder.run(&push).exits(0).line().to_owned();
    let entry = referrers(&registry, &pinned)["manifests"][0].clone();
    let stand_in = other.rsplit('@').next().unwrap().replace(':', "-");
    // Listed with the other, it still says what it is about.
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [entry],
    });
    registry.put_manifest("risk/tenure", &stand_in, index.to_string().as_bytes());
    folder.run(&format!("policy verify {other} --key risk.pub")).exits(1).says("no signature");
    // Said to be about the other, its statement still names the first.
    let manifest = registry.manifest("risk/tenure", entry["digest"].as_str().unwrap());
    let mut manifest: Value = serde_json::from_slice(&manifest).unwrap();
    manifest["subject"]["digest"] = json!(other.rsplit('@').next().unwrap());
    let forged = manifest.to_string();
    let forged_digest = registry.put_manifest("risk/tenure", "forged", forged.as_bytes());
    let mut entry = entry;
    entry["digest"] = json!(forged_digest);
    entry["size"] = json!(forged.len());
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [entry],
    });
    registry.put_manifest("risk/tenure", &stand_in, index.to_string().as_bytes());
    folder.run(&format!("policy verify {other} --key risk.pub")).exits(1).says("no signature");
}

#[test]
fn what_a_tag_means_is_not_signed_unseen() {
    let (registry, folder, pinned) = pushed();
    let reference = registry.oci("risk/tenure:1");
    let sign = |named: &str| folder.run(&format!("policy sign {named} --key risk.key"));
    sign(&reference).exits(2).says("policy push").says("--component");
    let signed = sign(&format!("{reference} --component tenure.wasm")).exits(0);
    assert_eq!(signed.line(), pinned);
    // Somebody else has pushed to the tag since.
    folder.run(&format!("policy push other.wasm {reference}")).exits(0);
    sign(&format!("{reference} --component tenure.wasm")).exits(3).says("and not sha256:");
    sign(&format!("{pinned} --component other.wasm")).exits(3);
    sign("tenure.wasm --component tenure.wasm").exits(2);
    folder.run(&format!("policy verify {reference} --key risk.pub")).exits(1);
}

#[test]
fn a_file_is_signed_beside_it() {
    let folder = Folder::new();
    folder.run("policy key new risk").exits(0);
    folder.run("policy key new other --algorithm ed25519").exits(0);
    folder.run("policy verify tenure.wasm --key risk.pub").exits(1).says("no signature");
    folder.run("policy sign tenure.wasm --key risk.key").exits(0).says(".sigstore.json");
    folder.run("policy verify tenure.wasm --key risk.pub").exits(0);
    folder.run("policy verify tenure.wasm --key other.pub").exits(1).says("another key");
    folder.run("policy sign tenure.wasm --key other.key").exits(0);
    folder.run("policy sign tenure.wasm --key other.key").exits(0).says("already");
    folder.run("policy verify tenure.wasm --key risk.pub --key other.pub").exits(0);
    assert_eq!(folder.text("tenure.wasm.sigstore.json").lines().count(), 2);
    folder.damage("tenure.wasm");
    folder.run("policy verify tenure.wasm --key risk.pub").exits(1).says("another digest");
    folder.write("tenure.wasm.sigstore.json", "{");
    folder.run("policy verify tenure.wasm --key risk.pub").exits(2);
    folder.run("policy sign std/model-scan --key risk.key").exits(2).says("part of lockgate");
}

#[test]
fn what_is_no_key_is_told_of() {
    let folder = Folder::new();
    folder.run("policy key new risk").exits(0);
    let sign = "policy sign tenure.wasm --key";
    folder.run(&format!("{sign} risk.pub")).exits(2).says("no private key");
    folder.run(&format!("{sign} missing.key")).exits(2).says("missing.key");
    folder.run(&format!("{sign} evidence/metrics.json")).exits(2).says("no private key");
    folder.run("policy verify tenure.wasm --key risk.key").exits(2).says("no public key");
}
