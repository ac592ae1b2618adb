//! A case that accepts what its policy says now. Only what is expected is written anew, in its
//! place in the text; comments and everything else of the file stay as they are.

mod wanted;

use serde_json::Value;

use super::alignment::{Step, align};
use super::expected::{Difference, Expected, Line, Sign};
use super::{Case, CaseFile, Folder};
use crate::config::{flow, scalar};
use crate::model::{Check, Undecided};
pub(super) use wanted::flow_of;
use wanted::{anew, flow_check, flow_rule, flow_wanted, same_thing};

/// A case that accepts the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The whole file.
    pub text: String,
    /// The lines that are other than before.
    pub changes: Difference,
}

/// Why a case cannot be made to accept an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotUpdated {
    /// Another run may end otherwise.
    #[error("`{0}` is no answer to expect: another run may end otherwise")]
    ByChance(&'static str),
    /// The text is written in a way that is not edited here.
    #[error("what it expects is written in a way that is not edited here; change it by hand")]
    ByHand,
}

/// Makes a case accept `answer`. What comes of it has been read again, passes, and says the same in
/// everything but what it expects.
///
/// # Errors
/// When that cannot be had.
pub fn update(
    folder: &Folder,
    file: &CaseFile,
    case: &Case,
    answer: &Result<Vec<Check>, Undecided>,
) -> Result<Update, NotUpdated> {
    if let Err(
        reason @ (Undecided::DeadlineExceeded { .. }
        | Undecided::HostFault { .. }
        | Undecided::Unloadable { .. }
        | Undecided::RequestTimeout),
    ) = answer
    {
        return Err(NotUpdated::ByChance(reason.code()));
    }
    let page = Page::of(case);
    let attempts = [
        page.checks_in_place(answer),
        page.rules_in_place(answer),
        page.in_brackets(answer),
        page.as_block(answer),
    ];
    let accepts = |text: &String| {
        folder
            .read_as(file, text)
            .is_ok_and(|read| read.difference(answer).is_empty() && besides(&read) == besides(case))
    };
    let text = attempts.into_iter().flatten().find(accepts).ok_or(NotUpdated::ByHand)?;
    let changes = changes(case.document.text(), &text);
    Ok(Update { text, changes })
}

/// All that a case says but what it expects.
fn besides(case: &Case) -> Value {
    let mut value = case.document.to_value();
    if let Some(map) = value.as_object_mut() {
        map.remove("expect");
    }
    value
}

fn changes(before: &str, after: &str) -> Difference {
    let (before, after): (Vec<&str>, Vec<&str>) =
        (before.lines().collect(), after.lines().collect());
    let fits = |one: usize, other: usize| before.get(one) == after.get(other);
    let line = |lines: &[&str], at: usize| lines.get(at).copied().unwrap_or_default().to_owned();
    let lines = align(before.len(), after.len(), fits).into_iter().filter_map(|step| match step {
        Step::Both(..) => None,
        Step::First(at) => Some(Line { sign: Sign::Expected, text: line(&before, at) }),
        Step::Second(at) => Some(Line { sign: Sign::Got, text: line(&after, at) }),
    });
    Difference { lines: lines.collect() }
}

/// The text of a case by its lines, each with its end.
struct Page<'a> {
    case: &'a Case,
    lines: Vec<&'a str>,
    end: &'static str,
}

/// Lines that are replaced by others: from one up to another, counted from 0.
struct Edit {
    from: usize,
    to: usize,
    new: String,
}

impl<'a> Page<'a> {
    fn of(case: &'a Case) -> Self {
        let text = case.document.text();
        let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        Self { case, lines: text.split_inclusive('\n').collect(), end }
    }

