//! Holds a metric at or above a floor on every slice of the data.

use lockgate_sdk::prelude::*;

/// The metric and its floor.
#[params]
#[schemars(example = example())]
pub struct Params {
    /// Name of the metric.
    #[schemars(length(min = 1))]
    metric: String,
    /// The least value that passes, on each slice.
    min: f64,
}

/// What `lockgate policy inspect` shows in a gate.
fn example() -> Params {
    Params { metric: "recall".into(), min: 0.8 }
}

/// What this policy checks.
#[derive(Clone, Copy, Rules)]
pub enum Rule {
    /// Every slice above the floor
    ///
    /// The metric is at least `min` on every slice of the data that it was measured on. Fails for
    /// a slice that was only evaluated in part, and when there is no slice at all.
    Floor,
}

/// Holds a metric at or above a floor on every slice of the data.
#[policy(name = "{{name}}", rules = Rule)]
fn evaluate(params: Params, evidence: &Evidence) -> Result<Vec<Check>, Refusal> {
    let measured = evidence.metrics_named(&params.metric);
    let mut checks: Vec<Check> =
        measured.iter().filter_map(|metric| judge(metric, params.min)).collect();
    // Absent is not clean: what nobody measured has not passed.
    if checks.is_empty() {
        let message = format!("{} was measured on no slice", params.metric);
        checks.push(Check::fail(Rule::Floor, message).about(params.metric));
    }
    Ok(checks)
}

/// The check of one value; none when it is of the whole data and not of a slice.
fn judge(metric: &Metric, min: f64) -> Option<Check> {
    let slice = metric.slice.as_deref()?;
    let check = if metric.partial {
        Check::fail(Rule::Floor, format!("{} was only evaluated in part", metric.label()))
    } else {
        Check::at_least(Rule::Floor, metric.label(), metric.value, min)
    };
    Some(check.about(slice).remedy("train on more data of this slice"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(slice: &str, value: f64) -> Metric {
        Metric { slice: Some(slice.into()), ..Metric::new("recall", value) }
    }

    fn judged(metrics: Vec<Metric>) -> Vec<Outcome> {
        let evidence = metrics.into_iter().fold(Evidence::builder(), |all, one| all.metric(one));
        let checks = evaluate(example(), &evidence.build()).unwrap();
        checks.into_iter().map(|check| check.outcome).collect()
    }

    #[test]
    fn each_slice_is_judged_by_itself() {
        let metrics = vec![on("region=eu", 0.8), on("region=us", 0.79)];
        assert_eq!(judged(metrics), [Outcome::Pass, Outcome::Fail]);
    }

    #[test]
    fn part_of_a_slice_is_not_enough() {
        let metrics = vec![Metric { partial: true, ..on("region=eu", 0.9) }];
        assert_eq!(judged(metrics), [Outcome::Fail]);
    }

    #[test]
    fn what_nobody_measured_fails() {
        assert_eq!(judged(Vec::new()), [Outcome::Fail]);
        assert_eq!(judged(vec![Metric::new("recall", 0.9)]), [Outcome::Fail]);
    }
}
