use std::collections::BTreeMap;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError, Validator};
use serde_json::Value;

use super::diagnostic::quoted;

/// One place where a value does not fit its schema, in our words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// JSON pointer of the value; of the mapping when `key` is set.
    pub pointer: String,
    /// The key of that mapping which is meant, rather than its value.
    pub key: Option<String>,
    /// What is wrong, one line.
    pub message: String,
    /// What to do about it, one line.
    pub hint: Option<String>,
    /// Whether only the text of a value is wrong, which a reader may know to say better.
    pub(super) textual: bool,
}

/// How many mismatches are told apart; beyond that nobody reads, and each costs some work.
const MOST: usize = 1000;

/// Everything in `value` that does not fit. `whole` is what the value is called in messages.
pub(super) fn mismatches(
    schema: &Value,
    validator: &Validator,
    value: &Value,
    whole: &str,
) -> Vec<Mismatch> {
    let words = Words { schema, root: value, whole };
    let mut missing: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut found = Vec::new();
    for error in validator.iter_errors(value).take(MOST) {
        words.collect(&error, &mut missing, &mut found);
    }
    found.extend(missing.into_iter().map(|(pointer, keys)| words.missing(pointer, &keys)));
    found.truncate(MOST);
    found
}

/// The candidate that a mistyped `word` was probably meant to be.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // Longer words are no typing mistake of any key, and comparing takes time by their length.
    if word.len() > 64 {
        return None;
    }
    let distance = |candidate: &str| strsim::damerau_levenshtein(&word.to_lowercase(), candidate);
    candidates
        .into_iter()
        .map(|candidate| (distance(candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `a`, `b` or `c`.
pub(super) fn alternatives(words: &[String]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

struct Words<'a> {
    schema: &'a Value,
    root: &'a Value,
    whole: &'a str,
}

impl Words<'_> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "what is left is told apart in `bound`, where every kind has an arm"
    )]
    fn collect(
        &self,
        error: &ValidationError<'_>,
        missing: &mut BTreeMap<String, Vec<String>>,
        found: &mut Vec<Mismatch>,
    ) {
        let pointer = error.instance_path().as_str();
        let value = error.instance().as_ref();
        let name = self.name(pointer);
        let mut say = |message: String, hint: Option<String>| {
            let pointer = pointer.to_owned();
            found.push(Mismatch { pointer, key: None, message, hint, textual: false });
        };
        match error.kind() {
            ValidationErrorKind::Required { property } => {
                let key = property.as_str().unwrap_or_default().to_owned();
                missing.entry(pointer.to_owned()).or_default().push(key);
            }
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                let known = self.known_keys(error.schema_path().as_str());
                let unknown = unexpected.iter().take(MOST);
                found.extend(unknown.map(|key| unknown_key(pointer, key, &known)));
            }
            ValidationErrorKind::PropertyNames { error } => {
                let key = error.instance().as_str().unwrap_or_default();
                found.push(unknown_key(pointer, key, &[]));
            }
            ValidationErrorKind::Type { kind } => {
                let wanted: Vec<JsonType> = match kind {
                    TypeKind::Single(wanted) => vec![*wanted],
                    // `null` stands for a key left out, which nobody writes.
                    TypeKind::Multiple(wanted) => {
                        wanted.iter().filter(|wanted| *wanted != JsonType::Null).collect()
                    }
                };
                let words: Vec<String> =
                    wanted.iter().map(|wanted| noun(*wanted).to_owned()).collect();
                let message =
                    format!("{name} takes {}, not {}", alternatives(&words), described(value));
                say(message, type_hint(&wanted, value));
            }
            kind @ (ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. }) => {
                let (message, hint) = not_among(&name, &options(kind), value);
                say(message, hint);
            }
            ValidationErrorKind::Pattern { pattern } => {
                let message = format!(
                    "{name} is {}, which does not match the pattern {}",
                    described(value),
                    quoted(pattern)
                );
                let pointer = pointer.to_owned();
                found.push(Mismatch { pointer, key: None, message, hint: None, textual: true });
            }
            ValidationErrorKind::AnyOf { context }
            | ValidationErrorKind::OneOfNotValid { context } => {
                let options: Vec<&Value> = own_options(pointer, context).collect();
                match likeliest(pointer, context) {
                    Some(branch) => {
                        branch.iter().for_each(|error| self.collect(error, missing, found));
                    }
                    None if !options.is_empty() => {
                        let (message, hint) = not_among(&name, &options, value);
                        say(message, hint);
                    }
                    None => say(format!("{name} fits none of the shapes it may have"), None),
                }
            }
            kind => say(format!("{name} {}", bound(kind, value)), None),
        }
    }

    fn missing(&self, pointer: String, keys: &[String]) -> Mismatch {
        let words: Vec<String> = keys.iter().map(|key| quoted(key)).collect();
        let plural = if keys.len() == 1 { "key" } else { "keys" };
        let message = format!("{} lacks the {plural} {}", self.name(&pointer), words.join(", "));
        Mismatch { pointer, key: None, message, hint: None, textual: false }
    }

    /// What the value is called: by its key, or by its number in a list.
    fn name(&self, pointer: &str) -> String {
        let Some((parent, last)) = pointer.rsplit_once('/') else {
            return self.whole.to_owned();
        };
        if self.root.pointer(parent).is_some_and(Value::is_array) {
            let number = last.parse().unwrap_or(0_usize).saturating_add(1);
            return format!("entry {number} of {}", self.name(parent));
        }
        quoted(&last.replace("~1", "/").replace("~0", "~"))
    }

    /// The keys beside the `additionalProperties` at `schema_path`.
    fn known_keys(&self, schema_path: &str) -> Vec<&str> {
        schema_path
            .rsplit_once('/')
            .and_then(|(object, _)| self.schema.pointer(object)?.get("properties")?.as_object())
            .map(|properties| properties.keys().map(String::as_str).collect())
            .unwrap_or_default()
    }
}

