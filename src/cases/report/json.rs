//! JSON for programs, version 1. Every key is always there; null means none. Within the version
//! keys may be added, and nothing is taken away or changes its meaning.

use std::io;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;

use super::{Report, Tally};
use crate::cases::{CaseResult, Sign, Status};
use crate::model::{Check, LogLevel, Undecided};
use crate::report::harmless_json;

pub(super) fn render(report: &Report<'_>) -> io::Result<String> {
    let text = serde_json::to_string_pretty(&document(report))?;
    Ok(harmless_json(text) + "\n")
}

/// The JSON Schema (2020-12) of the JSON report; published as `sdk/schema/cases.schema.json`.
#[must_use]
pub fn schema() -> serde_json::Value {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<Document>()
        .to_value()
}

/// What came of the cases of one policy.
///
/// Two reports on the same component and cases differ in times alone.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "lockgate cases")]
struct Document {
    /// Name and version of this format.
    schema: SchemaName,
    /// Version of lockgate that wrote it.
    lockgate: &'static str,
    /// The policy.
    policy: Policy,
    /// How many cases ended how.
    counts: Counts,
    /// Wall-clock time of all of it, microseconds.
    elapsed_us: u64,
    /// Every case, ordered by name.
    cases: Vec<Case>,
    /// Every rule of the policy, in its own order, and the cases that hold it to them.
    rules: Vec<Rule>,
}

/// Name and version of the format.
#[derive(Serialize, JsonSchema)]
enum SchemaName {
    #[serde(rename = "lockgate.dev/cases/v1")]
    V1,
}

/// The policy.
#[derive(Serialize, JsonSchema)]
struct Policy {
    /// As it was named, `std/NAME` or a path.
    reference: String,
    /// Name it gives itself.
    name: String,
    /// Version it gives itself.
    version: String,
    /// SHA-256 of the component, `sha256:` and 64 hex digits.
    digest: String,
}

/// How many cases ended how.
#[derive(Serialize, JsonSchema)]
struct Counts {
    /// As expected.
    passed: usize,
    /// Otherwise.
    failed: usize,
    /// Not at all, as they could not be read.
    unreadable: usize,
}

/// What came of a case.
#[derive(Serialize, JsonSchema)]
struct Case {
    /// Its name.
    name: String,
    /// Its file.
    file: String,
    /// What it shows; null when it could not be read.
    summary: Option<String>,
    /// How it ended.
    status: Ended,
    /// How the answer differs from what was expected; empty when it does not.
    difference: Vec<Line>,
    /// What is wrong with the file; empty when nothing is.
    errors: Vec<Problem>,
    /// Every check that the policy made; null when there is no answer.
    checks: Option<Vec<Check1>>,
    /// Why there is no answer; null when there is one, or the case could not be read.
    undecided: Option<Reason>,
    /// What the policy logged.
    log: Vec<LogLine>,
    /// What the run took.
    usage: Usage,
}

/// How a case ended.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Ended {
    /// As expected.
    Passed,
    /// Otherwise.
    Failed,
    /// It could not be read.
    Unreadable,
}

/// A line of a difference.
#[derive(Serialize, JsonSchema)]
struct Line {
    /// Which side it is on.
    side: Side,
    /// What was expected or said, in words.
    text: String,
}

/// Which side a line is on.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Side {
    /// Expected and said.
    Same,
    /// Expected, and not said.
    Expected,
    /// Said, and not expected.
    Got,
}

/// Something that is wrong with the file of a case.
#[derive(Serialize, JsonSchema)]
struct Problem {
    /// Line, from 1; null when the whole file is meant.
    line: Option<usize>,
    /// Column, from 1; null when the whole file is meant.
    column: Option<usize>,
    /// What is wrong.
    message: String,
    /// What to do about it.
    hint: Option<String>,
}

/// A check.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Check")]
struct Check1 {
    /// Code of the rule.
    rule: String,
    /// What it is about.
    about: Option<String>,
    /// What it comes to: `pass`, `fail`, `warn` or `skip`.
    outcome: &'static str,
    /// The policy's words.
    message: String,
}

