//! The words of a server taken apart: by blanks, as a shell would, and by what is filled in later.

use serde_json::Value;

/// A piece of a word.
#[derive(Clone, Copy)]
pub(super) struct Token<'a> {
    /// Which of the words it stands in.
    pub(super) at: usize,
    /// As it stands there.
    pub(super) whole: &'a str,
    /// Without what a shell puts around it.
    pub(super) text: &'a str,
    /// The word from here on.
    pub(super) rest: &'a str,
    /// Whether it is all of a word.
    pub(super) alone: bool,
}

/// The pieces of one of the words.
pub(super) fn of(at: usize, word: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = word.trim_start();
    while !rest.is_empty() {
        let (end, next) = first(rest);
        let piece = rest.get(..end).unwrap_or_default();
        let whole = piece.trim_matches(['"', '\'', ';', '\\']);
        let text = piece.trim_matches(['"', '\'', ';', '(', ')', '\\']);
        if !text.is_empty() {
            let alone = piece == word.trim();
            tokens.push(Token { at, whole, text, rest, alone });
        }
        rest = rest.get(next..).unwrap_or_default().trim_start();
    }
    tokens
}

/// Where the first piece of a text ends, and where the next begins. What is filled in for a
/// template belongs to its piece, blanks within the braces and all; where one only says under what
/// condition something stands there, it is as good as a blank.
fn first(text: &str) -> (usize, usize) {
    let mut from = 0;
    loop {
        let ahead = text.get(from..).unwrap_or_default();
        let blank = ahead.find(char::is_whitespace).unwrap_or(ahead.len());
        let Some(at) = ahead.find("{{").filter(|at| *at < blank) else {
            return (from + blank, from + blank);
        };
        let inner = ahead.get(at + 2..).unwrap_or_default();
        let length = inner.find("}}").map_or(inner.len(), |end| end + 2) + 2;
        if is_condition(inner) {
            return (from + at, from + at + length);
        }
        from += at + length;
    }
}

fn is_condition(action: &str) -> bool {
    let action = action.trim_start_matches('-').trim_start();
    let word = action.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    ["if", "else", "end"].contains(&word)
}

/// The words within the braces of a template, where a text is nothing but one.
pub(super) fn filled(text: &str) -> Option<Vec<&str>> {
    let action = text.strip_prefix("{{")?.strip_suffix("}}")?;
    Some(action.trim_matches('-').split_whitespace().collect())
}

/// Whether an address that models are taken from stands anywhere in it.
pub(super) fn has_address(text: &str) -> bool {
    let storage = [
        "abfs",
        "abfss",
        "az",
        "azure",
        "file",
        "gcs",
        "gs",
        "hdfs",
        "hf",
        "mlflow-artifacts",
        "model-registry",
        "models",
        "modelscope",
        "oci",
        "oci+fetch",
        "oci+modelcar",
        "oci+native",
        "pvc",
        "runs",
        "s3",
        "webhdfs",
    ];
    // In JSON, and in a shell, what stands there may be written with backslashes.
    let plain = text.replace('\\', "");
    let in_scheme = |c: char| c.is_ascii_alphanumeric() || "+.-".contains(c);
    plain.match_indices(":/").any(|(at, colon)| {
        let before = plain.get(..at).unwrap_or_default();
        let run = before.rsplit(|c| !in_scheme(c)).next().unwrap_or_default();
        let scheme = run.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
        let known = storage.contains(&&*scheme.to_ascii_lowercase());
        // Those of MLflow have one slash, and so do lists of folders.
        let after = plain.get(at + colon.len()..).unwrap_or_default();
        let in_list = before.strip_suffix(run).is_some_and(|before| before.ends_with('/'));
        let of_mlflow = ["mlflow-artifacts", "models", "runs"].contains(&scheme) && !in_list;
        known && after.starts_with('/') || of_mlflow
    })
}

/// Whether a letter is written by its number. Nobody has a reason to, unless it is not to be seen.
pub(super) fn has_hidden(text: &str) -> bool {
    text.match_indices("\\u").any(|(at, sign)| {
        let digits = text.get(at + sign.len()..at + sign.len() + 4);
        digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
    })
}

