use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::Value;

use super::diagnostic::quoted;
use super::mismatch::{Mismatch, mismatches};

/// A schema comes from the policy's component, so it is as little trusted as the component: what
/// reading and applying it may cost is bounded before any of it is applied.
///
/// A schema of some forty params takes 16 KiB.
const MOST_SCHEMA_BYTES: usize = 256 << 10;
/// Levels of JSON in the schema. The validator compiles by recursion, up to eight references
/// within each other.
const MOST_DEPTH: usize = 32;
/// Schemas within schemas while they are applied, which is recursion too.
const MOST_APPLIED: usize = 64;
/// Five times what the deepest schema takes (`additionalProperties` within itself: 3 MiB). The
/// caller's thread may have less than that.
const STACK_BYTES: usize = 16 << 20;
/// Schemas tried on values, weighed by the size of both. References may form a graph whose
/// unfolding grows exponentially; the params of a real policy stay below ten thousand.
const MOST_WORK: usize = 500_000;
/// Compiling a pattern may take its size limit in memory.
const MOST_PATTERNS: usize = 64;
const MOST_PATTERN_BYTES: usize = 512;
const MOST_COMPILED_PATTERN_BYTES: usize = 256 << 10;

/// Why params are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParamsError {
    /// The policy's schema cannot be used; not the gate file's fault.
    #[error("the params schema of the policy is not usable: {0}")]
    Schema(String),
    /// The params do not fit it.
    #[error("{}", .0.iter().map(|mismatch| mismatch.message.as_str()).collect::<Vec<_>>().join("; "))]
    Params(Vec<Mismatch>),
}

/// Holds `params` against a policy's own JSON Schema (2020-12), which may refer to nothing
/// outside itself. The work is bounded whatever the schema says.
///
/// # Errors
/// Every place where the params do not fit, or why the schema cannot be used.
pub fn check_params(schema: &str, params: &Value) -> Result<(), ParamsError> {
    ParamsSchema::new(schema)?.check(params)
}

/// A policy's own schema of its params, made ready once to hold many params against.
pub struct ParamsSchema {
    schema: Value,
    /// Made at the first use, and there until the end.
    validator: OnceLock<Result<Validator, ParamsError>>,
}

impl ParamsSchema {
    /// Looks a schema through.
    ///
    /// # Errors
    /// Why it cannot be used, as far as that shows without params.
    pub fn new(schema: &str) -> Result<Self, ParamsError> {
        if schema.len() > MOST_SCHEMA_BYTES {
            return Err(unusable(format!("it is larger than {MOST_SCHEMA_BYTES} bytes")));
        }
        let mut schema: Value =
            serde_json::from_str(schema).map_err(|error| unusable(format!("not JSON: {error}")))?;
        Survey::default().take(&schema, 0)?;
        let dialect = schema.get("$schema").and_then(Value::as_str).unwrap_or(DIALECT);
        if dialect.trim_end_matches('#') != DIALECT {
            let dialect = quoted(dialect);
            return Err(unusable(format!(
                "it is written in {dialect}; JSON Schema 2020-12 is read"
            )));
        }
        // Under a name of its own choosing `#` might mean a schema that the validator knows
        // already.
        if let Some(keywords) = schema.as_object_mut() {
            keywords.remove("$id");
        }
        Ok(Self { schema, validator: OnceLock::new() })
    }

    /// Holds `params` against it.
    ///
    /// # Errors
    /// Every place where the params do not fit, or why the schema cannot be used.
    pub fn check(&self, params: &Value) -> Result<(), ParamsError> {
        Estimate { root: &self.schema, left: MOST_WORK }.apply(&self.schema, params, 0)?;
        let validate = || {
            let validator = self.validator.get_or_init(|| validator(&self.schema));
            let validator = validator.as_ref().map_err(Clone::clone)?;
            validate(&self.schema, validator, params)
        };
        on_a_large_stack(validate)?
    }
}

impl Drop for ParamsSchema {
    /// What was made by recursion is dropped by recursion.
    fn drop(&mut self) {
        let validator = self.validator.take();
        if validator.is_some() {
            // Without a thread to be had, it is dropped here.
            let _ = on_a_large_stack(|| drop(validator));
        }
    }
}

fn on_a_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, ParamsError> {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, work)
            .map_err(|error| unusable(format!("no thread to read it in: {error}")))?
            .join()
            .map_err(|_| unusable("the validator failed on it".to_owned()))
    })
}

