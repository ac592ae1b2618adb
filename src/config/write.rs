//! Values as YAML in one line, such that every reader of YAML gets back what was written.

use std::fmt::Write as _;

use serde_json::Value;
use unicode_width::UnicodeWidthChar;

/// Words that some reader of YAML takes for something other than a text.
const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

/// Whether a text needs no quotes.
#[must_use]
pub fn is_bare(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '.' || c == '/')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || " ._/-".contains(c))
        && !text.ends_with(' ')
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
        && text.chars().any(char::is_alphabetic)
        && !matches!(text.to_ascii_lowercase().as_str(), ".nan" | ".inf")
}

/// A text, in quotes where it needs them. What does not show itself is spelled out.
#[must_use]
pub fn scalar(text: &str) -> String {
    if is_bare(text) {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len().saturating_add(2));
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            _ if shows(character) => quoted.push(character),
            // Writing to a string cannot fail.
            _ => {
                let code = u32::from(character);
                let _ = match code {
                    0..=0xff => write!(quoted, "\\x{code:02x}"),
                    0x100..=0xffff => write!(quoted, "\\u{code:04x}"),
                    _ => write!(quoted, "\\U{code:08x}"),
                };
            }
        }
    }
    quoted.push('"');
    quoted
}

fn shows(character: char) -> bool {
    character.width().is_some_and(|columns| columns > 0)
        && !matches!(character, '\u{a0}' | '\u{ad}' | '\u{2028}'..='\u{202f}' | '\u{feff}' | '\u{e000}'..='\u{f8ff}')
        && u32::from(character) & 0xfffe != 0xfffe
}

/// A value in one line.
#[must_use]
pub fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(entries) => {
            format!("[{}]", entries.iter().map(flow).collect::<Vec<_>>().join(", "))
        }
        Value::Object(map) => {
            let pairs: Vec<_> = map
                .iter()
                .map(|(key, value)| format!("{}: {}", scalar(key), flow(value)))
                .collect();
            format!("{{{}}}", pairs.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::yaml;
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for text in [
            "",
            "no",
            "1",
            ".5",
            ".nan",
            "2026-01-01",
            "a: b",
            "#",
            "a\u{1b}",
            "*",
            "x ",
            "-",
            "größer ≥ 模型",
            "\u{202e}x",
            "\u{e0041}",
            "a\r\nb\tc",
            "\"\\",
            "a\u{2028}b",
            "\u{85}",
            "👩‍🔬",
            "\u{fffe}",
            "plain text",
            "=",
            "<<",
            "~",
            "0x1",
            "1e3",
            "{",
            "a, b",
        ] {
            for value in [json!(text), json!({ text: [text, 1, null] })] {
                let written = format!("a: [{}]\n", flow(&value));
                let (node, problems) = yaml::read(&written, "value", "write one");
                assert_eq!(problems, [], "{written}");
                assert_eq!(node.unwrap().to_value(), json!({"a": [value]}), "{written}");
            }
        }
    }

    #[test]
    fn what_does_not_show_itself_is_spelled_out() {
        assert_eq!(scalar("\u{202e}nimda\u{1b}"), "\"\\u202enimda\\x1b\"");
        assert_eq!(scalar("val_auc"), "val_auc");
        assert_eq!(scalar("plain-text"), "plain-text");
    }
}
