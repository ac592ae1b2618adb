//! The words, signs and figures that every format uses for the same thing.

use std::time::Duration;

use super::outline::Tally;
use crate::decision::{
    ComponentReport, Decision, Effect, Enforcement, Grant, Movement, PolicyReport, Unmatched,
    Verdict, WaiverReport, WaiverState,
};
use crate::model::{Check, Comparison, Measure, RunUsage, Source, Timestamp, Undecided, spoken};
use crate::text::plain;

/// The name of the tool in reports.
pub(super) const TOOL: &str = "lockgate";
/// The version of the tool in reports.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The word for what a check does to the verdict.
pub(super) const fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Pass => "pass",
        Effect::Deny => "deny",
        Effect::Warn => "warn",
        Effect::Shadow => "shadow",
        Effect::Waived(_) => "waived",
        Effect::Skip => "skip",
    }
}

/// The sign for what a check does to the verdict; one column wide.
pub(super) const fn sign(effect: Effect) -> char {
    match effect {
        Effect::Pass => '✓',
        Effect::Deny => '✗',
        Effect::Warn => '!',
        Effect::Shadow => '·',
        Effect::Waived(_) => '~',
        Effect::Skip => '-',
    }
}

/// The sign for a verdict; one column wide.
pub(super) const fn verdict_sign(verdict: Verdict) -> char {
    match verdict {
        Verdict::Allow => '✓',
        Verdict::Undecided => '?',
        Verdict::Deny => '✗',
    }
}

/// Which version is to go where: `fraud/7 → stage:Production`.
pub(super) fn promotion(decision: &Decision) -> String {
    let promotion = &decision.promotion;
    moved(decision.movement, &promotion.subject.to_string(), &promotion.target.to_string())
}

/// A version and where it is to go, or to be taken from.
pub(crate) fn moved(movement: Movement, version: &str, target: &str) -> String {
    format!("{} {} {}", plain(version), way(movement), plain(target))
}

/// What stands between a version and its target.
pub(super) const fn way(movement: Movement) -> &'static str {
    match movement {
        Movement::Promotion => "→",
        Movement::Removal => "leaves",
    }
}

/// The verdict in one sentence without a full stop.
pub(super) fn headline(decision: &Decision) -> String {
    format!("{TOOL} {} {}", says(decision), promotion(decision))
}

/// What the verdict does to the promotion that is named after it.
pub(super) const fn says(decision: &Decision) -> &'static str {
    match (decision.movement, decision.verdict) {
        (Movement::Promotion, Verdict::Allow) => "allows",
        (Movement::Promotion, Verdict::Undecided) => "could not decide on",
        (Movement::Promotion, Verdict::Deny) => "denies",
        (Movement::Removal, Verdict::Allow) => "allows that",
        (Movement::Removal, Verdict::Undecided) => "could not decide whether",
        (Movement::Removal, Verdict::Deny) => "denies that",
    }
}

/// The counts that are not zero, worst first: `2 deny · 1 warn · 12 pass`.
pub(super) fn tally(tally: Tally) -> String {
    let Tally { deny, undecided, warn, shadow, waived, pass, skip } = tally;
    let counts = [
        (deny, "deny"),
        (undecided, "undecided"),
        (warn, "warn"),
        (shadow, "shadow"),
        (waived, "waived"),
        (pass, "pass"),
        (skip, "skip"),
    ];
    let parts: Vec<_> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if parts.is_empty() { "nothing was checked".to_owned() } else { parts.join(" · ") }
}

/// Rule and what it is about: `minimum: val_auc`.
pub(super) fn title(check: &Check) -> String {
    match &check.about {
        Some(about) => format!("{}: {}", plain(&check.rule), plain(about)),
        None => plain(&check.rule),
    }
}

/// Measured value, limit and margin: `val_auc 0.91 · at least 0.92 · 0.01 outside (1.1 %)`. The name
/// is left out where `check.about` says it already.
pub(super) fn measure(check: &Check) -> Option<String> {
    let measure = check.measure.as_ref()?;
    let (actual, limit) = found_and_limit(measure);
    let name = if check.about.as_deref() == Some(&measure.name) {
        String::new()
    } else {
        format!("{} ", plain(&measure.name))
    };
    Some(format!("{name}{actual} · {limit} · {}", margin(measure)))
}