fn unknown_key(pointer: &str, key: &str, known: &[&str]) -> Mismatch {
    let hint = match nearest(key, known.iter().copied()) {
        Some(near) => Some(format!("did you mean {}?", quoted(near))),
        None if known.is_empty() => None,
        None => {
            let known: Vec<String> = known.iter().take(20).map(|key| quoted(key)).collect();
            Some(format!("the keys here are {}", known.join(", ")))
        }
    };
    Mismatch {
        pointer: pointer.to_owned(),
        key: Some(key.to_owned()),
        message: format!("unknown key {}", quoted(key)),
        hint,
        textual: false,
    }
}

fn not_among(name: &str, options: &[&Value], value: &Value) -> (String, Option<String>) {
    let words: Vec<String> = options.iter().take(20).map(|option| described(option)).collect();
    let message = format!("{name} takes {}, not {}", alternatives(&words), described(value));
    let known = options.iter().filter_map(|option| option.as_str());
    let near = value.as_str().and_then(|word| nearest(word, known));
    (message, near.map(|near| format!("did you mean {}?", quoted(near))))
}

/// The values that an `enum` or a `const` would have taken.
fn options(kind: &ValidationErrorKind) -> Vec<&Value> {
    if let ValidationErrorKind::Constant { expected_value } = kind {
        vec![&**expected_value]
    } else if let ValidationErrorKind::Enum { options } = kind {
        options.as_array().into_iter().flatten().collect()
    } else {
        Vec::new()
    }
}

/// The values that any of several shapes would have taken in place of the value itself: an
/// enumeration with a description to each value is written as one shape a value.
fn own_options<'e>(
    pointer: &str,
    branches: &'e [Vec<ValidationError<'static>>],
) -> impl Iterator<Item = &'e Value> {
    let own = move |error: &&ValidationError<'static>| error.instance_path().as_str() == pointer;
    branches.iter().flatten().filter(own).flat_map(|error| options(error.kind()))
}

