//! A decision in one paragraph, for an error message: a registry's clients show nothing else.

use super::outline::{Weight, concerns, reasons};
use super::wording;
use crate::decision::{Decision, Movement};
use crate::text::plain;

/// Things told in full; the decision on record has the rest.
const TOLD: usize = 5;

/// What keeps the promotion from being allowed, worst first, each with what was measured and what
/// the limit is, and what can be done about it. Text of policies and evidence is made as harmless
/// as in any report.
#[must_use]
pub fn explain(decision: &Decision) -> String {
    let blocking_checks: Vec<String> = concerns(decision)
        .into_iter()
        .filter(|(weight, _)| *weight == Weight::Blocks)
        .map(|(_, placed)| {
            let check = &placed.judged.check;
            let mut text = format!(
                "{}/{}: {}",
                plain(&placed.policy.id),
                wording::title(check),
                without_stop(&plain(&check.message))
            );
            if let Some(measure) = wording::measure(check) {
                text.push_str(&format!(" ({measure})"));
            }
            if let Some(remedy) = &check.remedy {
                text.push_str(&format!("; {}", without_stop(&plain(remedy))));
            }
            text
        })
        .collect();
    let blocking_reasons: Vec<String> = reasons(decision)
        .into_iter()
        .filter(|reason| reason.weight == Weight::Blocks)
        .map(|reason| {
            let text = wording::reason(decision, reason.reason);
            match reason.policy {
                Some(policy) => format!("{}: {text}", plain(&policy.id)),
                None => text,
            }
        })
        .collect();
    // What is undecided no waiver decides, and none excepts a gate's own word.
    let helps_a_waiver = decision.movement == Movement::Promotion
        && !blocking_checks.is_empty()
        && blocking_reasons.is_empty();
    let told: Vec<String> = blocking_checks.into_iter().chain(blocking_reasons).collect();
    let mut text = format!("{}.", wording::headline(decision));
    for (number, thing) in told.iter().take(TOLD).enumerate() {
        match told.len() {
            1 => text.push_str(&format!(" {thing}.")),
            _ => text.push_str(&format!(" [{}] {thing}.", number + 1)),
        }
    }
    match told.len().saturating_sub(TOLD) {
        0 => {}
        more => text.push_str(&format!(" And {more} more.")),
    }
    if helps_a_waiver {
        text.push_str(" Only a waiver in the gate file excepts a rule.");
    }
    text
}

fn without_stop(text: &str) -> &str {
    text.trim_end_matches('.')
}
