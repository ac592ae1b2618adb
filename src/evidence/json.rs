//! JSON that means the same to every parser, or none at all.
//!
//! A scan over the bytes bounds depth, size and numbers before anything recursive or allocating
//! runs; the parser behind it refuses objects that name a key twice.

use std::borrow::Cow;
use std::fmt;

use serde::de::DeserializeSeed;

use super::error::{Problem, quoted};
use super::limits::{MAX_JSON_DEPTH, MAX_JSON_VALUES, MAX_WHOLE_NUMBER};
use super::tree::{Tree, Unambiguous};

/// A text that can be parsed without harm.
#[derive(Debug)]
pub(super) struct Text<'a> {
    /// The input, with bare not-a-number tokens put in quotes.
    text: Cow<'a, str>,
    bare: Option<(Position, &'static str)>,
}

/// A parsed JSON text.
#[derive(Debug)]
pub(super) struct Parsed<'a> {
    pub(super) value: Tree<'a>,
    /// The text that was parsed.
    pub(super) text: &'a str,
    /// The first bare `NaN`, `Infinity` or `-Infinity`: its place and the word.
    ///
    /// Python's `json` module writes them, though they are not JSON (RFC 8259, section 6).
    /// Whether they are let through is for the format to say; here they become strings.
    pub(super) bare: Option<(Position, &'static str)>,
}

/// A line and a column in bytes, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    line: usize,
    column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Checks what can be told of one JSON text without parsing it.
pub(super) fn read(bytes: &[u8]) -> Result<Text<'_>, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Problem::at(
            position(bytes, error.valid_up_to()),
            "is not UTF-8 text; evidence is read as JSON in UTF-8",
        )
    })?;
    if text.starts_with('\u{feff}') {
        return Err(Problem::whole("starts with a byte order mark; write it as UTF-8 without one"));
    }
    if text.trim_ascii().is_empty() {
        return Err(Problem::whole("is empty; remove it or write it again"));
    }
    scan(text)
}

impl Text<'_> {
    /// Parses it.
    pub(super) fn parse(&self) -> Result<Parsed<'_>, Problem> {
        Ok(Parsed { value: strict(&self.text)?, text: &self.text, bare: self.bare })
    }
}

/// Words that stand for a number without being one; the longest of a common prefix first.
const NOT_NUMBERS: [&str; 3] = ["-Infinity", "Infinity", "NaN"];

/// Checks what can be told without parsing, and quotes bare not-a-number words.
///
/// Whatever is malformed passes through here and is refused by the parser.
fn scan(text: &str) -> Result<Text<'_>, Problem> {
    let bytes = text.as_bytes();
    let here = |at: usize| position(bytes, at);
    let mut quoted_text = String::new();
    let mut copied = 0;
    let mut bare = None;
    let (mut depth, mut values, mut at) = (0_usize, 0_usize, 0_usize);
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let step = match rest.first() {
            Some(b'"') => string_length(rest),
            Some(b'[' | b'{') => {
                depth += 1;
                if depth > MAX_JSON_DEPTH {
                    let text = format!("nests deeper than {MAX_JSON_DEPTH} arrays and objects");
                    return Err(Problem::at(here(at), text));
                }
                1
            }
            Some(b']' | b'}') => {
                depth = depth.saturating_sub(1);
                1
            }
            Some(b',' | b':') => {
                values += 1;
                if values > MAX_JSON_VALUES {
                    let text = format!("holds more than {MAX_JSON_VALUES} values");
                    return Err(Problem::at(here(at), text));
                }
                1
            }
            Some(b'-' | b'0'..=b'9' | b'N' | b'I') => {
                if let Some(word) = NOT_NUMBERS.into_iter().find(|w| rest.starts_with(w.as_bytes()))
                {
                    quoted_text.push_str(text.get(copied..at).unwrap_or_default());
                    quoted_text.push('"');
                    quoted_text.push_str(word);
                    quoted_text.push('"');
                    copied = at + word.len();
                    bare.get_or_insert_with(|| (here(at), word));
                    word.len()
                } else {
                    let length = number_length(rest).max(1);
                    let number = text.get(at..at + length).unwrap_or_default();
                    if is_whole_but_inexact(number) {
                        return Err(Problem::at(
                            here(at),
                            format!(
                                "`{}` is a whole number beyond 2^53, which not every reader keeps exactly; write it as text",
                                quoted(number)
                            ),
                        ));
                    }
                    length
                }
            }
            Some(_) | None => 1,
        };
        at += step;
    }
    if bare.is_none() {
        return Ok(Text { text: Cow::Borrowed(text), bare });
    }
    quoted_text.push_str(text.get(copied..).unwrap_or_default());
    Ok(Text { text: Cow::Owned(quoted_text), bare })
}

