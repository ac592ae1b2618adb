//! `lockgate evidence show`.

use std::path::Path;

use lockgate::model::Digest;

use super::folder::{Folder, metrics};

fn folder() -> Folder {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/evidence/samples");
    let sample = |name: &str| std::fs::read(samples.join(name)).unwrap();
    Folder::empty()
        .file("run.json", sample("mlflow/run.json"))
        .file("trivy.json", sample("trivy/pip.json"))
        .file("champion.json", sample("mlflow/logged-model.json"))
}

#[test]
fn the_snapshot_and_its_digest_do_not_depend_on_the_order() {
    let folder = folder();
    let first = folder.run("evidence show run.json trivy.json --baseline champion.json").exits(0);
    let second = folder.run("evidence show trivy.json run.json --baseline champion.json").exits(0);
    assert_eq!((&first.stdout, &first.stderr), (&second.stdout, &second.stderr));
    assert!(first.stderr.starts_with("note: snapshot sha256:"), "{}", first.stderr);
    assert!(first.json()["sources"].as_array().unwrap().len() == 3);
}

#[test]
fn the_digest_is_of_the_canonical_json() {
    let ran = folder().run("evidence show run.json trivy.json --canonical").exits(0);
    let digest = Digest::of(ran.stdout.as_bytes());
    assert_eq!(ran.stderr, format!("note: snapshot {digest}\n"));
    assert!(!ran.stdout.contains('\n'));
}

#[test]
fn the_digest_is_the_one_of_the_decision() {
    let folder = Folder::with_auc(0.95);
    let shown = folder.run("evidence show evidence").exits(0).stderr;
    let report = folder.check("--format json").exits(0).json();
    assert_eq!(
        shown,
        format!("note: snapshot {}\n", report["evidence"]["digest"].as_str().unwrap())
    );
}

#[test]
fn everything_that_cannot_be_read_is_told() {
    let folder = folder().file("broken.json", "{").file("other.json", "{\"a\": 1}");
    let ran = folder.run("evidence show run.json broken.json other.json none.json").exits(3);
    for name in ["broken.json", "other.json", "none.json"] {
        assert!(ran.stderr.contains(&format!("error: evidence `{name}`")), "{}", ran.stderr);
    }
    assert_eq!(ran.stdout, "");
}

#[test]
fn evidence_of_another_version_is_refused() {
    let about = metrics(0.95).replace(
        "\"metrics\"",
        "\"subject\": {\"model\": \"fraud\", \"version\": \"2\"}, \"metrics\"",
    );
    let folder = Folder::empty().file("metrics.json", about);
    folder.run("evidence show metrics.json --subject fraud/2").exits(0);
    folder.run("evidence show metrics.json").exits(0);
    folder.run("evidence show metrics.json --subject fraud/3").exits(3).says("metrics.json");
}

#[test]
fn the_gate_file_tells_formats_apart_and_can_be_missing() {
    let folder = Folder::empty().file("energy.json", "{\"kwh\": 12}");
    folder.run("evidence show energy.json").exits(3);
    let gate_file = format!(
        "{}evidence:\n  - {{match: energy.json, format: document, name: energy}}\n",
        super::folder::GATE
    );
    let folder = folder.file("lockgate.yaml", gate_file);
    let shown = folder.run("evidence show energy.json").exits(0).json();
    assert_eq!(shown["documents"][0]["name"], "energy");
    folder.run("evidence show energy.json --config broken.yaml").exits(2).says("broken.yaml");
}
