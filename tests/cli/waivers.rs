//! A waiver excepts one rule, and nobody can overlook it.

use super::folder::{AT, Folder, GATE, metrics};

fn waived(rule: &str, models: &str, auc: f64) -> Folder {
    let gate_file = format!(
        "{GATE}waivers:
  - policy: metric-threshold
    rule: {rule}
    about: auc
    models: [{models}]
    versions: [\"3\"]
    reason: measured on the old test set
    ticket: RISK-113
    approved-by: risk-board
    expires: 2026-12-31
"
    );
    Folder::with_gate(&gate_file).file("evidence/metrics.json", metrics(auc))
}

#[test]
fn a_waived_failure_is_allowed_and_stays_visible() {
    let folder = waived("threshold", "fraud-detector", 0.5);
    folder.check("").exits(0).says("1 waived").says("below the required 0.9").says("RISK-113");
    let report = folder.check("--format json").exits(0).json();
    assert_eq!(report["waivers"][0]["state"], "used");
    assert_eq!(report["counts"]["waived"], 1);
}

#[test]
fn an_expired_waiver_that_is_needed_denies_and_is_named() {
    let folder = waived("threshold", "fraud-detector", 0.5);
    let at = |time: &str| {
        folder
            .run(&format!("check fraud-detector/3 --to Production --evidence evidence --at {time}"))
    };
    at("2026-12-31T23:59:59Z").exits(0);
    at("2027-01-01").exits(1).says("unused and expired waivers").says("RISK-113");
}

#[test]
fn a_useless_waiver_is_reported() {
    let folder = waived("threshold", "fraud-detector", 0.95);
    folder.check("").exits(0).says("unused and expired waivers").says("RISK-113");
}

#[test]
fn a_waiver_holds_for_no_other_rule_model_or_version() {
    waived("measured", "fraud-detector", 0.5).check("").exits(1);
    waived("threshold", "fraud-other", 0.5).check("").exits(1);
    waived("threshold", "fraud-detector", 0.5)
        .run(&format!("check fraud-detector/4 --to Production --evidence evidence --at {AT}"))
        .exits(1);
}
