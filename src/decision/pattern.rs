use std::borrow::Cow;

use globset::{Glob, GlobSet};
use regex::{Regex, RegexBuilder};

/// Glob patterns, of which one has to match. `*` and `?` match any character, `/` too: a name is
/// not a path.
#[derive(Clone, Debug)]
pub struct Patterns {
    texts: Vec<String>,
    case: Case,
    /// Whether one of them is `*`. The others are not even compiled: that is a good part of the
    /// start of a process.
    take_all: bool,
    /// Those that are no more than a name, as it is compared.
    words: Vec<String>,
    /// Those for which it is one whether a name is read by bytes or by characters.
    globs: Option<GlobSet>,
    /// The rest, which take longer to compile.
    regexes: Vec<Regex>,
}

/// Whether capitals matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    Exact,
    Any,
}

/// A text that is no glob pattern, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidPattern(String);

impl From<globset::Error> for InvalidPattern {
    fn from(error: globset::Error) -> Self {
        Self(error.kind().to_string())
    }
}

impl Patterns {
    /// Compiles glob patterns.
    ///
    /// # Errors
    /// A pattern that is not a glob.
    pub fn new(texts: Vec<String>) -> Result<Self, InvalidPattern> {
        Self::compiled(texts, Case::Exact)
    }

    /// The same for patterns that match in any case, as some registries compare names.
    ///
    /// # Errors
    /// A pattern that is not a glob.
    pub fn in_any_case(texts: Vec<String>) -> Result<Self, InvalidPattern> {
        Self::compiled(texts, Case::Any)
    }

    fn compiled(texts: Vec<String>, case: Case) -> Result<Self, InvalidPattern> {
        let take_all = texts.iter().any(|text| text == "*");
        let (mut words, mut globs, mut regexes) = (Vec::new(), Vec::new(), Vec::new());
        for text in &texts {
            if take_all {
                Glob::new(text)?;
            } else if !text.contains(META) && (case == Case::Exact || text.is_ascii()) {
                words.push(case.compared(text).into_owned());
            } else if case.is_the_same_by_bytes(text) {
                globs.push(Glob::new(&case.compared(text))?);
            } else {
                regexes.push(regex(&Glob::new(text)?, case)?);
            }
        }
        let globs = match globs.is_empty() {
            true => None,
            false => Some(GlobSet::new(globs)?),
        };
        Ok(Self { texts, case, take_all, words, globs, regexes })
    }

    /// Whether one of the patterns matches all of `name`.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.take_all
            || self.words.iter().any(|word| self.case.is_same(word, name))
            || self.globs.as_ref().is_some_and(|set| set.is_match(&*self.case.compared(name)))
            || self.regexes.iter().any(|regex| regex.is_match(name))
    }

    /// The patterns as they were written.
    #[must_use]
    pub fn texts(&self) -> &[String] {
        &self.texts
    }
}

/// Characters that make a text more than a name.
const META: [char; 7] = ['*', '?', '[', ']', '{', '}', '\\'];

impl Case {
    /// A name as it is compared.
    fn compared(self, name: &str) -> Cow<'_, str> {
        match self {
            Self::Exact => Cow::Borrowed(name),
            Self::Any if name.is_ascii() => Cow::Owned(name.to_ascii_lowercase()),
            // The two characters beyond ASCII that are one with a letter within: the Kelvin sign,
            // which the standard library knows, and the long s.
            Self::Any => Cow::Owned(name.to_lowercase().replace('\u{17f}', "s")),
        }
    }

    fn is_same(self, word: &str, name: &str) -> bool {
        match self {
            Self::Exact => word == name,
            Self::Any if name.is_ascii() => word.eq_ignore_ascii_case(name),
            Self::Any => *word == self.compared(name),
        }
    }

    /// Whether globset, which reads bytes, takes the pattern for what it means: one character is
    /// one byte, and a range of letters is one of either case, within ASCII only.
    fn is_the_same_by_bytes(self, pattern: &str) -> bool {
        !pattern.contains(['?', '[']) && (self == Self::Exact || pattern.is_ascii())
    }
}

/// The pattern as an expression for characters and not bytes.
fn regex(glob: &Glob, case: Case) -> Result<Regex, InvalidPattern> {
    let bytewise = glob.regex();
    let characters = in_characters(bytewise.strip_prefix("(?-u)").unwrap_or(bytewise));
    RegexBuilder::new(&characters)
        .case_insensitive(case == Case::Any)
        .dot_matches_new_line(true)
        .build()
        .map_err(|_| InvalidPattern("it is too large".to_owned()))
}