/// Of several shapes that a value may have, the one it was most likely meant to have: one whose
/// own kind and discriminating words fit, so that what is wrong lies deeper.
fn likeliest<'e>(
    pointer: &str,
    branches: &'e [Vec<ValidationError<'static>>],
) -> Option<&'e Vec<ValidationError<'static>>> {
    let another_shape = |error: &ValidationError<'static>| {
        let own = error.instance_path().as_str() == pointer;
        let is_word = matches!(
            error.kind(),
            ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. }
        );
        is_word || own && matches!(error.kind(), ValidationErrorKind::Type { .. })
    };
    match branches {
        [only] => Some(only),
        branches => branches
            .iter()
            .filter(|branch| !branch.is_empty() && !branch.iter().any(another_shape))
            .min_by_key(|branch| branch.len()),
    }
}

/// What a bound says of a value, after its name.
fn bound(kind: &ValidationErrorKind, value: &Value) -> String {
    let value = described(value);
    match kind {
        ValidationErrorKind::Minimum { limit } => format!("is {value}; the least is `{limit}`"),
        ValidationErrorKind::Maximum { limit } => format!("is {value}; the most is `{limit}`"),
        ValidationErrorKind::ExclusiveMinimum { limit } => {
            format!("is {value}; it must be more than `{limit}`")
        }
        ValidationErrorKind::ExclusiveMaximum { limit } => {
            format!("is {value}; it must be less than `{limit}`")
        }
        ValidationErrorKind::MultipleOf { multiple_of } => {
            format!("is {value}, which is no multiple of `{multiple_of}`")
        }
        ValidationErrorKind::MinLength { limit: 1 }
        | ValidationErrorKind::MinItems { limit: 1 }
        | ValidationErrorKind::MinProperties { limit: 1 } => "is empty".to_owned(),
        ValidationErrorKind::MinLength { limit } => format!("is shorter than {limit} characters"),
        ValidationErrorKind::MaxLength { limit } => format!("is longer than {limit} characters"),
        ValidationErrorKind::MinItems { limit } | ValidationErrorKind::MinProperties { limit } => {
            format!("has fewer than {limit} entries")
        }
        ValidationErrorKind::MaxItems { limit } | ValidationErrorKind::MaxProperties { limit } => {
            format!("has more than {limit} entries")
        }
        ValidationErrorKind::AdditionalItems { limit } => {
            format!("has more than {limit} entries")
        }
        ValidationErrorKind::UnevaluatedItems { .. } => "has too many entries".to_owned(),
        ValidationErrorKind::UniqueItems => "lists something twice".to_owned(),
        ValidationErrorKind::Contains => "lacks an entry that it must have".to_owned(),
        ValidationErrorKind::OneOfMultipleValid { .. } => {
            "fits more than one of the shapes it may have".to_owned()
        }
        ValidationErrorKind::FalseSchema | ValidationErrorKind::Not { .. } => {
            format!("must not be {value} here")
        }
        ValidationErrorKind::Format { format } => {
            format!("is {value}, which is not written as a {}", quoted(format))
        }
        // Each has an arm of its own in `Words::collect`, or is a keyword that annotates in
        // JSON Schema 2020-12 and is never reported.
        ValidationErrorKind::AdditionalProperties { .. }
        | ValidationErrorKind::AnyOf { .. }
        | ValidationErrorKind::BacktrackLimitExceeded { .. }
        | ValidationErrorKind::Constant { .. }
        | ValidationErrorKind::ContentEncoding { .. }
        | ValidationErrorKind::ContentMediaType { .. }
        | ValidationErrorKind::Custom { .. }
        | ValidationErrorKind::Enum { .. }
        | ValidationErrorKind::FromUtf8 { .. }
        | ValidationErrorKind::OneOfNotValid { .. }
        | ValidationErrorKind::Pattern { .. }
        | ValidationErrorKind::PropertyNames { .. }
        | ValidationErrorKind::Referencing(_)
        | ValidationErrorKind::RegexEngineFailure { .. }
        | ValidationErrorKind::Required { .. }
        | ValidationErrorKind::Type { .. }
        | ValidationErrorKind::UnevaluatedProperties { .. } => {
            format!("does not fit its `{}` rule", kind.keyword())
        }
    }
}

