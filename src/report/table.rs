//! The table for people at a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::Context;
use super::outline::{Tally, idle_waivers, reasons, waiver_of, worst_first};
use super::wording;
use crate::decision::{
    Decision, Effect, GateReport, JudgedCheck, PolicyReport, Verdict, WaiverState,
};
use crate::text::{guarded, plain};

/// Items of one list that are shown.
const SHOWN: usize = 20;
/// Columns within which a line is comfortable to read.
const WIDTHS: (usize, usize) = (40, 100);
/// Columns of the effect's sign and word, with the space after them.
const EFFECT: usize = 10;
/// Columns up to which names of a list are padded to one width.
const NAME: usize = 36;

const PLAIN: Style = Style::new();
const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GREEN: Style = AnsiColor::Green.on_default();
const RED: Style = AnsiColor::Red.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const CYAN: Style = AnsiColor::Cyan.on_default();

pub(super) fn render(decision: &Decision, context: &Context<'_>) -> String {
    let width = context.width.clamp(WIDTHS.0, WIDTHS.1);
    let mut table = Table { out: String::new(), width, color: context.color };
    verdict(&mut table, decision);
    request(&mut table, decision);
    undecided(&mut table, decision);
    for gate in &decision.gates {
        self::gate(&mut table, decision, gate);
    }
    waivers(&mut table, decision);
    evidence(&mut table, decision);
    table.blank();
    verdict(&mut table, decision);
    table.out
}

/// First and last: the verdict, of what, and the counts behind it.
fn verdict(table: &mut Table, decision: &Decision) {
    let style = match decision.verdict {
        Verdict::Allow => GREEN,
        Verdict::Undecided => YELLOW,
        Verdict::Deny => RED,
    };
    let sign = wording::verdict_sign(decision.verdict);
    let word = decision.verdict.as_str().to_uppercase();
    table.item(0, &format!("{sign} {word}  "), style.bold(), &wording::promotion(decision), BOLD);
    table.text(2, &wording::tally(Tally::of(decision)), PLAIN);
}

fn request(table: &mut Table, decision: &Decision) {
    let promotion = &decision.promotion;
    let mut facts = vec![format!("at {}", promotion.at)];
    facts.extend(promotion.requested_by.as_ref().map(|by| format!("requested by {}", plain(by))));
    facts.push(format!("registry {}", plain(&promotion.subject.registry)));
    facts.extend(promotion.subject.digest.map(|digest| format!("digest {}", digest.short())));
    let from = promotion.source.as_ref();
    facts.extend(from.map(|from| format!("from {}", plain(&from.to_string()))));
    table.text(2, &facts.join(" · "), DIM);
}

/// Reasons that are no policy's; a policy's stands with the policy.
fn undecided(table: &mut Table, decision: &Decision) {
    let reasons: Vec<_> =
        reasons(decision).into_iter().filter(|reason| reason.policy.is_none()).collect();
    if reasons.is_empty() {
        return;
    }
    table.heading("undecided");
    for reason in reasons {
        table.item(2, "? ", YELLOW, &wording::reason(decision, reason.reason), PLAIN);
    }
}

fn gate(table: &mut Table, decision: &Decision, gate: &GateReport) {
    table.heading(&format!("gate {}", plain(&gate.name)));
    if gate.policies.is_empty() {
        table.text(2, "no policy was run", DIM);
    }
    for (index, policy) in gate.policies.iter().enumerate() {
        if index > 0 {
            table.blank();
        }
        self::policy(table, decision, policy);
    }
}

