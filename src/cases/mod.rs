//! Cases: one promotion, its evidence, params, and what a policy has to say of it; read from YAML,
//! run through the policy, and held against its answer.

mod alignment;
mod bench;
mod case;
mod coverage;
mod expected;
mod folder;
mod pattern;
mod raw;
mod recorded;
pub mod report;
mod run;
mod update;

pub use bench::{Bench, Measured, Percentiles, Warm};
pub use case::Case;
pub use coverage::{Coverage, CoveredRule};
pub use expected::{Difference, Line, Sign};
pub use folder::{CaseFile, Folder, FolderError};
pub use recorded::{Recorded, RecordedError, Written};
pub use run::{CaseResult, Status, Suite, run};
pub use update::{NotUpdated, Update, update};

use serde_json::{Value, json};

use crate::config::schema_of;

/// JSON Schema (2020-12) of a case, for editors; published as `sdk/schema/case.schema.json`.
#[must_use]
pub fn schema() -> Value {
    let mut schema = schema_of::<raw::Case>();
    let mut evidence = crate::evidence::schema();
    let definitions = take(&mut evidence, "$defs");
    for key in ["$schema", "title"] {
        take(&mut evidence, key);
    }
    // Within a case it is known what it is.
    if let Some(properties) = evidence.get_mut("properties").and_then(Value::as_object_mut) {
        properties.remove(MARK);
    }
    if let Some(required) = evidence.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|key| key != MARK);
    }
    if let Some(all) = schema.get_mut("$defs").and_then(Value::as_object_mut) {
        if let Some(Value::Object(definitions)) = definitions {
            all.extend(definitions);
        }
        all.insert("Evidence".to_owned(), evidence);
    }
    for key in ["evidence", "baseline"] {
        if let Some(Value::Object(property)) = schema.pointer_mut(&format!("/properties/{key}")) {
            property.retain(|keyword, _| keyword == "description");
            property.insert("$ref".to_owned(), json!("#/$defs/Evidence"));
        }
    }
    schema
}

/// The key that marks lockgate's own evidence.
const MARK: &str = "lockgate";

fn take(schema: &mut Value, key: &str) -> Option<Value> {
    schema.as_object_mut()?.remove(key)
}
