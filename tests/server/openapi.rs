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

#[test]
fn the_document_has_every_day_of_the_year_and_no_other() {
    let served = Folder::new(GATE).serve("");
    let document = served.get("/openapi.json").is(200).json();
    let parameters = document["paths"]["/v1/decisions"]["get"]["parameters"].as_array().unwrap();
    let since = parameters.iter().find(|one| one["name"] == "since").unwrap();
    let validator = jsonschema::validator_for(&since["schema"]).unwrap();
    for year in [1970, 1972, 1999, 2000, 2026, 2028, 2100, 2400, 8996] {
        for (month, day) in (0..=13).flat_map(|month| (0..=32).map(move |day| (month, day))) {
            let text = format!("{year}-{month:02}-{day:02}T23:59:59Z");
            let real = text.parse::<jiff::Timestamp>().is_ok();
            assert_eq!(validator.is_valid(&Value::String(text.clone())), real, "{text}");
        }
    }
    for day in ["2026-01-31", "2028-02-29"] {
        served.get(&format!("/v1/decisions?since={day}T00:00:00Z")).is(200);
    }
    for other in ["2026-01-31T00:00:00%2B01:00", "2026-01-31", "2026-02-29T00:00:00Z"] {
        let problem = served.get(&format!("/v1/decisions?since={other}")).is(400).json();
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("in UTC, to the second"), "{detail}");
    }
}
