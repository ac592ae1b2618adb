use lockgate_sdk::{EvidenceBuilder, parse_params};

use super::*;

fn metric(value: f64) -> Metric {
    Metric { higher_is_better: Some(true), ..Metric::new("auc", value) }
}

fn from_to(before: f64, after: f64) -> EvidenceBuilder {
    Evidence::builder().baseline(metric(before)).metric(metric(after))
}

fn judge(params: &str, evidence: &Evidence) -> Vec<Check> {
    evaluate(parse_params(params).unwrap(), evidence).unwrap()
}

/// The outcome of the one check of a rule.
fn outcome(checks: &[Check], rule: Rule) -> Outcome {
    let mut of_rule = checks.iter().filter(|check| check.rule == rule.code());
    let check = of_rule.next().unwrap();
    assert!(of_rule.next().is_none(), "{checks:?}");
    check.outcome
}

const DROP: &str = r#"{"metrics": [{"name": "auc", "max-drop": 0.01}]}"#;
const RELATIVE: &str = r#"{"metrics": [{"name": "auc", "max-relative-drop": 0.1}]}"#;
const NOISE: &str =
    r#"{"metrics": [{"name": "auc", "max-drop": 0.05, "within-standard-errors": 2}]}"#;

#[test]
fn accepts_a_drop_of_exactly_the_limit() {
    for (before, after, expected) in [
        (0.95, 0.94, Outcome::Pass),
        (0.95, 0.9399, Outcome::Fail),
        (0.95, 0.99, Outcome::Pass),
        (0.3, 0.29, Outcome::Pass),
    ] {
        let checks = judge(DROP, &from_to(before, after).build());
        assert_eq!(outcome(&checks, Rule::Drop), expected, "{before} to {after}");
    }
}

#[test]
fn less_can_be_better() {
    let params = r#"{"metrics": [{"name": "auc", "max-drop": 0.01, "higher-is-better": false}]}"#;
    let checks = judge(params, &from_to(0.2, 0.1).build());
    assert_eq!(outcome(&checks, Rule::Drop), Outcome::Pass);
    let checks = judge(params, &from_to(0.1, 0.2).build());
    assert_eq!(outcome(&checks, Rule::Drop), Outcome::Fail);
}

#[test]
fn a_relative_drop_is_a_fraction_of_the_baseline() {
    for (before, after, expected) in [
        (0.3, 0.27, Outcome::Pass),
        (0.3, 0.26, Outcome::Fail),
        (-1.0, -1.05, Outcome::Pass),
        (0.0, 0.0, Outcome::Pass),
        (0.0, 0.1, Outcome::Pass),
        (0.0, -0.001, Outcome::Fail),
    ] {
        let checks = judge(RELATIVE, &from_to(before, after).build());
        assert_eq!(outcome(&checks, Rule::RelativeDrop), expected, "{before} to {after}");
    }
}

#[test]
fn a_drop_within_the_noise_passes_and_one_of_unknown_noise_fails() {
    let with_errors = |before, after| {
        Evidence::builder()
            .baseline(Metric { standard_error: before, ..metric(0.95) })
            .metric(Metric { standard_error: after, ..metric(0.94) })
            .build()
    };
    for (before, after, expected) in [
        (Some(0.004), Some(0.003), Outcome::Pass),
        (Some(0.001), Some(0.001), Outcome::Fail),
        (Some(0.004), None, Outcome::Fail),
        (None, Some(0.004), Outcome::Fail),
    ] {
        let checks = judge(NOISE, &with_errors(before, after));
        assert_eq!(outcome(&checks, Rule::StandardError), expected, "{before:?} {after:?}");
    }
}

