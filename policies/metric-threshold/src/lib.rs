//! The standard policy `metric-threshold`.

use lockgate_sdk::prelude::*;

/// Which metrics are held against which limits.
#[params]
#[schemars(extend(
    "examples" = [{
        "metrics": [{"name": "val_auc", "min": 0.92}, {"name": "latency_p95_ms", "max": 50}]
    }]
))]
pub struct Params {
    /// The metrics that must be within their limits.
    #[schemars(length(min = 1))]
    metrics: Vec<Limit>,
}

/// One metric and its limits; at least one of `min` and `max`.
#[params]
pub struct Limit {
    /// Name of the metric.
    name: String,
    /// The least value that passes.
    min: Option<f64>,
    /// The greatest value that passes.
    max: Option<f64>,
    /// Dataset that the metric must have been measured on; without it, every dataset is judged.
    dataset: Option<String>,
    /// Data slice to judge, as the evidence names it (`region=eu`); without it, the whole dataset.
    slice: Option<String>,
    /// The least number of samples that a value must rest on.
    min_samples: Option<u64>,
    /// Accept values for which only part of the dataset was evaluated.
    #[serde(default)]
    allow_partial: bool,
}

/// What this policy checks.
#[derive(Clone, Copy, Rules)]
pub enum Rule {
    /// Metric measured
    ///
    /// The evidence has a value of the metric, on the dataset and slice asked for. Fails when it
    /// has none, and when one of its sources names the metric without a usable value (NaN). Warns
    /// where that value may be of another dataset or slice than the one asked for.
    Measured,
    /// Metric within its limits
    ///
    /// The value is at least `min` and at most `max`. Where there are several values, each of
    /// them must be.
    Threshold,
    /// Whole dataset evaluated
    ///
    /// The value comes from the whole dataset. Fails when only part of it was evaluated, unless
    /// `allow-partial` is set.
    Complete,
    /// Enough samples
    ///
    /// The value rests on at least `min-samples` samples. Fails when their number is not known.
    SampleSize,
}

/// Holds evaluation metrics against fixed limits.
#[policy(name = "metric-threshold", rules = Rule)]
fn evaluate(params: Params, evidence: &Evidence) -> Result<Vec<Check>, Refusal> {
    if params.metrics.is_empty() {
        return Err(Refusal::Params("`metrics` is empty; name at least one metric".to_owned()));
    }
    for limit in &params.metrics {
        limit.validate()?;
    }
    Ok(params.metrics.iter().flat_map(|limit| limit.judge(evidence)).collect())
}

impl Limit {
    fn validate(&self) -> Result<(), Refusal> {
        let problem = match (self.min, self.max) {
            (None, None) => "has neither `min` nor `max`; give at least one",
            (Some(min), Some(max)) if min > max => "has a `min` above its `max`",
            (Some(_), _) | (None, Some(_)) => return Ok(()),
        };
        Err(Refusal::Params(format!("metric `{}` {problem}", self.name)))
    }

    fn judge(&self, evidence: &Evidence) -> Vec<Check> {
        let all = evidence.metrics_named(&self.name);
        let matching: Vec<&Metric> = all.iter().filter(|metric| self.asks_for(metric)).collect();
        let unmeasured = evidence.unmeasured(&self.name);
        let about = self.about();
        let mut checks = vec![self.measured(&about, &all, !matching.is_empty(), unmeasured)];
        for metric in matching {
            self.judge_value(metric, &mut checks);
        }
        checks.into_iter().map(|check| check.about(&about)).collect()
    }

    /// Whether a value is one of those to judge. A slice is never taken for the whole.
    fn asks_for(&self, metric: &Metric) -> bool {
        metric.slice == self.slice && (self.dataset.is_none() || metric.dataset == self.dataset)
    }

