use lockgate_sdk::{EvidenceBuilder, parse_params};

use super::*;

const NOW: u64 = 100 * 86_400;

fn approved(approvals: &[(&str, Option<&str>)]) -> EvidenceBuilder {
    approvals.iter().fold(Evidence::builder().at(NOW), |builder, (approver, role)| {
        builder.approval(Approval {
            role: role.map(str::to_owned),
            ..Approval::new(*approver, NOW - 86_400)
        })
    })
}

/// The outcome of each requirement.
fn judge(params: &str, evidence: EvidenceBuilder) -> Vec<Outcome> {
    evaluate(parse_params(params).unwrap(), &evidence.build())
        .unwrap()
        .into_iter()
        .filter(|check| check.rule == "approved")
        .map(|check| check.outcome)
        .collect()
}

const TWO: &str = r#"{"required": [{"count": 2}]}"#;
const RISK: &str = r#"{"required": [{"role": "risk"}]}"#;

#[test]
fn counts_different_people() {
    assert_eq!(judge(TWO, approved(&[("bob", None), ("carol", None)])), [Outcome::Pass]);
    assert_eq!(judge(TWO, approved(&[("bob", None), (" Bob", None)])), [Outcome::Fail]);
    assert_eq!(judge(TWO, approved(&[])), [Outcome::Fail]);
}

#[test]
fn never_counts_the_one_who_asks() {
    let evidence = approved(&[("bob", None), ("ALICE", None)]);
    assert_eq!(judge(TWO, evidence), [Outcome::Fail]);
}

#[test]
fn the_remedy_says_whom_to_ask() {
    let remedy = |params: &str| {
        let checks = evaluate(parse_params(params).unwrap(), &approved(&[]).build()).unwrap();
        checks[1].remedy.clone().unwrap()
    };
    assert_eq!(remedy(TWO), "have 2 different people other than the one who asks approve");
    assert_eq!(remedy(RISK), "have somebody other than the one who asks approve as risk");
}

#[test]
fn rejects_a_request_by_nobody_known() {
    for requester in [None, Some(" ")] {
        let evidence = approved(&[("bob", None), ("carol", None)]).requested_by(requester).build();
        let checks = evaluate(parse_params(TWO).unwrap(), &evidence).unwrap();
        assert_eq!((checks[0].rule.as_str(), checks[0].outcome), ("requester", Outcome::Fail));
    }
}

#[test]
fn counts_only_approvals_in_the_role() {
    assert_eq!(judge(RISK, approved(&[("bob", Some("Risk"))])), [Outcome::Pass]);
    assert_eq!(judge(RISK, approved(&[("bob", Some("dev"))])), [Outcome::Fail]);
    assert_eq!(judge(RISK, approved(&[("bob", None)])), [Outcome::Fail]);
}

#[test]
fn one_person_counts_for_one_requirement() {
    let params = r#"{"required": [{"role": "risk"}, {"role": "legal"}]}"#;
    let both = approved(&[("bob", Some("risk")), ("bob", Some("legal"))]);
    assert_eq!(judge(params, both), [Outcome::Pass, Outcome::Fail]);
}

#[test]
fn nobody_stands_in_the_way_of_another() {
    // Whoever is placed first, Bob has to make room for Carol and Dave for Bob.
    let params = r#"{"required": [{"role": "risk"}, {"role": "legal"}, {"role": "dev"}]}"#;
    let evidence = approved(&[
        ("bob", Some("risk")),
        ("bob", Some("legal")),
        ("carol", Some("risk")),
        ("dave", Some("legal")),
        ("dave", Some("dev")),
    ]);
    assert_eq!(judge(params, evidence), [Outcome::Pass; 3]);
    let params = r#"{"required": [{}, {"role": "risk"}]}"#;
    let evidence = approved(&[("bob", Some("risk")), ("carol", None)]);
    assert_eq!(judge(params, evidence), [Outcome::Pass; 2]);
}

#[test]
fn counts_neither_late_nor_old_approvals() {
    let params = r#"{"required": [{}], "max-age-days": 7}"#;
    for (at, outcome) in [
        (NOW, Outcome::Pass),
        (NOW + 1, Outcome::Fail),
        (NOW - 7 * 86_400, Outcome::Pass),
        (NOW - 7 * 86_400 - 1, Outcome::Fail),
    ] {
        let evidence = Evidence::builder().at(NOW).approval(Approval::new("bob", at));
        assert_eq!(judge(params, evidence), [outcome], "{at}");
    }
}

#[test]
fn says_whose_approval_does_not_count_and_why() {
    let evidence = approved(&[("alice", None), ("bob", None)])
        .approval(Approval::new("carol", NOW + 5))
        .build();
    let checks = evaluate(parse_params(TWO).unwrap(), &evidence).unwrap();
    assert_eq!(
        checks[1].message,
        "2 approvals by anyone needed, approved by bob; not counted: `alice` asks for the \
         promotion, that of `carol` is from after the request"
    );
}

#[test]
fn refuses_params_that_require_nobody_or_too_many() {
    for params in [
        r#"{"required": []}"#,
        r#"{"required": [{"count": 0}]}"#,
        r#"{"required": [{"count": 60}, {"count": 60}]}"#,
        r#"{"required": [{"count": 4294967295}, {"count": 4294967295}]}"#,
    ] {
        let answer = evaluate(parse_params(params).unwrap(), &approved(&[]).build());
        assert!(matches!(answer, Err(Refusal::Params(_))), "{params}");
    }
}
