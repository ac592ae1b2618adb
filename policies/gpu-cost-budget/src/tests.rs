use lockgate_sdk::parse_params;

use super::*;

fn usage(hours: f64, amount: f64) -> Usage {
    Usage {
        gpu_hours: Some(hours),
        amount: Some(amount),
        currency: Some("USD".to_owned()),
        ..Usage::new(Purpose::Training)
    }
}

fn evidence(usages: impl IntoIterator<Item = Usage>) -> Evidence {
    usages.into_iter().fold(Evidence::builder(), |builder, usage| builder.usage(usage)).build()
}

fn judge(params: &str, evidence: &Evidence) -> Vec<(String, Outcome)> {
    evaluate(parse_params(params).unwrap(), evidence)
        .unwrap()
        .into_iter()
        .map(|check| (check.rule, check.outcome))
        .collect()
}

fn one(rule: &str, outcome: Outcome) -> Vec<(String, Outcome)> {
    vec![(rule.to_owned(), outcome)]
}

const HOURS: &str = r#"{"max-gpu-hours": 0.3}"#;
const AMOUNT: &str = r#"{"max-amount": {"amount": 100, "currency": "USD"}}"#;
const UTILIZATION: &str = r#"{"min-utilization": 0.5}"#;
const FORECAST: &str =
    r#"{"forecasts": [{"metric": "per month", "max": 1000, "currency": "USD"}]}"#;

#[test]
fn accepts_usage_of_exactly_the_budget_and_rejects_more() {
    let at_limit = evidence([usage(0.1, 50.0), usage(0.2, 50.0)]);
    assert_eq!(judge(HOURS, &at_limit), one("gpu-hours", Outcome::Pass));
    assert_eq!(judge(AMOUNT, &at_limit), one("amount", Outcome::Pass));
    let over = evidence([usage(0.1, 50.0), usage(0.21, 50.01)]);
    assert_eq!(judge(HOURS, &over), one("gpu-hours", Outcome::Fail));
    assert_eq!(judge(AMOUNT, &over), one("amount", Outcome::Fail));
}

#[test]
fn no_usage_is_not_free() {
    for params in [HOURS, AMOUNT, UTILIZATION] {
        assert_eq!(judge(params, &evidence([])), one("measured", Outcome::Fail), "{params}");
    }
    assert_eq!(judge(FORECAST, &evidence([])), one("forecast", Outcome::Fail));
}

#[test]
fn what_is_not_known_is_not_zero() {
    let unknown = Usage::new(Purpose::Training);
    for params in [HOURS, AMOUNT, UTILIZATION] {
        let evidence = evidence([usage(0.1, 1.0), unknown.clone()]);
        assert_eq!(judge(params, &evidence), one("measured", Outcome::Fail), "{params}");
    }
    let unnamed = Usage { currency: None, ..usage(0.1, 1.0) };
    assert_eq!(judge(AMOUNT, &evidence([unnamed])), one("measured", Outcome::Fail));
}

#[test]
fn refuses_mixed_and_foreign_currencies() {
    let euros = Usage { currency: Some("EUR".to_owned()), ..usage(0.1, 1.0) };
    for usages in [vec![usage(0.1, 1.0), euros.clone()], vec![euros]] {
        let answer = evaluate(parse_params(AMOUNT).unwrap(), &evidence(usages));
        assert!(matches!(answer, Err(Refusal::Evidence(_))), "{answer:?}");
    }
    let evidence = Evidence::builder().forecast(Forecast::new("per month", 1.0, "EUR")).build();
    let answer = evaluate(parse_params(FORECAST).unwrap(), &evidence);
    assert!(matches!(answer, Err(Refusal::Evidence(_))), "{answer:?}");
}

#[test]
fn utilisation_is_weighted_by_gpu_hours() {
    let at = |hours: f64, utilization: f64| Usage {
        utilization: Some(utilization),
        ..usage(hours, 1.0)
    };
    let half = evidence([at(1.0, 0.9), at(4.0, 0.4)]);
    assert_eq!(judge(UTILIZATION, &half), one("utilization", Outcome::Pass));
    let idle = evidence([at(1.0, 0.9), at(9.0, 0.4)]);
    assert_eq!(judge(UTILIZATION, &idle), one("utilization", Outcome::Fail));
    let unused = evidence([at(0.0, 0.9)]);
    assert_eq!(judge(UTILIZATION, &unused), one("measured", Outcome::Fail));
    let beside_unused = evidence([at(1.0, 0.6), usage(0.0, 0.0)]);
    assert_eq!(judge(UTILIZATION, &beside_unused), one("utilization", Outcome::Pass));
}

#[test]
fn every_forecast_of_the_name_must_be_within_its_limit() {
    for (amount, outcome) in [(1000.0, Outcome::Pass), (1000.5, Outcome::Fail)] {
        let evidence = Evidence::builder()
            .forecast(Forecast::new("per month", amount, "USD"))
            .forecast(Forecast::new("per 1k requests", 1e9, "USD"))
            .build();
        assert_eq!(judge(FORECAST, &evidence), one("forecast", outcome));
    }
}

#[test]
fn only_named_purposes_count_and_unstated_ones_always_do() {
    let params = r#"{"max-gpu-hours": 1, "purposes": ["training"]}"#;
    let serving = Usage { purpose: Purpose::Serving, ..usage(50.0, 1.0) };
    let unstated = Usage { purpose: Purpose::Other, ..usage(50.0, 1.0) };
    let checks = judge(params, &evidence([usage(1.0, 1.0), serving.clone()]));
    assert_eq!(checks, one("gpu-hours", Outcome::Pass));
    let checks = judge(params, &evidence([usage(1.0, 1.0), unstated]));
    assert_eq!(checks, one("gpu-hours", Outcome::Fail));
    assert_eq!(judge(params, &evidence([serving])), one("measured", Outcome::Fail));
}

#[test]
fn warns_when_little_of_the_budget_is_left() {
    let params = r#"{"max-gpu-hours": 10, "warn-at": 0.8}"#;
    for (hours, outcome) in
        [(7.9, Outcome::Pass), (8.0, Outcome::Warn), (10.0, Outcome::Warn), (10.1, Outcome::Fail)]
    {
        let checks = judge(params, &evidence([usage(hours, 1.0)]));
        assert_eq!(checks, one("gpu-hours", outcome), "{hours}");
    }
}

#[test]
fn refuses_params_that_limit_nothing_or_make_no_sense() {
    for params in [
        "{}",
        r#"{"max-gpu-hours": -1}"#,
        r#"{"min-utilization": 50}"#,
        r#"{"max-gpu-hours": 1, "warn-at": 80}"#,
        r#"{"max-gpu-hours": 1, "purposes": []}"#,
        r#"{"forecasts": [{"metric": "per month", "max": -1, "currency": "USD"}]}"#,
    ] {
        let answer = evaluate(parse_params(params).unwrap(), &evidence([usage(1.0, 1.0)]));
        assert!(matches!(answer, Err(Refusal::Params(_))), "{params}");
    }
}
