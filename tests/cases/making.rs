//! `lockgate policy case`: a decision becomes a case that passes.

use std::sync::Arc;

use lockgate::evidence::{About, Collector, Side};
use lockgate::model::{DecisionId, Origin, Target};
use lockgate::record::{Entry, Location, Options, Record};
use lockgate::report::read_json;

use super::folder::{AT, Folder, gate_of};

const ID: &str = "0198c6a5-6f2e-7b1a-9c3d-000000000001";

const TWO: &str = "      - use: std/metric-threshold
        params: {metrics: [{name: auc, min: 0.9}, {name: lost, max: 1}]}
      - use: std/approvals
        params: {required: [{role: risk, count: 1}]}
";

/// Metrics and approvals from two sources, one of which has no value for a metric.
fn folder() -> Folder {
    Folder::with_gate(&gate_of(TWO))
        .file("evidence/metrics.json", super::folder::metrics(0.5))
        .file(
            "evidence/more.json",
            r#"{"lockgate": "evidence/v1", "collected_at": "2026-11-20T00:00:00Z",
                "metrics": [{"name": "lost", "value": "NaN", "dataset": "größer ≥ 1"}],
                "model": {"tags": {"a": "b: #c"}}, "approvals": []}"#,
        )
}

fn decided() -> Folder {
    let folder = folder();
    folder.check("--requested-by ada --output json=decision.json");
    let shown =
        folder.run("evidence show evidence --canonical --subject fraud-detector/3").exits(0);
    folder.file("snapshot.json", shown.stdout)
}

#[test]
fn a_report_and_its_evidence_become_a_case_that_passes() {
    let folder = decided();
    for (policy, name) in [("metric-threshold", "m"), ("approvals", "a")] {
        folder
            .run(&format!(
                "policy case decision.json --snapshot snapshot.json --policy {policy} --name {name}"
            ))
            .exits(0)
            .says(&format!("lockgate policy test std/{policy} --cases cases/{name}.yaml"));
        folder.run(&format!("policy test std/{policy} --cases cases/{name}.yaml")).exits(0);
    }
    insta::with_settings!({filters => vec![(r"sha256:[0-9a-f]{64}", "sha256:DIGEST")]}, {
        insta::assert_snapshot!(folder.text("cases/m.yaml"));
    });
}

#[test]
fn a_decision_on_record_becomes_a_case_that_passes() {
    let folder = folder();
    let report = folder.check("--format json").stdout;
    let target: Target = "stage:Production".parse().unwrap();
    let (model, version) = (Some("fraud-detector".to_owned()), Some("3".to_owned()));
    let about = About { model, version, digests: Vec::new(), target };
    let mut collector = Collector::new(about, Vec::new());
    collector.add_path(&folder.path("evidence"), Side::Candidate);
    let entry = Entry {
        id: ID.parse::<DecisionId>().unwrap(),
        origin: Origin::Api,
        asked_by: None,
        decision: Arc::new(read_json(&report).unwrap()),
        snapshot: Some(Arc::new(collector.freeze().unwrap())),
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let location = Location::Sqlite(folder.path("record.db"));
        let record = Record::open(&location, Options::write()).await.unwrap();
        record.append(entry).await.unwrap();
        record.close().await;
    });
    folder
        .run(&format!("policy case {ID} --record record.db --policy std/metric-threshold"))
        .exits(0)
        .says("wrote cases/fraud-detector-3.yaml");
    assert!(folder.text("cases/fraud-detector-3.yaml").contains(ID));
    folder.run("policy test std/metric-threshold --cases cases").exits(0);
    let other = "0198c6a5-6f2e-7b1a-9c3d-000000000002";
    folder
        .run(&format!("policy case {other} --record record.db"))
        .exits(3)
        .says("there is no decision");
    folder.run(&format!("policy case {ID} --record none.db")).exits(3).says("none.db");
}

#[test]
fn evidence_that_is_not_the_decisions_is_refused() {
    let folder = decided();
    let changed = folder.text("snapshot.json").replace("0.5", "0.95");
    let folder = folder.file("changed.json", changed).file("text.json", "no");
    let make =
        |more: &str| folder.run(&format!("policy case decision.json --policy approvals {more}"));
    make("--snapshot changed.json").exits(2).says("and the decision was made on");
    make("--snapshot text.json").exits(2).says("text.json");
    make("").exits(2).says("give it with --snapshot");
    assert!(!folder.path("cases").exists());
}

