//! The same promotion, gate file, components, evidence and time give the same report.

use super::folder::{AT, Folder, GATE, metrics};
use super::verdicts::without_times;

const MORE: &str = r#"{"lockgate": "evidence/v1", "metrics": [{"name": "loss", "value": 0.1}], "model": {"owner": "risk"}}"#;

fn folder() -> Folder {
    Folder::with_gate(GATE).file("evidence/b.json", metrics(0.95)).file("evidence/a.json", MORE)
}

#[test]
fn two_runs_differ_in_nothing_but_the_time_they_took() {
    let folder = folder();
    for format in ["table", "json", "sarif", "junit", "markdown", "github"] {
        let report = || without_times(&folder.check(&format!("--format {format}")).exits(0).stdout);
        assert_eq!(report(), report(), "{format}");
    }
}

#[test]
fn the_order_of_the_evidence_changes_nothing() {
    let folder = folder();
    let report = |evidence: &str| {
        let line = format!(
            "check fraud-detector/3 --to Production --at {AT} --format json --evidence {evidence}"
        );
        without_times(&folder.run(&line).exits(0).stdout)
    };
    assert_eq!(
        report("evidence/a.json evidence/b.json"),
        report("evidence/b.json evidence/a.json")
    );
    assert_eq!(report("evidence"), report("evidence/b.json --evidence evidence/a.json"));
}

#[test]
fn neither_the_current_directory_nor_the_place_of_the_project_changes_anything() {
    let (here, there) = (folder(), folder());
    let report = |folder: &Folder| without_times(&folder.check("--format json").exits(0).stdout);
    let expected = report(&here);
    assert_eq!(report(&there), expected);
    let elsewhere = Folder::empty();
    let line = format!(
        "check fraud-detector/3 --to Production --at {AT} --format json --evidence {} --config {}",
        here.path("evidence").display(),
        here.path("lockgate.yaml").display()
    );
    assert_eq!(without_times(&elsewhere.run(&line).exits(0).stdout), expected);
}

#[test]
fn the_evaluation_time_is_the_one_that_was_given() {
    let report = folder().check("--format json").json();
    assert_eq!(report["evaluated_at"], AT);
}

#[test]
fn the_report_says_what_to_reproduce_it_with() {
    let report = folder().check("--format json").json();
    let component = &report["gates"][0]["policies"][0]["component"];
    for digest in [&component["digest"], &report["evidence"]["digest"]] {
        assert!(digest.as_str().unwrap().starts_with("sha256:"), "{report}");
    }
    assert_eq!(component["reference"], "std/metric-threshold");
}

/// An alert for stale evidence stays the same alert while the evidence gets older.
#[test]
fn an_alert_is_the_same_alert_tomorrow() {
    let gate_file = GATE.replace("    policies", "    require: {metrics: 7d}\n    policies");
    let old = metrics(0.5).replace("\"metrics\"", "\"collected_at\": \"2026-10-01\", \"metrics\"");
    let folder = Folder::with_gate(&gate_file).file("evidence/metrics.json", old);
    let alerts = |day: &str, version: &str| -> Vec<_> {
        let line = format!(
            "check fraud-detector/{version} --to Production --at {day} --format sarif --evidence evidence"
        );
        let log = folder.run(&line).exits(1).json();
        let results = log["runs"][0]["results"].as_array().unwrap();
        assert_eq!(results.len(), 2);
        results.iter().map(|result| result["partialFingerprints"].clone()).collect()
    };
    assert_eq!(alerts("2026-11-23", "3"), alerts("2026-11-24", "4"));
}
