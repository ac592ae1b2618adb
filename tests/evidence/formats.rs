//! Every sample, normalised.

use lockgate::evidence::{Currency, Format};
use lockgate::model::Target;

use super::*;

/// The snapshot without the lists that are empty.
fn shown(snapshot: &Snapshot) -> String {
    let mut value = serde_json::to_value(snapshot).unwrap();
    let object = value.as_object_mut().unwrap();
    object.retain(|_, part| {
        let empty = part.is_null()
            || part.as_array().is_some_and(Vec::is_empty)
            || part.as_object().is_some_and(|part| part.values().all(serde_json::Value::is_null));
        !empty
    });
    serde_json::to_string_pretty(&value).unwrap()
}

macro_rules! normalises {
    ($($test:ident: $($path:literal),+;)+) => {
        $(#[test]
        fn $test() {
            insta::assert_snapshot!(shown(&candidate(&[$($path),+]).snapshot));
        })+
    };
}

normalises! {
    lockgate: "lockgate/complete.json";
    mlflow_run: "mlflow/run.json";
    mlflow_run_with_its_logged_model: "mlflow/run.json", "mlflow/logged-model.json";
    mlflow_registry: "mlflow/model-version.json", "mlflow/registered-model.json";
    lm_eval: "lm-eval/results_localqa_dummy.json";
    trivy_image: "trivy/alpine-39-high-critical.json";
    trivy_requirements: "trivy/pip.json";
    trivy_vex_secrets_and_licences: "trivy/vex.json";
    grype_image: "grype/grype-image.json";
    sarif_of_trivy: "sarif/trivy-alpine-310.sarif";
    sarif_of_modelaudit: "sarif/modelaudit-malicious.sarif";
    modelscan_benign: "modelscan/modelscan-benign.json";
    modelscan_malicious: "modelscan/modelscan-malicious.json";
    modelscan_truncated: "modelscan/modelscan-truncated.json";
    opencost_without_gpu: "opencost/allocation-example-output.json";
    opencost_gpu: "opencost/allocation-gpu.json";
}

#[test]
fn detects_every_sample() {
    let expected = [
        ("lockgate/complete.json", Format::Lockgate),
        ("mlflow/run.json", Format::MlflowRun),
        ("mlflow/logged-model.json", Format::MlflowLoggedModel),
        ("mlflow/model-version.json", Format::MlflowModelVersion),
        ("mlflow/registered-model.json", Format::MlflowRegisteredModel),
        ("lm-eval/results_localqa_dummy.json", Format::LmEval),
        ("trivy/alpine-39-high-critical.json", Format::Trivy),
        ("trivy/pip.json", Format::Trivy),
        ("trivy/vex.json", Format::Trivy),
        ("grype/grype-image.json", Format::Grype),
        ("sarif/trivy-alpine-310.sarif", Format::Sarif),
        ("sarif/modelaudit-malicious.sarif", Format::Sarif),
        ("modelscan/modelscan-benign.json", Format::ModelScan),
        ("modelscan/modelscan-malicious.json", Format::ModelScan),
        ("modelscan/modelscan-truncated.json", Format::ModelScan),
        ("opencost/allocation-example-output.json", Format::OpenCost),
        ("opencost/allocation-gpu.json", Format::OpenCost),
    ];
    for (path, format) in expected {
        let frozen = candidate(&[path]);
        assert_eq!(frozen.snapshot.sources[0].format, format.to_string(), "{path}");
    }
    for format in Format::ALL {
        assert!(expected.iter().any(|(_, seen)| *seen == format), "no sample is {format}");
    }
}

