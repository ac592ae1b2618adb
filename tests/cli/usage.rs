//! Exit code 2: what was asked makes no sense, and it is said what would.

use super::folder::{AT, Folder, GATE, finished, gate_of, metrics};

#[test]
fn rejects_wrong_usage_and_says_what_is_right() {
    let folder = Folder::with_auc(0.95);
    let check = "check fraud-detector/3 --to Production --evidence evidence";
    for (arguments, message) in [
        (String::new(), "Usage: lockgate"),
        ("frobnicate".to_owned(), "unrecognized subcommand 'frobnicate'"),
        ("check".to_owned(), "<MODEL/VERSION>"),
        ("check fraud-detector/3 --to Production".to_owned(), "--evidence <PATH>..."),
        ("check fraud-detector/3 --to Production".to_owned(), "--registry <"),
        ("check fraud-detector/3 --evidence evidence".to_owned(), "--to <TARGET>"),
        (check.replace("/3", ""), "write it as MODEL/VERSION"),
        (check.replace("/3", "/"), "write it as MODEL/VERSION"),
        (
            check.replace("Production", "cluster:a"),
            "write `stage:NAME`, `alias:NAME` or `env:NAME`",
        ),
        (format!("{check} --format xml"), "`xml` is not a format; write `table`"),
        (format!("{check} --output report.json"), "write it as FORMAT=FILE"),
        (format!("{check} --output xml=report"), "`xml` is not a format; write `table`"),
        (format!("{check} --output json=a sarif=a"), "--output names `a` twice"),
        (format!("{check} --output json=a sarif=./a"), "--output names `./a` twice"),
        (format!("{check} --append"), "--output <FORMAT=FILE>..."),
        (format!("{check} --at yesterday"), "write it as `2026-11-23T12:00:00Z`"),
        (format!("{check} --digest md5:1"), "write `sha256:` and 64 hex digits"),
        (format!("{check} --no-cache --cache-dir c"), "cannot be used with"),
        (format!("{check} --color sometimes"), "[possible values: auto, always, never]"),
    ] {
        folder.run(&arguments).exits(2).says(message);
    }
}

#[test]
fn two_reports_do_not_go_to_one_file_by_two_names() {
    let folder = Folder::with_auc(0.95).file("report.json", "").file("b/none", "");
    std::os::unix::fs::symlink("report.json", folder.path("link")).unwrap();
    std::os::unix::fs::symlink("b", folder.path("c")).unwrap();
    for (one, other) in [("report.json", "link"), ("b/new", "c/new"), ("new", "b/../new")] {
        folder.check(&format!("--output json={one} sarif={other}")).exits(2).says("twice");
    }
    folder.check("--output json=b/new sarif=new").exits(0);
}

#[test]
fn a_missing_gate_file_is_told_with_the_way_to_get_one() {
    let folder = Folder::empty().file("evidence/metrics.json", metrics(0.95));
    folder
        .check("")
        .exits(2)
        .says("there is no gate file `lockgate.yaml`; write one with `lockgate init`");
    folder.run("config check --config other.yaml").exits(2).says("`other.yaml`");
}

#[test]
fn everything_that_is_wrong_with_a_gate_file_is_told_at_once() {
    let broken = GATE
        .replace("stage:Production", "stgae:Production")
        .replace("std/metric-threshold", "std/metric-treshold")
        .replace("    models", "    modles");
    let folder = Folder::with_gate(&broken).file("evidence/metrics.json", metrics(0.95));
    for ran in [folder.check("").exits(2), folder.run("config check").exits(2)] {
        for part in ["lockgate.yaml:4:5", "lockgate.yaml:5:15", "lockgate.yaml:7:14"] {
            assert!(ran.stderr.contains(part), "no {part} in\n{}", ran.stderr);
        }
        assert!(ran.stderr.contains("`models`"), "{}", ran.stderr);
        assert!(ran.stderr.contains("std/metric-threshold"), "{}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
}

#[test]
fn params_that_do_not_fit_the_policy_are_told_with_their_place() {
    let gate_file = GATE.replace("min: 0.9", "mim: 0.9");
    let folder = Folder::with_gate(&gate_file).file("evidence/metrics.json", metrics(0.95));
    for ran in [folder.check("").exits(2), folder.run("config check").exits(2)] {
        let ran = ran.says("lockgate.yaml:8:40").says("`mim`").says("`min`");
        assert_eq!(ran.stdout, "");
    }
}

/// A gate that does not guard this model is not asked to load its policies, but `config check`
/// asks every gate.
#[test]
fn config_check_also_holds_gates_that_do_not_match() {
    let gate_file = GATE.replace("min: 0.9", "mim: 0.9");
    let folder = Folder::with_gate(&gate_file).file("evidence/metrics.json", metrics(0.95));
    folder.run(&format!("check churn/3 --to Production --evidence evidence --at {AT}")).exits(1);
    folder.run("config check").exits(2).says("`mim`");
}

#[test]
fn a_standard_policy_that_does_not_exist_is_told_with_the_nearest() {
    let gate_file = gate_of("      - use: std/metric-threshhold\n");
    let folder = Folder::with_gate(&gate_file).file("evidence/metrics.json", metrics(0.95));
    folder.check("").exits(2).says("std/metric-threshhold").says("std/metric-threshold");
}

#[test]
fn a_waiver_of_a_rule_that_does_not_exist_is_refused() {
    let gate_file = format!(
        "{GATE}waivers:\n  - {{policy: metric-threshold, rule: treshold, models: [\"*\"], versions: [\"*\"], \
         reason: r, ticket: t, approved-by: a, expires: 2027-01-01}}\n"
    );
    let folder = Folder::with_gate(&gate_file).file("evidence/metrics.json", metrics(0.95));
    folder.check("").exits(2).says("lockgate.yaml:10:").says("`treshold`");
}

#[test]
fn the_gate_file_can_be_named_in_the_environment() {
    let folder = Folder::empty().file("other.yaml", GATE);
    let output =
        folder.command().env("LOCKGATE_CONFIG", "other.yaml").args(["config", "check"]).output();
    finished(output.unwrap()).exits(0).says("other.yaml: 1 gate, 1 policy, 0 waivers");
    let output =
        folder.command().env("LOCKGATE_CONFIG", "none.yaml").args(["config", "check"]).output();
    finished(output.unwrap()).exits(2).says("`none.yaml`");
}
