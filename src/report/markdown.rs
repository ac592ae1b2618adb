//! Markdown (GitHub's dialect) for a job summary or a comment.

use super::outline::{
    Placed, Reason, Tally, Weight, concerns, idle_waivers, reasons, waiver_of, worst_first,
};
use super::wording;
use crate::decision::{Decision, Effect, GateReport, JudgedCheck, PolicyReport, Verdict};
use crate::text::plain;

/// GitHub drops a job summary past 1 MiB (`$GITHUB_STEP_SUMMARY upload aborted, supports content
/// up to a size of 1024k`). Rows end well before, so that what follows them always fits.
const ROWS_END: usize = (1024 - 64) * 1024;

pub(super) fn render(decision: &Decision) -> String {
    let mut page = Page::default();
    head(&mut page, decision);
    concerned(&mut page, decision, "Why it is not allowed", Weight::Blocks);
    concerned(&mut page, decision, "Warnings", Weight::Warns);
    concerned(&mut page, decision, "Waived, or recorded only", Weight::Noted);
    waivers(&mut page, decision);
    all_checks(&mut page, decision);
    evidence(&mut page, decision);
    page.finish()
}

fn head(page: &mut Page, decision: &Decision) {
    let sign = match decision.verdict {
        Verdict::Allow => "✅",
        Verdict::Undecided => "❔",
        Verdict::Deny => "⛔",
    };
    let promotion = &decision.promotion;
    page.line(&format!(
        "## {sign} lockgate {} {} {} {}",
        wording::says(decision),
        code(&promotion.subject.to_string()),
        wording::way(decision.movement),
        code(&promotion.target.to_string())
    ));
    page.line("");
    page.line(&format!("**{}**", wording::tally(Tally::of(decision))));
    page.line("");
    let mut facts = vec![format!("evaluated at {}", promotion.at)];
    facts.extend(promotion.requested_by.as_ref().map(|by| format!("requested by {}", code(by))));
    facts.push(format!("registry {}", code(&promotion.subject.registry)));
    facts.extend(
        decision.evidence.digest.map(|digest| format!("evidence {}", code(&digest.to_string()))),
    );
    page.line(&facts.join(" · "));
}

/// The reasons and the checks of one weight, each with the place it comes from.
fn concerned(page: &mut Page, decision: &Decision, heading: &str, weight: Weight) {
    let reasons: Vec<_> =
        reasons(decision).into_iter().filter(|reason| reason.weight == weight).collect();
    let checks: Vec<_> = concerns(decision)
        .into_iter()
        .filter(|(of_check, _)| *of_check == weight)
        .map(|(_, placed)| placed)
        .collect();
    if reasons.is_empty() && checks.is_empty() {
        return;
    }
    page.heading(heading);
    page.line("| Result | Policy | Rule | Measured | Message |");
    page.line("| --- | --- | --- | --- | --- |");
    for reason in &reasons {
        page.row(&reason_row(decision, reason));
    }
    for placed in &checks {
        let Placed { gate, policy, judged } = placed;
        let place = code(&format!("{gate}/{}", policy.id));
        page.row(&format!("| {} | {place} | {} |", sign(judged.effect), cells(decision, judged)));
    }
}

fn reason_row(decision: &Decision, reason: &Reason<'_>) -> String {
    let place = match (reason.gate, reason.policy) {
        (Some(gate), Some(policy)) => code(&format!("{gate}/{}", policy.id)),
        (Some(gate), None) => code(gate),
        (None, _) => String::new(),
    };
    let message = escape(&wording::reason(decision, reason.reason));
    format!("| ? undecided | {place} | {} | | {message} |", code(reason.reason.code()))
}

