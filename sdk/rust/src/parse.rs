use serde::de::DeserializeOwned;
use serde_path_to_error::Path;

use crate::Refusal;

/// Reads params from their JSON text, as the exported policy does.
///
/// # Errors
///
/// [`Refusal::Params`] with the reason when the text is not JSON or does not fit, and with the
/// place of what does not: `` `metrics[1].min`: … ``.
///
/// ```
/// use lockgate_sdk::{Refusal, parse_params, prelude::*};
///
/// #[params]
/// #[derive(PartialEq)]
/// struct Params {
///     min_age: u32,
/// }
///
/// assert_eq!(parse_params(r#"{"min-age": 3}"#), Ok(Params { min_age: 3 }));
/// assert_eq!(
///     parse_params::<Params>(r#"{"min-age": "3"}"#),
///     Err(Refusal::Params("`min-age`: invalid type: string \"3\", expected a whole number".into()))
/// );
/// ```
pub fn parse_params<P: DeserializeOwned>(text: &str) -> Result<P, Refusal> {
    serde_json::from_str(text).map_err(|error| {
        // Keeping the path while reading costs fuel, so that only params that do not fit pay for it.
        let json = &mut serde_json::Deserializer::from_str(text);
        let placed = serde_path_to_error::deserialize::<_, P>(json).err();
        Refusal::Params(reason(&error, placed.as_ref().map(serde_path_to_error::Error::path)))
    })
}

/// An error in the words of whoever wrote the params. Kept out of the generic function, so that a
/// component has it once.
#[cold]
#[inline(never)]
fn reason(error: &serde_json::Error, path: Option<&Path>) -> String {
    let told = error.to_string();
    if !error.is_data() {
        return told;
    }
    let place = format!(" at line {} column {}", error.line(), error.column());
    let told = in_words(told.strip_suffix(&place).unwrap_or(&told));
    match path.filter(|path| path.iter().len() > 0) {
        Some(path) => format!("`{path}`: {told}"),
        None => told,
    }
}

/// A message that ends in the name of a Rust type ends in a word of JSON instead.
fn in_words(message: &str) -> String {
    let Some((before, expected)) = message.rsplit_once("expected ") else {
        return message.to_owned();
    };
    let word = match expected {
        "f32" | "f64" => "a number",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number",
        "a sequence" => "a list",
        "a map" => "an object",
        _ if expected.starts_with("struct ") => "an object",
        _ => return message.to_owned(),
    };
    [before, "expected ", word].concat()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Params {
        name: String,
        #[serde(default)]
        limits: Vec<Limit>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Limit {
        min: f64,
        #[serde(default)]
        samples: u32,
    }

    fn refused(text: &str) -> String {
        match parse_params::<Params>(text) {
            Err(Refusal::Params(reason)) => reason,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn says_where_and_what() {
        for (text, reason) in [
            (r#"{"name": 1}"#, "`name`: invalid type: integer `1`, expected a string"),
            (
                r#"{"name": "a", "limits": [{"min": 1}, {"min": "x"}]}"#,
                "`limits[1].min`: invalid type: string \"x\", expected a number",
            ),
            (
                "{\"name\": \"a\",\n \"limits\": [\n  {\"min\": 1, \"samples\": 1.5}]}",
                "`limits[0].samples`: invalid type: floating point `1.5`, expected a whole number",
            ),
            (
                r#"{"name": "a", "limits": {"min": 1}}"#,
                "`limits`: invalid type: map, expected a list",
            ),
            (
                r#"{"name": "a", "limits": [{"min": 1}, 7]}"#,
                "`limits[1]`: invalid type: integer `7`, expected an object",
            ),
            (r#"{"limits": []}"#, "missing field `name`"),
            (r#"{"name": "a", "limits": [{}]}"#, "`limits[0]`: missing field `min`"),
            (
                r#"{"name": "a", "limits": [{"mni": 1}]}"#,
                "`limits[0].mni`: unknown field `mni`, expected `min` or `samples`",
            ),
            (
                r#"{"name": "{[,\"", "limits": [{"min": null}]}"#,
                "`limits[0].min`: invalid type: null, expected a number",
            ),
            ("[]", "invalid length 0, expected an object"),
        ] {
            assert_eq!(refused(text), reason, "{text}");
        }
    }

    #[test]
    fn what_is_no_json_is_told_by_line_and_column() {
        assert_eq!(refused("{\"name\":"), "EOF while parsing a value at line 1 column 8");
        assert_eq!(refused(r#"{"name": "a"}}"#), "trailing characters at line 1 column 14");
    }
}