/// Measured value, and limit with its comparison, each with its unit.
pub(super) fn found_and_limit(measure: &Measure) -> (String, String) {
    let comparison = match measure.comparison {
        Comparison::AtLeast => "at least",
        Comparison::AtMost => "at most",
    };
    let unit = measure.unit.as_deref().map(|unit| format!(" {}", plain(unit))).unwrap_or_default();
    let (mut actual, mut limit) = (number(measure.actual), number(measure.limit));
    if actual == limit && measure.margin() != 0.0 {
        // Rounded, they would read as if a value at its limit had failed.
        (actual, limit) = (measure.actual.to_string(), measure.limit.to_string());
    }
    (format!("{actual}{unit}"), format!("{comparison} {limit}{unit}"))
}

/// How far inside or outside its limit a value is, and how much of the limit that is.
pub(super) fn margin(measure: &Measure) -> String {
    let margin = measure.margin();
    if margin == 0.0 {
        return "at the limit".to_owned();
    }
    let side = if margin > 0.0 { "inside" } else { "outside" };
    let percent = (margin / measure.limit * 100.0).abs();
    let relative = if percent.is_finite() && percent < 100_000.0 {
        format!(" ({} %)", significant(percent, 2))
    } else {
        String::new()
    };
    format!("{} {side}{relative}", number(margin.abs()))
}

/// A number with at most six significant digits.
pub(super) fn number(value: f64) -> String {
    significant(value, 6)
}

fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".to_owned(); // a negative zero too
    }
    let scientific = format!("{value:.*e}", digits.saturating_sub(1));
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific; // infinite or not a number
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if !(-5..15).contains(&exponent) {
        return format!("{}e{exponent}", trim(mantissa));
    }
    // The digits that are left after the point; where there are none, the rounded value is whole.
    let decimals = i32::try_from(digits).unwrap_or(i32::MAX).saturating_sub(exponent + 1);
    match usize::try_from(decimals) {
        Ok(decimals) => trim(&format!("{value:.decimals$}")),
        Err(_) => scientific.parse::<f64>().map_or(scientific, |rounded| format!("{rounded:.0}")),
    }
}

