//! Sums of usage, and forecasts, against their limits.

use lockgate_sdk::{number, tidy};

use super::*;

impl Params {
    pub(crate) fn judge_usages(&self, usages: &[Usage]) -> Result<Vec<Check>, Refusal> {
        let mut checks = Vec::new();
        if let Some(limit) = self.max_gpu_hours {
            checks.push(match sum(usages.iter().map(|usage| usage.gpu_hours)) {
                Ok(hours) => self.within(
                    Check::at_most(Rule::GpuHours, "usage", hours, limit).unit("GPU hours"),
                ),
                Err(missing) => unknown(missing, usages.len(), "GPU hours"),
            });
        }
        if let Some(limit) = &self.max_amount {
            let currencies = usages.iter().filter_map(|usage| usage.currency.as_deref());
            same_currency(&limit.currency, currencies, "spending")?;
            let amounts =
                usages.iter().map(|usage| usage.amount.filter(|_| usage.currency.is_some()));
            checks.push(match sum(amounts) {
                Ok(amount) => self.within(
                    Check::at_most(Rule::Amount, "spending", amount, limit.amount)
                        .unit(&limit.currency),
                ),
                Err(missing) => unknown(missing, usages.len(), "amount in a named currency"),
            });
        }
        if let Some(limit) = self.min_utilization {
            checks.push(judge_utilization(usages, limit));
        }
        Ok(checks)
    }

    pub(crate) fn judge_forecasts(&self, forecasts: &[Forecast]) -> Result<Vec<Check>, Refusal> {
        let mut checks = Vec::new();
        for limit in &self.forecasts {
            let named = || forecasts.iter().filter(|forecast| forecast.metric == limit.metric);
            let currencies = named().map(|forecast| forecast.currency.as_str());
            same_currency(&limit.currency, currencies, &limit.metric)?;
            if named().next().is_none() {
                let message = format!("the evidence has no forecast `{}`", limit.metric);
                checks.push(
                    Check::fail(Rule::Forecast, message)
                        .about(&limit.metric)
                        .remedy("give the forecast as evidence"),
                );
            }
            checks.extend(named().map(|forecast| {
                let name = format!("forecast {}", limit.metric);
                let check = Check::at_most(Rule::Forecast, name, forecast.amount, limit.max);
                self.within(check.unit(&limit.currency)).about(&limit.metric)
            }));
        }
        Ok(checks)
    }

    /// The check of a budget, with a warning where little of it is left.
    fn within(&self, mut check: Check) -> Check {
        if let (Outcome::Pass, Some(fraction), Some(measure)) =
            (check.outcome, self.warn_at, &check.measure)
            && measure.actual > 0.0
            && measure.actual >= fraction * measure.limit
        {
            check.outcome = Outcome::Warn;
            let per_cent = number(fraction * 100.0);
            let message = format!("{}: {per_cent} % of the budget or more", check.message);
            check = check.message(message);
        }
        check.remedy("use less, or have the budget raised")
    }
}

fn judge_utilization(usages: &[Usage], limit: f64) -> Check {
    // Utilisation of no time at all weighs nothing, known or not.
    let used = || usages.iter().filter(|usage| usage.gpu_hours != Some(0.0));
    let busy = sum(used().map(|usage| Some(usage.gpu_hours? * usage.utilization?)));
    match (busy, sum(used().map(|usage| usage.gpu_hours))) {
        (Ok(busy), Ok(hours)) if hours > 0.0 => {
            let mean = busy / hours;
            Check::at_least(Rule::Utilization, "mean GPU utilisation", tidy(mean, mean), limit)
                .remedy("use fewer GPUs or keep them busy")
        }
        (Ok(_), Ok(_)) => Check::fail(Rule::Measured, "no GPU hours were used to be utilised")
            .remedy("give the GPU usage as evidence"),
        (Err(missing), _) | (Ok(_), Err(missing)) => {
            unknown(missing, usages.len(), "GPU hours and utilisation")
        }
    }
}

/// The sum of values that are all known; otherwise how many are not.
fn sum(values: impl Iterator<Item = Option<f64>>) -> Result<f64, usize> {
    let (mut sum, mut scale, mut missing) = (0.0, 0.0_f64, 0);
    for value in values {
        match value {
            Some(value) => {
                sum += value;
                scale = scale.max(value.abs()).max(f64::abs(sum));
            }
            None => missing += 1,
        }
    }
    if missing == 0 { Ok(tidy(sum, scale)) } else { Err(missing) }
}

fn unknown(missing: usize, all: usize, what: &str) -> Check {
    let message = format!("{missing} of {all} usages do not say their {what}");
    Check::fail(Rule::Measured, message).remedy(format!("give every usage with its {what}"))
}

/// Refuses to compare, or add up, money of different currencies.
fn same_currency<'a>(
    limit: &str,
    mut found: impl Iterator<Item = &'a str>,
    what: &str,
) -> Result<(), Refusal> {
    match found.find(|currency| !currency.eq_ignore_ascii_case(limit)) {
        None => Ok(()),
        Some(other) => Err(Refusal::Evidence(format!(
            "{what} is in {other} and its limit is in {limit}; give both in one currency, \
             as amounts are never converted"
        ))),
    }
}
