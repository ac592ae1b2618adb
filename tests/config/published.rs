//! The schema that editors are given.

use std::path::Path;

use lockgate::config::{schema, template};

use super::{read, with};

fn published() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/schema/gate.schema.json")
}

#[test]
fn the_published_schema_is_the_one_that_is_applied() {
    let current = schema();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        let text = serde_json::to_string_pretty(&current).unwrap();
        std::fs::write(published(), text + "\n").unwrap();
    }
    let text = std::fs::read_to_string(published()).unwrap();
    let stored: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(stored, current, "run this test with UPDATE_SCHEMA=1");
}

#[test]
fn every_key_has_a_description() {
    fn keys<'a>(schema: &'a serde_json::Value, found: &mut Vec<(&'a String, bool)>) {
        if let Some(properties) = schema.get("properties").and_then(serde_json::Value::as_object) {
            found.extend(
                properties.iter().map(|(key, value)| (key, value.get("description").is_some())),
            );
        }
        for definition in
            schema.get("$defs").and_then(serde_json::Value::as_object).into_iter().flatten()
        {
            keys(definition.1, found);
        }
    }
    let (schema, mut found) = (schema(), Vec::new());
    keys(&schema, &mut found);
    assert!(found.len() > 30, "{found:?}");
    let without: Vec<_> = found.iter().filter(|(_, described)| !described).collect();
    assert!(without.is_empty(), "{without:?}");
}

/// What the schema says of how a text is written is never the only thing that says so.
#[test]
fn what_the_schema_refuses_is_refused() {
    let schema = schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let waiver = |key: &str, value: &str| {
        let waiver = "waivers: [{policy: model-scan, rule: r, models: [a], reason: r, ticket: t, approved-by: a, expires: 2030-01-01}]\n";
        let start = waiver.find(&format!("{key}: ")).unwrap() + key.len() + 2;
        let end = start + waiver[start..].find([',', '}']).unwrap();
        with(&format!("{}{value}{}", &waiver[..start], &waiver[end..]))
    };
    for text in [
        with("      - use: metric-threshold\n"),
        with("      - use: std/Model\n"),
        with("        id: a b\n"),
        with("        effective-on: tomorrow\n"),
        with("    require: {metrics: 07d}\n").replace("07d", "0d"),
        with("    require: {metrics: week}\n"),
        waiver("rule", "A"),
        waiver("expires", "2030"),
        waiver("ticket", "''"),
        with("evidence: [{match: a, format: opencost, currency: usd}]\n"),
    ] {
        let value = json_of(&text);
        assert!(!validator.is_valid(&value), "the schema accepts\n{text}");
        assert!(read(&text).is_err(), "accepted\n{text}");
    }
    for text in [with(""), waiver("rule", "a-b"), template().to_owned()] {
        assert!(read(&text).is_ok() && validator.is_valid(&json_of(&text)), "{text}");
    }
}

/// The gate file as an editor sees it.
fn json_of(text: &str) -> serde_json::Value {
    let mut sections = text.to_owned();
    // The reader's own way from YAML to JSON is not public: params go through it unchanged.
    sections = sections.lines().map(|line| format!("          {line}\n")).collect();
    let wrapped = with(&format!("        params:\n{sections}"));
    let config = super::accepted(&wrapped);
    serde_json::from_str(&config.gates[0].invocations[0].params).unwrap()
}