/// What a run took: `0.4 M fuel · 1.2 MiB · 52 µs`.
pub(super) fn usage(usage: &RunUsage) -> String {
    format!("{} fuel · {} · {}", scaled(usage.fuel), bytes(usage.peak_memory), took(usage.elapsed))
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn scaled(count: u64) -> String {
    let count = count as f64;
    match count {
        _ if count < 1e4 => significant(count, 6),
        _ if count < 1e6 => format!("{} k", significant(count / 1e3, 3)),
        _ if count < 1e9 => format!("{} M", significant(count / 1e6, 3)),
        _ => format!("{} G", significant(count / 1e9, 3)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn bytes(count: u64) -> String {
    let kibibytes = count as f64 / 1024.0;
    match kibibytes {
        _ if kibibytes < 1024.0 => format!("{} KiB", significant(kibibytes, 3)),
        _ => format!("{} MiB", significant(kibibytes / 1024.0, 3)),
    }
}

fn took(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    match seconds {
        _ if seconds < 1e-3 => format!("{} µs", significant(seconds * 1e6, 3)),
        _ if seconds < 1.0 => format!("{} ms", significant(seconds * 1e3, 3)),
        _ => format!("{} s", significant(seconds, 3)),
    }
}

/// How old a source was at the evaluation time.
pub(super) fn age(source: &Source, at: Timestamp) -> String {
    match source.collected_at {
        None => "undated".to_owned(),
        Some(time) if time > at => format!("from {time}, after the evaluation time"),
        Some(time) => format!("{} old", spoken(time.age_at(at))),
    }
}

/// What a policy's failure does, and from when on it denies.
pub(super) fn enforcement(policy: &PolicyReport) -> String {
    let word = match policy.enforcement {
        Enforcement::Deny => "deny",
        Enforcement::Warn => "warn",
        Enforcement::Shadow => "shadow",
    };
    match policy.effective_on {
        Some(start) => format!("{word} until {}, then deny", start.date()),
        None => word.to_owned(),
    }
}

/// Which component answered: `std/metric-threshold 1.0.0`.
pub(super) fn component(component: &ComponentReport) -> String {
    match &component.version {
        Some(version) => format!("{} {}", plain(&component.reference), plain(version)),
        None => plain(&component.reference),
    }
}

/// Under which waiver a check is excepted: `RISK-113, approved by risk-board through 2027-03-31: …`.
pub(super) fn grant(waiver: &WaiverReport) -> String {
    let grant = &waiver.grant;
    format!(
        "{}, approved by {} through {}: {}",
        plain(&grant.ticket),
        plain(&grant.approved_by),
        last_day(grant),
        plain(&grant.reason)
    )
}

/// The last day on which a waiver holds, as the gate file has it.
fn last_day(grant: &Grant) -> String {
    let last_second = Timestamp::from_seconds(grant.expires.seconds().saturating_sub(1));
    last_second.unwrap_or(grant.expires).date()
}

/// What a waiver is for: `model-scan/unsafe-code: model.pkl`.
pub(super) fn waiver_scope(waiver: &WaiverReport) -> String {
    let scope = format!("{}/{}", plain(&waiver.policy), plain(&waiver.rule));
    match &waiver.about {
        Some(about) => format!("{scope}: {}", plain(about)),
        None => scope,
    }
}

/// What became of a waiver, and what to do about it.
pub(super) fn waiver_state(waiver: &WaiverReport) -> String {
    let last_day = last_day(&waiver.grant);
    match waiver.state {
        WaiverState::Used => format!("in use, through {last_day}"),
        WaiverState::ExpiredNeeded => {
            format!(
                "expired after {last_day}, so the failure that it excepted counts; renew or fix it"
            )
        }
        WaiverState::Expired => format!("expired after {last_day}; remove it from the gate file"),
        WaiverState::Useless => "excepts nothing, as no check that it names has failed; remove it \
             from the gate file"
            .to_owned(),
    }
}

/// What the gate file says of promotions that no gate matches.
pub(super) const fn unmatched(unmatched: Unmatched) -> &'static str {
    match unmatched {
        Unmatched::Deny => "the gate file denies what no gate matches (`unmatched: deny`)",
        Unmatched::Allow => "the gate file allows what no gate matches (`unmatched: allow`)",
        Unmatched::Undecided => {
            "the gate file leaves undecided what no gate matches (`unmatched: undecided`)"
        }
    }
}

/// A reason for not deciding in one sentence, and for an unmatched promotion what follows.
pub(super) fn reason(decision: &Decision, reason: &Undecided) -> String {
    let message = plain(&reason.to_string());
    match (reason, decision.unmatched) {
        (Undecided::NoMatchingGate, Some(meaning)) => {
            format!("{message}; {}", unmatched(meaning))
        }
        (_, _) => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(actual: f64, limit: f64, comparison: Comparison) -> Measure {
        Measure { name: "m".into(), actual, limit, comparison, unit: None }
    }

    #[test]
    fn numbers_have_at_most_six_significant_digits() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (0.92, "0.92"),
            (0.1 + 0.2, "0.3"),
            (1_234_567.0, "1234570"),
            (999_999.9, "1000000"),
            (12_345.678, "12345.7"),
            (-0.000_123_456_789, "-0.000123457"),
            (0.000_001, "1e-6"),
            (1e15, "1e15"),
            (f64::MAX, "1.79769e308"),
            (100.0, "100"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn a_margin_says_on_which_side_of_the_limit_and_by_how_much() {
        assert_eq!(margin(&measured(0.91, 0.92, Comparison::AtLeast)), "0.01 outside (1.1 %)");
        assert_eq!(margin(&measured(80.0, 100.0, Comparison::AtMost)), "20 inside (20 %)");
        assert_eq!(margin(&measured(5.0, 5.0, Comparison::AtMost)), "at the limit");
        assert_eq!(margin(&measured(3.0, 0.0, Comparison::AtMost)), "3 outside");
        assert_eq!(margin(&measured(f64::MAX, f64::MIN, Comparison::AtLeast)), "inf inside");
    }

    #[test]
    fn values_that_differ_never_read_the_same() {
        let (actual, limit) = found_and_limit(&measured(0.919_999_99, 0.92, Comparison::AtLeast));
        assert_eq!((actual.as_str(), limit.as_str()), ("0.91999999", "at least 0.92"));
    }

    #[test]
    fn usage_is_one_short_line() {
        let run =
            RunUsage { fuel: 412_345, peak_memory: 1_179_648, elapsed: Duration::from_micros(52) };
        assert_eq!(usage(&run), "412 k fuel · 1.12 MiB · 52 µs");
    }
}
