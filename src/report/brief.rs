//! A decision in one line, for answers that have room for no more: a refused request, an event.

use super::outline::{Weight, concerns, reasons};
use super::wording;
use crate::decision::Decision;
use crate::text::plain;

/// Reasons that are told; the others are counted.
const SHOWN: usize = 3;
/// Characters of one reason.
const REASON: usize = 200;

/// The verdict and the worst of its reasons, in one line of plain text.
#[must_use]
pub fn brief(decision: &Decision) -> String {
    let all = told(decision, Weight::Blocks);
    let mut line = wording::headline(decision);
    if let Some(shown) = all.get(..all.len().min(SHOWN)).filter(|shown| !shown.is_empty()) {
        line.push_str(": ");
        line.push_str(&shown.join("; "));
    }
    let rest = all.len().saturating_sub(SHOWN);
    if rest > 0 {
        line.push_str(&format!("; and {rest} more"));
    }
    line
}

/// What the gate only warns of, each in one line of plain text, the worst first; the last line
/// counts those that are left out.
#[must_use]
pub fn warnings(decision: &Decision) -> Vec<String> {
    let mut lines = told(decision, Weight::Warns);
    let rest = lines.len().saturating_sub(SHOWN);
    if rest > 0 {
        lines.truncate(SHOWN);
        lines.push(format!("and {rest} more"));
    }
    lines
}

/// Everything of one weight.
fn told(decision: &Decision, weight: Weight) -> Vec<String> {
    let checks = concerns(decision)
        .into_iter()
        .filter(|(of, _)| *of == weight)
        .map(|(_, placed)| format!("{}: {}", placed.policy.id, placed.judged.check.message));
    let apart =
        reasons(decision).into_iter().filter(|reason| reason.weight == weight).map(|reason| {
            match reason.policy {
                Some(policy) => format!("{}: {}", policy.id, reason.reason),
                None => wording::reason(decision, reason.reason),
            }
        });
    checks.chain(apart).map(|reason| shortened(&plain(&reason))).collect()
}

fn shortened(text: &str) -> String {
    let mut characters = text.chars();
    let start: String = characters.by_ref().take(REASON).collect();
    if characters.next().is_none() { start } else { format!("{start}…") }
}
