//! Every format, for every verdict: the exit code is the verdict's, whatever is written where.

use std::io::Read;
use std::process::Stdio;

use crate::bench::{AT, BAD, Bench, GATE, GOOD};

const FORMATS: [&str; 6] = ["table", "json", "sarif", "junit", "markdown", "github"];

fn verdicts() -> [(Bench, i32); 3] {
    [(Bench::new(GATE, GOOD), 0), (Bench::new(GATE, BAD), 1), (Bench::new(GATE, "{"), 3)]
}

#[test]
fn no_format_changes_the_exit_code() {
    for (bench, code) in verdicts() {
        for format in FORMATS {
            let ran = bench.check(&["--format", format]).exits_with(code);
            assert!(format == "github" || !ran.out.is_empty(), "{format}");
        }
    }
}

#[test]
fn writes_several_reports_at_once_each_to_its_own_file() {
    for (bench, code) in verdicts() {
        let outputs: Vec<String> =
            FORMATS.iter().map(|format| format!("{format}=out.{format}")).collect();
        let mut arguments = vec!["--output"];
        arguments.extend(outputs.iter().map(String::as_str));
        bench.check(&arguments).exits_with(code);
        for format in FORMATS {
            let printed = bench.check(&["--format", format]).out;
            let written = bench.read(&format!("out.{format}"));
            // Apart from how long the runs took.
            assert_eq!(printed.lines().count(), written.lines().count(), "{format}");
        }
    }
}

#[test]
fn a_report_that_cannot_be_written_makes_an_allow_undecided_and_nothing_better() {
    for (bench, code) in verdicts() {
        let expected = if code == 0 { 3 } else { code };
        let ran = bench.check(&["--output", "json=missing/folder/out.json"]);
        ran.exits_with(expected).tells("missing/folder/out.json");
    }
}

#[test]
fn appends_where_a_step_summary_wants_it() {
    let bench = Bench::new(GATE, GOOD);
    bench.write("summary.md", "before\n");
    bench.check(&["--append", "--output", "markdown=summary.md"]).exits_with(0);
    let summary = bench.read("summary.md");
    assert!(summary.starts_with("before\n") && summary.len() > 100, "{summary}");
}

#[test]
fn a_reader_that_goes_away_does_not_change_the_exit_code() {
    for (bench, code) in verdicts() {
        let mut command = bench.command();
        command.args(["check", "fraud-detector/3", "--to", "stage:Production", "--at", AT]);
        command.args(["--evidence", "evidence", "--format", "json"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut told = String::new();
        child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{told}");
    }
}

#[test]
fn there_is_no_colour_without_a_terminal_unless_it_is_asked_for() {
    let bench = Bench::new(GATE, BAD);
    let plain = bench.check(&[]).out;
    assert!(!plain.contains('\u{1b}'));
    let coloured = bench.check(&["--color", "always"]).out;
    assert!(coloured.contains('\u{1b}'));
    // A file is no terminal, whatever standard output is.
    bench.check(&["--color", "always", "--output", "table=out.txt"]);
    assert!(!bench.read("out.txt").contains('\u{1b}'));
}

#[test]
fn hostile_text_in_evidence_does_not_reach_the_terminal_as_it_is() {
    let hostile = r#"{
      "lockgate": "evidence/v1", "collected_at": "2026-11-23T09:00:00Z",
      "metrics": [{"name": "accuracy", "value": "NaN"}],
      "security": {"findings": []}
    }"#
    .replace("\"value\": \"NaN\"", "\"value\": 0.5, \"dataset\": \"x\\u001b[2J\\r::error::y\"");
    let bench = Bench::new(GATE, &hostile);
    for format in FORMATS {
        let ran = bench.check(&["--format", format]);
        assert!(!ran.out.contains('\u{1b}') && !ran.out.contains('\r'), "{format}");
        assert!(ran.code == 1 || ran.code == 3, "{format}: {}", ran.code);
    }
}

#[test]
fn the_json_report_fits_its_published_schema() {
    let schema = Bench::new(GATE, GOOD).run(["config", "schema", "report"]).exits_with(0).out;
    let schema = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (bench, code) in verdicts() {
        let report = bench.check(&["--format", "json"]).exits_with(code).out;
        let report = serde_json::from_str(&report).unwrap();
        if let Err(error) = validator.validate(&report) {
            panic!("{error} at {}", error.instance_path());
        }
    }
}
