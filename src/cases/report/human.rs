//! For people at a terminal: a line for each case, and the difference where there is one.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use super::{Report, Tally, counted};
use crate::cases::{CaseResult, Difference, Sign, Status};
use crate::text::{guarded, plain};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GREEN: Style = AnsiColor::Green.on_default();
const RED: Style = AnsiColor::Red.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();

/// Columns up to which names are padded to one width.
const NAME: usize = 48;
/// Lines of one difference that are shown.
const SHOWN: usize = 60;

pub(super) fn render(report: &Report<'_>, color: bool) -> String {
    let mut page = Page { out: String::new(), color };
    let description = report.description;
    let name = format!("{} {}", description.name, description.version);
    let named = plain(report.reference);
    let cases = counted(report.results.len(), "case");
    page.line(&[(&name, BOLD), (&format!(" · {named} · {cases}"), DIM)]);
    let names = report.results.iter().map(|result| result.name.chars().count());
    let width = names.max().unwrap_or(0).min(NAME);
    for result in report.results {
        page.case(result, width);
    }
    // What those that could not be read hold the policy to is not known.
    if report.whole && Tally::of(report.results).unreadable == 0 {
        page.coverage(report);
    }
    page.summary(report);
    page.out
}

struct Page {
    out: String,
    color: bool,
}

impl Page {
    fn line(&mut self, parts: &[(&str, Style)]) {
        let mut begins = true;
        for (text, style) in parts {
            let text = if begins { guarded(text) } else { Cow::from(*text) };
            begins = begins && text.trim().is_empty();
            if self.color && *style != Style::new() && !text.is_empty() {
                // Writing to a string cannot fail.
                let _ = write!(self.out, "{style}{text}{style:#}");
            } else {
                self.out.push_str(&text);
            }
        }
        self.out.push('\n');
    }

    fn case(&mut self, result: &CaseResult, width: usize) {
        let (sign, style) = match result.status {
            Status::Passed => ("✓", GREEN),
            Status::Failed(_) => ("✗", RED),
            Status::Unreadable(_) => ("?", YELLOW),
        };
        let name = format!(" {:width$}", plain(&result.name));
        let usage = match result.answer {
            Some(_) => format!(
                "  {:>12} fuel  {:>9}",
                grouped(result.usage.fuel),
                spent(result.usage.elapsed)
            ),
            None => String::new(),
        };
        let name = if usage.is_empty() { name.trim_end() } else { name.as_str() };
        self.line(&[("  ", BOLD), (sign, style.bold()), (name, Style::new()), (&usage, DIM)]);
        match &result.status {
            Status::Passed => {}
            Status::Failed(difference) => self.difference(result, difference),
            Status::Unreadable(diagnostics) => {
                for line in diagnostics.to_string().lines() {
                    self.line(&[("      ", Style::new()), (&plain(line), Style::new())]);
                }
            }
        }
    }

    fn difference(&mut self, result: &CaseResult, difference: &Difference) {
        if let Some(summary) = &result.summary {
            self.line(&[("      ", DIM), (&plain(summary), DIM)]);
        }
        self.line(&[("      ", DIM), (&plain(&result.file), DIM)]);
        for line in difference.lines.iter().take(SHOWN) {
            let (sign, style) = match line.sign {
                Sign::Same => ("  ", DIM),
                Sign::Expected => ("- ", RED),
                Sign::Got => ("+ ", GREEN),
            };
            let text = format!("{sign}{}", plain(&line.text));
            self.line(&[("      ", DIM), (&text, style)]);
        }
        let more = difference.lines.len().saturating_sub(SHOWN);
        if more > 0 {
            let more = counted(more, "more line");
            self.line(&[(&format!("      … {more}; --format json has all of them"), DIM)]);
        }
    }

    fn coverage(&mut self, report: &Report<'_>) {
        let lists = [
            ("no case expects a check of ", report.coverage.unexercised().collect::<Vec<_>>()),
            ("no case breaks ", report.coverage.unbroken().collect()),
        ];
        for (told, rules) in lists {
            if !rules.is_empty() {
                let rules = rules.join(", ");
                self.line(&[("  ! ", YELLOW.bold()), (told, YELLOW), (&rules, Style::new())]);
            }
        }
    }

    fn summary(&mut self, report: &Report<'_>) {
        let Tally { passed, failed, unreadable } = Tally::of(report.results);
        let counts: Vec<String> =
            [(failed, "failed"), (unreadable, "unreadable"), (passed, "passed")]
                .into_iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, word)| format!("{count} {word}"))
                .collect();
        let (sign, style) = if unreadable > 0 {
            ("?", YELLOW)
        } else if failed > 0 {
            ("✗", RED)
        } else {
            ("✓", GREEN)
        };
        let fuel = report.results.iter().map(|result| result.usage.fuel).max().unwrap_or(0);
        let spent = spent(report.elapsed);
        let rest = format!(" · at most {} fuel a case · {spent}", grouped(fuel));
        let told = format!("{sign} {}", counts.join(", "));
        self.line(&[(&told, style.bold()), (&rest, DIM)]);
    }
}

/// A number in groups of three digits.
pub(in crate::cases) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && digits.len().saturating_sub(index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A short time: `12 µs`, `3.4 ms`, `1.2 s`.
pub(in crate::cases) fn spent(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    match micros {
        ..1000.0 => format!("{micros:.0} µs"),
        ..10_000.0 => format!("{:.1} ms", micros / 1e3),
        ..1_000_000.0 => format!("{:.0} ms", micros / 1e3),
        _ => format!("{:.1} s", micros / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::Coverage;
    use crate::cases::expected::Line;
    use crate::model::{Description, Digest, RunUsage};

    /// Texts that try to act on whatever shows them.
    const TEXTS: [&str; 15] = include!("../../../tests/report/texts.rs");

    #[test]
    fn what_cases_and_policies_say_does_nothing_but_show_itself() {
        let description = Description {
            name: "tenure".into(),
            version: "1.0.0".into(),
            summary: String::new(),
            rules: Vec::new(),
            params_schema: "{}".into(),
        };
        for text in TEXTS {
            let line = |sign| Line { sign, text: text.to_owned() };
            let lines = [Sign::Same, Sign::Expected, Sign::Got].map(line).to_vec();
            let results = [CaseResult {
                name: text.into(),
                file: text.into(),
                summary: Some(text.into()),
                status: Status::Failed(Difference { lines }),
                expected: Vec::new(),
                rules: Vec::new(),
                answer: None,
                usage: RunUsage::default(),
                log: Vec::new(),
            }];
            let coverage = Coverage::of(&description, &results);
            let report = Report {
                reference: text,
                description: &description,
                digest: Digest::of(b""),
                results: &results,
                coverage: &coverage,
                whole: true,
                elapsed: Duration::ZERO,
            };
            let page = render(&report, false);
            assert!(!page.contains(|c: char| c.is_control() && c != '\n'), "{page}");
            assert!(!page.contains("##["), "{page}");
            let commands = page.lines().filter(|line| line.trim_start().starts_with("::"));
            assert_eq!(commands.count(), 0, "{page}");
            assert_eq!(page.lines().count(), 8, "{page}");
        }
    }

    #[test]
    fn figures_are_short_and_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(spent(Duration::from_micros(42)), "42 µs");
        assert_eq!(spent(Duration::from_micros(4200)), "4.2 ms");
        assert_eq!(spent(Duration::from_millis(420)), "420 ms");
        assert_eq!(spent(Duration::from_millis(4200)), "4.2 s");
    }
}