/// Rule, measure and message of a check.
fn cells(decision: &Decision, judged: &JudgedCheck) -> String {
    let check = &judged.check;
    let rule = match &check.about {
        Some(about) => format!("{}<br>{}", code(&check.rule), code(about)),
        None => code(&check.rule),
    };
    let measure = wording::measure(check).map(|measure| escape(&measure)).unwrap_or_default();
    let mut message = escape(&check.message);
    if let Some(waiver) = waiver_of(decision, judged) {
        message.push_str(&format!("<br>waiver: {}", escape(&wording::grant(waiver))));
    }
    if let Some(remedy) = &check.remedy {
        message.push_str(&format!("<br>fix: {}", escape(remedy)));
    }
    format!("{rule} | {measure} | {message}")
}

fn waivers(page: &mut Page, decision: &Decision) {
    let idle = idle_waivers(decision);
    if idle.is_empty() {
        return;
    }
    page.heading("Unused and expired waivers");
    page.line("| Waiver | Ticket | State |");
    page.line("| --- | --- | --- |");
    for waiver in idle {
        page.row(&format!(
            "| {} | {} | {} |",
            code(&wording::waiver_scope(waiver)),
            code(&waiver.grant.ticket),
            escape(&wording::waiver_state(waiver))
        ));
    }
}

fn all_checks(page: &mut Page, decision: &Decision) {
    for gate in &decision.gates {
        for policy in &gate.policies {
            policy_details(page, decision, gate, policy);
        }
    }
}

fn policy_details(page: &mut Page, decision: &Decision, gate: &GateReport, policy: &PolicyReport) {
    let Ok(checks) = &policy.result else { return };
    page.open(&format!(
        "{}/{}: {}",
        plain(&gate.name),
        plain(&policy.id),
        wording::tally(Tally::of_checks(checks))
    ));
    page.line(&format!(
        "{} · enforcement: {} · {}",
        code(&wording::component(&policy.component)),
        wording::enforcement(policy),
        wording::usage(&policy.usage)
    ));
    page.line("");
    page.line("| Result | Rule | Measured | Message |");
    page.line("| --- | --- | --- | --- |");
    for judged in worst_first(checks) {
        page.row(&format!("| {} | {} |", sign(judged.effect), cells(decision, judged)));
    }
    page.close();
}

fn evidence(page: &mut Page, decision: &Decision) {
    let evidence = &decision.evidence;
    if evidence.sources.is_empty() {
        return;
    }
    page.open(&format!("Evidence: {} sources", evidence.sources.len()));
    page.line("| Source | Format | Kinds | Digest | Age |");
    page.line("| --- | --- | --- | --- | --- |");
    for source in &evidence.sources {
        let kinds: Vec<_> = source.kinds.iter().map(|kind| kind.as_str()).collect();
        let baseline = if source.baseline { " (baseline)" } else { "" };
        page.row(&format!(
            "| {}{baseline} | {} | {} | {} | {} |",
            code(&source.name),
            code(&source.format),
            kinds.join(", "),
            code(&source.digest.short()),
            wording::age(source, decision.promotion.at)
        ));
    }
    page.line("");
    for metric in &evidence.unmeasured {
        let (name, reason) = (code(&metric.name), escape(&metric.reason));
        page.row(&format!("- not measured: {name} ({reason})"));
    }
    page.close();
}

fn sign(effect: Effect) -> String {
    format!("{} {}", wording::sign(effect), wording::effect(effect))
}

/// A page that keeps below the size that GitHub shows.
#[derive(Default)]
struct Page {
    text: String,
    left_out: usize,
}

impl Page {
    fn line(&mut self, line: &str) {
        if self.text.len() < ROWS_END {
            self.text.push_str(line);
            self.text.push('\n');
        }
    }

    /// One of many: left out, and counted, once the page is full.
    fn row(&mut self, row: &str) {
        if self.text.len().saturating_add(row.len()) < ROWS_END {
            self.line(row);
        } else {
            self.left_out += 1;
        }
    }

    fn heading(&mut self, heading: &str) {
        self.line("");
        self.line(&format!("### {heading}"));
        self.line("");
    }

