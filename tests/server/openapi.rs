//! The description of the API, held against the API by a fuzzer.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::served::{Folder, GATE};

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get("$ref") {
                found.insert(reference.clone());
            }
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn the_document_describes_every_route_and_is_whole() {
    let served = Folder::new(GATE).serve("");
    let document = served.get("/openapi.json").is(200).json();
    let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    assert_eq!(
        paths,
        [
            "/k8s/validate",
            "/livez",
            "/metrics",
            "/openapi.json",
            "/readyz",
            "/v1/decisions",
            "/v1/decisions/{id}",
            "/v1/reload",
        ]
    );
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 20, "{found:?}");
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn answers_are_as_the_document_says() {
    let served = Folder::new(GATE).serve("");
    let document = served.get("/openapi.json").is(200).json();
    let answer = served.decide(0.5).is(200).json();
    let schema = serde_json::json!({
        "$ref": "#/components/schemas/Decision",
        "components": document["components"],
    });
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&answer).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
}

/// Runs schemathesis, which `scripts/setup.sh test` installs.
#[test]
fn a_schema_fuzzer_finds_nothing() {
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/fuzzer/bin/schemathesis");
    assert!(tool.exists(), "no {}; run scripts/setup.sh test", tool.display());
    let folder = Folder::new(GATE);
    let token = folder.token("fuzzer", &["ask", "submit-evidence", "read"]);
    let served = folder.serve("--tokens tokens");
    let output = Command::new(tool)
        .args(["run", &format!("http://{}/openapi.json", served.address)])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--max-examples", "60", "--seed", "1", "--no-color"])
        // Reloading takes a role that the fuzzer does not have; that is tested by hand.
        .args(["--exclude-path", "/v1/reload"])
        .current_dir(served.folder.path("."))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    served.decide(0.95);
    served.get("/readyz").is(200);
}