/// An expression in which globset has written characters beyond ASCII as their bytes, `\xc3\xa9`,
/// with the characters themselves.
fn in_characters(bytewise: &str) -> String {
    let mut characters = String::with_capacity(bytewise.len());
    let mut bytes = Vec::new();
    let mut rest = bytewise;
    loop {
        let byte = rest.strip_prefix("\\x").and_then(|rest| rest.split_at_checked(2));
        if let Some((digits, after)) = byte
            && let Ok(byte) = u8::from_str_radix(digits, 16)
        {
            bytes.push(byte);
            rest = after;
            continue;
        }
        characters.push_str(&String::from_utf8_lossy(&bytes));
        bytes.clear();
        // What a backslash stands before is no start of anything.
        let length = if rest.starts_with('\\') { 2 } else { 1 };
        let Some((at, last)) = rest.char_indices().take(length).last() else {
            return characters;
        };
        let (taken, after) = rest.split_at(at + last.len_utf8());
        characters.push_str(taken);
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(pattern: &str, name: &str) -> bool {
        Patterns::new(vec![pattern.to_owned()]).unwrap().matches(name)
    }

    fn any(pattern: &str, name: &str) -> bool {
        Patterns::in_any_case(vec![pattern.to_owned()]).unwrap().matches(name)
    }

    #[test]
    fn a_star_takes_every_name_and_what_is_no_pattern_is_refused_beside_it() {
        let all = vec!["fraud-*".to_owned(), "*".to_owned()];
        assert!(Patterns::new(all.clone()).unwrap().matches(""));
        assert!(Patterns::in_any_case(all).unwrap().matches("a/b"));
        for broken in ["[", "[z-a]", "{a", "a}", "a\\", "[Z-A]é"] {
            let texts = vec!["*".to_owned(), broken.to_owned()];
            assert!(Patterns::new(texts.clone()).is_err(), "{broken}");
            assert!(Patterns::in_any_case(texts).is_err(), "{broken}");
        }
    }

    #[test]
    fn capitals_count_only_where_they_are_said_to() {
        for (pattern, name) in [
            ("fraud", "Fraud"),
            ("Fraud-*", "fraud-a/b"),
            ("größe", "GRÖßE"),
            ("größe-*", "GRÖßE-2"),
            // The Kelvin sign is a k to whoever folds letters, and the long s an s.
            ("k8s", "\u{212a}8s"),
            ("k8s-*", "\u{212a}8\u{17f}-eu"),
            ("k?s", "\u{212a}8\u{17f}"),
            ("ΟΔΟΣ", "οδος"),
        ] {
            assert!(any(pattern, name), "{pattern} {name}");
            assert!(!exact(pattern, name), "{pattern} {name}");
            assert!(exact(pattern, pattern), "{pattern}");
        }
        assert!(!any("fraud", "fraud2") && !any("a.b", "axb") && !any("fraud", ""));
    }

    /// Written in small letters, these ranges would be others, or none.
    #[test]
    fn a_range_of_characters_stays_what_it_is_in_any_case() {
        for (pattern, name) in
            [("[A-_]*", "Fraud"), ("[A-_]*", "fraud"), ("[Z-a]*", "zeta"), ("[Z-~]*", "fraud")]
        {
            assert!(any(pattern, name), "{pattern} {name}");
        }
        assert!(!any("[Z-a]*", "fraud") && !any("[!a-z]*", "Fraud"));
    }

    #[test]
    fn one_character_is_one_however_many_bytes_it_takes() {
        for (pattern, name) in [
            ("fraud-?", "fraud-é"),
            ("fraud-[!a-z]", "fraud-é"),
            ("fraud-[à-ü]", "fraud-é"),
            ("fraud-[é]*", "fraud-éa"),
            ("{größe,\\é\\x}-?", "größe-1"),
            ("{größe,\\é\\x}-?", "éx-日"),
            ("\\\\x[c]3?", "\\xc3é"),
            ("a[&&b]?", "a&\n"),
        ] {
            assert!(exact(pattern, name) && any(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("fraud-??", "fraud-é"), ("[à-ü]", "a"), ("[à-ü]", "\u{9f}")] {
            assert!(!exact(pattern, name) && !any(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn the_longest_pattern_of_a_gate_file_compiles() {
        for part in ["[!a]", "?*", "é", "[日-本]"] {
            let text: String = part.repeat(256 / part.len());
            assert!(Patterns::in_any_case(vec![text; 32]).is_ok(), "{part}");
        }
    }
}