fn policy(table: &mut Table, decision: &Decision, policy: &PolicyReport) {
    let about =
        format!("{} · {}", wording::component(&policy.component), wording::enforcement(policy));
    table.pair(2, &plain(&policy.id), 0, BOLD, &about);
    match &policy.result {
        Ok(checks) => {
            for judged in worst_first(checks).into_iter().take(SHOWN) {
                check(table, decision, judged);
            }
            let hidden = worst_first(checks).into_iter().skip(SHOWN);
            if checks.len() > SHOWN {
                let rest = checks.len().saturating_sub(SHOWN);
                let tally = wording::tally(Tally::of_checks(hidden));
                let line = format!("… and {rest} more ({tally}), see --format json");
                table.text(4, &line, DIM);
            }
        }
        Err(reason) => {
            table.item(4, "? undecided  ", YELLOW, &wording::reason(decision, reason), PLAIN);
        }
    }
    table.text(4, &wording::usage(&policy.usage), DIM);
}

fn check(table: &mut Table, decision: &Decision, judged: &JudgedCheck) {
    let check = &judged.check;
    let style = match judged.effect {
        Effect::Pass => GREEN,
        Effect::Deny => RED,
        Effect::Warn => YELLOW,
        Effect::Waived(_) => CYAN,
        Effect::Shadow | Effect::Skip => DIM,
    };
    let (sign, word) = (wording::sign(judged.effect), wording::effect(judged.effect));
    let lead = format!("{sign} {word:<width$}", width = EFFECT - 2);
    table.item(4, &lead, style, &wording::title(check), BOLD);
    let column = 4 + EFFECT;
    table.text(column, &plain(&check.message), PLAIN);
    if let Some(measure) = wording::measure(check) {
        table.text(column, &measure, if judged.effect == Effect::Deny { style } else { DIM });
    }
    if let Some(waiver) = waiver_of(decision, judged) {
        table.item(column, "waiver: ", CYAN, &wording::grant(waiver), PLAIN);
    }
    if let (Some(remedy), true) = (&check.remedy, judged.effect != Effect::Pass) {
        table.item(column, "fix: ", BOLD, &plain(remedy), PLAIN);
    }
}

fn waivers(table: &mut Table, decision: &Decision) {
    let idle = idle_waivers(decision);
    if idle.is_empty() {
        return;
    }
    table.heading("unused and expired waivers");
    for waiver in idle.iter().take(SHOWN) {
        let style = if waiver.state == WaiverState::ExpiredNeeded { YELLOW } else { DIM };
        let scope = wording::waiver_scope(waiver);
        table.pair(2, &scope, 0, PLAIN, &plain(&waiver.grant.ticket));
        table.text(4, &wording::waiver_state(waiver), style);
    }
    table.rest(2, idle.len());
}

fn evidence(table: &mut Table, decision: &Decision) {
    let evidence = &decision.evidence;
    match evidence.digest {
        Some(digest) => table.heading(&format!("evidence {}", digest.short())),
        None => table.heading("evidence: no snapshot"),
    }
    let shown = || evidence.sources.iter().take(SHOWN);
    let widest = shown().map(|source| plain(&source.name).width()).max().unwrap_or(0);
    let columns = if widest <= NAME { widest } else { 0 };
    for source in shown() {
        let kinds: Vec<_> = source.kinds.iter().map(|kind| kind.as_str()).collect();
        let mut facts = vec![plain(&source.format)];
        facts.extend((!kinds.is_empty()).then(|| kinds.join(", ")));
        facts.push(source.digest.short());
        facts.push(wording::age(source, decision.promotion.at));
        facts.extend(source.baseline.then(|| "baseline".to_owned()));
        table.pair(2, &plain(&source.name), columns, PLAIN, &facts.join(" · "));
    }
    table.rest(2, evidence.sources.len());
    for metric in evidence.unmeasured.iter().take(SHOWN) {
        let text = format!("{} ({})", plain(&metric.name), plain(&metric.reason));
        table.item(2, "not measured: ", YELLOW, &text, PLAIN);
    }
    table.rest(2, evidence.unmeasured.len());
}

/// Lines of at most `width` columns.
struct Table {
    out: String,
    width: usize,
    color: bool,
}

