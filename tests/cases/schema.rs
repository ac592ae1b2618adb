//! The schemas that editors and programs are given.

use std::path::Path;

use lockgate::cases::{Bench, report, schema};
use serde_json::Value;

fn published(name: &str, current: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/schema").join(name);
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        let text = serde_json::to_string_pretty(current).unwrap();
        std::fs::write(&path, text + "\n").unwrap();
    }
    let stored: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(stored, *current, "{name}: `make docs` writes it anew");
}

#[test]
fn the_published_schemas_are_those_of_this_version() {
    published("case.schema.json", &schema());
    published("cases.schema.json", &report::schema());
    published("bench.schema.json", &Bench::schema());
}

#[test]
fn every_key_of_a_case_has_a_description() {
    fn keys<'a>(schema: &'a Value, found: &mut Vec<(&'a String, bool)>) {
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            found.extend(properties.iter().map(|(key, it)| (key, it.get("description").is_some())));
        }
        let definitions = schema.get("$defs").and_then(Value::as_object).into_iter().flatten();
        definitions.for_each(|(_, definition)| keys(definition, found));
    }
    let (schema, mut found) = (schema(), Vec::new());
    keys(&schema, &mut found);
    assert!(found.len() > 60, "{found:?}");
    let without: Vec<_> = found.iter().filter(|(_, described)| !described).collect();
    assert!(without.is_empty(), "{without:?}");
}
