//! The body of a request, read as one object with the fields that its message has.
//!
//! MLflow's own reader takes a field under its proto name and its JSON name (`run_id`, `runId`),
//! the last of a key given twice, JSON in UTF-16, JSON within a JSON string, unknown fields and
//! `NaN`; and goes on with half a message when one field does not fit. None of that is taken here,
//! and what was read is written anew.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::refusal::{Refusal, quoted};
use crate::evidence::parse_json;

/// Bytes of one body. Prompts are kept in tags, of 100,000 characters at most.
pub const MAX_BODY_BYTES: usize = 2 << 20;

pub(super) fn check_size(body: &[u8]) -> Result<(), Refusal> {
    if body.len() > MAX_BODY_BYTES {
        let text = format!("the body is larger than {MAX_BODY_BYTES} bytes; shorten it");
        return Err(Refusal::unclear(text));
    }
    Ok(())
}

/// The fields of a body that were not taken yet, and those that were.
pub(super) struct Fields {
    left: Map<String, Value>,
    written: Map<String, Value>,
}

impl Fields {
    pub(super) fn read(body: &[u8]) -> Result<Self, Refusal> {
        check_size(body)?;
        match parse_json(body) {
            Ok(Value::Object(left)) => Ok(Self { left, written: Map::new() }),
            Ok(
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_),
            ) => Err(Refusal::unclear("the body is no JSON object; send the fields as one object")),
            Err(error) => Err(Refusal::unclear(format!("the body {error}"))),
        }
    }

    /// A text that must be there and not be empty.
    pub(super) fn text(&mut self, key: &str) -> Result<String, Refusal> {
        match self.optional(key)? {
            Some(text) if !text.is_empty() => Ok(text),
            _ => Err(Refusal::unclear(format!("`{key}` is missing or empty"))),
        }
    }

    /// A text that may be missing or `null`, which MLflow takes for missing.
    pub(super) fn optional(&mut self, key: &str) -> Result<Option<String>, Refusal> {
        let text = match self.left.remove(key) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) => text,
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                return Err(Refusal::unclear(format!("`{key}` is no text; put it in quotes")));
            }
        };
        self.written.insert(key.to_owned(), Value::String(text.clone()));
        Ok(Some(text))
    }

    pub(super) fn flag(&mut self, key: &str) -> Result<bool, Refusal> {
        let flag = match self.left.remove(key) {
            None | Some(Value::Null) => return Ok(false),
            Some(Value::Bool(flag)) => flag,
            Some(Value::String(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                return Err(Refusal::unclear(format!("`{key}` is neither `true` nor `false`")));
            }
        };
        self.written.insert(key.to_owned(), Value::Bool(flag));
        Ok(flag)
    }

    /// A list of `{"key": …, "value": …}`, no key twice; without those that `is_left_out`.
    pub(super) fn tags(
        &mut self,
        is_left_out: impl Fn(&str) -> bool,
    ) -> Result<BTreeMap<String, String>, Refusal> {
        let list = match self.left.remove("tags") {
            None | Some(Value::Null) => return Ok(BTreeMap::new()),
            Some(Value::Array(list)) => list,
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
                return Err(Refusal::unclear("`tags` is no list"));
            }
        };
        let mut tags = BTreeMap::new();
        let mut written = Vec::new();
        for tag in list {
            let Value::Object(left) = tag else {
                return Err(Refusal::unclear("a tag is an object of `key` and `value`"));
            };
            let mut tag = Self { left, written: Map::new() };
            let key = tag.text("key")?;
            let value = tag.optional("value")?.unwrap_or_default();
            let fields = tag.finish("a tag")?;
            if is_left_out(&key) {
                continue;
            }
            if tags.insert(key.clone(), value).is_some() {
                return Err(Refusal::unclear(format!("the tag {} appears twice", quoted(&key))));
            }
            written.push(Value::Object(fields));
        }
        self.written.insert("tags".to_owned(), Value::Array(written));
        Ok(tags)
    }

    /// Writes `value` in the place of what the client sent.
    pub(super) fn rewrite(&mut self, key: &str, value: &str) {
        self.written.insert(key.to_owned(), Value::String(value.to_owned()));
    }

    /// Leaves out a field that MLflow's own web page sends and its server does not read.
    pub(super) fn drop(&mut self, key: &str) {
        self.left.remove(key);
    }

    /// What was read, once nothing else is left.
    pub(super) fn finish(self, what: &str) -> Result<Map<String, Value>, Refusal> {
        match self.left.keys().next() {
            None => Ok(self.written),
            Some(key) => Err(Refusal::unclear(format!(
                "{} is no field of {what} that lockgate knows; remove it, or write it as MLflow's REST API does",
                quoted(key)
            ))),
        }
    }
}
