//! Other tools: skopeo and ORAS read what lockgate pushes, and lockgate what they copy; OpenSSL and
//! securesystemslib sign what lockgate verifies, and verify what it signs.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::folder::Folder;
use super::registry::Registry;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Python that has ORAS and securesystemslib; `scripts/setup.sh test` installs it.
fn python() -> PathBuf {
    let python = root().join("target/oci/bin/python");
    assert!(python.exists(), "no {}; run scripts/setup.sh test", python.display());
    python
}

#[track_caller]
fn succeeds(command: &mut Command) -> Vec<u8> {
    let Output { status, stdout, stderr } = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{command:?}: {said}{}", String::from_utf8_lossy(&stdout));
    stdout
}

fn tool(folder: &Folder, name: &str, arguments: &[&str]) -> Vec<u8> {
    succeeds(Command::new(name).args(arguments).current_dir(folder.path("")))
}

fn script(folder: &Folder, arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new(python());
    command.arg(root().join("tests/distribution/tools.py")).args(arguments);
    succeeds(command.current_dir(folder.path("")))
}

fn pushed() -> (Registry, Folder, String) {
    let (registry, folder) = (Registry::start(), Folder::new());
    let push = format!("policy push tenure.wasm {}", registry.oci("risk/tenure:1"));
    let pinned = folder.run(&push).exits(0).line().to_owned();
    (registry, folder, pinned)
}

fn digest(pinned: &str) -> &str {
    pinned.rsplit('@').next().unwrap()
}

#[test]
fn skopeo_reads_and_copies_what_is_pushed() {
    let (registry, folder, pinned) = pushed();
    let at = |tag: &str| format!("docker://{}/risk/tenure:{tag}", registry.address());
    let raw = tool(&folder, "skopeo", &["inspect", "--raw", "--tls-verify=false", &at("1")]);
    assert_eq!(lockgate::model::Digest::of(&raw).to_string(), digest(&pinned));
    let flags = ["--src-tls-verify=false", "--dest-tls-verify=false", "--preserve-digests"];
    let policy = "--insecure-policy";
    let copy = |from: &str, to: &str| {
        let [one, two, three] = flags;
        tool(&folder, "skopeo", &["copy", policy, one, two, three, from, to]);
    };
    copy(&at("1"), "dir:copy");
    let manifest: Value = serde_json::from_slice(&raw).unwrap();
    let layer = manifest["layers"][0]["digest"].as_str().unwrap().replace("sha256:", "copy/");
    assert_eq!(folder.read(&layer), folder.read("tenure.wasm"));
    copy("dir:copy", &at("copied"));
    let pulled =
        folder.run(&format!("policy pull {} -o out.wasm", registry.oci("risk/tenure:copied")));
    assert_eq!(pulled.exits(0).digest(), digest(&pinned));
}

#[test]
fn oras_reads_what_is_pushed() {
    let (registry, folder, _) = pushed();
    let reference = format!("{}/risk/tenure:1", registry.address());
    let file = script(&folder, &["oras-pull", &reference, "pulled"]);
    let file = String::from_utf8(file).unwrap();
    assert_eq!(folder.read(file.trim()), folder.read("tenure.wasm"));
}

