//! GitHub Actions workflow commands, which show as annotations.
//!
//! Syntax and escaping are those that the runner reads (actions/runner, `ActionCommand.cs`); how
//! many annotations of a step are shown is told in actions/toolkit, `docs/problem-matchers.md`.

use super::Context;
use super::outline::{Placed, Reason, Tally, Weight, concerns, idle_waivers, reasons, waiver_of};
use super::wording;
use crate::decision::{Decision, Verdict, WaiverState};
use crate::text::plain;

/// Annotations of one level that GitHub shows for a step; it drops the rest in silence.
const SHOWN: usize = 10;

struct Annotation {
    weight: Weight,
    title: String,
    message: String,
}

/// One workflow command a line: the verdict, then the worst of each level, then for each level one
/// that counts the rest.
pub(super) fn render(decision: &Decision, context: &Context<'_>) -> String {
    let annotations = annotations(decision);
    let mut out = String::new();
    for weight in [Weight::Blocks, Weight::Warns, Weight::Noted] {
        let of_weight: Vec<_> =
            annotations.iter().filter(|annotation| annotation.weight == weight).collect();
        let room = if of_weight.len() > SHOWN { SHOWN - 1 } else { SHOWN };
        for annotation in of_weight.iter().take(room) {
            out.push_str(&command(weight, &annotation.title, &annotation.message, context));
        }
        let rest = of_weight.len().saturating_sub(room);
        if rest > 0 {
            let message =
                "GitHub shows ten annotations of a level; the other reports have them all";
            out.push_str(&command(weight, &format!("lockgate: {rest} more"), message, context));
        }
    }
    out
}

/// Everything worth an annotation, worst first within a weight.
fn annotations(decision: &Decision) -> Vec<Annotation> {
    let mut annotations = vec![Annotation {
        weight: match decision.verdict {
            Verdict::Deny | Verdict::Undecided => Weight::Blocks,
            Verdict::Allow => Weight::Noted,
        },
        title: wording::headline(decision),
        message: wording::tally(Tally::of(decision)),
    }];
    annotations.extend(concerns(decision).into_iter().map(|(weight, placed)| Annotation {
        weight,
        title: of_policy(&placed.policy.id, &wording::title(&placed.judged.check)),
        message: of_check(decision, &placed),
    }));
    annotations.extend(reasons(decision).into_iter().map(|reason| Annotation {
        weight: reason.weight,
        title: of_reason(&reason),
        message: wording::reason(decision, reason.reason),
    }));
    annotations.extend(idle_waivers(decision).into_iter().map(|waiver| Annotation {
        weight: match waiver.state {
            WaiverState::ExpiredNeeded => Weight::Warns,
            WaiverState::Used | WaiverState::Expired | WaiverState::Useless => Weight::Noted,
        },
        title: format!("lockgate: waiver {}", plain(&waiver.grant.ticket)),
        message: format!("{} {}", wording::waiver_scope(waiver), wording::waiver_state(waiver)),
    }));
    annotations
}

fn of_policy(id: &str, what: &str) -> String {
    format!("lockgate: {}/{what}", plain(id))
}

fn of_reason(reason: &Reason<'_>) -> String {
    match (reason.policy, reason.gate) {
        (Some(policy), _) => of_policy(&policy.id, "undecided"),
        (None, Some(gate)) => format!("lockgate: gate {} undecided", plain(gate)),
        (None, None) => "lockgate: undecided".to_owned(),
    }
}

fn of_check(decision: &Decision, placed: &Placed<'_>) -> String {
    let check = &placed.judged.check;
    let mut lines = vec![plain(&check.message)];
    lines.extend(wording::measure(check));
    lines.extend(
        waiver_of(decision, placed.judged)
            .map(|waiver| format!("waived: {}", wording::grant(waiver))),
    );
    lines.extend(check.remedy.as_ref().map(|remedy| format!("fix: {}", plain(remedy))));
    lines.join("\n")
}

fn command(weight: Weight, title: &str, message: &str, context: &Context<'_>) -> String {
    let level = match weight {
        Weight::Blocks => "error",
        Weight::Warns => "warning",
        Weight::Noted => "notice",
    };
    let file = context
        .gate_file
        .map(|path| format!(",file={}", property(&plain(path))))
        .unwrap_or_default();
    format!("::{level} title={}{file}::{}\n", property(title), value(message))
}

fn value(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    value(text).replace(':', "%3A").replace(',', "%2C")
}