#[test]
fn an_alias_tells_the_current_version_of_a_registered_model() {
    let json = r#"{"registered_model": {"name": "fraud-detector", "aliases": [
        {"alias": "challenger", "version": "4"}, {"alias": "champion", "version": "3"}]}}"#;
    let current = |target| {
        let mut collector = Collector::new(About { target, ..about() }, Vec::new());
        collector.add_bytes("model.json", json.as_bytes(), Side::Candidate);
        let snapshot = collector.freeze().unwrap().snapshot;
        (snapshot.current.clone(), snapshot.sources[0].kinds.len())
    };
    assert_eq!(current(Target::Alias("champion".into())), (Some("3".into()), 2));
    assert_eq!(current(Target::Alias("nobody".into())), (None, 2));
    // A registered model knows nothing of environments: no history evidence.
    assert_eq!(current(Target::Environment("prod".into())), (None, 1));
    // To some databases these are one alias, and then it is what would be replaced.
    let target = Target::Alias("Champion".into());
    let mut collector = Collector::new(About { target, ..about() }, Vec::new());
    collector.add_bytes("model.json", json.as_bytes(), Side::Candidate);
    let told = collector.freeze().unwrap_err()[0].to_string();
    assert!(told.contains("differs from `champion` in case alone"), "{told}");
}

#[test]
fn a_currency_from_the_gate_file_reaches_the_usages() {
    let euro: Currency = "EUR".parse().unwrap();
    let mut collector =
        Collector::new(about(), vec![assign("costs/*.json", Assigned::OpenCostIn(euro))]);
    let bytes = sample_bytes("opencost/allocation-gpu.json");
    collector.add_bytes("costs/week.json", &bytes, Side::Candidate);
    let usages = collector.freeze().unwrap().snapshot.usages.clone();
    assert!(usages.iter().all(|usage| usage.currency.as_deref() == Some("EUR")));
    assert!("eur".parse::<Currency>().is_err());
}

#[test]
fn lm_eval_nan_and_words_are_not_measured() {
    let json = br#"{"results": {"t": {"acc,none": NaN, "f1,none": 0.5, "f1_stderr,none": "N/A",
        "em,strict-match": 0.25, "em_stderr,strict-match": 0.01, "x,none": "N/A", "y,none": null}},
        "configs": {}, "versions": {}, "config": {"limit": 5}, "date": 1795415655.5}"#;
    let mut collector = collector();
    collector.add_bytes("r.json", json, Side::Candidate);
    let snapshot = collector.freeze().unwrap().snapshot;
    let names: Vec<_> = snapshot.candidate.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(names, ["t/em,strict-match", "t/f1"]);
    assert_eq!(snapshot.candidate[0].standard_error, Some(0.01));
    assert_eq!(snapshot.candidate[1].standard_error, None);
    assert!(snapshot.candidate.iter().all(|metric| metric.partial));
    let reasons: Vec<_> = snapshot.unmeasured.iter().map(|metric| metric.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "NaN in `r.json`, dataset `t`",
            "N/A in `r.json`, dataset `t`",
            "null in `r.json`, dataset `t`"
        ]
    );
}

/// `effective` does not know of `--samples`.
#[test]
fn lm_eval_counts_the_samples_that_were_evaluated() {
    let json = r#"{"results": {
            "whole": {"acc,none": 1, "sample_len": 10},
            "picked": {"acc,none": 1, "sample_len": 2},
            "limited": {"acc,none": 1},
            "uncounted": {"acc,none": 1},
            "good": {"acc,none": 1}, "bad": {"acc,none": 1}, "above": {"acc,none": 1}},
        "n-samples": {"whole": {"effective": 10, "original": 10},
            "picked": {"effective": 10, "original": 10},
            "limited": {"effective": 5, "original": 10}},
        "group_subtasks": {"good": ["whole"], "bad": ["whole", "picked"], "above": ["bad"],
            "whole": []},
        "configs": {}, "versions": {}}"#;
    let told = |json: &str| -> Vec<String> {
        let metrics = snapshot_of(json).candidate;
        let partial = metrics.iter().filter(|metric| metric.partial);
        partial.map(|metric| metric.dataset.clone().unwrap()).collect()
    };
    assert_eq!(told(json), ["above", "bad", "limited", "picked"]);
    let sizes: Vec<_> =
        snapshot_of(json).candidate.into_iter().filter_map(|metric| metric.sample_size).collect();
    assert_eq!(sizes, [5, 2, 10]);
    let limited = json.replace(r#""versions": {}"#, r#""versions": {}, "config": {"limit": 50}"#);
    assert_eq!(told(&limited), ["above", "bad", "limited", "picked", "uncounted"]);
}

