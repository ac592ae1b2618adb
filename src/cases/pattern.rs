use regex::{Regex, RegexBuilder};

/// A pattern that long says what a few words of it would say as well.
const MOST_BYTES: usize = 4096;
/// What a compiled pattern may take; `\w` takes some 20 KiB.
const MOST_COMPILED_BYTES: usize = 1 << 20;

/// A regular expression that is looked for somewhere in a text.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    written: String,
    looked_for: LookedFor,
}

#[derive(Clone, Debug)]
enum LookedFor {
    /// Most patterns are a few words, and compiling each would take longer than all the rest.
    Text(String),
    Expression(Box<Regex>),
}

impl Pattern {
    /// Reads a regular expression.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub(super) fn new(written: &str) -> Result<Self, String> {
        if written.len() > MOST_BYTES {
            return Err(format!("the pattern is longer than {MOST_BYTES} bytes"));
        }
        let looked_for = match plain(written) {
            Some(text) => LookedFor::Text(text),
            None => LookedFor::Expression(Box::new(
                RegexBuilder::new(written)
                    .size_limit(MOST_COMPILED_BYTES)
                    .build()
                    .map_err(|error| reason(&error))?,
            )),
        };
        Ok(Self { written: written.to_owned(), looked_for })
    }

    /// As it was written.
    pub(super) fn as_str(&self) -> &str {
        &self.written
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        match &self.looked_for {
            LookedFor::Text(part) => text.contains(part.as_str()),
            LookedFor::Expression(expression) => expression.is_match(text),
        }
    }
}

/// The text that an expression stands for, when it stands for one alone.
fn plain(written: &str) -> Option<String> {
    let mut text = String::with_capacity(written.len());
    let mut characters = written.chars();
    while let Some(character) = characters.next() {
        match character {
            // Before `<` and `>` it stands for a boundary, before letters for a class.
            '\\' => match characters.next() {
                Some(escaped) if escaped.is_ascii_punctuation() && !"<>".contains(escaped) => {
                    text.push(escaped);
                }
                _ => return None,
            },
            '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$' => {
                return None;
            }
            _ => text.push(character),
        }
    }
    Some(text)
}

/// An expression that matches this text, and reads like it.
pub(super) fn exactly(text: &str) -> String {
    regex::escape(text)
}

/// The last line of what the library says: those before draw a picture.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default().trim();
    let last = last.strip_prefix("error: ").unwrap_or(last);
    format!("not a regular expression: {last}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_text_and_an_expression_find_the_same() {
        let text = r"val_auc (a) is 0.931, below the required 0.95 [x] {y} <z> a-b #1 & ~";
        for written in [
            "is 0\\.931, below",
            "val_auc \\(a\\)",
            "\\[x\\] \\{y\\}",
            "",
            "a\\-b \\#1 \\& \\~",
            "below the required 0\\.96",
        ] {
            let found = Pattern::new(written).unwrap();
            assert!(matches!(found.looked_for, LookedFor::Text(_)), "{written}");
            assert_eq!(
                found.matches(text),
                Regex::new(written).unwrap().is_match(text),
                "{written}"
            );
        }
        for written in ["^val", "0.931", "\\d+", "\\<z", "a|b", "(?i)VAL", "x{2}"] {
            let found = Pattern::new(written).unwrap();
            assert!(matches!(found.looked_for, LookedFor::Expression(_)), "{written}");
            assert_eq!(
                found.matches(text),
                Regex::new(written).unwrap().is_match(text),
                "{written}"
            );
        }
    }

    #[test]
    fn an_exact_pattern_matches_its_text() {
        for text in ["a.b*c", "0.931 (x)", "\\d", "größer ≥ 1", "<a> & b - c #"] {
            assert!(Pattern::new(&exactly(text)).unwrap().matches(text), "{text}");
        }
    }

    #[test]
    fn rejects_what_is_no_expression_or_takes_too_much() {
        for written in ["(", "[a", "(?=x)", "\\", "((a{100}){100}){100}"] {
            let reason = Pattern::new(written).unwrap_err();
            assert!(reason.starts_with("not a regular expression: "), "{reason}");
            assert_eq!(reason.lines().count(), 1, "{reason}");
        }
        assert!(Pattern::new(&"a".repeat(5000)).is_err());
    }
}
