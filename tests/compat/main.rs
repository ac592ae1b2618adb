//! The compatibility promise: components built against an earlier 1.x contract load and judge as
//! they did.
#![expect(clippy::unwrap_used, reason = "the helpers of tests may fail as tests do")]

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use lockgate::evidence::{About, Collector, Side};
use lockgate::model::{ModelVersion, Outcome, Promotion, Undecided};
use lockgate::policy::{Facts, Limits, Policy, PolicyLoader, PolicyRef};
use lockgate::wasm::{Cache, Sandbox};
use ruzstd::decoding::StreamingDecoder;
use serde_json::Value;
use tempfile::TempDir;

/// One test for each component; [`every_component_is_tested`] holds the list against the folder.
macro_rules! components {
    ($($test:ident $name:literal)*) => {
        const TESTED: &[&str] = &[$($name),*];

        $(#[test]
        fn $test() {
            loads_and_judges($name);
        })*
    };
}

components! {
    a_component_from_javascript_loads_and_judges "js-1.0.0.wasm.zst"
    a_component_from_python_loads_and_judges "python-1.0.0.wasm.zst"
    a_component_from_rust_loads_and_judges "rust-1.0.0.wasm"
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat")
}

/// Puts a component into a folder as it was built. Those that bring an interpreter are kept
/// compressed.
fn unpacked(component: &str, into: &Path) -> PathBuf {
    let mut bytes = std::fs::read(folder().join(component)).unwrap();
    let packed = component.strip_suffix(".zst");
    if packed.is_some() {
        let mut decoder = StreamingDecoder::new(bytes.as_slice()).unwrap();
        let mut unpacked = Vec::new();
        decoder.read_to_end(&mut unpacked).unwrap();
        bytes = unpacked;
    }
    let path = into.join(packed.unwrap_or(component));
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Where what was compiled is kept for all tests.
fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")
}

fn loads_and_judges(component: &str) {
    let cache = Cache::open(&cache()).unwrap();
    let sandbox = Sandbox::new(Some(cache), |_| ()).unwrap();
    let place = TempDir::new().unwrap();
    let policy = sandbox.load(&PolicyRef::Path(unpacked(component, place.path()))).unwrap();
    let description = policy.description();
    assert_eq!(
        (description.name.as_str(), description.version.as_str()),
        ("region-floor", "0.1.0")
    );

    let judged =
        |metrics: &str| judge(policy.as_ref(), r#"{"metric": "recall", "min": 0.8}"#, metrics);
    let eu = r#"{"name": "recall", "value": 0.91, "slice": "region=eu"}"#;
    let us = r#"{"name": "recall", "value": 0.74, "slice": "region=us"}"#;
    assert_eq!(
        judged(&format!("{eu}, {us}")).unwrap(),
        [("region=eu".to_owned(), Outcome::Pass), ("region=us".to_owned(), Outcome::Fail)]
    );
    assert_eq!(judged("").unwrap(), [("recall".to_owned(), Outcome::Fail)]);
    let refused = judge(policy.as_ref(), r#"{"metric": "recall"}"#, eu);
    assert!(matches!(refused, Err(Undecided::ParamsRefused { .. })), "{refused:?}");
}

/// What each check is about, and how it came out.
fn judge(
    policy: &dyn Policy,
    params: &str,
    metrics: &str,
) -> Result<Vec<(String, Outcome)>, Undecided> {
    let promotion = Promotion {
        subject: ModelVersion {
            registry: "local".into(),
            model: "fraud-detector".into(),
            version: "3".into(),
            digest: None,
        },
        source: None,
        target: "stage:Production".parse().unwrap(),
        requested_by: Some("alice".into()),
        at: "2026-11-23T12:00:00Z".parse().unwrap(),
    };
    let about = About {
        model: Some("fraud-detector".into()),
        version: Some("3".into()),
        digests: Vec::new(),
        target: promotion.target.clone(),
    };
    let mut collector = Collector::new(about, Vec::new());
    let evidence = format!(r#"{{"lockgate": "evidence/v1", "metrics": [{metrics}]}}"#);
    collector.add_bytes("evidence.json", evidence.as_bytes(), Side::Candidate);
    let facts = Facts::new(promotion, Arc::clone(&collector.freeze().unwrap().snapshot));
    let checks = policy.evaluate(&facts, params, &Limits::default()).result?;
    Ok(checks
        .into_iter()
        .map(|check| {
            assert_eq!(check.rule, "floor");
            (check.about.unwrap(), check.outcome)
        })
        .collect())
}

#[test]
fn every_component_is_tested() {
    let mut components: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".wasm"))
        .collect();
    components.sort();
    assert_eq!(components, TESTED);
}

#[test]
fn policies_of_every_language_judge_in_one_gate_beside_a_standard_one() {
    let place = TempDir::new().unwrap();
    let mut gate = "version: 1
gates:
  - name: production
    models: [\"*\"]
    targets: [stage:Production]
    policies:
      - {use: std/metric-threshold, params: {metrics: [{name: recall, slice: region=eu, min: 0.5}]}}
"
    .to_owned();
    for (number, component) in TESTED.iter().enumerate() {
        let file = unpacked(component, place.path());
        let file = file.file_name().unwrap().to_str().unwrap();
        gate.push_str(&format!(
            "      - {{id: floor-{number}, use: ./{file}, params: {{metric: recall, min: 0.8}}}}\n"
        ));
    }
    std::fs::write(place.path().join("lockgate.yaml"), gate).unwrap();
    let evidence = r#"{"lockgate": "evidence/v1", "metrics": [
        {"name": "recall", "value": 0.91, "slice": "region=eu"},
        {"name": "recall", "value": 0.74, "slice": "region=us"}]}"#;
    std::fs::write(place.path().join("evidence.json"), evidence).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_lockgate"))
        .current_dir(place.path())
        .env("LOCKGATE_CACHE_DIR", cache())
        .args(["check", "fraud-detector/3", "--to", "stage:Production"])
        .args(["--evidence", "evidence.json", "--at", "2026-11-23T12:00:00Z", "--format", "json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let outcomes = |policy: &Value| -> Vec<String> {
        let checks = policy.pointer("/checks").and_then(Value::as_array).unwrap();
        let outcome =
            |check: &Value| check.pointer("/outcome").and_then(Value::as_str).unwrap().to_owned();
        checks.iter().map(outcome).collect()
    };
    let policies = report.pointer("/gates/0/policies").and_then(Value::as_array).unwrap();
    let [standard, others @ ..] = policies.as_slice() else { unreachable!("four policies") };
    assert!(outcomes(standard).iter().all(|outcome| outcome == "pass"), "{standard}");
    assert_eq!(others.len(), TESTED.len());
    for policy in others {
        assert_eq!(outcomes(policy), ["pass", "fail"], "{policy}");
    }
}
