use std::fmt;
use std::sync::Arc;

use unicode_width::UnicodeWidthChar;

use crate::text::{line, printable};

/// A stretch of one line of the gate file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Number of characters on that line, at least 1.
    pub width: usize,
}

/// One thing that is wrong with a gate file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The gate file, as it was named.
    pub file: Arc<str>,
    /// Where in the file; none when the file as a whole is meant.
    pub place: Option<Place>,
    /// What is wrong, one line.
    pub message: String,
    /// What to do about it, one line.
    pub hint: Option<String>,
    /// Text of the line, made safe to print.
    excerpt: Option<Excerpt>,
}

/// Everything that is wrong with a gate file, in the order of the file. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics {
    shown: Vec<Diagnostic>,
    more: usize,
}

/// What is wrong somewhere, before the file's name and text are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) place: Option<Place>,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Problem {
    pub(super) fn new(place: Option<Place>, message: impl Into<String>) -> Self {
        Self { place, message: message.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Diagnostics {
    /// Nobody reads further; a file with more has one cause for most of them.
    const MOST_SHOWN: usize = 50;

    /// None when there is no problem.
    pub(super) fn of(file: &Arc<str>, text: &str, mut problems: Vec<Problem>) -> Option<Self> {
        problems.sort_by_key(|problem| problem.place);
        problems.dedup();
        if problems.is_empty() {
            return None;
        }
        let more = problems.len().saturating_sub(Self::MOST_SHOWN);
        problems.truncate(Self::MOST_SHOWN);
        let lines = Lines::new(text);
        let shown = problems
            .into_iter()
            .map(|Problem { place, message, hint }| Diagnostic {
                file: Arc::clone(file),
                place,
                message,
                hint,
                excerpt: place.and_then(|place| Excerpt::of(&lines, place)),
            })
            .collect();
        Some(Self { shown, more })
    }

    /// About the file as a whole.
    pub(super) fn whole_file(file: &Arc<str>, message: String) -> Self {
        let excerpt = None;
        let diagnostic =
            Diagnostic { file: Arc::clone(file), place: None, message, hint: None, excerpt };
        Self { shown: vec![diagnostic], more: 0 }
    }

    /// About a file that could not even be read.
    #[must_use]
    pub fn of_file(file: &str, message: String) -> Self {
        Self::whole_file(&Arc::from(file), message)
    }

    /// The first fifty, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.shown.iter()
    }

    /// How many there are beyond those.
    #[must_use]
    pub const fn more(&self) -> usize {
        self.more
    }
}

impl std::error::Error for Diagnostics {}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.shown.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            diagnostic.fmt(f)?;
        }
        if self.more > 0 {
            write!(f, "\n\n… and {} more", self.more)?;
        }
        Ok(())
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Any of it may quote a file, whose text is not to act on what shows this.
        let (file, hint) = (line(&self.file), self.hint.as_deref().map(line));
        write!(f, "error: {}", line(&self.message))?;
        let Some(place) = self.place else {
            write!(f, "\n --> {file}")?;
            return hint.iter().try_for_each(|hint| write!(f, "\n  = {hint}"));
        };
        let number = place.line.to_string();
        let margin = " ".repeat(number.len());
        write!(f, "\n{margin}--> {file}:{}:{}", place.line, place.column)?;
        if let Some(Excerpt { line, before, under }) = &self.excerpt {
            write!(f, "\n{margin} |\n{number} | {line}")?;
            write!(f, "\n{margin} | {}{}", " ".repeat(*before), "^".repeat(*under))?;
        }
        hint.iter().try_for_each(|hint| write!(f, "\n{margin} = {hint}"))
    }
}

/// A line of the file, cut to what fits a screen, and the columns of its caret.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Excerpt {
    line: String,
    before: usize,
    under: usize,
}

impl Excerpt {
    /// Characters shown before and after the start of the place.
    const BEFORE: usize = 60;
    const AFTER: usize = 100;

