//! The published JSON Schema of lockgate's own evidence.

use lockgate::evidence::schema;

use super::*;

fn published() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/schema/evidence.schema.json")
}

#[test]
fn the_published_schema_is_the_current_one() {
    let mut current = serde_json::to_string_pretty(&schema()).unwrap();
    current.push('\n');
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(published(), &current).unwrap();
    }
    let written = std::fs::read_to_string(published()).unwrap();
    assert!(written == current, "run this test with UPDATE_SCHEMA=1 to write the new schema");
}

#[test]
fn the_schema_accepts_the_complete_sample_and_refuses_what_the_reader_refuses() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let complete: serde_json::Value =
        serde_json::from_slice(&sample_bytes("lockgate/complete.json")).unwrap();
    assert!(validator.is_valid(&complete));
    for (pointer, wrong) in [
        ("/lockgate", serde_json::json!("evidence/v2")),
        ("/metrics/0/value", serde_json::json!("high")),
        ("/metrics/0/standard_error", serde_json::json!(-1)),
        ("/cost/usages/0/utilization", serde_json::json!(71)),
        ("/cost/usages/0/currency", serde_json::json!("usd")),
        ("/security/scans/0/looked_for", serde_json::json!(["bugs"])),
        ("/security/scans/0/skipped", serde_json::json!(null)),
        ("/subject", serde_json::json!({"name": "x"})),
    ] {
        let mut broken = complete.clone();
        *broken.pointer_mut(pointer).unwrap() = wrong;
        assert!(!validator.is_valid(&broken), "the schema accepts {pointer}");
        errors_in(&broken.to_string());
    }
}
