//! JUnit XML for the test view of a CI system: a suite for the policy, a case for each case. A case
//! that could not be read is an error.

use std::io;

use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite};

use super::Report;
use crate::cases::{CaseResult, Sign, Status};
use crate::model::Description;
use crate::report::plain;

pub(super) fn render(report: &Report<'_>) -> io::Result<String> {
    let mut document = quick_junit::Report::new("lockgate policy test");
    document.set_time(report.elapsed);
    let mut suite = TestSuite::new(plain(report.reference));
    let description = report.description;
    let properties = [
        ("lockgate", env!("CARGO_PKG_VERSION").to_owned()),
        ("policy", plain(&description.name)),
        ("version", plain(&description.version)),
        ("digest", report.digest.to_string()),
    ];
    for (name, value) in properties {
        suite.add_property(Property::new(name, value));
    }
    let unexercised: Vec<&str> = report.coverage.unexercised().collect();
    let unbroken: Vec<&str> = report.coverage.unbroken().collect();
    for (name, rules) in [("rules-not-exercised", unexercised), ("rules-not-broken", unbroken)] {
        if report.whole && !rules.is_empty() {
            suite.add_property(Property::new(name, rules.join(", ")));
        }
    }
    suite.set_time(report.elapsed);
    for result in report.results {
        suite.add_test_case(case(description, result));
    }
    document.add_test_suite(suite);
    document.to_string().map_err(io::Error::other)
}

fn case(description: &Description, result: &CaseResult) -> TestCase {
    let mut lines: Vec<String> = result.summary.iter().map(|summary| plain(summary)).collect();
    let status = match &result.status {
        Status::Passed => TestCaseStatus::success(),
        Status::Failed(difference) => {
            lines.extend(difference.lines.iter().map(|line| {
                let sign = match line.sign {
                    Sign::Same => ' ',
                    Sign::Expected => '-',
                    Sign::Got => '+',
                };
                format!("{sign} {}", plain(&line.text))
            }));
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type("difference");
            status.set_message("not as expected");
            status.set_description(lines.join("\n"));
            status
        }
        Status::Unreadable(diagnostics) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_type("unreadable");
            if let Some(first) = diagnostics.iter().next() {
                status.set_message(plain(&first.message));
            }
            let told = diagnostics.to_string();
            status.set_description(told.lines().map(plain).collect::<Vec<_>>().join("\n"));
            status
        }
    };
    let mut case = TestCase::new(plain(&result.name), status);
    case.set_classname(plain(&description.name));
    case.set_time(result.usage.elapsed);
    case.extra.insert("file".into(), plain(&result.file).into());
    if matches!(result.status, Status::Passed) {
        case.set_system_out(lines.join("\n"));
    }
    case
}
