//! The exit code is the verdict's, whatever shows it.

use std::path::Path;
use std::process::Command;

use super::folder::{AT, Folder, GATE, gate_of, metrics, ran};

const FORMATS: [&str; 6] = ["table", "json", "sarif", "junit", "markdown", "github"];

/// The word for a verdict, its exit code, and a project that gets it.
fn verdicts() -> [(&'static str, i32, Folder); 3] {
    [
        ("allow", 0, Folder::with_auc(0.95)),
        ("deny", 1, Folder::with_auc(0.5)),
        ("undecided", 3, Folder::with_gate(GATE).file("evidence/metrics.json", "{")),
    ]
}

#[test]
fn every_format_on_standard_output_exits_with_the_verdict() {
    for (word, code, folder) in verdicts() {
        for format in FORMATS {
            let ran = folder.check(&format!("--format {format}")).exits(code);
            assert!(ran.stdout.to_lowercase().contains(word), "{format}: {}", ran.stdout);
            assert_eq!(ran.stderr, "", "{format} of {word}");
        }
    }
}

#[test]
fn every_format_in_a_file_exits_with_the_verdict_and_is_the_same() {
    for (word, code, folder) in verdicts() {
        for format in FORMATS {
            let out = folder.check(&format!("--format {format}")).stdout;
            folder.check(&format!("--output {format}=report")).exits(code);
            let file = folder.text("report");
            assert_eq!(without_times(&file), without_times(&out), "{format} of {word}");
        }
    }
}

#[test]
fn all_formats_at_once_exit_with_the_verdict() {
    for (_, code, folder) in verdicts() {
        let outputs: Vec<_> =
            FORMATS.iter().map(|format| format!("{format}=out.{format}")).collect();
        folder.check(&format!("--format github --output {}", outputs.join(" "))).exits(code);
        for format in FORMATS {
            assert!(!folder.text(&format!("out.{format}")).is_empty());
        }
    }
}

/// What two runs take is never quite the same.
pub(crate) fn without_times(report: &str) -> String {
    let times = regex::Regex::new(r#""elapsed_us": \d+|time="[\d.]+"|[\d.]+ (µs|ms|s)\b"#);
    times.unwrap().replace_all(report, "TIME").into_owned()
}

/// The versions of `examples/`, judged on real evidence.
#[test]
fn the_example_allows_its_first_version_and_denies_its_second() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/fraud-detector");
    let check = |version: &str, who: &str| {
        let mut command: Command = Folder::empty().command();
        let line = format!(
            "check fraud-detector/{version} --to stage:Production --evidence version-{version} \
             --baseline champion --requested-by {who} --at {AT}"
        );
        ran(command.current_dir(&example).args(line.split_whitespace()))
    };
    check("1", "alex").exits(0).says("ALLOW");
    check("2", "sam").exits(1).says("DENY");
}

#[test]
fn a_failure_does_not_hide_the_checks_after_it() {
    let folder = Folder::with_gate(&format!(
        "{GATE}      - {{id: again, use: std/metric-threshold, params: {{metrics: [{{name: auc, max: 1}}]}}}}\n"
    ))
    .file("evidence/metrics.json", metrics(0.5));
    folder.check("").exits(1).says("again").says("1 deny");
}

#[test]
fn a_model_that_no_gate_matches_is_denied_unless_the_file_says_otherwise() {
    for (unmatched, code) in [
        ("", 1),
        ("unmatched: deny\n", 1),
        ("unmatched: undecided\n", 3),
        ("unmatched: allow\n", 0),
    ] {
        let gate_file = GATE.replace("version: 1\n", &format!("version: 1\n{unmatched}"));
        Folder::with_gate(&gate_file)
            .file("evidence/metrics.json", metrics(0.95))
            .run(&format!("check churn/3 --to Production --evidence evidence --at {AT}"))
            .exits(code)
            .says("no gate matches");
    }
}

#[test]
fn all_gates_that_match_apply_together() {
    let second = "  - name: all\n    models: [\"*\"]\n    targets: [Production]\n    policies:
      - {use: std/metric-threshold, params: {metrics: [{name: auc, min: 0.99}]}}\n";
    Folder::with_gate(&format!("{GATE}{second}"))
        .file("evidence/metrics.json", metrics(0.95))
        .check("")
        .exits(1)
        .says("gate production")
        .says("gate all");
}

#[test]
fn component_paths_are_relative_to_the_gate_file() {
    let component = lockgate_guests::component(lockgate_guests::HONEST);
    Folder::empty()
        .file("gates/lockgate.yaml", gate_of("      - use: own.wasm\n"))
        .file("gates/own.wasm", component)
        .file("evidence/metrics.json", metrics(0.95))
        .check("--config gates/lockgate.yaml")
        .exits(0);
}

#[test]
fn a_warning_and_a_shadow_allow() {
    for (enforce, word) in [("warn", "1 warn"), ("shadow", "1 shadow")] {
        let gate_file = format!("{GATE}        enforce: {enforce}\n");
        let folder = Folder::with_gate(&gate_file).file("evidence/metrics.json", metrics(0.5));
        folder.check("").exits(0).says(word).says("below the required 0.9");
    }
}

#[test]
fn a_denial_counts_as_a_warning_until_it_takes_effect() {
    let gate_file = format!("{GATE}        effective-on: 2026-12-01\n");
    let folder = Folder::with_gate(&gate_file).file("evidence/metrics.json", metrics(0.5));
    let at = |time: &str| {
        folder
            .run(&format!("check fraud-detector/3 --to Production --evidence evidence --at {time}"))
    };
    at("2026-11-30T23:59:59Z").exits(0).says("1 warn");
    at("2026-12-01").exits(1).says("1 deny");
}

#[test]
fn a_bare_word_is_a_stage_whatever_its_capitals() {
    let folder = Folder::with_auc(0.95);
    for (target, code) in [("production", 0), ("stage:PRODUCTION", 0), ("alias:Production", 1)] {
        folder
            .run(&format!("check fraud-detector/3 --to {target} --evidence evidence --at {AT}"))
            .exits(code);
    }
}