impl Table {
    fn blank(&mut self) {
        self.out.push('\n');
    }

    fn heading(&mut self, text: &str) {
        self.blank();
        self.text(0, text, BOLD);
    }

    /// A paragraph.
    fn text(&mut self, indent: usize, text: &str, style: Style) {
        self.item(indent, "", PLAIN, text, style);
    }

    /// A paragraph behind a lead, under which it hangs.
    fn item(&mut self, indent: usize, lead: &str, lead_style: Style, text: &str, style: Style) {
        let column = indent + lead.width();
        for (index, line) in wrap(text, self.width.saturating_sub(column)).iter().enumerate() {
            let lead = if index == 0 { lead } else { "" };
            let blank = column - lead.width();
            let indent = if index == 0 { indent } else { blank };
            let _ = write!(self.out, "{:indent$}", "");
            self.paint(lead, lead_style);
            let line = if lead.is_empty() { guarded(line) } else { Cow::from(line) };
            self.paint(&line, style);
            self.blank();
        }
    }

    /// A name of at least `columns`, and facts about it on the same line, or hanging under it where
    /// both do not fit.
    fn pair(&mut self, indent: usize, name: &str, columns: usize, style: Style, facts: &str) {
        let padding = columns.saturating_sub(name.width()) + 2;
        if indent + name.width() + padding + facts.width() <= self.width {
            let _ = write!(self.out, "{:indent$}", "");
            self.paint(&guarded(name), style);
            let _ = write!(self.out, "{:padding$}", "");
            self.paint(facts, DIM);
            self.blank();
        } else {
            self.text(indent, name, style);
            self.text(indent + 2, facts, DIM);
        }
    }

    /// How many of a list are not shown.
    fn rest(&mut self, indent: usize, all: usize) {
        if let Some(rest @ 1..) = all.checked_sub(SHOWN) {
            self.text(indent, &format!("… and {rest} more, see --format json"), DIM);
        }
    }

    fn paint(&mut self, text: &str, style: Style) {
        if self.color && !text.is_empty() && style != PLAIN {
            let _ = write!(self.out, "{}{text}{}", style.render(), style.render_reset());
        } else {
            self.out.push_str(text);
        }
    }
}

/// Breaks `text` between words, and within a word that is wider than a line. At least one line.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let is_printable = |byte: u8| matches!(byte, b' '..=b'~');
    if text.len() <= width && text.bytes().all(is_printable) && !text.starts_with(' ') {
        // Most are like this, and measured by their bytes.
        return vec![text.to_owned()];
    }
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let gap = usize::from(used > 0);
        if used > 0 && used + gap + word.width() > width {
            lines.push(String::new());
            used = 0;
        } else if used > 0 {
            append(&mut lines, ' ');
            used += 1;
        }
        for character in word.chars() {
            let columns = character.width().unwrap_or(0);
            if used > 0 && used + columns > width {
                lines.push(String::new());
                used = 0;
            }
            append(&mut lines, character);
            used += columns;
        }
    }
    lines
}

fn append(lines: &mut [String], character: char) {
    if let Some(line) = lines.last_mut() {
        line.push(character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_between_words_and_within_words_that_are_too_wide() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("", 5), [""]);
        for (text, line) in [("one  two ", "one  two "), (" é", "é"), (" e", "e")] {
            assert_eq!(wrap(text, 9), [line]);
        }
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(wrap("模型模型", 4), ["模型", "模型"]);
    }

    #[test]
    fn no_line_begins_like_a_workflow_command() {
        let mut table = Table { out: String::new(), width: 10, color: false };
        table.text(2, "aaaaaaa ::error::x bbbbbbbb::warning::", PLAIN);
        table.pair(2, "\u{a0}::a", 0, PLAIN, "b");
        assert!(
            table.out.lines().all(|line| !line.trim_start().starts_with("::")),
            "{}",
            table.out
        );
    }
}