/// Why there is no answer.
#[derive(Serialize, JsonSchema)]
struct Reason {
    /// Stable code.
    code: &'static str,
    /// One line for people.
    message: String,
}

/// A line that the policy logged.
#[derive(Serialize, JsonSchema)]
struct LogLine {
    /// Its level: `debug`, `info` or `warn`.
    level: &'static str,
    /// Its text.
    message: String,
}

/// What a run took.
#[derive(Serialize, JsonSchema)]
struct Usage {
    /// Units of fuel; the same on every machine.
    fuel: u64,
    /// Most linear memory held at a time, bytes.
    peak_memory: u64,
    /// Wall-clock time, microseconds.
    elapsed_us: u64,
}

/// A rule, and the cases that hold the policy to it.
#[derive(Serialize, JsonSchema)]
struct Rule {
    /// Its code.
    code: String,
    /// Names of the cases that expect a check of it.
    exercised_by: Vec<String>,
    /// Names of the cases that expect it to be broken.
    broken_by: Vec<String>,
}

fn document(report: &Report<'_>) -> Document {
    let Tally { passed, failed, unreadable } = Tally::of(report.results);
    Document {
        schema: SchemaName::V1,
        lockgate: env!("CARGO_PKG_VERSION"),
        policy: Policy {
            reference: report.reference.to_owned(),
            name: report.description.name.clone(),
            version: report.description.version.clone(),
            digest: report.digest.to_string(),
        },
        counts: Counts { passed, failed, unreadable },
        elapsed_us: micros(report.elapsed),
        cases: report.results.iter().map(case).collect(),
        rules: report
            .coverage
            .rules
            .iter()
            .map(|rule| Rule {
                code: rule.code.clone(),
                exercised_by: rule.exercised.clone(),
                broken_by: rule.broken.clone(),
            })
            .collect(),
    }
}

fn case(result: &CaseResult) -> Case {
    let (status, difference, errors) = match &result.status {
        Status::Passed => (Ended::Passed, Vec::new(), Vec::new()),
        Status::Failed(difference) => {
            let lines = difference.lines.iter().map(|line| Line {
                side: match line.sign {
                    Sign::Same => Side::Same,
                    Sign::Expected => Side::Expected,
                    Sign::Got => Side::Got,
                },
                text: line.text.clone(),
            });
            (Ended::Failed, lines.collect(), Vec::new())
        }
        Status::Unreadable(diagnostics) => {
            let problems = diagnostics.iter().map(|diagnostic| Problem {
                line: diagnostic.place.map(|place| place.line),
                column: diagnostic.place.map(|place| place.column),
                message: diagnostic.message.clone(),
                hint: diagnostic.hint.clone(),
            });
            (Ended::Unreadable, Vec::new(), problems.collect())
        }
    };
    let (checks, undecided) = match &result.answer {
        None => (None, None),
        Some(Ok(checks)) => (Some(checks.iter().map(check).collect()), None),
        Some(Err(reason)) => (None, Some(because(reason))),
    };
    Case {
        name: result.name.clone(),
        file: result.file.clone(),
        summary: result.summary.clone(),
        status,
        difference,
        errors,
        checks,
        undecided,
        log: result
            .log
            .iter()
            .map(|line| LogLine {
                level: match line.level {
                    LogLevel::Debug => "debug",
                    LogLevel::Info => "info",
                    LogLevel::Warn => "warn",
                },
                message: line.message.clone(),
            })
            .collect(),
        usage: Usage {
            fuel: result.usage.fuel,
            peak_memory: result.usage.peak_memory,
            elapsed_us: micros(result.usage.elapsed),
        },
    }
}

fn check(check: &Check) -> Check1 {
    Check1 {
        rule: check.rule.clone(),
        about: check.about.clone(),
        outcome: crate::cases::expected::word(check.outcome),
        message: check.message.clone(),
    }
}

fn because(reason: &Undecided) -> Reason {
    Reason { code: reason.code(), message: reason.to_string() }
}

fn micros(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