    fn open(&mut self, summary: &str) {
        self.line("");
        self.line(&format!("<details><summary>{}</summary>", escape(summary)));
        self.line("");
    }

    fn close(&mut self) {
        self.line("");
        self.line("</details>");
    }

    fn finish(mut self) -> String {
        if self.left_out > 0 {
            let note = format!(
                "\n> **Cut short:** {} rows are left out, as GitHub shows at most 1 MiB. The JSON \
                 report has them all.\n",
                self.left_out
            );
            self.text.push_str(&note);
        }
        self.text
    }
}

/// Text that Markdown, HTML, GitHub's mentions and mathematics take for text.
///
/// Entities rather than backslashes: they hold within HTML blocks and table cells too.
fn escape(text: &str) -> String {
    let text = plain(text);
    let mut escaped = String::with_capacity(text.len());
    let mut before = ' ';
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '$' | '!' => {
                escaped.push_str(&format!("&#{};", u32::from(character)));
            }
            // A mention is found in the finished page, where an entity is a character again; a
            // zero-width space is not part of a name.
            '@' if !before.is_alphanumeric() => escaped.push_str("@&#8203;"),
            _ => escaped.push(character),
        }
        before = character;
    }
    escaped
}

/// Sentences of others in a page: what is between backticks is code, and nothing else does anything.
pub(crate) fn prose(text: &str) -> String {
    let text = plain(text.trim());
    let mut written = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, (span, after))) =
        rest.split_once('`').and_then(|(before, after)| Some((before, after.split_once('`')?)))
    {
        written.push_str(&escape(before));
        // Several backticks in a row are no span of this form.
        written.push_str(&if span.is_empty() { escape("``") } else { code(span) });
        rest = after;
    }
    written.push_str(&escape(rest));
    if written.starts_with(|first: char| first.is_ascii_punctuation() && !"&`<".contains(first)) {
        // A heading, a list or a workflow command, were it at the start of a line.
        written.insert(0, '\\');
    }
    written
}

/// A name as code.
pub(crate) fn code(text: &str) -> String {
    let text = plain(text);
    let spans =
        !text.is_empty() && text.trim() == text && !text.contains(['`', '|', '\\', '<', '>', '&']);
    if spans { format!("`{text}`") } else { format!("<code>{}</code>", escape(&text)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_markdown_or_html_would_take_up() {
        assert_eq!(escape("</details>|`x`"), "&lt;/details&gt;&#124;&#96;x&#96;");
        assert_eq!(
            escape("![a](b) **c** &lt;"),
            "&#33;&#91;a&#93;(b) &#42;&#42;c&#42;&#42; &amp;lt;"
        );
        assert_eq!(escape("@team, ci@example.org"), "@&#8203;team, ci@example.org");
    }

    #[test]
    fn code_that_cannot_be_a_span_is_escaped_html() {
        assert_eq!(code("val_auc"), "`val_auc`");
        assert_eq!(code("a|b`"), "<code>a&#124;b&#96;</code>");
        assert_eq!(code(""), "<code></code>");
    }

    #[test]
    fn sentences_keep_their_code_and_nothing_else() {
        assert_eq!(prose("see `a_b`: *c*"), "see `a_b`: &#42;c&#42;");
        assert_eq!(prose("`a|b` and ` alone"), "<code>a&#124;b</code> and &#96; alone");
        assert_eq!(prose("``a``"), "&#96;&#96;a&#96;&#96;");
        assert_eq!(prose("# one"), "\\# one");
        assert_eq!(prose("::error::x"), "\\::error::x");
    }

    #[test]
    fn a_page_that_is_full_counts_the_rows_it_leaves_out() {
        let mut page = Page::default();
        for _ in 0..2_000 {
            page.row(&"x".repeat(1_000));
        }
        let text = page.finish();
        assert!(text.len() < 1024 * 1024);
        assert!(text.contains("rows are left out"));
    }
}