fn validator(schema: &Value) -> Result<Validator, ParamsError> {
    let patterns = jsonschema::PatternOptions::regex()
        .size_limit(MOST_COMPILED_PATTERN_BYTES)
        .dfa_size_limit(MOST_COMPILED_PATTERN_BYTES);
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .offline()
        .should_validate_formats(false)
        .with_pattern_options(patterns)
        .build(schema)
        .map_err(|error| unusable(one_line(&error.to_string())))
}

fn validate(schema: &Value, validator: &Validator, params: &Value) -> Result<(), ParamsError> {
    let found = mismatches(schema, validator, params, "`params`");
    if found.is_empty() && validator.is_valid(params) {
        Ok(())
    } else {
        Err(ParamsError::Params(found))
    }
}

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

const fn unusable(reason: String) -> ParamsError {
    ParamsError::Schema(reason)
}

fn one_line(text: &str) -> String {
    const MOST: usize = 200;
    text.chars().take(MOST).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Looks at every level of a schema, whether or not it would ever be applied.
#[derive(Default)]
struct Survey {
    patterns: usize,
}

impl Survey {
    fn take(&mut self, schema: &Value, depth: usize) -> Result<(), ParamsError> {
        if depth > MOST_DEPTH {
            return Err(unusable(format!("it nests more than {MOST_DEPTH} deep")));
        }
        match schema {
            Value::Array(items) => items.iter().try_for_each(|item| self.take(item, depth + 1)),
            Value::Object(keywords) => keywords.iter().try_for_each(|(keyword, value)| {
                self.keyword(keyword, value, depth)?;
                self.take(value, depth + 1)
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        }
    }

    /// Inside `properties` a name is no keyword; a value there is a schema, and so not a text.
    fn keyword(&mut self, keyword: &str, value: &Value, depth: usize) -> Result<(), ParamsError> {
        match (keyword, value) {
            ("$ref", Value::String(target)) if !target.starts_with('#') => Err(unusable(format!(
                "it refers to {}; a schema may only refer to its own parts",
                quoted(target)
            ))),
            // An escape would be read here as it stands, and decoded by the validator.
            ("$ref", Value::String(target))
                if !(target == "#" || target.starts_with("#/")) || target.contains('%') =>
            {
                Err(unusable(format!(
                    "it refers to {}; write `#/` and a plain path",
                    quoted(target)
                )))
            }
            (
                "$id" | "$anchor" | "$dynamicRef" | "$dynamicAnchor" | "$recursiveRef"
                | "$recursiveAnchor",
                Value::String(_),
            ) if depth > 0 || keyword != "$id" => {
                Err(unusable(format!("it uses `{keyword}`, which is not read here")))
            }
            ("$schema", Value::String(_)) if depth > 0 => {
                Err(unusable("it uses `$schema` below its root, which is not read here".to_owned()))
            }
            // The validator follows references for these without end or on the stack, for each
            // keyword anew: sixteen of them in a chain take it a minute.
            ("unevaluatedProperties" | "unevaluatedItems", _) => Err(unusable(format!(
                "it uses `{keyword}`, which is not read here; `additionalProperties` and `items` are"
            ))),
            ("$vocabulary", _) => {
                Err(unusable("it uses `$vocabulary`, which is not read here".to_owned()))
            }
            ("pattern", Value::String(pattern)) => self.pattern(pattern),
            ("patternProperties", Value::Object(patterns)) => {
                patterns.keys().try_for_each(|pattern| self.pattern(pattern))
            }
            _ => Ok(()),
        }
    }

    fn pattern(&mut self, pattern: &str) -> Result<(), ParamsError> {
        self.patterns += 1;
        if self.patterns > MOST_PATTERNS {
            return Err(unusable(format!("it has more than {MOST_PATTERNS} patterns")));
        }
        if pattern.len() > MOST_PATTERN_BYTES {
            let message = format!("a pattern in it is longer than {MOST_PATTERN_BYTES} bytes");
            return Err(unusable(message));
        }
        Ok(())
    }
}

/// Counts what applying a schema may cost at most: as if every branch were taken.
struct Estimate<'a> {
    root: &'a Value,
    left: usize,
}

impl Estimate<'_> {
    fn spend(&mut self, work: usize) -> Result<(), ParamsError> {
        let too_much = || unusable("holding the params against it takes too much work".to_owned());
        self.left = self.left.checked_sub(work).ok_or_else(too_much)?;
        Ok(())
    }

    fn apply(&mut self, schema: &Value, value: &Value, depth: usize) -> Result<(), ParamsError> {
        self.spend(1)?;
        self.spend_on_all_of(value)?;
        let Some(keywords) = schema.as_object() else { return Ok(()) };
        if depth > MOST_APPLIED {
            return Err(unusable(format!("it applies more than {MOST_APPLIED} schemas in a row")));
        }
        let depth = depth + 1;
        keywords.iter().try_for_each(|(keyword, sub)| self.keyword(keyword, sub, value, depth))
    }

    fn keyword(
        &mut self,
        keyword: &str,
        sub: &Value,
        value: &Value,
        depth: usize,
    ) -> Result<(), ParamsError> {
        match keyword {
            "$ref" => {
                let target =
                    sub.as_str().and_then(|target| self.root.pointer(target.strip_prefix('#')?));
                match target {
                    Some(target) => self.apply(target, value, depth),
                    None => {
                        let target = quoted(sub.as_str().unwrap_or_default());
                        Err(unusable(format!("it refers to {target}, which it does not have")))
                    }
                }
            }
            "allOf" | "anyOf" | "oneOf" => {
                elements(sub).try_for_each(|branch| self.apply(branch, value, depth))
            }
            "not" | "if" | "then" | "else" => self.apply(sub, value, depth),
            "dependentSchemas" | "dependencies" => {
                members(sub).try_for_each(|(_, branch)| self.apply(branch, value, depth))
            }
            "properties" => members(sub).try_for_each(|(name, property)| {
                self.spend(1)?;
                value.get(name).map_or(Ok(()), |value| self.apply(property, value, depth))
            }),
            "patternProperties" => members(sub).try_for_each(|(_, property)| {
                members(value).try_for_each(|(_, value)| self.apply(property, value, depth))
            }),
            "additionalProperties" => {
                members(value).try_for_each(|(_, value)| self.apply(sub, value, depth))
            }
            "propertyNames" => {
                members(value).try_for_each(|_| self.apply(sub, &Value::Null, depth))
            }
            "prefixItems" => elements(sub)
                .zip(elements(value))
                .try_for_each(|(sub, value)| self.apply(sub, value, depth)),
            "items" | "additionalItems" | "contains" => {
                elements(value).try_for_each(|value| self.apply(sub, value, depth))
            }
            "$defs" | "definitions" => Ok(()),
            _ => self.spend_on_all_of(sub),
        }
    }

    fn spend_on_all_of(&mut self, value: &Value) -> Result<(), ParamsError> {
        self.spend(1)?;
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
            Value::String(text) => self.spend(text.len() / 32),
            Value::Array(items) => items.iter().try_for_each(|item| self.spend_on_all_of(item)),
            Value::Object(members) => members.iter().try_for_each(|(key, value)| {
                self.spend(key.len() / 32)?;
                self.spend_on_all_of(value)
            }),
        }
    }
}

fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn unusable_schema(schema: &Value, params: &Value) -> String {
        match check_params(&schema.to_string(), params) {
            Err(ParamsError::Schema(reason)) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn accepts_params_that_fit() {
        let schema = json!({
            "$schema": DIALECT,
            "type": "object",
            "properties": {"metrics": {"type": "array", "items": {"$ref": "#/$defs/Metric"}}},
            "additionalProperties": false,
            "$defs": {"Metric": {"properties": {"name": {"type": "string", "pattern": "^[a-z]+$"}}}}
        });
        assert_eq!(
            check_params(&schema.to_string(), &json!({"metrics": [{"name": "auc"}]})),
            Ok(())
        );
    }

    #[test]
    fn tells_every_mismatch() {
        let schema = json!({"properties": {"a": {"type": "number"}}, "required": ["b"], "additionalProperties": false});
        let Err(ParamsError::Params(found)) =
            check_params(&schema.to_string(), &json!({"a": "x", "c": 1}))
        else {
            panic!("accepted")
        };
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn reads_recursive_schemas() {
        let schema = json!({"properties": {"next": {"$ref": "#"}}, "additionalProperties": false});
        assert_eq!(check_params(&schema.to_string(), &json!({"next": {"next": {}}})), Ok(()));
        assert!(check_params(&schema.to_string(), &json!({"next": {"other": {}}})).is_err());
    }

    #[test]
    fn rejects_references_to_anything_outside() {
        for target in
            ["https://example.com/schema.json", "file:///etc/passwd", "other.json", "#name"]
        {
            assert!(unusable_schema(&json!({"$ref": target}), &json!({})).contains("refers to"));
        }
        let unreached = json!({"$defs": {"a": {"$ref": "http://example.com"}}});
        assert!(unusable_schema(&unreached, &json!({})).contains("refers to"));
        assert!(
            unusable_schema(&json!({"$ref": "#/$defs/none"}), &json!({})).contains("does not have")
        );
    }

    #[test]
    fn rejects_schemas_that_are_none() {
        for schema in [
            json!({"type": "strng"}),
            json!({"pattern": "("}),
            json!({"pattern": "(?=look)around"}),
            json!({"pattern": "((a{100}){100}){100}"}),
            json!({"$schema": "http://json-schema.org/draft-07/schema#"}),
            json!({"$defs": {"a": {"$id": "https://example.com"}}}),
            json!({"$anchor": "a"}),
            json!({"$dynamicRef": "#/a"}),
            json!({"unevaluatedProperties": false}),
            json!({"properties": {"a": {"unevaluatedItems": false}}}),
            json!([]),
            json!(1),
        ] {
            unusable_schema(&schema, &json!({}));
        }
        assert!(matches!(check_params("{", &json!({})), Err(ParamsError::Schema(_))));
        let large = format!("{{\"description\": \"{}\"}}", "x".repeat(MOST_SCHEMA_BYTES));
        assert!(matches!(check_params(&large, &json!({})), Err(ParamsError::Schema(_))));
    }

    #[test]
    fn rejects_references_that_never_end() {
        for schema in [
            json!({"$ref": "#"}),
            json!({"allOf": [{"$ref": "#"}]}),
            json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}),
        ] {
            assert!(unusable_schema(&schema, &json!({})).contains("in a row"));
        }
    }

    #[test]
    fn rejects_references_that_unfold_without_end() {
        let mut definitions = serde_json::Map::new();
        for level in 0..25 {
            let next = json!({"$ref": format!("#/$defs/d{}", level + 1)});
            definitions.insert(format!("d{level}"), json!({"anyOf": [next, next]}));
        }
        definitions.insert("d25".to_owned(), json!({"type": "string"}));
        let schema = json!({"$ref": "#/$defs/d0", "$defs": definitions});
        assert!(unusable_schema(&schema, &json!({})).contains("too much work"));
    }

    /// Schemas of `definitions` that each refer to the next, below `levels` of `keyword`.
    fn chain(definitions: usize, levels: usize, keyword: &str) -> Value {
        let mut all = serde_json::Map::new();
        for number in 0..definitions {
            let mut schema = json!({"$ref": format!("#/$defs/d{}", number + 1)});
            for _ in 0..levels {
                schema = match keyword {
                    "anyOf" | "oneOf" => json!({keyword: [schema, {"type": "string"}]}),
                    "properties" | "dependentSchemas" => json!({keyword: {"a": schema}}),
                    _ => json!({keyword: schema}),
                };
            }
            all.insert(format!("d{number}"), schema);
        }
        all.insert(format!("d{definitions}"), json!({}));
        json!({"$defs": all, "properties": {"a": {"$ref": "#/$defs/d0"}}})
    }

    /// A stack that overflows takes the whole process with it.
    #[test]
    fn no_schema_that_is_read_overflows_the_stack() {
        let two = ["anyOf", "oneOf", "properties", "dependentSchemas"].map(|keyword| (keyword, 2));
        let one =
            ["not", "if", "items", "contains", "additionalProperties"].map(|keyword| (keyword, 1));
        for (keyword, step) in two.into_iter().chain(one) {
            let deep = chain(200, (MOST_DEPTH - 3) / step, keyword);
            assert_eq!(check_params(&deep.to_string(), &json!({})), Ok(()), "{keyword}");
        }
        // Applied as deep as may be: each level of the params by way of a reference.
        let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!({"a": [inner]}));
        let schema = json!({
            "anyOf": [{"type": "null"}, {"$ref": "#/$defs/level"}],
            "$defs": {"level": {"properties": {"a": {"items": {"$ref": "#"}}}, "additionalProperties": false}}
        });
        assert!(check_params(&schema.to_string(), &nested(12)).is_ok());
        assert!(unusable_schema(&schema, &nested(20)).contains("in a row"));
    }

    #[test]
    fn rejects_deep_and_crowded_schemas() {
        let mut deep = json!({});
        for _ in 0..40 {
            deep = json!({"allOf": [deep]});
        }
        assert!(unusable_schema(&deep, &json!({})).contains("deep"));
        let patterns: Vec<Value> = (0..100).map(|n| json!({"pattern": format!("a{n}")})).collect();
        assert!(unusable_schema(&json!({"anyOf": patterns}), &json!("x")).contains("patterns"));
        let branches = vec![json!({"type": "string"}); 2000];
        let params = json!({"list": vec![1; 1000]});
        assert!(unusable_schema(&json!({"anyOf": branches}), &params).contains("too much work"));
    }
}
