use lockgate::decision::{Unmatched, Verdict};
use lockgate::model::{Kind, Snapshot, Undecided};

use crate::scenario::{Scenario, passes, require, source};

fn with_sources(ages: &[Option<i64>], max_age: Option<u64>) -> Scenario {
    let sources = ages
        .iter()
        .enumerate()
        .map(|(index, age)| source(&format!("{index}.json"), Kind::Metrics, *age))
        .collect();
    let mut scenario = Scenario::denying(passes());
    scenario.snapshot = Ok(Snapshot { sources, ..Snapshot::default() });
    scenario.require = vec![require(Kind::Metrics, max_age)];
    scenario
}

fn only_reason(scenario: &Scenario) -> Undecided {
    let decision = scenario.decide();
    assert_eq!(decision.verdict, Verdict::Undecided);
    assert_eq!(decision.undecided.len(), 1, "{:?}", decision.undecided);
    decision.undecided[0].clone()
}

#[test]
fn accepts_evidence_up_to_its_maximum_age() {
    assert_eq!(with_sources(&[Some(3600)], Some(3600)).decide().verdict, Verdict::Allow);
}

#[test]
fn missing_evidence_is_undecided() {
    let reason = only_reason(&with_sources(&[], None));
    assert!(matches!(reason, Undecided::EvidenceMissing { kind: Kind::Metrics, .. }));
}

#[test]
fn evidence_of_the_baseline_is_not_evidence_of_the_candidate() {
    let mut scenario = with_sources(&[Some(0)], None);
    scenario.snapshot.as_mut().unwrap().sources[0].baseline = true;
    assert!(matches!(only_reason(&scenario), Undecided::EvidenceMissing { .. }));
}

#[test]
fn one_stale_source_among_fresh_ones_is_undecided() {
    let reason = only_reason(&with_sources(&[Some(10), Some(3601), Some(20)], Some(3600)));
    assert!(matches!(
        reason,
        Undecided::EvidenceStale { source_name, age_seconds: 3601, limit_seconds: 3600, .. }
            if source_name == "1.json"
    ));
}

#[test]
fn a_source_without_a_time_is_not_fresh() {
    let reason = only_reason(&with_sources(&[None], Some(3600)));
    assert!(matches!(reason, Undecided::EvidenceUndated { .. }));
    assert_eq!(with_sources(&[None], None).decide().verdict, Verdict::Allow);
}

#[test]
fn a_source_from_the_future_is_misdated_past_some_clock_skew() {
    let reason = only_reason(&with_sources(&[Some(-301)], Some(3600)));
    assert!(matches!(reason, Undecided::EvidenceFromFuture { .. }));
    assert_eq!(with_sources(&[Some(-300)], Some(3600)).decide().verdict, Verdict::Allow);
}

#[test]
fn evidence_that_could_not_be_read_stops_the_decision() {
    let mut scenario = Scenario::denying(passes());
    scenario.snapshot = Err(vec![Undecided::EvidenceUnreadable {
        source_name: "scan.json".into(),
        detail: "line 3".into(),
    }]);
    let decision = scenario.decide();
    assert_eq!(decision.verdict, Verdict::Undecided);
    assert!(decision.gates[0].policies.is_empty());
    assert!(decision.evidence.digest.is_none());
}

#[test]
fn unreadable_evidence_is_undecided_even_where_no_gate_means_allow() {
    let mut scenario = Scenario::denying(passes());
    scenario.gate_matches = false;
    scenario.unmatched = Unmatched::Allow;
    scenario.snapshot = Err(vec![Undecided::EvidenceUnreadable {
        source_name: "scan.json".into(),
        detail: "line 3".into(),
    }]);
    assert_eq!(scenario.decide().verdict, Verdict::Undecided);
}
