//! A params schema as a flat list, for people.

use serde_json::Value;

/// One key of the params.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) required: bool,
    pub(super) description: String,
}

/// Objects within objects that are listed; deeper ones are for the schema itself to tell.
const DEPTH: usize = 4;

/// One row for each key, those of nested objects as `outer[].inner`.
pub(super) fn rows(schema: &Value) -> Vec<Row> {
    let mut rows = Vec::new();
    collect(schema, schema, "", DEPTH, &mut rows);
    rows
}

fn collect(root: &Value, schema: &Value, prefix: &str, depth: usize, rows: &mut Vec<Row>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    let schema = resolved(root, schema);
    let required = schema.get("required").and_then(Value::as_array);
    let properties = schema.get("properties").and_then(Value::as_object);
    for (key, property) in properties.into_iter().flatten() {
        let target = resolved(root, property);
        let own = description(property);
        rows.push(Row {
            name: format!("{prefix}{key}"),
            kind: kind(root, target),
            required: required.is_some_and(|keys| keys.iter().any(|other| other == key)),
            description: if own.is_empty() { description(target) } else { own },
        });
        collect(root, target, &format!("{prefix}{key}."), depth, rows);
        if let Some(items) = target.get("items") {
            collect(root, items, &format!("{prefix}{key}[]."), depth, rows);
        }
    }
}

fn description(schema: &Value) -> String {
    let text = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    text.replace('\n', " ")
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

fn kind(root: &Value, schema: &Value) -> String {
    if let Some(choices) = choices(schema) {
        return choices;
    }
    let name = match schema.get("type") {
        Some(Value::String(name)) => name.clone(),
        Some(Value::Array(names)) => {
            let names = names.iter().filter_map(Value::as_str).filter(|name| *name != "null");
            names.collect::<Vec<_>>().join(" or ")
        }
        _ => "any".to_owned(),
    };
    match (name.as_str(), schema.get("items")) {
        // A list of lists of lists is a schema's way of asking for endless work.
        ("array", Some(items)) => {
            let items = resolved(root, items);
            match items.get("items") {
                Some(_) => "list of lists".to_owned(),
                None => format!("list of {}", kind(root, items)),
            }
        }
        _ => name,
    }
}

/// The words of an enumeration, which a schema gives as `enum` or as `oneOf` of `const`.
fn choices(schema: &Value) -> Option<String> {
    let quoted = |word: &Value| word.as_str().map(|word| format!("`{word}`"));
    let words: Option<Vec<String>> = match schema.get("enum") {
        Some(words) => words.as_array()?.iter().map(quoted).collect(),
        None => {
            let branches = schema.get("oneOf")?.as_array()?;
            branches.iter().map(|branch| quoted(branch.get("const")?)).collect()
        }
    };
    Some(words?.join(" or "))
}
