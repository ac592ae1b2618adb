//! Who has signed a policy, where others have their say as well: whoever may write to a repository
//! lists what they want beside the policies that are in it.

use serde_json::{Value, json};

use super::folder::Folder;
use super::registry::Registry;
use super::stub::{Answer, Stub, request};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// A policy in a registry that is signed by `risk`; the reference by digest, and the entry by which
/// the signature is listed.
fn signed() -> (Registry, Folder, String, Value) {
    let (registry, folder) = (Registry::start(), Folder::new());
    let push = format!("policy push tenure.wasm {}", registry.oci("risk/tenure:1"));
    let pinned = folder.run(&push).exits(0).line().to_owned();
    folder.run("policy key new risk").exits(0);
    folder.run(&format!("policy sign {pinned} --key risk.key")).exits(0);
    let index: Value =
        serde_json::from_slice(&registry.manifest("risk/tenure", &stand_in(&pinned))).unwrap();
    let entry = index.pointer("/manifests/0").unwrap().clone();
    (registry, folder, pinned, entry)
}

fn stand_in(pinned: &str) -> String {
    digest(pinned).replace(':', "-")
}

fn digest(pinned: &str) -> &str {
    pinned.rsplit('@').next().unwrap()
}

fn index(entries: &Value) -> Vec<u8> {
    json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).to_string().into_bytes()
}

/// An entry for something that is not there.
fn absent(number: usize) -> Value {
    let digest = lockgate::model::Digest::of(&number.to_be_bytes());
    json!({"mediaType": MANIFEST, "digest": digest, "size": 7, "artifactType": BUNDLE})
}

/// The registry as it looks to its clients when it answers for what refers to a manifest itself:
/// everything else is passed on to the one behind it.
fn front(registry: &Registry, referrers: impl Fn(&str) -> Answer + Send + 'static) -> Stub {
    let behind = registry.address();
    Stub::start(move |asked| match asked.path.split_once("/referrers/") {
        Some((_, rest)) => referrers(rest),
        None => {
            let accept = format!("Accept: {MANIFEST}\r\nAccept: {INDEX}\r\n");
            request(&behind, &asked.method, &asked.path, &accept, &asked.body)
        }
    })
}

#[test]
fn no_entry_keeps_a_signature_from_being_found() {
    let (registry, folder, pinned, entry) = signed();
    let sha512 = format!("sha512:{}", "0".repeat(128));
    let entries = json!([
        {"mediaType": MANIFEST, "digest": sha512, "size": 7, "artifactType": BUNDLE},
        {"mediaType": MANIFEST, "digest": "x", "size": -1, "annotations": null},
        null, "text", {},
        absent(0),
        entry,
    ]);
    let strange =
        front(&registry, move |_| Answer::new(200, index(&entries)).with("Content-Type", INDEX));
    let reference = strange.oci(&format!("risk/tenure@{}", digest(&pinned)));
    folder.run(&format!("policy verify {reference} --key risk.pub")).exits(0);
    for nothing in [json!(null), json!("text"), json!([])] {
        let empty = front(&registry, move |_| {
            Answer::new(200, index(&nothing)).with("Content-Type", INDEX)
        });
        let reference = empty.oci(&format!("risk/tenure@{}", digest(&pinned)));
        folder
            .run(&format!("policy verify {reference} --key risk.pub"))
            .exits(1)
            .says("no signature");
    }
}

#[test]
fn what_else_is_listed_is_kept_when_a_signature_is_added() {
    let (registry, folder, pinned, mut entry) = signed();
    entry["annotations"] = json!({"org.example.kept": "yes"});
    registry.put_manifest("risk/tenure", &stand_in(&pinned), &index(&json!([entry.clone()])));
    folder.run("policy key new other").exits(0);
    folder.run(&format!("policy sign {pinned} --key other.key")).exits(0);
    let text = registry.manifest("risk/tenure", &stand_in(&pinned));
    let listed: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(listed["manifests"][0], entry);
    assert_eq!(listed["manifests"].as_array().unwrap().len(), 2);
}

#[test]
fn of_too_many_the_first_are_looked_at_and_that_is_told() {
    let (registry, folder, pinned, entry) = signed();
    let flooded = |first: bool| {
        let mut entries: Vec<Value> = (0..300).map(absent).collect();
        entries.insert(if first { 0 } else { 300 }, entry.clone());
        let entries = json!(entries);
        front(&registry, move |_| Answer::new(200, index(&entries)).with("Content-Type", INDEX))
    };
    let verify = |stub: &Stub| {
        let reference = stub.oci(&format!("risk/tenure@{}", digest(&pinned)));
        folder.run(&format!("policy verify {reference} --key risk.pub"))
    };
    verify(&flooded(true)).exits(0);
    verify(&flooded(false)).exits(1).says("there are more than are looked at");
}

