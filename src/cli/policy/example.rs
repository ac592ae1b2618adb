//! How a gate calls a policy, made of the `examples` of its params schema.

use serde_json::{Map, Value};

use super::params::{items, property};
use crate::config::is_bare;
use crate::policy::PolicyRef;
use crate::report::plain;

/// An entry of a gate's `policies` in YAML; none where the schema gives no example.
pub(super) fn of(reference: &PolicyRef, schema: &Value) -> Option<String> {
    let params = schema.get("examples")?.as_array()?.first()?.as_object()?;
    let mut yaml = format!("- use: {}\n", scalar(&reference.to_string()));
    if params.is_empty() {
        return Some(yaml);
    }
    yaml.push_str("  params:\n");
    for (key, value) in ordered(schema, params) {
        let child = property(schema, schema, key);
        match value.as_array().filter(|entries| entries.iter().any(Value::is_object)) {
            Some(entries) => {
                yaml.push_str(&format!("    {}:\n", scalar(key)));
                for entry in entries {
                    let entry = flow(schema, items(schema, child), entry);
                    yaml.push_str(&format!("      - {entry}\n"));
                }
            }
            None => {
                let value = flow(schema, child, value);
                yaml.push_str(&format!("    {}: {value}\n", scalar(key)));
            }
        }
    }
    Some(yaml)
}

/// A value in one line.
pub(super) fn flow(root: &Value, schema: &Value, value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(entries) => {
            let schema = items(root, schema);
            let entries: Vec<_> = entries.iter().map(|entry| flow(root, schema, entry)).collect();
            format!("[{}]", entries.join(", "))
        }
        Value::Object(map) => {
            let pair = |(key, value): (&String, &Value)| {
                let value = flow(root, property(root, schema, key), value);
                format!("{}: {value}", scalar(key))
            };
            let pairs: Vec<_> = ordered(schema, map).into_iter().map(pair).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// What is required first, as in the list of the params.
fn ordered<'a>(schema: &Value, map: &'a Map<String, Value>) -> Vec<(&'a String, &'a Value)> {
    let mut pairs: Vec<_> = map.iter().collect();
    pairs.sort_by_key(|(key, _)| !super::params::is_required(schema, key));
    pairs
}

/// A text without quotes where YAML takes it for nothing else.
fn scalar(text: &str) -> String {
    if is_bare(text) { text.to_owned() } else { plain(&Value::from(text).to_string()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(example: Value) -> Option<String> {
        let schema = json!({
            "examples": [example],
            "required": ["metrics"],
            "properties": {"metrics": {"items": {"$ref": "#/$defs/Limit"}}},
            "$defs": {"Limit": {"required": ["name"]}}
        });
        of(&PolicyRef::Standard("a".into()), &schema)
    }

    #[test]
    fn shows_what_is_required_first() {
        let example = json!({"also": 1, "metrics": [{"max": 2, "name": "loss"}]});
        assert_eq!(
            shown(example).unwrap(),
            "- use: std/a\n  params:\n    metrics:\n      - {name: loss, max: 2}\n    also: 1\n"
        );
        assert_eq!(shown(json!({})).unwrap(), "- use: std/a\n");
        assert_eq!(shown(json!(1)), None);
    }

    #[test]
    fn quotes_what_yaml_would_take_for_something_else() {
        for text in ["", "no", "1", "2026-01-01", "a: b", "#", "a\u{1b}", "*", "x ", ".5"] {
            assert!(scalar(text).starts_with('"'), "{text}");
        }
        for text in ["val_auc", "Apache-2.0", "per 1k requests", "./a.wasm"] {
            assert_eq!(scalar(text), text);
        }
    }
}
