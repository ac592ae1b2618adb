use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value, json};

use super::raw::GateFile;

/// JSON Schema (2020-12) of the gate file, for editors; published as `sdk/schema/gate.schema.json`.
#[must_use]
pub fn schema() -> Value {
    of::<GateFile>()
}

/// JSON Schema (2020-12) of a file that people write.
#[must_use]
pub fn of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12();
    let mut schema = SchemaGenerator::new(settings).into_root_schema_for::<T>().to_value();
    tidy(&mut schema);
    schema
}

/// Drops what the generator adds for Rust's sake: the `null` that stands for a key left out
/// would be refused where it is written, and integer formats say nothing to an editor.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(keywords) => {
            if keywords.get("default") == Some(&Value::Null) {
                keywords.remove("default");
            }
            if keywords.get("format") == Some(&json!("uint64")) {
                keywords.remove("format");
            }
            if let Some(Value::String(text)) = keywords.get_mut("description") {
                // Lines end where they do in the source; an editor breaks them itself.
                *text = text.replace('\n', " ");
            }
            keywords.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
