//! The standard policy `baseline-regression`.

mod compare;

use lockgate_sdk::prelude::*;

/// Which metrics may get worse by how much.
#[params]
#[schemars(extend(
    "examples" = [{
        "metrics": [{"name": "val_auc", "max-drop": 0.01, "higher-is-better": true}],
        "first-version": "warn"
    }]
))]
pub struct Params {
    /// The metrics to compare with those of the version that would be replaced.
    #[schemars(length(min = 1))]
    metrics: Vec<Allowance>,
    /// What a first version gets, one that would replace nothing.
    #[serde(default)]
    first_version: FirstVersion,
}

/// One metric and how much worse it may be: `max-drop`, `max-relative-drop` or both.
#[params]
pub struct Allowance {
    /// Name of the metric.
    name: String,
    /// The greatest drop that passes, in the metric's own unit.
    #[schemars(range(min = 0.0))]
    max_drop: Option<f64>,
    /// The greatest drop that passes, as a fraction of the baseline's value.
    #[schemars(range(min = 0.0, max = 1.0))]
    max_relative_drop: Option<f64>,
    /// The greatest drop that passes, in standard errors of the difference: √(a² + b²) of the two
    /// values' own, as for independent samples. On one and the same dataset the values go up and
    /// down together, so that a drop of this size may be no noise. A worse evaluation has larger
    /// errors: it takes one of the other limits beside it.
    #[schemars(range(min = 0.0))]
    within_standard_errors: Option<f64>,
    /// Whether more is better; without it, what the evidence says. MLflow does not say it.
    higher_is_better: Option<bool>,
    /// Dataset to compare on; without it, every dataset that either version was measured on.
    dataset: Option<String>,
}

/// What a first version gets.
#[params]
#[derive(Copy, Default)]
pub enum FirstVersion {
    /// It passes, if its metrics were measured.
    Pass,
    /// It passes with a warning, if its metrics were measured.
    Warn,
    /// It fails.
    #[default]
    Fail,
}

/// What this policy checks.
#[derive(Clone, Copy, Rules)]
pub enum Rule {
    /// Baseline present
    ///
    /// There are metrics of the version that would be replaced. Where there are none, and nothing
    /// is known to be replaced, `first-version` decides; where a version is to be replaced and
    /// its metrics are missing, fails.
    Baseline,
    /// Measured alike
    ///
    /// Both versions have a value of the metric on the same datasets. Fails when either lacks one
    /// that the other has, so that a dataset cannot be dropped unnoticed.
    Measured,
    /// Whole dataset evaluated
    ///
    /// Neither value comes from only part of its dataset. Fails otherwise: parts differ.
    Complete,
    /// Drop within its limit
    ///
    /// The metric is worse by at most `max-drop`.
    Drop,
    /// Relative drop within its limit
    ///
    /// The metric is worse by at most the fraction `max-relative-drop` of the baseline's value.
    /// From a baseline of 0 only a metric that is no worse passes.
    RelativeDrop,
    /// Drop within the noise
    ///
    /// The metric is worse by at most `within-standard-errors` times √(a² + b²), the standard error
    /// of the difference of independent samples. Fails when either value lacks its standard error.
    StandardError,
}

/// Compares evaluation metrics with those of the version that would be replaced.
#[policy(name = "baseline-regression", rules = Rule)]
fn evaluate(params: Params, evidence: &Evidence) -> Result<Vec<Check>, Refusal> {
    if params.metrics.is_empty() {
        return Err(Refusal::Params("`metrics` is empty; name at least one metric".to_owned()));
    }
    for allowance in &params.metrics {
        allowance.validate()?;
    }
    let baselines: Vec<Vec<Metric>> = params
        .metrics
        .iter()
        .map(|allowance| allowance.whole(evidence.baseline_named(&allowance.name)))
        .collect();
    if baselines.iter().all(Vec::is_empty) && evidence.baseline().is_empty() {
        return Ok(without_baseline(&params, evidence));
    }
    let mut checks = vec![Check::pass(Rule::Baseline, "there is a baseline to compare with")];
    for (allowance, baseline) in params.metrics.iter().zip(&baselines) {
        checks.extend(allowance.judge(evidence, baseline)?);
    }
    Ok(checks)
}

/// Nothing to compare with: a first version, or a baseline that was not given.
fn without_baseline(params: &Params, evidence: &Evidence) -> Vec<Check> {
    let version = evidence.request().subject.version;
    if let Some(replaced) = evidence.current().filter(|current| *current != version) {
        let message = format!("version `{replaced}` would be replaced and its metrics are missing");
        return vec![
            Check::fail(Rule::Baseline, message).remedy("give its metrics as the baseline"),
        ];
    }
    let message = "no metrics of an earlier version: taken as a first version";
    let first = match params.first_version {
        FirstVersion::Pass => Check::pass(Rule::Baseline, message),
        FirstVersion::Warn => Check::warn(Rule::Baseline, message),
        FirstVersion::Fail => Check::fail(Rule::Baseline, message),
    };
    let remedy = "give the metrics of the version to replace, or let a first version pass by `first-version`";
    let mut checks = vec![first.remedy(remedy)];
    checks.extend(params.metrics.iter().map(|allowance| {
        if allowance.whole(evidence.metrics_named(&allowance.name)).is_empty() {
            allowance.unmeasured(evidence)
        } else {
            Check::pass(Rule::Measured, format!("`{}` was measured", allowance.name))
                .about(&allowance.name)
        }
    }));
    checks
}

impl Allowance {
    fn validate(&self) -> Result<(), Refusal> {
        let limits = [self.max_drop, self.max_relative_drop, self.within_standard_errors];
        let problem = if self.max_drop.or(self.max_relative_drop).is_none() {
            match self.within_standard_errors {
                None => "has no limit; give `max-drop` or `max-relative-drop`",
                // Whoever evaluates on fewer samples would be allowed a larger drop.
                Some(_) => {
                    "has only `within-standard-errors`, and enough noise hides any drop; give \
                     `max-drop` or `max-relative-drop` beside it"
                }
            }
        } else if limits.iter().flatten().any(|limit| *limit < 0.0) {
            "has a limit below 0"
        } else if self.max_relative_drop.is_some_and(|fraction| fraction > 1.0) {
            "has a `max-relative-drop` above 1; write 0.05 for five per cent"
        } else {
            return Ok(());
        };
        Err(Refusal::Params(format!("metric `{}` {problem}", self.name)))
    }

    /// The values to compare: of the whole dataset, never of a slice.
    fn whole(&self, mut metrics: Vec<Metric>) -> Vec<Metric> {
        metrics.retain(|metric| {
            metric.slice.is_none() && (self.dataset.is_none() || metric.dataset == self.dataset)
        });
        metrics
    }

    fn unmeasured(&self, evidence: &Evidence) -> Check {
        let reason = evidence.unmeasured(&self.name);
        let reason = reason.unwrap_or_else(|| "no evidence has a value of it".to_owned());
        Check::fail(Rule::Measured, format!("`{}` was not measured: {reason}", self.name))
            .about(&self.name)
            .remedy(format!("evaluate the version and give `{}` as evidence", self.name))
    }
}

#[cfg(test)]
mod tests;