#[test]
fn a_first_version_gets_what_the_params_say() {
    for (first_version, expected) in [
        ("", Outcome::Fail),
        (r#", "first-version": "warn""#, Outcome::Warn),
        (r#", "first-version": "pass""#, Outcome::Pass),
    ] {
        let params =
            format!(r#"{{"metrics": [{{"name": "auc", "max-drop": 0.01}}]{first_version}}}"#);
        let checks = judge(&params, &Evidence::builder().metric(metric(0.9)).build());
        assert_eq!(outcome(&checks, Rule::Baseline), expected);
        assert_eq!(outcome(&checks, Rule::Measured), Outcome::Pass);
    }
}

const FIRST_PASSES: &str =
    r#"{"metrics": [{"name": "auc", "max-drop": 0.01}], "first-version": "pass"}"#;

#[test]
fn a_first_version_that_was_not_measured_fails() {
    let checks = judge(FIRST_PASSES, &Evidence::builder().build());
    assert_eq!(outcome(&checks, Rule::Measured), Outcome::Fail);
}

#[test]
fn a_baseline_that_was_not_given_is_no_first_version() {
    let evidence = Evidence::builder().metric(metric(0.9)).current("7").build();
    assert_eq!(outcome(&judge(FIRST_PASSES, &evidence), Rule::Baseline), Outcome::Fail);
    let evidence = Evidence::builder().metric(metric(0.9)).baseline(Metric::new("f1", 0.9)).build();
    assert_eq!(outcome(&judge(FIRST_PASSES, &evidence), Rule::Measured), Outcome::Fail);
    // The version that asks is there already: nothing else would be replaced.
    let evidence = Evidence::builder().metric(metric(0.9)).current("1").build();
    assert_eq!(outcome(&judge(FIRST_PASSES, &evidence), Rule::Baseline), Outcome::Pass);
}

#[test]
fn a_dataset_cannot_be_dropped_unnoticed() {
    let on = |dataset: &str| Metric { dataset: Some(dataset.into()), ..metric(0.9) };
    let evidence =
        Evidence::builder().baseline(on("easy")).baseline(on("hard")).metric(on("easy")).build();
    let failed: Vec<String> = judge(DROP, &evidence)
        .into_iter()
        .filter(|check| check.outcome == Outcome::Fail)
        .map(|check| check.message)
        .collect();
    assert_eq!(failed, ["the baseline has `auc (hard)` and this version lacks it"]);
    let params = r#"{"metrics": [{"name": "auc", "max-drop": 0.01, "dataset": "easy"}]}"#;
    assert!(judge(params, &evidence).iter().all(|check| check.outcome == Outcome::Pass));
}

#[test]
fn rejects_what_was_partly_or_not_measured() {
    let evidence = Evidence::builder()
        .baseline(metric(0.9))
        .metric(Metric { partial: true, ..metric(0.9) })
        .build();
    assert_eq!(outcome(&judge(DROP, &evidence), Rule::Complete), Outcome::Fail);
    let evidence = Evidence::builder().baseline(metric(0.9)).unmeasured("auc", "NaN").build();
    assert_eq!(outcome(&judge(DROP, &evidence), Rule::Measured), Outcome::Fail);
    let checks = judge(DROP, &from_to(0.9, 0.9).unmeasured("auc", "NaN").build());
    assert!(checks.iter().any(|check| check.outcome == Outcome::Fail));
}

#[test]
fn refuses_to_guess_the_direction() {
    let unstated = Evidence::builder()
        .baseline(Metric::new("auc", 0.9))
        .metric(Metric::new("auc", 0.9))
        .build();
    let contradicted = Evidence::builder()
        .baseline(metric(0.9))
        .metric(Metric { higher_is_better: Some(false), ..metric(0.9) })
        .build();
    for evidence in [unstated, contradicted] {
        let answer = evaluate(parse_params(DROP).unwrap(), &evidence);
        assert!(matches!(answer, Err(Refusal::Evidence(_))), "{answer:?}");
    }
}

#[test]
fn refuses_params_without_a_usable_limit() {
    for params in [
        r#"{"metrics": []}"#,
        r#"{"metrics": [{"name": "auc"}]}"#,
        r#"{"metrics": [{"name": "auc", "within-standard-errors": 2}]}"#,
        r#"{"metrics": [{"name": "auc", "max-drop": -1}]}"#,
        r#"{"metrics": [{"name": "auc", "max-relative-drop": 5}]}"#,
    ] {
        let answer = evaluate(parse_params(params).unwrap(), &from_to(0.9, 0.9).build());
        assert!(matches!(answer, Err(Refusal::Params(_))), "{params}");
    }
}
