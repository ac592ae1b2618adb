//! Admission reviews with resources that KServe's own Python models make.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use lockgate_guests as guests;
use serde::Deserialize;
use serde_json::Value;

use super::kubernetes::{ask, decided, review};
use super::served::{Folder, gate_of};

/// The Python that has KServe's models; `scripts/setup.sh test` installs it.
pub(crate) fn python() -> PathBuf {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/kubernetes/bin/python");
    assert!(python.exists(), "no {}; run scripts/setup.sh test", python.display());
    python
}

fn told(what: &str) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/server/kserve.py");
    let output = Command::new(python()).args([script, what]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Every kind that KServe has, with its versions.
pub(crate) fn kinds() -> BTreeMap<String, BTreeSet<String>> {
    serde_json::from_str(&told("kinds")).unwrap()
}

#[derive(Deserialize)]
struct Case {
    version: String,
    kind: String,
    object: Value,
    /// Versions of the model `fraud`; none where it is to be refused.
    serves: Option<Vec<String>>,
    /// A field that KServe has and that is asked for alone.
    only: Option<String>,
}

/// Fields of the pods of Kubernetes that KServe's definitions leave out.
const LEFT_OUT: &str = "ephemeralContainers";

#[test]
fn what_resources_of_kserve_serve_is_read() {
    let folder = Folder::new(&gate_of("honest", "")).guest("honest", guests::HONEST);
    let served = folder.serve("--storage-uri storage:prod/{model}/{version}");
    let mut seen = BTreeSet::new();
    for line in told("resources").lines() {
        let Case { version, kind, object, serves, only } = serde_json::from_str(line).unwrap();
        let mut asked = review(&version, &kind, &object);
        // Fields are tried by the hundred, so they go unrecorded.
        asked["request"]["dryRun"] = only.is_some().into();
        let before = decided(&served).len();
        let answer = ask(&served, &asked);
        let left_out = only.as_ref().is_some_and(|place| place.ends_with(LEFT_OUT));
        assert_eq!(answer["allowed"], serves.is_some() && !left_out, "{only:?} {object}: {answer}");
        if only.is_none() {
            let all = decided(&served);
            let mut new: Vec<_> = all[..all.len() - before].to_vec();
            new.reverse();
            let expected: Vec<_> = serves
                .iter()
                .flatten()
                .map(|version| format!("fraud/{version} env:prod"))
                .collect();
            assert_eq!(new, expected, "{object}");
        }
        seen.insert(kind);
    }
    let known = [
        "InferenceGraph",
        "InferenceService",
        "LLMInferenceService",
        "LLMInferenceServiceConfig",
        "ServingRuntime",
        "TrainedModel",
    ];
    assert!(seen.iter().eq(known), "{seen:?}");
}