#[test]
fn keys_of_openssl_sign_and_verify() {
    let (_registry, folder, pinned) = pushed();
    for (name, options) in [
        ("ed", &["-algorithm", "ed25519"][..]),
        ("ec", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"][..]),
    ] {
        let (private, public) = (format!("{name}.key"), format!("{name}.pub"));
        tool(&folder, "openssl", &[&["genpkey", "-out", &private][..], options].concat());
        tool(&folder, "openssl", &["pkey", "-in", &private, "-pubout", "-out", &public]);
        folder.run(&format!("policy sign {pinned} --key {private}")).exits(0);
        folder.run(&format!("policy verify {pinned} --key {public}")).exits(0);
    }
    let other = ["genpkey", "-algorithm", "RSA", "-out", "rsa.key"];
    tool(&folder, "openssl", &other);
    tool(&folder, "openssl", &["pkey", "-in", "rsa.key", "-pubout", "-out", "rsa.pub"]);
    folder.run(&format!("policy sign {pinned} --key rsa.key")).exits(2).says("another kind");
    folder.run(&format!("policy verify {pinned} --key rsa.pub")).exits(2).says("another kind");
}

#[test]
fn openssl_reads_the_keys_that_are_made() {
    let folder = Folder::new();
    for algorithm in ["ed25519", "ecdsa-p256"] {
        folder.run(&format!("policy key new {algorithm} --algorithm {algorithm}")).exits(0);
        let private = format!("{algorithm}.key");
        let public = tool(&folder, "openssl", &["pkey", "-in", &private, "-pubout"]);
        assert_eq!(public, folder.read(&format!("{algorithm}.pub")));
    }
}

#[test]
fn securesystemslib_verifies_what_is_signed() {
    let folder = Folder::new();
    for algorithm in ["ed25519", "ecdsa-p256"] {
        folder.run(&format!("policy key new {algorithm} --algorithm {algorithm}")).exits(0);
        folder.run(&format!("policy sign tenure.wasm --key {algorithm}.key")).exits(0);
        let public = format!("{algorithm}.pub");
        let statement = script(&folder, &["dsse-verify", "tenure.wasm.sigstore.json", &public]);
        let statement: Value = serde_json::from_slice(&statement).unwrap();
        assert_eq!(statement["predicateType"], "https://sigstore.dev/cosign/sign/v1");
        assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
        let component = lockgate::model::Digest::of(&folder.read("tenure.wasm"));
        assert_eq!(statement["subject"][0]["digest"]["sha256"], component.hex());
        std::fs::remove_file(folder.path("tenure.wasm.sigstore.json")).unwrap();
    }
}

#[test]
fn what_securesystemslib_signs_is_verified() {
    let (registry, folder, pinned) = pushed();
    for algorithm in ["ed25519", "ecdsa-p256"] {
        folder.run(&format!("policy key new {algorithm} --algorithm {algorithm}")).exits(0);
        let (private, public) = (format!("{algorithm}.key"), format!("{algorithm}.pub"));
        let hex = digest(&pinned).strip_prefix("sha256:").unwrap();
        let bundle = script(&folder, &["dsse-sign", hex, &private]);
        // As cosign stores it: a manifest that refers to the policy's.
        attach(&registry, &pinned, &bundle);
        folder.run(&format!("policy verify {pinned} --key {public}")).exits(0);
    }
    folder.run("policy key new stranger").exits(0);
    folder.run(&format!("policy verify {pinned} --key stranger.pub")).exits(1);
}

/// Puts a bundle beside a policy, the config and the index as cosign makes them.
fn attach(registry: &Registry, pinned: &str, bundle: &[u8]) {
    let repository = "risk/tenure";
    let media_type = "application/vnd.dev.sigstore.bundle.v0.3+json";
    let image = "application/vnd.oci.image.manifest.v1+json";
    let layer = registry.put_blob(repository, bundle);
    let config = registry.put_blob(repository, b"{}");
    let subject = registry.manifest(repository, digest(pinned));
    let empty = "application/vnd.oci.empty.v1+json";
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": image,
        "config": {"mediaType": empty, "digest": config, "size": 2, "artifactType": media_type},
        "layers": [{"mediaType": media_type, "digest": layer, "size": bundle.len()}],
        "subject": {"mediaType": image, "digest": digest(pinned), "size": subject.len()},
        "artifactType": media_type,
    })
    .to_string();
    let own = lockgate::model::Digest::of(manifest.as_bytes()).to_string();
    registry.put_manifest(repository, &own, manifest.as_bytes());
    // Indexes of clients go by the type of the config.
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{
            "mediaType": image, "digest": own, "size": manifest.len(), "artifactType": empty,
        }],
    });
    let tag = digest(pinned).replace(':', "-");
    registry.put_manifest(repository, &tag, index.to_string().as_bytes());
}

#[test]
fn signatures_of_cosigns_older_form_are_verified() {
    let (registry, folder, pinned) = pushed();
    let curve = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
    tool(&folder, "openssl", &[&["genpkey", "-out", "cosign.key"][..], &curve].concat());
    tool(&folder, "openssl", &["pkey", "-in", "cosign.key", "-pubout", "-out", "cosign.pub"]);
    folder.run("policy key new stranger").exits(0);
    let sign = |digest: &str| {
        let payload = json!({
            "critical": {
                "identity": {"docker-reference": format!("{}/risk/tenure", registry.address())},
                "image": {"docker-manifest-digest": digest},
                "type": "cosign container image signature",
            },
            "optional": null,
        })
        .to_string();
        folder.write("payload", &payload);
        tool(
            &folder,
            "openssl",
            &["dgst", "-sha256", "-sign", "cosign.key", "-out", "sig", "payload"],
        );
        store(&registry, &pinned, payload.as_bytes(), &STANDARD.encode(folder.read("sig")));
    };
    let verify = |key: &str| folder.run(&format!("policy verify {pinned} --key {key}.pub"));
    verify("cosign").exits(1).says("no signature");
    sign(digest(&pinned));
    verify("cosign").exits(0);
    verify("stranger").exits(1).says("another key");
    // The payload is signed, whatever stands beside it.
    store(&registry, &pinned, b"{}", &STANDARD.encode(folder.read("sig")));
    verify("cosign").exits(1).says("another key, or was altered");
    sign(&lockgate::model::Digest::of(b"another").to_string());
    verify("cosign").exits(1).says("signs another digest");
    // Vendored, it is verified without a network.
    sign(digest(&pinned));
    let trust = "trust:\n  keys: [{name: team, key: cosign.pub}]\n  require: [{policies: [\"*\"], signed-by: [team]}]\n";
    folder.gate(&pinned, trust);
    folder.run("policy vendor").exits(0);
    drop(registry);
    folder.check("--offline").exits(0);
}

/// Puts a signature where cosign's older versions put it.
fn store(registry: &Registry, pinned: &str, payload: &[u8], signature: &str) {
    let layer = registry.put_blob("risk/tenure", payload);
    let config = registry.put_blob("risk/tenure", b"{}");
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2,
        },
        "layers": [{
            "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
            "digest": layer,
            "size": payload.len(),
            "annotations": {"dev.cosignproject.cosign/signature": signature},
        }],
    });
    let tag = format!("{}.sig", digest(pinned).replace(':', "-"));
    registry.put_manifest("risk/tenure", &tag, manifest.to_string().as_bytes());
}
