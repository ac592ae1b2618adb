//! A gate file against the schema that is published for editors.

use std::collections::BTreeSet;

use serde_json::Value;

use super::diagnostic::Problem;
use super::mismatch::{Mismatch, mismatches};
use super::schema;
use super::yaml::Node;

/// Notes everything that does not fit the published schema, and takes it out of `value`, so that
/// the rest can be read.
pub(super) fn hold_against_schema(
    tree: &Node,
    value: &mut Value,
    noted: &mut BTreeSet<String>,
    problems: &mut Vec<Problem>,
) {
    let schema = schema();
    let validator = match jsonschema::options().offline().build(&schema) {
        Ok(validator) => validator,
        // Cannot happen, as a test builds it; were it to, no gate file must pass unread.
        Err(error) => {
            problems.push(Problem::new(None, format!("the schema cannot be used: {error}")));
            return;
        }
    };
    for mismatch in mismatches(&schema, &validator, value, "the gate file") {
        // What a text must look like is said in better words where it is read.
        if mismatch.textual {
            continue;
        }
        let (pointer, key) = (mismatch.pointer.clone(), mismatch.key.clone());
        problems.push(problem(tree, mismatch));
        match key {
            Some(key) => {
                value
                    .pointer_mut(&pointer)
                    .and_then(Value::as_object_mut)
                    .map(|map| map.remove(&key));
            }
            None => {
                take_out(value, &pointer);
                noted.insert(pointer);
            }
        }
    }
}

/// A mismatch with its place in the file.
pub(super) fn problem(tree: &Node, mismatch: Mismatch) -> Problem {
    let Mismatch { pointer, key, message, hint, textual: _ } = mismatch;
    let place = match &key {
        Some(key) => tree.find_key(&pointer, key),
        None => tree.find(&pointer).map(|node| node.place),
    };
    Problem { place, message, hint }
}

/// Lists whose entries are read each by itself.
const LISTS: [&str; 7] =
    ["/gates", "/policies", "/waivers", "/evidence", "/promotion-tags", "/keys", "/require"];

/// Removes the smallest part around `pointer` that can be missed: the key that it is the value
/// of, or that holds the list it is in.
fn take_out(value: &mut Value, pointer: &str) {
    let Some((parent, last)) = pointer.rsplit_once('/') else { return };
    match value.pointer_mut(parent) {
        Some(Value::Object(map)) => {
            map.remove(&last.replace("~1", "/").replace("~0", "~"));
        }
        Some(Value::Array(_)) if !LISTS.iter().any(|list| parent.ends_with(list)) => {
            take_out(value, parent);
        }
        _ => {}
    }
}