fn type_hint(wanted: &[JsonType], value: &Value) -> Option<String> {
    let wants = |kind: JsonType| wanted.contains(&kind);
    match value {
        Value::Null => Some("give it a value, or leave the key out".to_owned()),
        Value::Bool(_) | Value::Number(_) if wants(JsonType::String) => {
            Some(format!("put it in quotes: \"{value}\""))
        }
        Value::String(text) if wants(JsonType::Array) && text.len() < 60 => {
            Some(format!("write a list: [{}]", quoted(text).replace('`', "\"")))
        }
        Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => None,
    }
}

const fn noun(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Array => "a list",
        JsonType::Boolean => "`true` or `false`",
        JsonType::Integer => "a whole number",
        JsonType::Null => "nothing",
        JsonType::Number => "a number",
        JsonType::Object => "a mapping",
        JsonType::String => "text",
    }
}

fn described(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(value) => format!("`{value}`"),
        Value::Number(number) => format!("`{number}`"),
        Value::String(text) => quoted(text),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(schema: &Value, value: &Value) -> Vec<String> {
        let validator = jsonschema::options().offline().build(schema).unwrap();
        let found = mismatches(schema, &validator, value, "the value");
        found
            .into_iter()
            .map(|Mismatch { message, hint, .. }| match hint {
                Some(hint) => format!("{message} ({hint})"),
                None => message,
            })
            .collect()
    }

    #[test]
    fn speaks_of_keys_and_entries() {
        let schema = json!({
            "properties": {"metrics": {"items": {
                "properties": {"name": {"type": "string"}, "min": {"type": "number", "minimum": 0}},
                "required": ["name", "min"],
                "additionalProperties": false
            }}}
        });
        let value = json!({"metrics": [{"name": 1, "min": -1}, {"nam": "x"}]});
        assert_eq!(
            told(&schema, &value),
            [
                "`min` is `-1`; the least is `0`",
                "`name` takes text, not `1` (put it in quotes: \"1\")",
                "unknown key `nam` (did you mean `name`?)",
                "entry 2 of `metrics` lacks the keys `name`, `min`",
            ]
        );
    }

    #[test]
    fn speaks_of_the_shape_that_was_meant() {
        let schema = json!({"anyOf": [
            {"properties": {"kind": {"const": "a"}, "x": {"type": "string"}}, "required": ["kind", "x"]},
            {"properties": {"kind": {"const": "b"}, "y": {"type": "number"}}, "required": ["kind", "y"]},
            {"type": "null"}
        ]});
        assert_eq!(told(&schema, &json!({"kind": "b", "y": "1"})), ["`y` takes a number, not `1`"]);
        let other = json!({"kind": "c"});
        assert_eq!(told(&schema, &other), ["the value fits none of the shapes it may have"]);
    }

    #[test]
    fn speaks_of_all_values_of_an_enumeration_with_descriptions() {
        let schema = json!({"oneOf": [
            {"const": "pass", "description": "It passes."},
            {"const": "warn", "description": "It passes with a warning."},
            {"enum": ["fail", null]}
        ]});
        let message =
            "the value takes `pass`, `warn`, `fail` or nothing, not `pas` (did you mean `pass`?)";
        assert_eq!(told(&schema, &json!("pas")), [message]);
    }

    #[test]
    fn suggests_the_nearest_word_only_when_it_is_near() {
        let words = ["enforce", "effective-on", "id"];
        assert_eq!(nearest("enfroce", words), Some("enforce"));
        assert_eq!(nearest("Effective_On", words), Some("effective-on"));
        assert_eq!(nearest("threshold", words), None);
        assert_eq!(nearest(&"x".repeat(1 << 20), words), None);
    }
}
