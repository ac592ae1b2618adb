//! The compatibility promise: components built against an earlier 1.x contract load and judge as
//! they did.
#![expect(clippy::unwrap_used, reason = "the helpers of tests may fail as tests do")]

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lockgate::evidence::{About, Collector, Side};
use lockgate::model::{ModelVersion, Outcome, Promotion, Undecided};
use lockgate::policy::{Facts, Limits, Policy, PolicyLoader, PolicyRef};
use lockgate::wasm::{Cache, Sandbox};
use ruzstd::decoding::StreamingDecoder;

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

/// Where a component is as it was built. Those that bring an interpreter are kept compressed.
fn unpacked(component: &str) -> PathBuf {
    let path = folder().join(component);
    let Some(name) = component.strip_suffix(".zst") else { return path };
    let compressed = std::fs::read(path).unwrap();
    let mut decoder = StreamingDecoder::new(compressed.as_slice()).unwrap();
    let mut bytes = Vec::new();
    decoder.read_to_end(&mut bytes).unwrap();
    let unpacked = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("compat-{name}"));
    std::fs::write(&unpacked, bytes).unwrap();
    unpacked
}

fn loads_and_judges(component: &str) {
    let cache = Cache::open(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")).unwrap();
    let sandbox = Sandbox::new(Some(cache), |_| ()).unwrap();
    let policy = sandbox.load(&PolicyRef::Path(unpacked(component))).unwrap();
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