    fn of(lines: &Lines<'_>, place: Place) -> Option<Self> {
        let line = lines.get(place.line)?;
        let start = place.column.saturating_sub(1);
        let cut = start.saturating_sub(Self::BEFORE);
        let mut excerpt = Self { line: String::new(), before: 0, under: 0 };
        if cut > 0 {
            excerpt.line.push('…');
            excerpt.before = 1;
        }
        for (index, character) in line.chars().enumerate().skip(cut) {
            if index >= start.saturating_add(Self::AFTER) {
                excerpt.line.push('…');
                break;
            }
            let character = match printable(character) {
                // GitHub's runner takes `##[` for a command, wherever in a line it stands.
                '[' if excerpt.line.ends_with("##") => char::REPLACEMENT_CHARACTER,
                printable => printable,
            };
            let columns = character.width().unwrap_or(0);
            if index < start {
                excerpt.before += columns;
            } else if index - start < place.width {
                excerpt.under += columns;
            }
            excerpt.line.push(character);
        }
        excerpt.under = excerpt.under.max(1);
        Some(excerpt)
    }
}

/// Lines of a text by number, as YAML counts them: ended by LF, CR LF or CR.
pub(super) struct Lines<'a>(Vec<&'a str>);

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines =
            text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'));
        Self(lines.collect())
    }

    pub(super) fn get(&self, number: usize) -> Option<&'a str> {
        self.0.get(number.checked_sub(1)?).copied()
    }
}

/// The user's value in backticks, cut short and safe to print.
pub(super) fn quoted(text: &str) -> String {
    const MOST: usize = 80;
    let mut shown: String = text.chars().take(MOST).map(printable).collect();
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(text: &str, line: usize, column: usize, width: usize) -> String {
        let place = Some(Place { line, column, width });
        let problems = vec![Problem::new(place, "broken").hint("mend it")];
        Diagnostics::of(&Arc::from("lockgate.yaml"), text, problems).unwrap().to_string()
    }

    #[test]
    fn points_below_the_place() {
        let expected = "error: broken
 --> lockgate.yaml:2:4
  |
2 | b: cc
  |    ^^
  = mend it";
        assert_eq!(render("a: 1\nb: cc\n", 2, 4, 2), expected);
    }

    #[test]
    fn points_below_wide_characters_and_tabs() {
        assert!(render("日本:\tx", 1, 5, 1).contains("1 | 日本: x\n  |       ^\n"));
    }

    #[test]
    fn shows_no_control_or_bidirectional_character_of_the_file() {
        let shown = render("a: \u{1b}[2J\u{202e}x", 1, 4, 1);
        assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
        assert_eq!(quoted("\u{1b}]0;x\u{7}"), "`\u{fffd}]0;x\u{fffd}`");
    }

    #[test]
    fn messages_hints_and_names_of_files_are_one_line_each() {
        let hostile = "x\n::error::pwned \u{1b}[31m";
        let problem = Problem::new(None, hostile).hint(hostile);
        let shown = Diagnostics::of(&Arc::from(hostile), "", vec![problem]).unwrap().to_string();
        assert_eq!(shown.lines().count(), 3, "{shown}");
        assert!(!shown.contains('\u{1b}'), "{shown}");
    }

    #[test]
    fn an_excerpt_holds_no_workflow_command() {
        assert!(!render("a: ##[add-mask]x", 1, 4, 1).contains("##["));
    }

    #[test]
    fn cuts_a_long_line_around_the_place() {
        let shown = render(&"x".repeat(100_000), 1, 50_000, 5);
        assert!(shown.len() < 600, "{} bytes", shown.len());
        assert!(shown.contains("^^^^^"));
    }

    #[test]
    fn shows_the_first_fifty_and_counts_the_rest() {
        let place = |line| Some(Place { line, column: 1, width: 1 });
        let problems = (1..=60).rev().map(|line| Problem::new(place(line), "broken")).collect();
        let diagnostics = Diagnostics::of(&Arc::from("f"), "", problems).unwrap();
        assert_eq!((diagnostics.iter().count(), diagnostics.more()), (50, 10));
        assert!(diagnostics.to_string().ends_with("… and 10 more"));
        assert_eq!(diagnostics.iter().next().and_then(|first| first.place), place(1));
    }

    #[test]
    fn counts_lines_as_yaml_does() {
        let lines = Lines::new("a\r\nb\rc\nd");
        assert_eq!(
            [1, 2, 3, 4, 5].map(|line| lines.get(line)),
            [Some("a"), Some("b"), Some("c"), Some("d"), None]
        );
    }
}