#[test]
fn lm_eval_groups_within_each_other_come_to_an_end() {
    let json = r#"{"results": {"a": {"acc,none": 1}, "b": {"acc,none": 1}},
        "group_subtasks": {"a": ["b"], "b": ["a"]},
        "configs": {}, "versions": {}, "config": {"limit": 5}}"#;
    assert_eq!(snapshot_of(json).candidate.len(), 2);
}

#[test]
fn an_mlflow_run_is_as_old_as_its_metrics_and_partial_when_it_did_not_finish() {
    let run = |info: &str, metrics: &str| {
        snapshot_of(&format!(
            r#"{{"run": {{"info": {{"run_id": "r", {info}}}, "data": {{"metrics": [{metrics}]}}}}}}"#
        ))
    };
    let times = r#""start_time": 1000, "end_time": 9000"#;
    let auc = r#"{"key": "auc", "value": 0.9, "timestamp": 3000, "step": 0}"#;
    let age = |snapshot: &Snapshot| snapshot.sources[0].collected_at.unwrap().seconds();
    assert_eq!(age(&run(times, auc)), 3);
    assert_eq!(age(&run(times, "")), 9);
    assert_eq!(age(&run(r#""start_time": 1000"#, "")), 1);
    for (status, partial) in
        [("FINISHED", false), ("RUNNING", false), ("FAILED", true), ("KILLED", true)]
    {
        let snapshot = run(&format!(r#""status": "{status}""#), auc);
        assert_eq!(snapshot.candidate[0].partial, partial, "{status}");
    }
}

#[test]
fn gpu_hours_of_a_run_count_once_whatever_currencies_it_cost() {
    let json = r#"{"run": {"info": {"run_id": "r"}, "data": {"metrics": [
        {"key": "gpu_hours", "value": 8, "timestamp": 1, "step": 0},
        {"key": "gpu_cost_eur", "value": 3, "timestamp": 1, "step": 0},
        {"key": "gpu_cost_usd", "value": 4, "timestamp": 1, "step": 0}]}}}"#;
    let usages = snapshot_of(json).usages;
    let mut hours: Vec<_> = usages.iter().map(|usage| usage.gpu_hours.unwrap()).collect();
    hours.sort_by(f64::total_cmp);
    assert_eq!(hours, [0.0, 8.0]);
}

#[test]
fn mlflow_run_keeps_the_latest_value_of_a_metric() {
    let json = r#"{"run": {"info": {"run_id": "r"}, "data": {"metrics": [
        {"key": "auc", "value": 0.7, "timestamp": 1000, "step": 2},
        {"key": "auc", "value": 0.9, "timestamp": 2000, "step": 1},
        {"key": "gpu_hours", "value": "NaN", "timestamp": 1, "step": 0},
        {"key": "gpu_cost_eur", "value": 3, "timestamp": 1, "step": 0},
        {"key": "gpu_cost_usd", "value": 4, "timestamp": 1, "step": 0},
        {"key": "gpu_cost_total", "value": 5, "timestamp": 1, "step": 0}]}}}"#;
    let mut collector = collector();
    collector.add_bytes("run.json", json.as_bytes(), Side::Candidate);
    let snapshot = collector.freeze().unwrap().snapshot;
    let auc: Vec<f64> =
        snapshot.candidate.iter().filter(|m| m.name == "auc").map(|m| m.value).collect();
    assert_eq!(auc, [0.7]);
    let costs: Vec<_> = snapshot
        .usages
        .iter()
        .map(|usage| (usage.currency.as_deref(), usage.amount, usage.gpu_hours))
        .collect();
    assert_eq!(costs, [(Some("EUR"), Some(3.0), None), (Some("USD"), Some(4.0), None)]);
}