    fn measured(
        &self,
        about: &str,
        all: &[Metric],
        found: bool,
        unmeasured: Option<String>,
    ) -> Check {
        let narrowed = self.dataset.is_some() || self.slice.is_some();
        match (found, unmeasured) {
            (true, None) => Check::pass(Rule::Measured, format!("`{about}` was measured")),
            (true, Some(reason)) => {
                let message = format!(
                    "`{about}` was measured, and a source gives `{}` no value: {reason}",
                    self.name
                );
                // Which dataset and slice the missing value is of is not known. Where all
                // datasets are asked for it is one of them; else it may be another.
                let check = if narrowed {
                    Check::warn(Rule::Measured, message)
                } else {
                    Check::fail(Rule::Measured, message)
                };
                check.remedy("evaluate the version again, or leave out the source without a value")
            }
            (false, Some(reason)) => {
                Check::fail(Rule::Measured, format!("`{about}` was not measured: {reason}"))
                    .remedy(format!("find out why `{}` has no value and evaluate again", self.name))
            }
            (false, None) => {
                let elsewhere: Vec<String> =
                    all.iter().take(3).map(|metric| format!("`{}`", metric.label())).collect();
                let seen = if elsewhere.is_empty() {
                    "no evidence names it".to_owned()
                } else {
                    format!("the evidence has {}", elsewhere.join(", "))
                };
                Check::fail(Rule::Measured, format!("`{about}` was not measured: {seen}"))
                    .remedy(format!("evaluate the version and give `{about}` as evidence"))
            }
        }
    }

    fn judge_value(&self, metric: &Metric, checks: &mut Vec<Check>) {
        let label = metric.label();
        if let Some(min) = self.min {
            checks.push(
                Check::at_least(Rule::Threshold, &label, metric.value, min)
                    .remedy_with(|| format!("raise `{}` to {min} or more", self.name)),
            );
        }
        if let Some(max) = self.max {
            checks.push(
                Check::at_most(Rule::Threshold, &label, metric.value, max)
                    .remedy_with(|| format!("bring `{}` down to {max} or less", self.name)),
            );
        }
        if metric.partial && !self.allow_partial {
            checks.push(
                Check::fail(Rule::Complete, format!("`{label}` comes from part of its dataset"))
                    .remedy("evaluate the whole dataset, or set `allow-partial`"),
            );
        }
        if let Some(min_samples) = self.min_samples {
            checks.push(match metric.sample_size {
                // Counts of samples are far below 2^53, where a double is exact.
                Some(samples) => Check::at_least(
                    Rule::SampleSize,
                    format!("sample size of {label}"),
                    samples as f64,
                    min_samples as f64,
                )
                .unit("samples")
                .remedy("evaluate on more samples"),
                None => Check::fail(
                    Rule::SampleSize,
                    format!("`{label}` does not say how many samples it rests on"),
                )
                .remedy("give the sample size with the metric"),
            });
        }
    }

    /// The metric as asked for, so that a waiver for it goes on matching whatever the evidence.
    fn about(&self) -> String {
        Metric {
            dataset: self.dataset.clone(),
            slice: self.slice.clone(),
            ..Metric::new(&self.name, 0.0)
        }
        .label()
    }
}

#[cfg(test)]
mod tests {
    use lockgate_sdk::parse_params;

    use super::*;

    fn judge(params: &str, evidence: &Evidence) -> Vec<(String, Outcome)> {
        evaluate(parse_params(params).unwrap(), evidence)
            .unwrap()
            .into_iter()
            .map(|check| (check.rule, check.outcome))
            .collect()
    }

    fn outcomes(expected: &[(&str, Outcome)]) -> Vec<(String, Outcome)> {
        expected.iter().map(|(rule, outcome)| ((*rule).to_owned(), *outcome)).collect()
    }

    const AUC: &str = r#"{"metrics": [{"name": "auc", "min": 0.9}]}"#;

    #[test]
    fn accepts_a_value_at_its_limit_and_rejects_one_below() {
        for (value, outcome) in [(0.9, Outcome::Pass), (0.899_999, Outcome::Fail)] {
            let evidence = Evidence::builder().metric(Metric::new("auc", value)).build();
            assert_eq!(
                judge(AUC, &evidence),
                outcomes(&[("measured", Outcome::Pass), ("threshold", outcome)])
            );
        }
    }

    #[test]
    fn rejects_a_value_above_its_maximum() {
        let evidence = Evidence::builder().metric(Metric::new("loss", 0.3)).build();
        let params = r#"{"metrics": [{"name": "loss", "min": 0, "max": 0.25}]}"#;
        assert_eq!(
            judge(params, &evidence),
            outcomes(&[
                ("measured", Outcome::Pass),
                ("threshold", Outcome::Pass),
                ("threshold", Outcome::Fail)
            ])
        );
    }