#[test]
fn a_list_in_parts_is_read_to_its_end() {
    let (registry, folder, pinned, entry) = signed();
    let own = digest(&pinned).to_owned();
    let parts = front(&registry, move |rest| {
        let answer = |entries: Value| Answer::new(200, index(&entries)).with("Content-Type", INDEX);
        let next = format!("</v2/risk/tenure/referrers/{own}?n=2>; rel=\"next\"");
        match rest.split_once('?').unwrap().1 {
            "n=2" => answer(json!([entry.clone()])),
            _ => answer(json!([absent(0)])).with("Link", &next),
        }
    });
    let reference = parts.oci(&format!("risk/tenure@{}", digest(&pinned)));
    folder.run(&format!("policy verify {reference} --key risk.pub")).exits(0);
    // The registry is asked for signatures, and not for what else refers to the policy.
    let asked: Vec<String> = parts.asked().into_iter().map(|asked| asked.path).collect();
    let filter = "?artifactType=application%2Fvnd.dev.sigstore.bundle.v0.3%2Bjson";
    assert!(asked.iter().any(|path| path.ends_with(filter)), "{asked:?}");
    // Nor is a list without an end.
    let endless = front(&registry, |rest| {
        let path = rest.split_once('?').unwrap().0;
        let next = format!("</v2/risk/tenure/referrers/{path}?n=2>; rel=\"next\"");
        Answer::new(200, index(&json!([]))).with("Content-Type", INDEX).with("Link", &next)
    });
    let reference = endless.oci(&format!("risk/tenure@{}", digest(&pinned)));
    folder
        .run(&format!("policy verify {reference} --key risk.pub"))
        .exits(1)
        .says("there are more than are looked at");
    assert!(endless.asked().len() < 30);
}

#[test]
fn nobody_is_asked_for_signatures_that_nobody_needs() {
    let (registry, folder, pinned, _) = signed();
    let front = front(&registry, |_| Answer::new(500, "{}"));
    let reference = front.oci(&format!("risk/tenure@{}", digest(&pinned)));
    folder.run(&format!("policy pull {reference} -o out.wasm")).exits(0);
    folder.run(&format!("policy inspect {reference}")).exits(0);
    folder.gate(&reference, "");
    folder.run("policy lock").exits(0);
    folder.check("").exits(0);
    folder.forget();
    let trust = "trust:\n  keys: [{name: risk, key: risk.pub}]\n  require: [{policies: [\"*\"], signed-by: [risk]}]\n";
    folder.gate(&reference, trust);
    folder.check("").leaves_undecided("unloadable").says("500");
}

#[test]
fn signatures_are_kept_as_far_as_they_can_be_read_again() {
    let (registry, folder, pinned, entry) = signed();
    let manifest = registry.manifest("risk/tenure", entry["digest"].as_str().unwrap());
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let layer = manifest["layers"][0]["digest"].as_str().unwrap();
    let bundle: Value =
        serde_json::from_slice(&std::fs::read(registry.blob(layer)).unwrap()).unwrap();
    let mut entries = vec![entry];
    // Each as large as a signature may be: some of them signatures, the others anything.
    for number in 0..24 {
        let mut padded = if number % 2 == 0 { bundle.clone() } else { json!({}) };
        padded["padding"] = json!("x".repeat(1_000_000 + number));
        let padded = padded.to_string();
        let mut manifest = manifest.clone();
        manifest["layers"][0]["digest"] =
            json!(registry.put_blob("risk/tenure", padded.as_bytes()));
        manifest["layers"][0]["size"] = json!(padded.len());
        let text = manifest.to_string();
        let digest = registry.put_manifest("risk/tenure", &format!("pad{number}"), text.as_bytes());
        entries.push(json!({
            "mediaType": MANIFEST, "digest": digest, "size": text.len(), "artifactType": BUNDLE,
        }));
    }
    registry.put_manifest("risk/tenure", &stand_in(&pinned), &index(&json!(entries)));
    let trust = "trust:\n  keys: [{name: risk, key: risk.pub}]\n  require: [{policies: [\"*\"], signed-by: [risk]}]\n";
    folder.gate(&pinned, trust);
    folder.run("policy vendor").exits(0);
    folder.check("--offline").exits(0);
    let kept = folder.path(&format!("vendor/lockgate/{}/signatures.json", stand_in(&pinned)));
    let kept = std::fs::read_to_string(kept).unwrap();
    assert_eq!(kept.matches("\"mediaType\"").count(), 9, "{} bytes", kept.len());
}

#[test]
fn a_registry_is_asked_over_tls_and_has_to_be_vouched_for() {
    let folder = Folder::new();
    let registry = Registry::with_tls(&folder.path(""));
    let reference = registry.elsewhere("risk/tenure:1");
    let push = |authorities: &str| {
        let mut command = folder.command();
        command.env("SSL_CERT_FILE", folder.path(authorities));
        super::folder::ran(command.args(["policy", "push", "tenure.wasm", &reference]))
    };
    assert!(push("ca.pem").exits(0).line().starts_with(&registry.elsewhere("risk/tenure@")));
    // Another authority by the same name.
    let stranger = Folder::new();
    let _other = Registry::with_tls(&stranger.path(""));
    folder.write("stranger.pem", stranger.read("ca.pem"));
    push("stranger.pem").exits(3).says("cannot be reached");
}
