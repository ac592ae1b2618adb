//! Case files: what is read of them, and what is said of those that mean nothing.

use std::path::Path;

use super::folder::Folder;
use super::{CASE, PASSES, case, one, test};

#[test]
fn says_what_is_wrong_and_where() {
    let sound = case(PASSES);
    for (text, message, place) in [
        (sound.replace("summary", "sumary"), "did you mean `summary`?", ":1:1"),
        (sound.replace("\"3\"", "3"), "put it in quotes", ":2:"),
        (sound.replace("stage:Production", "role:x"), "`role:x` is not a target", ":2:"),
        (sound.replace("2026-11-23T12:00:00Z", "soon"), "`soon` is not a time", ":2:"),
        (sound.replace("outcome: pass", "outcome: passed"), "takes `pass`, `fail`", ":7:"),
        (sound.replace("is 0\\\\.95", "("), "not a regular expression: unclosed group", ":8:"),
        (sound.replace("value: 0.95", "value: high"), "value", ":4:"),
        (sound.replace("{name: auc, value: 0.95}", "{nam: auc}"), "unknown key `nam`", ":4:"),
        (
            sound.replace("  outcome:", "  rules: {measured: pass}\n  outcome:"),
            "takes one of",
            ":6:",
        ),
        (sound.replace("params:", "limits: {fuel: 0}\nparams:"), "the least is `1`", ":3:"),
        (sound.replace("metrics: [{name: auc, value: 0.95}]", ""), "holds no evidence", ":4:"),
        (format!("{sound}\n---\na: 1\n"), "keep one case in a file", ":"),
        (String::new(), "the file is empty", "one.yaml"),
        ("a: [".to_owned(), "not valid YAML", ":"),
    ] {
        let ran = one(&text).exits(2);
        let said = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(message), "{message}: {}", ran.stdout);
        assert!(ran.stdout.contains("one.yaml"), "{}", ran.stdout);
        assert!(ran.stdout.contains(place), "{place}: {}", ran.stdout);
    }
}

#[test]
fn a_case_without_evidence_is_judged_on_none() {
    let text = format!(
        "{CASE}expect:\n  outcome: [{{rule: measured, about: auc, outcome: fail, message: no evidence}}]\n"
    );
    one(&text).exits(0);
}

#[test]
fn evidence_is_read_from_real_files_beside_the_case() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/evidence/samples");
    let read = |path: &str| std::fs::read(sample.join(path)).unwrap();
    let text = "\
summary: a real report of Trivy
promotion: {model: fraud, version: \"3\", to: \"stage:Production\", at: 2026-11-23T12:00:00Z}
params: {fail-on: low}
evidence-files: [reports/pip.json]
expect:
  rules: {scanned: pass, vulnerability: fail}
";
    let folder = Folder::empty()
        .file("cases/trivy.yaml", text)
        .file("cases/deep/er.yaml", text.replace("reports", "../reports"))
        .file("cases/folder.yaml", text.replace("reports/pip.json", "reports"))
        .file(
            "cases/named.yaml",
            text.replace("reports/pip.json", "{path: reports/pip.json, format: trivy}"),
        )
        .file("cases/reports/pip.json", read("trivy/pip.json"));
    let ran = folder.run("policy test std/vulnerability-threshold --cases cases");
    let ran = ran.exits(0);
    assert!(ran.stdout.contains("4 passed"), "{}", ran.stdout);
}

#[test]
fn a_baseline_and_files_of_a_named_format_are_read() {
    let text = "\
summary: metrics of both in files
promotion: {model: fraud, version: \"3\", to: \"stage:Production\", at: 2026-11-23T12:00:00Z}
params: {metrics: [{name: auc, max-drop: 0.01, higher-is-better: true}]}
evidence-files: [new.json]
baseline-files: [{path: old.json, format: lockgate}]
expect: {rules: {drop: fail}}
";
    let metrics = super::folder::metrics;
    let folder = Folder::empty()
        .file("cases/both.yaml", text)
        .file("cases/new.json", metrics(0.8))
        .file("cases/old.json", metrics(0.9));
    folder.run("policy test std/baseline-regression --cases cases").exits(0);
}

/// A case may come from anybody, and what is wrong with a file is told.
#[test]
fn nothing_outside_the_folder_of_the_cases_is_read() {
    let evil = |path: &str| format!("{CASE}evidence-files: ['{path}']\nexpect:\n{PASSES}");
    let folder = Folder::empty()
        .file("secret.json", "{\"password\": \"hunter2\"}")
        .file("cases/up.yaml", evil("../secret.json"))
        .file("cases/sub/up.yaml", evil("../../secret.json"))
        .file("cases/absolute.yaml", evil("/etc/passwd"))
        .file("cases/linked.yaml", evil("link.json"))
        .file("cases/none.yaml", evil("none.json"))
        .file(
            "cases/snapshot.yaml",
            format!("{CASE}snapshot: {{file: ../secret.json}}\nexpect:\n{PASSES}"),
        );
    std::os::unix::fs::symlink("../secret.json", folder.path("cases/link.json")).unwrap();
    std::os::unix::fs::symlink("../secret.json", folder.path("cases/case-link.yaml")).unwrap();
    let ran = test(&folder, "").exits(2);
    assert!(ran.stdout.contains("7 unreadable"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("hunter2"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("root:"), "{}", ran.stdout);
}

#[test]
fn evidence_of_another_version_is_refused() {
    let other = case(PASSES).replace("evidence: {", "evidence: {subject: {version: \"4\"}, ");
    one(&other).exits(2).says("speaks of version `4`");
}

#[test]
fn two_cases_of_one_name_are_refused() {
    let folder =
        Folder::empty().file("cases/a.yaml", case(PASSES)).file("cases/a.yml", case(PASSES));
    test(&folder, "").exits(2).says("`a` is the name of two cases");
}

#[test]
fn a_file_that_is_no_file_ends_at_once() {
    let folder = Folder::empty().file("cases/a.yaml", case(PASSES));
    rustix::fs::mknodat(
        rustix::fs::CWD,
        folder.path("cases/pipe.yaml"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    test(&folder, "").exits(2).says("is no regular file");
}
