//! What holds whatever the format: whose word counts, what is refused, and the digest.

use lockgate::evidence::{Fault, Format};
use lockgate::model::{Digest, Undecided};

use super::*;

const SAMPLES: [&str; 8] = [
    "lockgate/complete.json",
    "mlflow/run.json",
    "mlflow/logged-model.json",
    "lm-eval/results_localqa_dummy.json",
    "trivy/pip.json",
    "grype/grype-image.json",
    "sarif/modelaudit-malicious.sarif",
    "opencost/allocation-gpu.json",
];

fn metrics(metrics: &str) -> String {
    format!(r#"{{"lockgate": "evidence/v1", "metrics": [{metrics}]}}"#)
}

#[test]
fn the_order_of_the_files_changes_nothing() {
    let forward = candidate(&SAMPLES);
    let mut reversed = SAMPLES;
    reversed.reverse();
    let backward = candidate(&reversed);
    assert_eq!(forward.digest, backward.digest);
    assert_eq!(forward.snapshot, backward.snapshot);
    assert_eq!(Digest::of(&forward.canonical), forward.digest);
}

#[test]
fn a_directory_gives_what_its_files_give() {
    let files =
        candidate(&["trivy/alpine-39-high-critical.json", "trivy/pip.json", "trivy/vex.json"]);
    let mut collector = Collector::new(
        about(),
        vec![assign("**/SOURCE.txt", Assigned::Ignore), assign("SOURCE.txt", Assigned::Ignore)],
    );
    collector.add_path(&sample("trivy"), Side::Candidate);
    assert_eq!(collector.freeze().unwrap().digest, files.digest);
}

#[test]
fn a_run_without_a_value_outweighs_a_logged_model_with_one() {
    let snapshot = candidate(&["mlflow/run.json", "mlflow/logged-model.json"]).snapshot;
    assert!(snapshot.candidate.iter().all(|metric| metric.name != "nan_metric"));
    assert_eq!(snapshot.unmeasured.len(), 1);
    assert_eq!(
        snapshot.unmeasured[0].reason,
        "NaN in `run.json`; set aside: 0 in `logged-model.json`"
    );
    // Alone, the logged model's word is all there is.
    let alone = candidate(&["mlflow/logged-model.json"]).snapshot;
    assert!(alone.candidate.iter().any(|metric| metric.name == "nan_metric"));
}

#[test]
fn a_slice_without_a_value_leaves_the_others_theirs() {
    let mut collector = collector();
    let whole =
        metrics(r#"{"name": "auc", "value": 0.9}, {"name": "auc", "value": "NaN", "slice": "s"}"#);
    let slice = metrics(r#"{"name": "auc", "value": 0.1, "slice": "s"}"#);
    collector.add_bytes("a.json", whole.as_bytes(), Side::Candidate);
    collector.add_bytes("b.json", slice.as_bytes(), Side::Candidate);
    let snapshot = collector.freeze().unwrap().snapshot;
    assert_eq!(snapshot.candidate.len(), 1);
    assert_eq!(
        snapshot.unmeasured[0].reason,
        "NaN in `a.json`, slice `s`; set aside: 0.1 in `b.json`"
    );
}

#[test]
fn a_metric_without_a_value_is_listed_once_for_each_source_and_its_values_are_counted() {
    let times = |metric: &str, count: usize| metrics(&vec![metric; count].join(", "));
    let mut collector = collector();
    let nan = times(r#"{"name": "auc", "value": "NaN"}"#, 50);
    let other = times(r#"{"name": "auc", "value": "NaN", "dataset": "d"}"#, 1);
    let values: Vec<String> = (0..30)
        .map(|index| format!(r#"{{"name": "auc", "value": {index}, "dataset": "d"}}"#))
        .collect();
    collector.add_bytes("a.json", nan.as_bytes(), Side::Candidate);
    collector.add_bytes("b.json", other.as_bytes(), Side::Candidate);
    collector.add_bytes("c.json", metrics(&values.join(", ")).as_bytes(), Side::Candidate);
    let snapshot = collector.freeze().unwrap().snapshot;
    assert!(snapshot.candidate.is_empty());
    let reasons: Vec<&str> = snapshot.unmeasured.iter().map(|entry| &*entry.reason).collect();
    // The one that says most of what they are.
    let [plain, told] = reasons.as_slice() else { panic!("{reasons:?}") };
    assert_eq!(*plain, "NaN in `a.json`");
    assert!(told.starts_with("NaN in `b.json`, dataset `d`; set aside: 0 in `c.json`, "), "{told}");
    assert!(told.ends_with(" and 10 more"), "{told}");
    assert_eq!(told.matches("`c.json`").count(), 20);
}

#[test]
fn equal_measurements_count_once_and_different_ones_all_stay() {
    let mut collector = collector();
    let both = r#"{"name": "auc", "value": 0.9}, {"name": "f1", "value": 0.5}"#;
    let differs = r#"{"name": "auc", "value": 0.9}, {"name": "f1", "value": 0.6}"#;
    collector.add_bytes("a.json", metrics(both).as_bytes(), Side::Candidate);
    collector.add_bytes("b.json", metrics(differs).as_bytes(), Side::Candidate);
    let values: Vec<_> = collector
        .freeze()
        .unwrap()
        .snapshot
        .candidate
        .iter()
        .map(|metric| (metric.name.clone(), metric.value, metric.source.to_string()))
        .collect();
    assert_eq!(
        values,
        [
            ("auc".to_owned(), 0.9, "a.json".to_owned()),
            ("f1".to_owned(), 0.5, "a.json".to_owned()),
            ("f1".to_owned(), 0.6, "b.json".to_owned())
        ]
    );
}

#[test]
fn lockgate_evidence_outweighs_the_version_and_the_version_the_registered_model() {
    let snapshot = candidate(&[
        "mlflow/registered-model.json",
        "mlflow/model-version.json",
        "mlflow/run.json",
    ])
    .snapshot;
    assert_eq!(snapshot.metadata.description.as_deref(), Some("v1"));
    assert_eq!(snapshot.current.as_deref(), Some("2"));
    assert_eq!(snapshot.metadata.training_dataset.as_deref(), Some("2026-11-01"));
    assert_eq!(snapshot.tags["team"], "risk");
}

#[test]
fn of_the_baseline_only_metrics_are_kept() {
    let mut collector = collector();
    collector.add_path(&sample("mlflow/run.json"), Side::Candidate);
    let older = br#"{"lockgate": "evidence/v1", "subject": {"version": "0"},
        "model": {"owner": "x"}, "metrics": [{"name": "val_auc", "value": 0.9}]}"#;
    collector.add_bytes("run.json", older, Side::Baseline);
    let snapshot = collector.freeze().unwrap().snapshot;
    assert_eq!(snapshot.baseline.len(), 1);
    assert_eq!(&*snapshot.baseline[0].source, "baseline/run.json");
    assert_eq!(snapshot.metadata.owner, None);
    let told: Vec<_> = snapshot.sources.iter().map(|s| (&*s.name, s.baseline)).collect();
    assert_eq!(told, [("run.json", false), ("baseline/run.json", true)]);
}

#[test]
fn rejects_a_baseline_without_metrics() {
    for path in ["trivy/pip.json", "mlflow/model-version.json"] {
        let mut collector = collector();
        collector.add_path(&sample(path), Side::Baseline);
        let errors = collector.freeze().unwrap_err();
        assert!(errors[0].problem.contains("no metric"), "{errors:?}");
    }
}

#[test]
fn rejects_a_baseline_whose_values_are_all_set_aside() {
    let point =
        |value: &str| format!(r#"{{"key": "a", "value": {value}, "timestamp": 1, "step": 0}}"#);
    let run = |value: &str, other: &str| {
        format!(
            r#"{{"run": {{"info": {{}}, "data": {{"metrics": [{}, {}]}}}}}}"#,
            point(value),
            point(other).replace("\"a\"", "\"b\"")
        )
    };
    let mut collector = collector();
    collector.add_bytes("1.json", run("\"NaN\"", "1").as_bytes(), Side::Baseline);
    collector.add_bytes("2.json", run("1", "\"NaN\"").as_bytes(), Side::Baseline);
    let errors = collector.freeze().unwrap_err();
    assert!(errors[0].problem.contains("without a metric"), "{errors:?}");
}

#[test]
fn rejects_evidence_of_another_model_or_version() {
    for (path, place) in
        [("mlflow/model-version-2.json", "/model_version"), ("lockgate/complete.json", "/subject")]
    {
        let about = About { version: Some("3".to_owned()), ..about() };
        let mut collector = Collector::new(about, Vec::new());
        collector.add_path(&sample(path), Side::Candidate);
        let errors = collector.freeze().unwrap_err();
        assert_eq!((errors[0].fault, errors[0].place.as_str()), (Fault::Mismatch, place));
        let undecided = Undecided::from(errors[0].clone());
        assert!(matches!(undecided, Undecided::EvidenceMismatch { .. }), "{undecided}");
    }
    let about = About { model: Some("churn".to_owned()), ..about() };
    let mut collector = Collector::new(about, Vec::new());
    collector.add_path(&sample("mlflow/registered-model.json"), Side::Candidate);
    assert_eq!(collector.freeze().unwrap_err()[0].fault, Fault::Mismatch);
}

#[test]
fn rejects_evidence_of_another_digest_and_accepts_evidence_of_none() {
    let fault = |digest: &str, path: &str| {
        let about = About { digests: vec![digest.parse().unwrap()], ..about() };
        let mut collector = Collector::new(about, Vec::new());
        collector.add_path(&sample(path), Side::Candidate);
        collector.freeze().err().map(|errors| errors[0].fault)
    };
    let other = format!("sha256:{}", "0".repeat(64));
    let image = "sha256:055936d3920576da37aa9bc460d70c5f212028bda1c08c0879aedf03d7a66ea1";
    for path in [
        "lockgate/complete.json",
        "trivy/alpine-39-high-critical.json",
        "grype/grype-image.json",
        "sarif/trivy-alpine-310.sarif",
    ] {
        assert_eq!(fault(&other, path), Some(Fault::Mismatch), "{path}");
    }
    assert_eq!(fault(image, "trivy/alpine-39-high-critical.json"), None);
    assert_eq!(fault(&other, "trivy/pip.json"), None);
}

#[test]
fn rejects_a_logged_model_that_the_version_was_not_registered_from() {
    let about = About { version: Some("2".to_owned()), ..about() };
    let logged = |id: &str| {
        let mut collector = Collector::new(about.clone(), Vec::new());
        collector.add_path(&sample("mlflow/model-version-2.json"), Side::Candidate);
        let text = String::from_utf8(sample_bytes("mlflow/logged-model.json")).unwrap();
        let text = text.replace("m-d66807284d2d4c53a1f2891286ed64e3", id);
        collector.add_bytes("logged.json", text.as_bytes(), Side::Candidate);
        collector.freeze().map(|_| ()).map_err(|errors| errors[0].fault)
    };
    assert_eq!(logged("m-d66807284d2d4c53a1f2891286ed64e3"), Ok(()));
    assert_eq!(logged("m-other"), Err(Fault::Mismatch));
}

#[test]
fn rejects_two_answers_to_what_the_target_means_now() {
    let mut collector = collector();
    collector.add_path(&sample("mlflow/registered-model.json"), Side::Candidate);
    collector.add_path(&sample("lockgate/complete.json"), Side::Candidate);
    let errors = collector.freeze().unwrap_err();
    assert!(errors[0].problem.contains("means version `2` now"), "{errors:?}");
}

#[test]
fn rejects_the_same_name_and_the_same_content_twice() {
    let mut named = collector();
    named.add_bytes("a.json", metrics("").as_bytes(), Side::Candidate);
    named.add_bytes("a.json", metrics(r#"{"name": "x", "value": 1}"#).as_bytes(), Side::Candidate);
    assert!(named.freeze().unwrap_err()[0].problem.contains("name of two"));
    let mut copied = collector();
    copied.add_bytes("a.json", metrics("").as_bytes(), Side::Candidate);
    copied.add_bytes("b.json", metrics("").as_bytes(), Side::Candidate);
    assert!(copied.freeze().unwrap_err()[0].problem.contains("same content as `a.json`"));
}

#[test]
fn rejects_failed_and_withdrawn_sources() {
    for json in [
        r#"{"model_version": {"name": "fraud-detector", "version": "1", "status": "FAILED_REGISTRATION"}}"#,
        r#"{"run": {"info": {"run_id": "r", "lifecycle_stage": "deleted"}}}"#,
        r#"{"model": {"info": {"model_id": "m", "status": "LOGGED_MODEL_UPLOAD_FAILED"}}}"#,
        r#"{"code": 400, "data": [], "message": "bad window"}"#,
        r#"{"code": 200, "data": [{}]}"#,
    ] {
        assert_eq!(error_in(json).fault, Fault::Unreadable, "{json}");
    }
}

#[test]
fn names_the_place_of_a_value_of_the_wrong_shape() {
    for (json, place) in [
        (
            r#"{"SchemaVersion": 2, "Results": [{"Vulnerabilities": [{"VulnerabilityID": "C", "PkgName": "p", "Severity": "SEVERE"}]}]}"#,
            "/Results/0/Vulnerabilities/0/Severity",
        ),
        (
            r#"{"SchemaVersion": 2, "Results": [{"Vulnerabilities": [{"VulnerabilityID": 7, "PkgName": "p"}]}]}"#,
            "/Results/0/Vulnerabilities/0/VulnerabilityID",
        ),
        (r#"{"SchemaVersion": 1}"#, ""),
        (
            r#"{"descriptor": {}, "matches": [{"vulnerability": {"id": "C", "severity": "Awful"}, "artifact": {"name": "a"}}]}"#,
            "/matches/0/vulnerability/severity",
        ),
        (
            r#"{"run": {"info": {}, "data": {"metrics": [{"key": "a", "value": "NA"}]}}}"#,
            "/run/data/metrics/0/value",
        ),
        (
            r#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t"}}, "results": [{"level": "fatal", "ruleId": "r"}]}]}"#,
            "/runs/0/results/0/level",
        ),
        (
            r#"{"summary": {"scanned": {"total_scanned": "1"}}, "issues": [], "errors": []}"#,
            "/summary/scanned/total_scanned",
        ),
        (r#"{"code": 200, "data": [{"a": {"gpuHours": "4"}}]}"#, "/data/0/a/gpuHours"),
        (
            r#"{"results": {"t": {"acc,none": true}}, "configs": {}, "versions": {}}"#,
            "/results/t/acc,none",
        ),
        (
            "{\"lockgate\": \"evidence/v1\",\n \"metrics\": [{\"name\": \"a\", \"valu\": 1}]}",
            "line 2, column 33",
        ),
        ("{\"lockgate\": \"evidence/v2\"}", "line 1, column 26"),
        (
            "{\"lockgate\": \"evidence/v1\", \"cost\": {\"usages\": [{\"purpose\": \"training\", \"utilization\": 71}]}}",
            "line 1, column 90",
        ),
    ] {
        let error = error_in(json);
        assert_eq!(error.place, place, "{error}");
        assert!(!error.problem.contains("Raw") && !error.problem.contains("f64"), "{error}");
    }
}

#[test]
fn rejects_times_that_cannot_be_written() {
    for json in [
        r#"{"run": {"info": {"run_id": "r", "end_time": 253402210000000}}}"#,
        r#"{"results": {"t": {"acc,none": 1}}, "configs": {}, "versions": {},
            "date": 253402210000}"#,
    ] {
        assert!(error_in(json).problem.contains("is not a time"), "{json}");
    }
}

#[test]
fn names_the_words_that_it_knows() {
    let json = r#"{"SchemaVersion": 2, "Results": [{"Secrets": [
        {"RuleID": "r", "Severity": "dire"}]}]}"#;
    let error = error_in(json);
    assert_eq!(error.place, "/Results/0/Secrets/0/Severity");
    assert_eq!(
        error.problem,
        "`dire` is no word that lockgate knows here; it knows `UNKNOWN`, `LOW`, `MEDIUM`, `HIGH`, \
         `CRITICAL`"
    );
}

#[test]
fn names_what_is_wrong_with_the_baseline_as_the_baselines() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("empty")).unwrap();
    let mut collector = collector();
    collector.add_path(&dir.path().join("empty"), Side::Baseline);
    collector.add_bytes("a\nb", b"{}", Side::Baseline);
    collector.add_bytes("c.json", b"{", Side::Baseline);
    let errors = collector.freeze().unwrap_err();
    assert_eq!(errors.len(), 3);
    assert!(errors.iter().all(|error| error.source_name.starts_with("baseline/")), "{errors:?}");
}

#[test]
fn rejects_bare_nan_outside_lm_eval() {
    let error =
        error_in(r#"{"run": {"info": {}, "data": {"metrics": [{"key": "a", "value": NaN}]}}}"#);
    assert_eq!(error.place, "line 1, column 65");
    assert!(error.problem.contains("`\"NaN\"`"), "{error}");
}

#[test]
fn tells_every_problem_at_once_in_the_order_of_the_names() {
    let mut collector = collector();
    for name in ["c.json", "a.json", "b.json"] {
        collector.add_bytes(name, format!("[\"{name}\"").as_bytes(), Side::Candidate);
    }
    let names: Vec<_> =
        collector.freeze().unwrap_err().into_iter().map(|error| error.source_name).collect();
    assert_eq!(names, ["a.json", "b.json", "c.json"]);
}

#[test]
fn a_format_named_in_the_gate_file_wins_over_detection() {
    let mut collector =
        Collector::new(about(), vec![assign("*.json", Assigned::Format(Format::Grype))]);
    collector.add_path(&sample("trivy/pip.json"), Side::Candidate);
    assert!(collector.freeze().unwrap_err()[0].problem.contains("`descriptor` is missing"));
}