/// The names in a piece of JSON, each with its value where that is a text which stands right after.
pub(super) fn named(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let plain = |piece: &&'_ str| -> bool { piece.trim_matches('\\') == ":" };
    let pieces = || text.split('"');
    let values = pieces().skip(2).chain(std::iter::repeat(""));
    pieces().zip(pieces().skip(1)).zip(values).filter_map(move |((name, colon), value)| {
        let is_name = colon.trim_start_matches('\\').starts_with(':');
        let value = if plain(&colon) { value.trim_end_matches('\\') } else { "" };
        is_name.then_some((name.trim_end_matches('\\'), value))
    })
}

/// Whether it begins with JSON of numbers and switches alone, which name nothing. More words may
/// follow it.
pub(super) fn names_nothing(text: &str) -> bool {
    fn holds_no_text(value: &Value) -> bool {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => true,
            Value::String(_) => false,
            Value::Array(items) => items.iter().all(holds_no_text),
            Value::Object(fields) => fields.values().all(holds_no_text),
        }
    }
    let json = text.trim_matches(['"', '\'']);
    let first = serde_json::Deserializer::from_str(json).into_iter::<Value>().next();
    first.is_some_and(|value| value.is_ok_and(|value| holds_no_text(&value)))
}

/// Whether it is a name, or a part of a name, and nothing that a shell, JSON or an option of a
/// server would be made of.
pub(super) fn is_plain_name(text: &str) -> bool {
    !text.starts_with('-')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:/@+".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_taken_whole_and_conditions_for_blanks() {
        let pieces = |word| of(0, word).iter().map(|token| token.whole).collect::<Vec<_>>();
        assert_eq!(pieces("a  'b c'\n\\\n d;"), ["a", "b", "c", "d"]);
        assert_eq!(pieces("--a {{ .Name }} x{{.B}}y"), ["--a", "{{ .Name }}", "x{{.B}}y"]);
        assert_eq!(
            pieces("{{ if .A }}--a=b{{ else }}--a=c{{- end }} d{{if .B}}e"),
            ["--a=b", "--a=c", "d", "e"]
        );
        assert_eq!(pieces("{{ if"), Vec::<&str>::new());
        assert_eq!(pieces("{{ a"), ["{{ a"]);
    }

    #[test]
    fn addresses_are_seen_wherever_they_stand() {
        for text in [
            "s3://b/x",
            "S3://b/x",
            "{\"uri\":\"s3://b/x\"}",
            "{\"uri\":\"s3:\\/\\/b\\/x\"}",
            "--foo=a,gs://b/x",
            "--foo=a=hf://b/x",
            "--foo=[file:///other]",
            "models:/fraud/3",
            "--foo=(models:/fraud/3)",
        ] {
            assert!(has_address(text), "{text}");
        }
        for text in [
            "http://collector:4317",
            "tcp://*:5557",
            "/opt/models:/app",
            "/v1/models:predict",
            "/tls:/var/run",
            "s3:/",
            "is3://b",
        ] {
            assert!(!has_address(text), "{text}");
        }
        assert!(has_hidden("{\"uri\":\"\\u00733://b/x\"}"));
        assert!(!has_hidden("\\usr\\u12"));
    }

    #[test]
    fn names_of_json_are_told_with_their_values() {
        let told = |text| named(text).collect::<Vec<_>>();
        assert_eq!(told("{\"a\":\"b\",\"c\":1}"), [("a", "b"), ("c", "")]);
        assert_eq!(told("{\\\"a\\\":\\\"b\\\"}"), [("a", "b")]);
        assert_eq!(told("\"a\":"), [("a", "")]);
        assert_eq!(told("\"a\" \"b\""), []);
        assert!(names_nothing("{\"a\": true, \"b\": [1]}") && names_nothing("8"));
        assert!(names_nothing("'{\"a\": true}' --port 8000"));
        assert!(!names_nothing("{\"a\": \"b\"}") && !names_nothing("a") && !names_nothing(""));
    }
}
