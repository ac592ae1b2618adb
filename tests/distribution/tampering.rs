//! Registries whose disks were written to, and artifacts that are no policies.

use serde_json::{Value, json};

use super::folder::{Folder, damage};
use super::registry::Registry;

fn pushed() -> (Registry, Folder, Value) {
    let (registry, folder) = (Registry::start(), Folder::new());
    folder.run(&format!("policy push tenure.wasm {}", registry.oci("tenure:1"))).exits(0);
    let manifest = serde_json::from_slice(&registry.manifest("tenure", "1")).unwrap();
    (registry, folder, manifest)
}

/// The gate of the one policy, locked while all was well.
fn locked(registry: &Registry, folder: &Folder) {
    folder.gate(&registry.oci("tenure:1"), "");
    folder.run("policy lock").exits(0);
    folder.forget();
}

#[test]
fn a_changed_component_is_not_taken() {
    let (registry, folder, manifest) = pushed();
    locked(&registry, &folder);
    damage(&registry.blob(manifest["layers"][0]["digest"].as_str().unwrap()));
    folder.check("").leaves_undecided("unloadable").says("changed or cut short");
    folder
        .run(&format!("policy pull {} -o out.wasm", registry.oci("tenure:1")))
        .exits(3)
        .says("changed or cut short");
    assert!(!folder.path("out.wasm").exists());
    folder.run("policy lock --update").exits(3).says("changed or cut short");
    folder.run("policy vendor").exits(3);
}

#[test]
fn a_component_that_was_cut_short_is_not_taken() {
    let (registry, folder, manifest) = pushed();
    locked(&registry, &folder);
    let blob = registry.blob(manifest["layers"][0]["digest"].as_str().unwrap());
    let bytes = std::fs::read(&blob).unwrap();
    std::fs::write(&blob, &bytes[..bytes.len() / 2]).unwrap();
    folder.check("").leaves_undecided("unloadable").says("changed or cut short");
}

#[test]
fn a_component_that_was_added_to_is_not_taken() {
    let (registry, folder, manifest) = pushed();
    locked(&registry, &folder);
    let blob = registry.blob(manifest["layers"][0]["digest"].as_str().unwrap());
    let mut bytes = std::fs::read(&blob).unwrap();
    bytes.extend([0; 100]);
    std::fs::write(&blob, bytes).unwrap();
    folder.check("").leaves_undecided("unloadable").says("larger than");
}

#[test]
fn a_changed_manifest_is_not_taken() {
    let (registry, folder, _) = pushed();
    locked(&registry, &folder);
    let lock = folder.text("lockgate.lock");
    let digest = lock.split("manifest: ").nth(1).unwrap().lines().next().unwrap();
    let blob = registry.blob(digest);
    // Still a manifest, of the same length.
    let text = std::fs::read_to_string(&blob).unwrap().replace("metric-", "netric-");
    std::fs::write(&blob, text).unwrap();
    folder.check("").leaves_undecided("unloadable").says("changed or cut short");
}

#[test]
fn what_is_no_policy_is_refused_by_its_types() {
    let (registry, folder, sound) = pushed();
    let layer = sound["layers"][0].clone();
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [],
    });
    let changed = |pointer: &str, value: Value| {
        let mut manifest = sound.clone();
        *manifest.pointer_mut(pointer).unwrap() = value;
        manifest
    };
    let image = "application/vnd.oci.image.config.v1+json";
    let tar = "application/vnd.oci.image.layer.v1.tar+gzip";
    for (tag, manifest, part) in [
        ("config", changed("/config/mediaType", json!(image)), "no Wasm artifact"),
        ("layer", changed("/layers/0/mediaType", json!(tar)), "and not `application/wasm`"),
        ("two", changed("/layers", json!([layer, layer])), "2 layers"),
        ("none", changed("/layers", json!([])), "0 layers"),
        ("index", index, "index of several"),
    ] {
        let digest = registry.put_manifest("tenure", tag, &serde_json::to_vec(&manifest).unwrap());
        let reference = registry.oci(&format!("tenure:{tag}"));
        folder.run(&format!("policy pull {reference}")).exits(3).says(part);
        folder.gate(&registry.oci(&format!("tenure@{digest}")), "");
        folder.check("").leaves_undecided("unloadable").says(part);
        folder.gate(&reference, "");
        folder.run("policy lock").exits(3).says(part);
        assert!(!folder.path("lockgate.lock").exists());
    }
}

#[test]
fn a_manifest_that_lies_about_the_size_is_not_taken() {
    let (registry, folder, mut manifest) = pushed();
    let size = manifest["layers"][0]["size"].as_u64().unwrap();
    manifest["layers"][0]["size"] = json!(size + 1);
    let digest = registry.put_manifest("tenure", "lie", &serde_json::to_vec(&manifest).unwrap());
    let reference = registry.oci(&format!("tenure@{digest}"));
    folder.run(&format!("policy pull {reference}")).exits(3).says("its manifest says");
    // Nor where it is kept already.
    let hex = digest.replace(':', "-");
    folder.write(&format!("vendor/lockgate/{hex}/manifest.json"), manifest.to_string());
    folder.write(&format!("vendor/lockgate/{hex}/component.wasm"), folder.read("tenure.wasm"));
    folder.gate(&reference, "");
    folder.check("").leaves_undecided("unloadable").says("its manifest says");
}

#[test]
fn a_layer_that_is_no_component_does_not_load() {
    let (registry, folder, mut manifest) = pushed();
    let text = b"not a component at all";
    let digest = registry.put_blob("tenure", text);
    manifest["layers"][0]["digest"] = json!(digest);
    manifest["layers"][0]["size"] = json!(text.len());
    let digest = registry.put_manifest("tenure", "text", &serde_json::to_vec(&manifest).unwrap());
    folder.gate(&registry.oci(&format!("tenure@{digest}")), "");
    folder.check("").leaves_undecided("unloadable").says("not a WebAssembly file");
}