    #[test]
    fn rejects_a_metric_that_no_evidence_names() {
        let evidence = Evidence::builder().metric(Metric::new("f1", 0.99)).build();
        assert_eq!(judge(AUC, &evidence), outcomes(&[("measured", Outcome::Fail)]));
    }

    #[test]
    fn a_metric_without_a_value_fails_with_the_reason() {
        let evidence = Evidence::builder().unmeasured("auc", "NaN in `run.json`").build();
        let checks = evaluate(parse_params(AUC).unwrap(), &evidence).unwrap();
        assert_eq!(checks[0].message, "`auc` was not measured: NaN in `run.json`");
    }

    #[test]
    fn a_good_value_does_not_hide_one_that_is_missing() {
        let evidence =
            Evidence::builder().metric(Metric::new("auc", 0.95)).unmeasured("auc", "NaN").build();
        assert_eq!(
            judge(AUC, &evidence),
            outcomes(&[("measured", Outcome::Fail), ("threshold", Outcome::Pass)])
        );
        let evidence = Evidence::builder()
            .metric(Metric { dataset: Some("test".into()), ..Metric::new("auc", 0.95) })
            .unmeasured("auc", "NaN")
            .build();
        let params = r#"{"metrics": [{"name": "auc", "min": 0.9, "dataset": "test"}]}"#;
        assert_eq!(
            judge(params, &evidence),
            outcomes(&[("measured", Outcome::Warn), ("threshold", Outcome::Pass)])
        );
    }

    #[test]
    fn every_conflicting_value_must_hold() {
        let evidence = Evidence::builder()
            .metric(Metric::new("auc", 0.95))
            .metric(Metric::new("auc", 0.85))
            .build();
        let failed = judge(AUC, &evidence).contains(&("threshold".into(), Outcome::Fail));
        assert!(failed);
    }

    #[test]
    fn a_slice_is_never_taken_for_the_whole() {
        let evidence = Evidence::builder()
            .metric(Metric { slice: Some("region=eu".into()), ..Metric::new("auc", 0.95) })
            .build();
        let checks = evaluate(parse_params(AUC).unwrap(), &evidence).unwrap();
        assert_eq!(checks[0].message, "`auc` was not measured: the evidence has `auc (region=eu)`");
        let params = r#"{"metrics": [{"name": "auc", "min": 0.9, "slice": "region=eu"}]}"#;
        let checks = evaluate(parse_params(params).unwrap(), &evidence).unwrap();
        assert!(checks.iter().all(|check| check.outcome == Outcome::Pass));
        assert_eq!(checks[0].about.as_deref(), Some("auc (region=eu)"));
    }

    #[test]
    fn rejects_a_partial_evaluation_unless_allowed() {
        let evidence = Evidence::builder()
            .metric(Metric { partial: true, ..Metric::new("auc", 0.95) })
            .build();
        assert!(judge(AUC, &evidence).contains(&("complete".into(), Outcome::Fail)));
        let params = r#"{"metrics": [{"name": "auc", "min": 0.9, "allow-partial": true}]}"#;
        assert!(judge(params, &evidence).iter().all(|(_, outcome)| *outcome == Outcome::Pass));
    }

    #[test]
    fn rejects_too_few_samples_and_an_unknown_number() {
        let params = r#"{"metrics": [{"name": "auc", "min": 0.9, "min-samples": 100}]}"#;
        for (sample_size, outcome) in
            [(Some(100), Outcome::Pass), (Some(99), Outcome::Fail), (None, Outcome::Fail)]
        {
            let evidence = Evidence::builder()
                .metric(Metric { sample_size, ..Metric::new("auc", 0.95) })
                .build();
            assert!(judge(params, &evidence).contains(&("sample-size".into(), outcome)));
        }
    }

    #[test]
    fn refuses_params_without_a_usable_limit() {
        for params in [
            r#"{"metrics": []}"#,
            r#"{"metrics": [{"name": "auc"}]}"#,
            r#"{"metrics": [{"name": "auc", "min": 2, "max": 1}]}"#,
        ] {
            let answer = evaluate(parse_params(params).unwrap(), &Evidence::builder().build());
            assert!(matches!(answer, Err(Refusal::Params(_))), "{params}");
        }
        assert!(parse_params::<Params>(r#"{"metrics": [{"name": "auc", "minimum": 1}]}"#).is_err());
    }
}
