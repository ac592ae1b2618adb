//! Pushing and pulling, and what comes of it for others.

use serde_json::Value;

use super::folder::Folder;
use super::registry::Registry;

#[test]
fn what_was_pushed_is_pulled() {
    let (registry, folder) = (Registry::start(), Folder::new());
    let reference = registry.oci("risk/tenure:1.4");
    let pushed = folder.run(&format!("policy push tenure.wasm {reference}")).exits(0);
    let pinned = pushed.line().to_owned();
    assert!(pinned.starts_with(&registry.oci("risk/tenure@sha256:")), "{pinned}");
    for (reference, file) in [(&reference, "by-tag.wasm"), (&pinned, "by-digest.wasm")] {
        let pulled = folder.run(&format!("policy pull {reference} -o {file}")).exits(0);
        assert_eq!(pulled.line(), pinned);
        assert_eq!(folder.read(file), folder.read("tenure.wasm"));
    }
    std::fs::remove_file(folder.path("tenure.wasm")).unwrap();
    folder.run(&format!("policy pull {reference}")).exits(0).says("tenure.wasm");
    assert!(folder.path("tenure.wasm").exists());
}

#[test]
fn the_artifact_is_the_one_that_wasm_tools_know() {
    let (registry, folder) = (Registry::start(), Folder::new());
    folder.run(&format!("policy push tenure.wasm {}", registry.oci("tenure:1"))).exits(0);
    let manifest: Value = serde_json::from_slice(&registry.manifest("tenure", "1")).unwrap();
    assert_eq!(manifest["mediaType"], "application/vnd.oci.image.manifest.v1+json");
    assert_eq!(manifest["config"]["mediaType"], "application/vnd.wasm.config.v0+json");
    assert_eq!(manifest["layers"][0]["mediaType"], "application/wasm");
    assert_eq!(manifest["layers"].as_array().unwrap().len(), 1);
    assert_eq!(manifest["annotations"]["org.opencontainers.image.title"], "metric-threshold");
    let config = std::fs::read(registry.blob(manifest["config"]["digest"].as_str().unwrap()));
    let config: Value = serde_json::from_slice(&config.unwrap()).unwrap();
    assert_eq!(config["architecture"], "wasm");
    assert_eq!(config["os"], "wasip2");
    assert_eq!(config["created"], "1970-01-01T00:00:00Z");
    assert_eq!(config["layerDigests"][0], manifest["layers"][0]["digest"]);
    let names = |list: &Value| {
        list.as_array().unwrap().iter().any(|name| {
            name.as_str().is_some_and(|name| name.starts_with("lockgate:policy/metrics@"))
        })
    };
    assert!(names(&config["component"]["imports"]), "{config}");
}

#[test]
fn the_same_file_is_the_same_artifact() {
    let (registry, folder) = (Registry::start(), Folder::new());
    let push = |tag: &str| {
        let reference = registry.oci(&format!("tenure:{tag}"));
        folder.run(&format!("policy push tenure.wasm {reference}")).exits(0).digest()
    };
    assert_eq!(push("1"), push("2"));
}

#[test]
fn what_is_no_policy_is_not_pushed() {
    let (registry, folder) = (Registry::start(), Folder::new());
    let reference = registry.oci("tenure:1");
    folder.write("text.wasm", "hello");
    folder
        .run(&format!("policy push text.wasm {reference}"))
        .exits(3)
        .says("not a WebAssembly file");
    folder.run(&format!("policy push missing.wasm {reference}")).exits(3);
    folder.run(&format!("policy push tenure.wasm {}", registry.oci("tenure"))).exits(2);
    folder.run(&format!("policy pull {reference}")).exits(3).says("there is no");
}

#[test]
fn a_policy_in_a_registry_can_be_looked_at() {
    let (registry, folder) = (Registry::start(), Folder::new());
    let reference = registry.oci("tenure:1");
    folder.run(&format!("policy push tenure.wasm {reference}")).exits(0);
    folder
        .run(&format!("policy inspect {reference}"))
        .exits(0)
        .says("metric-threshold")
        .says(&reference);
    folder.run("policy inspect oci://registry.example.org/tenure").exits(2).says("which version");
}

#[test]
fn a_policy_in_a_registry_is_held_to_cases() {
    let (registry, folder) = (Registry::start(), Folder::new());
    let reference = registry.oci("tenure:1");
    let pushed = folder.run(&format!("policy push tenure.wasm {reference}")).exits(0);
    folder.write(
        "cases/one.yaml",
        "summary: the accuracy is above its limit\npromotion: {model: fraud, version: \"3\", to: stage:Production, at: 2026-11-23T12:00:00Z}\nparams: {metrics: [{name: auc, min: 0.9}]}\nevidence: {metrics: [{name: auc, value: 0.95}]}\nexpect: {rules: {threshold: pass}}\n",
    );
    folder
        .run(&format!("policy test {reference} --cases cases"))
        .exits(0)
        .says(pushed.line())
        .says("1 passed");
    folder
        .run(&format!("policy bench {reference} --cases cases --runs 1 --format json"))
        .exits(0)
        .says(pushed.line());
    folder.run(&format!("policy test {reference}")).exits(2).says("--cases");
    folder.run("policy test oci://registry.example.org/tenure").exits(2).says("which version");
    folder.run(&format!("policy test {} --cases cases", registry.oci("none:1"))).exits(3);
}

#[test]
fn what_is_there_and_no_file_is_written_through_and_not_replaced() {
    let (registry, folder) = (Registry::start(), Folder::new());
    let reference = registry.oci("tenure:1");
    folder.run(&format!("policy push tenure.wasm {reference}")).exits(0);
    std::os::unix::fs::symlink("/dev/null", folder.path("device")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path("dangling")).unwrap();
    folder.run(&format!("policy pull {reference} -o device")).exits(0);
    assert!(folder.path("device").is_symlink());
    folder.run(&format!("policy pull {reference} -o dangling")).exits(2).says("regular file");
    assert!(!folder.path("nowhere").exists());
    std::os::unix::fs::symlink("elsewhere", folder.path("risk.key")).unwrap();
    folder.run("policy key new risk").exits(2).says("not replaced");
    assert!(!folder.path("elsewhere").exists());
}

#[test]
fn a_registry_that_is_not_there_is_told_of() {
    let folder = Folder::new();
    let probe = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = probe.local_addr().unwrap();
    drop(probe);
    folder.run(&format!("policy pull oci://{address}/tenure:1")).exits(3).says("cannot be reached");
}