#[test]
fn sarif_results_that_are_no_findings_are_left_out_and_suppressed_ones_stay() {
    let json = r#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t", "rules": [
            {"id": "R1", "defaultConfiguration": {"level": "note"}},
            {"id": "R2", "properties": {"security-severity": 9.1}}]}},
        "invocations": [{"executionSuccessful": false, "toolExecutionNotifications": [
            {"level": "error", "message": {"text": "cannot parse a.py"}}]}],
        "results": [
            {"ruleId": "R1", "kind": "pass", "message": {"text": "fine"}},
            {"ruleId": "R1", "baselineState": "absent", "message": {"text": "gone"}},
            {"ruleId": "R1/sub", "message": {"text": "low"}, "suppressions": [{"kind": "inSource"}]},
            {"ruleIndex": 1, "level": "note", "message": {"text": "bad"}},
            {"ruleId": "R3", "kind": "open", "message": {"text": "unsure"}}]}]}"#;
    let mut collector = collector();
    collector.add_bytes("x.sarif", json.as_bytes(), Side::Candidate);
    let snapshot = collector.freeze().unwrap().snapshot;
    let findings: Vec<_> = snapshot
        .findings
        .iter()
        .map(|finding| (finding.id.as_str(), format!("{:?}", finding.severity)))
        .collect();
    assert_eq!(
        findings,
        [("R2", "Critical".to_owned()), ("R3", "Medium".to_owned()), ("R1/sub", "Low".to_owned())]
    );
    assert_eq!(
        snapshot.scans[0].errors,
        ["the tool says that it did not run successfully", "cannot parse a.py"]
    );
}

#[test]
fn a_report_without_results_looked_for_nothing() {
    let mut collector = collector();
    let trivy = br#"{"SchemaVersion": 2, "ArtifactName": "x"}"#;
    let sarif = br#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t"}}}]}"#;
    collector.add_bytes("t.json", trivy, Side::Candidate);
    collector.add_bytes("s.sarif", sarif, Side::Candidate);
    let scans = collector.freeze().unwrap().snapshot.scans.clone();
    assert!(scans.iter().all(|scan| scan.looked_for.is_empty()));
    assert_eq!(scans[0].errors, ["the run lists no results: it did not scan"]);
}

#[test]
fn grype_vex_statements_count_and_its_ignore_rules_do_not() {
    let json = r#"{"descriptor": {"name": "grype", "timestamp": "2026-11-23T06:00:00+01:00"},
        "source": {"type": "directory", "target": "models/"}, "matches": [], "ignoredMatches": [
        {"vulnerability": {"id": "CVE-1", "severity": "High", "fix": {"state": "wont-fix", "versions": []}},
         "artifact": {"name": "a"}, "appliedIgnoreRules": [{"namespace": "vex", "vex-status": "not_affected"}]},
        {"vulnerability": {"id": "CVE-2", "severity": "High"}, "artifact": {"name": "b"},
         "appliedIgnoreRules": [{"vulnerability": "CVE-2", "reason": "noise"}]}]}"#;
    let mut collector = collector();
    collector.add_bytes("g.json", json.as_bytes(), Side::Candidate);
    let findings = collector.freeze().unwrap().snapshot.findings.clone();
    let stated: Vec<_> =
        findings.iter().map(|f| (f.id.as_str(), format!("{:?}", f.exploitability))).collect();
    assert_eq!(stated, [("CVE-1", "NotAffected".to_owned()), ("CVE-2", "Unstated".to_owned())]);
}

#[test]
fn modelscan_counts_what_it_skipped_or_says_that_it_does_not() {
    let report = |summary: &str| {
        format!(
            r#"{{"summary": {{"input_path": "models", "scanned": {{"total_scanned": 1,
            "scanned_files": ["a.pkl"]}}{summary}}}, "issues": [], "errors": []}}"#
        )
    };
    let scan = |json: String| {
        let mut collector = collector();
        collector.add_bytes("m.json", json.as_bytes(), Side::Candidate);
        collector.freeze().unwrap().snapshot.scans.first().unwrap().clone()
    };
    let told = scan(report(r#", "skipped": {"total_skipped": 3, "skipped_files": []}"#));
    assert_eq!((told.skipped, told.errors.len()), (3, 0));
    let silent = scan(report(""));
    assert!(silent.errors[0].contains("--show-skipped"), "{:?}", silent.errors);
}