/// The case tells evidence that was changed since from that of the decision.
#[test]
fn a_snapshot_that_was_changed_is_not_taken_for_the_decisions() {
    let folder = decided();
    folder
        .run(
            "policy case decision.json --snapshot snapshot.json --policy metric-threshold --name m",
        )
        .exits(0);
    let changed = folder.text("cases/m.snapshot.json").replace("0.5", "0.95");
    let case = folder.text("cases/m.yaml");
    let folder = folder.file("cases/m.snapshot.json", changed);
    let test = || folder.run("policy test std/metric-threshold --cases cases");
    test().exits(2).says("it was changed since").says("leave `digest` out");
    let without = case.lines().filter(|line| !line.starts_with("  digest: ")).collect::<Vec<_>>();
    std::fs::write(folder.path("cases/m.yaml"), without.join("\n")).unwrap();
    test().exits(1).says("+ pass threshold: auc");
}

#[test]
fn nothing_is_written_over_and_what_is_not_clear_is_asked() {
    let folder = decided();
    let make = |more: &str| {
        folder.run(&format!("policy case decision.json --snapshot snapshot.json {more}"))
    };
    make("").exits(2).says("name one with --policy").says("`approvals` of gate `production`");
    make("--policy none").exits(2).says("no policy of the decision is called `none`");
    make("--policy approvals --gate none").exits(2);
    make("--policy approvals --gate production").exits(0);
    make("--policy approvals").exits(2).says("another name with --name");
    make("--policy approvals --name ../x").exits(2).says("is no name of a case");
    folder.run("policy case none.json").exits(2).says("cannot read `none.json`");
    let at = AT;
    assert!(folder.text("cases/fraud-detector-3.yaml").contains(at));
}

#[test]
fn refusals_become_cases_as_well() {
    let gate =
        gate_of("      - use: std/metric-threshold\n        params: {metrics: [{name: auc}]}\n");
    let folder =
        Folder::with_gate(&gate).file("evidence/metrics.json", super::folder::metrics(0.5));
    folder.check("--output json=decision.json").exits(3);
    let shown =
        folder.run("evidence show evidence --canonical --subject fraud-detector/3").exits(0);
    let folder = folder.file("snapshot.json", shown.stdout);
    folder.run("policy case decision.json --snapshot snapshot.json").exits(0);
    assert!(folder.text("cases/fraud-detector-3.yaml").contains("refusal"));
    folder.run("policy test std/metric-threshold --cases cases").exits(0);
}

#[test]
fn the_limits_that_an_answer_depends_on_become_part_of_the_case() {
    let params = "params: {metrics: [{name: auc, min: 0.9}]}";
    let gate = gate_of(&format!(
        "      - use: std/metric-threshold\n        {params}\n        limits: {{memory-mib: 1}}\n"
    ));
    let folder =
        Folder::with_gate(&gate).file("evidence/metrics.json", super::folder::metrics(0.95));
    folder.check("--output json=decision.json").exits(3);
    let shown =
        folder.run("evidence show evidence --canonical --subject fraud-detector/3").exits(0);
    let folder =
        folder.file("snapshot.json", shown.stdout).file("lockgate.yaml", super::folder::GATE);
    let make = |name: &str| {
        let make = format!("policy case decision.json --snapshot snapshot.json --name {name}");
        folder.run(&make).exits(0);
        folder.run(&format!("policy test std/metric-threshold --cases cases/{name}.yaml")).exits(0);
        folder.text(&format!("cases/{name}.yaml"))
    };
    let case = make("short");
    assert!(case.contains("limits: {memory-mib: 1}\n"), "{case}");
    assert!(case.contains("undecided: memory_exhausted"), "{case}");
    // One that took more than there is by default, of everything.
    folder.check("--output json=decision.json").exits(0);
    let mut report: serde_json::Value =
        serde_json::from_str(&folder.text("decision.json")).unwrap();
    let usage = report.pointer_mut("/gates/0/policies/0/usage").unwrap();
    usage["fuel"] = 600_000_000_u64.into();
    usage["peak_memory"] = (100_u64 << 20).into();
    usage["elapsed_us"] = 8_000_000_u64.into();
    std::fs::write(folder.path("decision.json"), report.to_string()).unwrap();
    let case = make("long");
    let limits = "limits: {fuel: 1200000000, memory-mib: 200, deadline-ms: 16000}\n";
    assert!(case.contains(limits), "{case}");
}
