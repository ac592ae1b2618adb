//! The schema that editors are given.

use std::path::Path;

use lockgate::project::{Manifest, schema};

#[test]
fn the_published_schema_is_the_one_that_is_applied() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/schema/policy.schema.json");
    let current = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let published = std::fs::read_to_string(path).unwrap_or_default();
    assert!(published == current, "run this test with UPDATE_SCHEMA=1");
}

#[test]
fn every_key_has_a_description() {
    let schema = schema();
    let keys = schema["properties"].as_object().unwrap();
    assert_eq!(keys.len(), 6);
    for (key, value) in keys {
        assert!(value["description"].is_string(), "{key}");
    }
}

#[test]
fn what_the_schema_refuses_is_refused() {
    let schema = schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for json in [
        r#"{"version": 1, "name": "a_b", "language": "rust", "reads": []}"#,
        r#"{"version": 1, "name": "a", "language": "go", "reads": []}"#,
        r#"{"version": 1, "name": "a", "language": "rust", "reads": ["checks"]}"#,
        r#"{"version": 1, "name": "a", "language": "rust", "reads": ["log", "log"]}"#,
        r#"{"version": 1, "name": "a", "language": "rust"}"#,
        r#"{"version": 2, "name": "a", "language": "rust", "reads": []}"#,
        r#"{"version": 1, "name": "a", "language": "rust", "reads": [], "writes": []}"#,
    ] {
        assert!(!validator.is_valid(&serde_json::from_str(json).unwrap()), "{json}");
        assert!(Manifest::parse(json, "policy.yaml").is_err(), "{json}");
    }
    let sound = r#"{"version": 1, "name": "a", "language": "rust", "reads": []}"#;
    assert!(validator.is_valid(&serde_json::from_str(sound).unwrap()));
    assert!(Manifest::parse(sound, "policy.yaml").is_ok());
}
