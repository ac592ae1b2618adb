//! One metric against its baseline.

use lockgate_sdk::{difference, number, tidy};

use super::*;

impl Allowance {
    pub(crate) fn judge(
        &self,
        evidence: &Evidence,
        baseline: &[Metric],
    ) -> Result<Vec<Check>, Refusal> {
        let candidate = self.whole(evidence.metrics_named(&self.name));
        let mut checks = Vec::new();
        if candidate.is_empty() {
            checks.push(self.unmeasured(evidence));
            return Ok(checks);
        }
        if let Some(reason) = evidence.unmeasured(&self.name) {
            let message = format!("a source gives `{}` no value: {reason}", self.name);
            // It may be the value on another dataset than the one asked for.
            checks.push(if self.dataset.is_some() {
                Check::warn(Rule::Measured, message)
            } else {
                Check::fail(Rule::Measured, message)
            });
        }
        for metric in unmatched(&candidate, baseline) {
            checks.push(
                Check::fail(Rule::Measured, format!("the baseline lacks `{}`", metric.label()))
                    .remedy("evaluate the version to replace on the same dataset"),
            );
        }
        for metric in unmatched(baseline, &candidate) {
            let message =
                format!("the baseline has `{}` and this version lacks it", metric.label());
            checks.push(
                Check::fail(Rule::Measured, message).remedy("evaluate this version on it too"),
            );
        }
        for before in baseline {
            for after in candidate.iter().filter(|after| after.dataset == before.dataset) {
                checks.push(Check::pass(
                    Rule::Measured,
                    format!("both versions have `{}`", after.label()),
                ));
                checks.extend(self.compare(before, after)?);
            }
        }
        Ok(checks.into_iter().map(|check| check.about(&self.name)).collect())
    }

    fn compare(&self, before: &Metric, after: &Metric) -> Result<Vec<Check>, Refusal> {
        let drop = if self.higher_is_better(before, after)? {
            difference(before.value, after.value)
        } else {
            difference(after.value, before.value)
        };
        let label = after.label();
        let went = format!("{label} went from {} to {}", number(before.value), number(after.value));
        let remedy = || format!("find out what made `{}` worse", self.name);
        let mut checks = Vec::new();
        if before.partial || after.partial {
            checks.push(
                Check::fail(Rule::Complete, format!("`{label}` comes from part of its dataset"))
                    .remedy("evaluate both versions on the whole dataset"),
            );
        }
        if let Some(max_drop) = self.max_drop {
            checks.push(at_most(Rule::Drop, &went, "drop", drop, max_drop));
        }
        if let Some(max_relative_drop) = self.max_relative_drop {
            checks.push(relative(&went, drop, before.value, max_relative_drop));
        }
        if let Some(errors) = self.within_standard_errors {
            checks.push(match (before.standard_error, after.standard_error) {
                (Some(a), Some(b)) => {
                    let allowed = errors * a.hypot(b);
                    at_most(Rule::StandardError, &went, "drop", drop, tidy(allowed, allowed))
                }
                (None, _) | (Some(_), None) => Check::fail(
                    Rule::StandardError,
                    format!("{went}, and a standard error is missing to tell that from noise"),
                ),
            });
        }
        Ok(checks
            .into_iter()
            .map(|check| match check.remedy {
                None => check.remedy_with(remedy),
                Some(_) => check,
            })
            .collect())
    }

    fn higher_is_better(&self, before: &Metric, after: &Metric) -> Result<bool, Refusal> {
        let name = &self.name;
        match (self.higher_is_better, before.higher_is_better, after.higher_is_better) {
            (Some(direction), _, _)
            | (None, Some(direction), None)
            | (None, None, Some(direction)) => Ok(direction),
            (None, Some(before), Some(after)) if before == after => Ok(before),
            (None, Some(_), Some(_)) => Err(Refusal::Evidence(format!(
                "candidate and baseline disagree whether more of `{name}` is better; \
                 set `higher-is-better` in the params"
            ))),
            (None, None, None) => Err(Refusal::Evidence(format!(
                "nothing says whether more of `{name}` is better; \
                 set `higher-is-better` in the params"
            ))),
        }
    }
}

fn at_most(rule: Rule, went: &str, name: &str, drop: f64, limit: f64) -> Check {
    let check = Check::at_most(rule, name, drop, limit);
    let message = format!("{went}: {}", check.message);
    check.message(message)
}

fn relative(went: &str, drop: f64, baseline: f64, limit: f64) -> Check {
    if baseline == 0.0 {
        // No fraction of nothing: whatever is worse than 0 is infinitely worse.
        return if drop <= 0.0 {
            Check::pass(Rule::RelativeDrop, format!("{went}: no worse than a baseline of 0"))
        } else {
            Check::fail(Rule::RelativeDrop, format!("{went}: worse than a baseline of 0"))
        };
    }
    let fraction = drop / baseline.abs();
    at_most(Rule::RelativeDrop, went, "relative drop", tidy(fraction, fraction), limit)
}

/// Those of `metrics` that were measured on a dataset that none of `others` was.
fn unmatched<'a>(metrics: &'a [Metric], others: &'a [Metric]) -> impl Iterator<Item = &'a Metric> {
    metrics.iter().filter(|metric| others.iter().all(|other| other.dataset != metric.dataset))
}