/// Length of the string that `rest` starts with, quotes included.
fn string_length(rest: &[u8]) -> usize {
    let mut escaped = false;
    for (index, byte) in rest.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    rest.len()
}

fn number_length(rest: &[u8]) -> usize {
    rest.iter()
        .take_while(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
        .count()
}

fn is_whole_but_inexact(number: &str) -> bool {
    let digits = number.strip_prefix('-').unwrap_or(number);
    let whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    whole && digits.parse::<u64>().map_or(true, |value| value > MAX_WHOLE_NUMBER)
}

fn position(bytes: &[u8], at: usize) -> Position {
    let before = bytes.get(..at).unwrap_or(bytes);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    Position { line, column }
}

fn strict(text: &str) -> Result<Tree<'_>, Problem> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let parsed = Unambiguous.deserialize(&mut deserializer).and_then(|value| {
        deserializer.end()?;
        Ok(value)
    });
    parsed.map_err(|error| syntax_problem(&error))
}

/// What serde_json has to say, with the place taken out of its text.
pub(super) fn syntax_problem(error: &serde_json::Error) -> Problem {
    let position = Position { line: error.line(), column: error.column() };
    let told = error.to_string();
    let suffix = format!(" at line {} column {}", error.line(), error.column());
    let text = quoted_message(told.strip_suffix(&suffix).unwrap_or(&told));
    if error.line() == 0 { Problem::whole(text) } else { Problem::at(position, text) }
}

/// One line of at most some hundred characters, whatever text of the file it quotes.
fn quoted_message(text: &str) -> String {
    let mut line: String =
        text.chars().take(300).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(300).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parse(bytes: &[u8]) -> Result<Value, Problem> {
        read(bytes)?.parse().map(|parsed| parsed.value.into())
    }

    fn problem(bytes: &[u8]) -> Problem {
        parse(bytes).unwrap_err()
    }

    #[test]
    fn reads_what_serde_json_reads() {
        let text = br#" {"a": [1, -2.5e3, true, null, "\u00e9 \" NaN 99999999999999999999"]} "#;
        assert_eq!(
            parse(text).unwrap(),
            json!({"a": [1, -2500.0, true, null, "é \" NaN 99999999999999999999"]})
        );
        assert!(read(text).unwrap().bare.is_none());
    }

    #[test]
    fn quotes_bare_not_a_number_words_and_says_where_the_first_is() {
        let text = b"{\"a\": 1,\n \"b\": [NaN, -Infinity, Infinity], \"c\": \"NaN\"}";
        assert_eq!(parse(text).unwrap()["b"], json!(["NaN", "-Infinity", "Infinity"]));
        let (position, word) = read(text).unwrap().bare.unwrap();
        assert_eq!((position.to_string().as_str(), word), ("line 2, column 8", "NaN"));
    }

    #[test]
    fn rejects_a_key_that_appears_twice() {
        for text in [r#"{"a": 1, "a": 1}"#, r#"[{"b": {"a": 1, "\u0061": 2}}]"#] {
            assert!(problem(text.as_bytes()).text.contains("`a` appears twice"), "{text}");
        }
    }

    #[test]
    fn rejects_whole_numbers_beyond_two_to_the_53() {
        for text in ["9007199254740993", "-9007199254740993", "[1, 123456789012345678901234]"] {
            assert!(problem(text.as_bytes()).text.contains("beyond 2^53"), "{text}");
        }
        for text in ["9007199254740992", "1e300", "123456789012345678.5"] {
            assert!(parse(text.as_bytes()).is_ok(), "{text}");
        }
    }

    #[test]
    fn rejects_deep_nesting_at_its_place() {
        let fits = format!("{}{}", "[".repeat(MAX_JSON_DEPTH), "]".repeat(MAX_JSON_DEPTH));
        assert!(parse(fits.as_bytes()).is_ok());
        let deep = problem("[".repeat(1_000_000).as_bytes());
        assert_eq!(deep.place, "line 1, column 65");
    }

    #[test]
    fn rejects_more_values_than_the_limit() {
        let text = format!("[0{}]", ",0".repeat(MAX_JSON_VALUES + 1));
        assert!(problem(text.as_bytes()).text.contains("more than"));
    }

    #[test]
    fn rejects_what_is_no_json_and_names_the_place() {
        for (text, place) in [
            (&b"{\"a\": }"[..], "line 1, column 7"),
            (b"{\"a\": 1} x", "line 1, column 10"),
            (b"\n\xff", "line 2, column 1"),
            (b"{'a': 1}", "line 1, column 2"),
            (b"1e999", "line 1, column 5"),
            (b"\"\\ud800\"", "line 1, column 8"),
        ] {
            assert_eq!(problem(text).place, place, "{}", String::from_utf8_lossy(text));
        }
        for text in [&b""[..], b" \n", b"\xef\xbb\xbf{}"] {
            assert_eq!(problem(text).place, "");
        }
    }
}
