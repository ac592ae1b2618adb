//! A params schema as a flat list, for people.

use serde_json::Value;

use super::example;

/// One key of the params.
pub(super) struct Row {
    pub(super) name: String,
    /// What values it takes, and whether it can be left out.
    pub(super) kind: String,
    pub(super) description: String,
}

/// Objects within objects that are listed; deeper ones are for the schema itself to tell.
const DEPTH: usize = 4;
/// Rows after which a schema is not one for people.
const ROWS: usize = 200;

/// One row for each key, those of nested objects as `outer[].inner`; what is required first.
pub(super) fn rows(schema: &Value) -> Vec<Row> {
    let mut rows = Vec::new();
    collect(schema, schema, "", DEPTH, &mut rows);
    rows
}

fn collect(root: &Value, schema: &Value, prefix: &str, depth: usize, rows: &mut Vec<Row>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    let mut keys: Vec<_> = properties.iter().collect();
    keys.sort_by_key(|(key, _)| !is_required(schema, key));
    for (key, property) in keys {
        if rows.len() >= ROWS {
            return;
        }
        let target = resolved(root, property);
        let own = description(property);
        let mut kind = kind(root, target);
        match property.get("default").or_else(|| target.get("default")) {
            _ if is_required(schema, key) => kind.push_str(", required"),
            None | Some(Value::Null) => {}
            Some(Value::Array(none)) if none.is_empty() => {}
            Some(default) => {
                kind.push_str(&format!(", default `{}`", example::flow(root, target, default)));
            }
        }
        rows.push(Row {
            name: format!("{prefix}{key}"),
            kind,
            description: if own.is_empty() { description(target) } else { own },
        });
        collect(root, target, &format!("{prefix}{key}."), depth, rows);
        collect(root, items(root, target), &format!("{prefix}{key}[]."), depth, rows);
    }
}

fn description(schema: &Value) -> String {
    let text = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    text.replace('\n', " ")
}

/// Whether an object of this schema must have the key.
pub(super) fn is_required(schema: &Value, key: &str) -> bool {
    let keys = schema.get("required").and_then(Value::as_array);
    keys.is_some_and(|keys| keys.iter().any(|other| other == key))
}

/// The schema of one key; `null` where it says nothing of it.
pub(super) fn property<'a>(root: &'a Value, schema: &'a Value, key: &str) -> &'a Value {
    let property = schema.get("properties").and_then(|properties| properties.get(key));
    property.map_or(&Value::Null, |property| resolved(root, property))
}

/// The schema of a list's entries; `null` where it says nothing of them.
pub(super) fn items<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    schema.get("items").map_or(&Value::Null, |items| resolved(root, items))
}

/// Follows one reference within the schema, also one that is an alternative to `null`.
fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let is_reference = |branch: &&Value| branch.get("$ref").is_some();
    let reference = schema
        .get("$ref")
        .or_else(|| schema.get("anyOf")?.as_array()?.iter().find(is_reference)?.get("$ref"));
    reference
        .and_then(Value::as_str)
        .and_then(|reference| root.pointer(reference.strip_prefix('#')?))
        .unwrap_or(schema)
}

/// In the words of a gate file: text, number, mapping, list.
fn kind(root: &Value, schema: &Value) -> String {
    let items = items(root, schema);
    match words(schema) {
        Some(words) => either(&words),
        // A list of lists of lists is a schema's way of asking for endless work.
        None if types(schema) == ["array"] => match (words(items), types(items).as_slice()) {
            (Some(words), _) => format!("list of {}", either(&words)),
            (None, [one]) => format!("list of {}", named(one, items, true)),
            (None, _) => "list".to_owned(),
        },
        None => {
            let types = types(schema);
            let names: Vec<_> = types.iter().map(|one| named(one, schema, false)).collect();
            format!(
                "{}{}",
                if names.is_empty() { "any".to_owned() } else { either(&names) },
                range(schema)
            )
        }
    }
}

