//! JUnit XML for the test view of a CI system: a suite for each policy, a case for each check.
//!
//! The report is red exactly when the verdict is not `allow`: what only warns is a case that
//! passes and says so in its output.

use std::io;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::outline::{Reason, Tally, Weight, reasons, waiver_of};
use super::wording;
use crate::decision::{Decision, Effect, JudgedCheck, PolicyReport, Verdict};
use crate::model::{LogLevel, Undecided};
use crate::text::plain;

pub(super) fn render(decision: &Decision) -> io::Result<String> {
    let mut report = Report::new(wording::TOOL);
    report.add_test_suite(summary(decision));
    for gate in &decision.gates {
        for policy in &gate.policies {
            report.add_test_suite(suite(decision, &gate.name, policy));
        }
    }
    report.to_string().map_err(io::Error::other)
}

/// The verdict as a case of its own, so that there is always one, and the reasons for not deciding
/// that are no policy's.
fn summary(decision: &Decision) -> TestSuite {
    let mut suite = TestSuite::new(wording::TOOL);
    let promotion = &decision.promotion;
    let digest = decision.evidence.digest.map(|digest| digest.to_string());
    let properties = [
        ("version", Some(wording::VERSION.to_owned())),
        ("verdict", Some(decision.verdict.to_string())),
        ("subject", Some(plain(&promotion.subject.to_string()))),
        ("target", Some(plain(&promotion.target.to_string()))),
        ("evaluated-at", Some(promotion.at.to_string())),
        ("evidence-digest", digest),
    ];
    for (name, value) in properties {
        if let Some(value) = value {
            suite.add_property(Property::new(name, value));
        }
    }
    let status = match decision.verdict {
        Verdict::Allow => TestCaseStatus::success(),
        Verdict::Deny => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::Undecided => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    let told = format!("{}: {}", wording::headline(decision), wording::tally(Tally::of(decision)));
    suite.add_test_case(case("verdict", wording::TOOL, status, decision.verdict.as_str(), &[told]));
    for reason in reasons(decision).iter().filter(|reason| reason.policy.is_none()) {
        suite.add_test_case(undecided(decision, reason, wording::TOOL));
    }
    suite
}

fn suite(decision: &Decision, gate: &str, policy: &PolicyReport) -> TestSuite {
    let name = format!("{}/{}", plain(gate), plain(&policy.id));
    let mut suite = TestSuite::new(name.as_str());
    suite.set_time(policy.usage.elapsed);
    let digest = policy.component.digest.map(|digest| digest.to_string());
    suite.add_property(Property::new("component", wording::component(&policy.component)));
    suite.add_property(Property::new("enforcement", wording::enforcement(policy)));
    if let Some(digest) = digest {
        suite.add_property(Property::new("component-digest", digest));
    }
    match &policy.result {
        Ok(checks) => {
            for judged in checks {
                suite.add_test_case(of_check(decision, judged, &name));
            }
        }
        Err(_) => {
            let own = |reason: &Reason<'_>| {
                reason.policy.is_some_and(|other| std::ptr::eq(other, policy))
            };
            for reason in reasons(decision).iter().filter(|reason| own(reason)) {
                suite.add_test_case(undecided(decision, reason, &name));
            }
        }
    }
    let log: Vec<_> = policy
        .log
        .iter()
        .map(|line| format!("[{}] {}", level(line.level), plain(&line.message)))
        .collect();
    if !log.is_empty() {
        suite.set_system_out(log.join("\n"));
    }
    suite
}

fn of_check(decision: &Decision, judged: &JudgedCheck, suite: &str) -> TestCase {
    let check = &judged.check;
    let status = match judged.effect {
        Effect::Pass | Effect::Warn | Effect::Shadow => TestCaseStatus::success(),
        Effect::Deny => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Effect::Waived(_) | Effect::Skip => TestCaseStatus::skipped(),
    };
    let word = match judged.effect {
        Effect::Warn => "warning: ",
        Effect::Shadow => "recorded only: ",
        Effect::Waived(_) => "waived: ",
        Effect::Pass | Effect::Deny | Effect::Skip => "",
    };
    let mut lines = vec![format!("{word}{}", plain(&check.message))];
    lines.extend(wording::measure(check).map(|measure| format!("measured: {measure}")));
    lines.extend(
        waiver_of(decision, judged).map(|waiver| format!("waiver: {}", wording::grant(waiver))),
    );
    lines.extend(check.remedy.as_ref().map(|remedy| format!("fix: {}", plain(remedy))));
    case(&wording::title(check), suite, status, &plain(&check.rule), &lines)
}

fn undecided(decision: &Decision, reason: &Reason<'_>, suite: &str) -> TestCase {
    let denies = decision.verdict == Verdict::Deny && *reason.reason == Undecided::NoMatchingGate;
    let status = match reason.weight {
        Weight::Blocks if denies => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Weight::Blocks => TestCaseStatus::non_success(NonSuccessKind::Error),
        Weight::Warns | Weight::Noted => TestCaseStatus::skipped(),
    };
    let code = reason.reason.code();
    case(code, suite, status, code, &[wording::reason(decision, reason.reason)])
}

/// A case whose first line is its message and whose other lines are its description. A case that
/// passes can have neither; it gets them as its output.
fn case(
    name: &str,
    suite: &str,
    mut status: TestCaseStatus,
    kind: &str,
    lines: &[String],
) -> TestCase {
    let passes = matches!(status, TestCaseStatus::Success { .. });
    if let Some((first, rest)) = lines.split_first() {
        status.set_type(kind);
        status.set_message(first.as_str());
        if !rest.is_empty() {
            status.set_description(rest.join("\n"));
        }
    }
    let mut case = TestCase::new(name, status);
    case.set_classname(suite);
    if passes {
        case.set_system_out(lines.join("\n"));
    }
    case
}

const fn level(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
    }
}