    fn line(&self, at: usize) -> &'a str {
        self.lines.get(at).copied().unwrap_or_default()
    }

    /// Edits single checks of a list that has each on lines of its own.
    fn checks_in_place(&self, answer: &Result<Vec<Check>, Undecided>) -> Option<String> {
        let (Expected::Outcome(expected), Ok(checks)) = (&self.case.expected, answer) else {
            return None;
        };
        let items: Vec<Item> =
            (0..expected.len()).map(|index| self.item(index)).collect::<Option<_>>()?;
        let first = items.first()?;
        let mut edits = Vec::new();
        let mut behind = first.from;
        let mut gap = (Vec::new(), Vec::new());
        let steps = align(
            expected.len(),
            checks.len(),
            |one, other| matches!((expected.get(one), checks.get(other)), (Some(e), Some(c)) if e.fits(c)),
        );
        let mut close = |gap: &mut (Vec<usize>, Vec<usize>), behind: &mut usize| {
            let (mut ones, others) = std::mem::take(gap);
            for other in others {
                let check = checks.get(other)?;
                let twin = ones.iter().position(|one| {
                    expected.get(*one).is_some_and(|expected| same_thing(expected, check))
                });
                match twin {
                    Some(twin) => {
                        // Those before it are of nothing that the policy still says.
                        for one in ones.drain(..twin) {
                            edits.push(self.without(items.get(one)?));
                        }
                        let one = ones.remove(0);
                        let item = items.get(one)?;
                        edits.push(self.rewritten(item, &flow_check(check, expected.get(one))));
                        *behind = item.to;
                    }
                    None => {
                        let new = format!(
                            "{}- {}{}",
                            " ".repeat(first.indent),
                            flow_check(check, None),
                            self.end
                        );
                        edits.push(Edit { from: *behind, to: *behind, new });
                    }
                }
            }
            for one in ones {
                edits.push(self.without(items.get(one)?));
            }
            Some(())
        };
        for step in steps {
            match step {
                Step::Both(one, _) => {
                    close(&mut gap, &mut behind)?;
                    behind = items.get(one)?.to;
                }
                Step::First(one) => gap.0.push(one),
                Step::Second(other) => gap.1.push(other),
            }
        }
        close(&mut gap, &mut behind)?;
        Some(self.edited(edits))
    }

    /// Where an entry of the list of checks stands, when it has lines of its own.
    fn item(&self, index: usize) -> Option<Item> {
        let span = self.case.document.span(&format!("/expect/outcome/{index}"))?;
        let from = span.start.0.checked_sub(1)?;
        let line = self.line(from);
        let indent = indent_of(line);
        line.trim_start().strip_prefix("- ")?;
        let column = span.start.1.checked_sub(1)?;
        let in_brackets = from_column(line, column)?.starts_with('{');
        let (to, brackets) = if in_brackets {
            let last = span.end.0.checked_sub(1)?;
            let columns = (last == from).then_some((column, span.end.1.checked_sub(1)?));
            (last + 1, columns)
        } else {
            (self.end_of_block(from + 1, indent), None)
        };
        Some(Item { from, to, indent, brackets })
    }

    /// The line behind a block: the first that is not indented by more than `indent`, without the
    /// comments before it.
    fn end_of_block(&self, from: usize, indent: usize) -> usize {
        let belongs = |line: &&&str| is_idle(line) || indent_of(line) > indent;
        let lines = self.lines.get(from..).unwrap_or_default();
        let length = lines.iter().take_while(belongs).count();
        let idle = lines.iter().take(length).rev().take_while(|line| is_idle(line)).count();
        from + length - idle
    }

    fn rewritten(&self, item: &Item, new: &str) -> Edit {
        let line = self.line(item.from);
        let new = match item.brackets {
            Some((start, end)) => {
                let before: String = line.chars().take(start).collect();
                let after = from_column(line, end).unwrap_or(self.end);
                format!("{before}{new}{after}")
            }
            None => {
                let comments = self.comments(item.from, item.to);
                format!("{comments}{}- {new}{}", " ".repeat(item.indent), self.end)
            }
        };
        Edit { from: item.from, to: item.to, new }
    }

    fn without(&self, item: &Item) -> Edit {
        Edit { from: item.from, to: item.to, new: self.comments(item.from, item.to) }
    }

    /// The lines that hold a comment and nothing else.
    fn comments(&self, from: usize, to: usize) -> String {
        let lines = self.lines.get(from..to).unwrap_or_default();
        lines.iter().filter(|line| line.trim_start().starts_with('#')).copied().collect()
    }

    /// Edits single rules that each have a word or a bracket on a line.
    fn rules_in_place(&self, answer: &Result<Vec<Check>, Undecided>) -> Option<String> {
        let (Expected::Rules(rules), Ok(checks)) = (&self.case.expected, answer) else {
            return None;
        };
        let mut text = self.case.document.text().to_owned();
        let mut changed: Vec<_> = rules
            .iter()
            .filter(|(rule, expected)| !expected.fits(rule, checks))
            .map(|(rule, expected)| {
                let span = self.case.document.span(&format!("/expect/rules/{rule}"))?;
                Some((span, flow_rule(rule, expected, checks)))
            })
            .collect::<Option<_>>()?;
        // From the end on, so that what is still to be edited keeps its place.
        changed.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
        for (span, new) in changed {
            let range = self.offset(span.start)?..self.offset(span.end)?;
            let old = text.get(range.clone())?;
            // What is neither is a block, whose end is not where it ends.
            if !old.starts_with('[') && old.contains(['\n', ' ']) {
                return None;
            }
            text.replace_range(range, &new);
        }
        Some(text)
    }

    /// Puts all that is expected in the place of brackets.
    fn in_brackets(&self, answer: &Result<Vec<Check>, Undecided>) -> Option<String> {
        let text = self.case.document.text();
        let new = anew(&self.case.expected, answer);
        let (kind, inner) = new.iter().next()?;
        let candidates = [
            ("/expect".to_owned(), format!("{{{kind}: {}}}", flow_wanted(inner))),
            (format!("/expect/{kind}"), flow_wanted(inner)),
        ];
        candidates.into_iter().find_map(|(pointer, new)| {
            let span = self.case.document.span(&pointer)?;
            let range = self.offset(span.start)?..self.offset(span.end)?;
            let old = text.get(range.clone())?;
            if !old.starts_with(['{', '[']) || old.contains('\n') {
                return None;
            }
            let mut text = text.to_owned();
            text.replace_range(range, &new);
            Some(text)
        })
    }

    /// Writes all that is expected anew, below the comments that stood in it.
    fn as_block(&self, answer: &Result<Vec<Check>, Undecided>) -> Option<String> {
        let place = self.case.document.key("expect")?;
        let from = place.line.checked_sub(1)?;
        let line = self.line(from);
        let indent = indent_of(line);
        let rest = line.trim_start().strip_prefix("expect:")?.trim();
        let remark = if rest.starts_with('#') { format!(" {rest}") } else { String::new() };
        let to = self.end_of_block(from + 1, indent);
        let (end, inner) = (self.end, " ".repeat(indent + 2));
        let mut new = format!("{}expect:{remark}{end}", " ".repeat(indent));
        new.push_str(&self.comments(from + 1, to));
        for (key, value) in anew(&self.case.expected, answer) {
            match &value {
                Value::Array(checks) => {
                    new.push_str(&format!("{inner}{key}:{end}"));
                    for check in checks {
                        new.push_str(&format!("{inner}  - {}{end}", flow_of(check)));
                    }
                }
                Value::Object(rules) if key == "rules" => {
                    new.push_str(&format!("{inner}{key}:{end}"));
                    for (rule, expected) in rules {
                        let expected = flow_wanted(expected);
                        new.push_str(&format!("{inner}  {}: {expected}{end}", scalar(rule)));
                    }
                }
                Value::Object(_)
                | Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_) => {
                    new.push_str(&format!("{inner}{key}: {}{end}", flow(&value)));
                }
            }
        }
        Some(self.edited(vec![Edit { from, to, new }]))
    }

    fn edited(&self, mut edits: Vec<Edit>) -> String {
        edits.sort_by_key(|edit| (edit.from, edit.to));
        let mut text = String::new();
        let mut at = 0;
        for Edit { from, to, new } in edits {
            text.extend(self.lines.get(at..from).unwrap_or_default().iter().copied());
            if !text.is_empty() && !text.ends_with('\n') {
                text.push_str(self.end);
            }
            text.push_str(&new);
            at = at.max(to);
        }
        text.extend(self.lines.get(at..).unwrap_or_default().iter().copied());
        text
    }

    /// Where a line and column, from 1, stand in the text.
    fn offset(&self, (line, column): (usize, usize)) -> Option<usize> {
        let at = line.checked_sub(1)?;
        let before: usize = self.lines.get(..at)?.iter().map(|line| line.len()).sum();
        let rest = from_column(self.line(at), column.checked_sub(1)?)?;
        Some(before + self.line(at).len() - rest.len())
    }
}

/// An entry of a list: its lines from 0, how far its hyphen is indented, and the columns of its
/// brackets when it has them on one line.
struct Item {
    from: usize,
    to: usize,
    indent: usize,
    brackets: Option<(usize, usize)>,
}

fn from_column(line: &str, column: usize) -> Option<&str> {
    let mut characters = line.chars();
    for _ in 0..column {
        characters.next()?;
    }
    Some(characters.as_str())
}

fn indent_of(line: &str) -> usize {
    line.chars().take_while(|character| *character == ' ').count()
}

/// Whether a line says nothing to a program.
fn is_idle(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}