/// The types but `null`, which is the same as leaving the key out.
fn types(schema: &Value) -> Vec<&str> {
    let names = match schema.get("type") {
        Some(Value::String(name)) => vec![name.as_str()],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    names.into_iter().filter(|name| *name != "null").collect()
}

fn named(kind: &str, schema: &Value, several: bool) -> String {
    let is_date = schema.get("format").and_then(Value::as_str) == Some("date");
    let (one, many) = match kind {
        "string" if is_date => ("date", "dates"),
        "string" => ("text", "texts"),
        "integer" => ("whole number", "whole numbers"),
        "number" => ("number", "numbers"),
        "object" => ("mapping", "mappings"),
        "array" => ("list", "lists"),
        "boolean" => ("`true` or `false`", "`true` or `false`"),
        other => (other, other),
    };
    if several { many } else { one }.to_owned()
}

fn range(schema: &Value) -> String {
    match (schema.get("minimum"), schema.get("maximum")) {
        (Some(least), Some(most)) => format!(", {} to {}", number(least), number(most)),
        (Some(least), None) => format!(", at least {}", number(least)),
        (None, Some(most)) => format!(", at most {}", number(most)),
        (None, None) => String::new(),
    }
}

/// `0.0` is how a schema made of a floating-point bound writes 0.
fn number(value: &Value) -> String {
    let text = value.to_string();
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// The words of an enumeration, which a schema gives as `enum` or as `oneOf` of `const`.
fn words(schema: &Value) -> Option<Vec<String>> {
    let quoted = |word: &Value| word.as_str().map(|word| format!("`{word}`"));
    match schema.get("enum") {
        Some(words) => words.as_array()?.iter().map(quoted).collect(),
        None => {
            let branches = schema.get("oneOf")?.as_array()?;
            branches.iter().map(|branch| quoted(branch.get("const")?)).collect()
        }
    }
}

fn either(words: &[String]) -> String {
    match words {
        [rest @ .., last] if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn listed(schema: &Value) -> Vec<String> {
        rows(schema).into_iter().map(|row| format!("{}: {}", row.name, row.kind)).collect()
    }

    #[test]
    fn lists_what_is_required_first_and_names_nested_keys() {
        let schema = json!({
            "required": ["metrics"],
            "properties": {
                "level": {"enum": ["low", "mid", "high"], "default": "mid"},
                "metrics": {"type": "array", "items": {"$ref": "#/$defs/Limit"}},
                "share": {"type": ["number", "null"], "minimum": 0.0, "maximum": 1.0},
                "until": {"type": "string", "format": "date"}
            },
            "$defs": {"Limit": {
                "type": "object",
                "required": ["name"],
                "properties": {"min": {"type": "number"}, "name": {"type": "string"}}
            }}
        });
        assert_eq!(
            listed(&schema),
            [
                "metrics: list of mappings, required",
                "metrics[].name: text, required",
                "metrics[].min: number",
                "level: `low`, `mid` or `high`, default `mid`",
                "share: number, 0 to 1",
                "until: date",
            ]
        );
    }

    #[test]
    fn a_schema_that_refers_to_itself_comes_to_an_end() {
        let schema = json!({"properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}}});
        assert_eq!(rows(&schema).len(), 30);
        let itself = json!({"$ref": "#", "type": "array", "items": {"$ref": "#"}});
        assert!(rows(&itself).is_empty());
    }

    #[test]
    fn a_schema_of_any_shape_is_listed() {
        for schema in [
            json!(null),
            json!([]),
            json!({"properties": 1, "required": 2}),
            json!({"properties": {"a": true, "b": {"type": 3}, "c": {"oneOf": [{}]}}}),
            json!({"properties": {"a": {"type": "array", "items": {"type": "array"}}}}),
        ] {
            let _ = rows(&schema);
        }
    }
}
