//! Evidence from the outside: real files of every format, and hostile ones.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may fail as tests do")]

mod documents;
mod formats;
mod hostile;
mod rules;
mod scanners;
mod schema;

use std::path::{Path, PathBuf};

use globset::Glob;
use lockgate::evidence::{About, Assigned, Assignment, Collector, EvidenceError, Frozen, Side};
use lockgate::model::{Snapshot, Target};

fn sample(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/evidence/samples").join(path)
}

fn sample_bytes(path: &str) -> Vec<u8> {
    std::fs::read(sample(path)).unwrap()
}

/// The promotion of `fraud-detector/1` to production.
fn about() -> About {
    About {
        model: Some("fraud-detector".to_owned()),
        version: Some("1".to_owned()),
        digests: Vec::new(),
        target: Target::Stage("Production".to_owned()),
    }
}

fn assign(glob: &str, assigned: Assigned) -> Assignment {
    Assignment { glob: Glob::new(glob).unwrap().compile_matcher(), assigned }
}

fn collector() -> Collector {
    Collector::new(about(), Vec::new())
}

/// The snapshot of these samples as the candidate's evidence.
fn candidate(samples: &[&str]) -> Frozen {
    let mut collector = collector();
    for path in samples {
        collector.add_path(&sample(path), Side::Candidate);
    }
    collector.freeze().unwrap()
}

/// What this JSON, as `x.json`, says of the candidate.
fn snapshot_of(json: &str) -> Snapshot {
    let mut collector = collector();
    collector.add_bytes("x.json", json.as_bytes(), Side::Candidate);
    Snapshot::clone(&collector.freeze().unwrap().snapshot)
}

/// What is wrong with this JSON as the candidate's evidence.
fn errors_in(json: &str) -> Vec<EvidenceError> {
    let mut collector = collector();
    collector.add_bytes("x.json", json.as_bytes(), Side::Candidate);
    collector.freeze().unwrap_err()
}

fn error_in(json: &str) -> EvidenceError {
    let mut errors = errors_in(json);
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors.remove(0)
}
