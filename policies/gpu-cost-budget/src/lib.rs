//! The standard policy `gpu-cost-budget`.

mod budget;

use lockgate_sdk::prelude::*;

/// What the model may cost; at least one limit.
#[params]
#[schemars(extend(
    "examples" = [{
        "max-gpu-hours": 500,
        "max-amount": {"amount": 2000, "currency": "USD"},
        "forecasts": [{"metric": "per 1k requests", "max": 0.05, "currency": "USD"}],
        "warn-at": 0.8
    }]
))]
pub struct Params {
    /// The most GPU hours that may have been used.
    #[schemars(range(min = 0.0))]
    max_gpu_hours: Option<f64>,
    /// The most money that may have been spent.
    max_amount: Option<Money>,
    /// The least mean utilisation of the GPUs, 0 to 1, weighted by GPU hours.
    #[schemars(range(min = 0.0, max = 1.0))]
    min_utilization: Option<f64>,
    /// What serving is expected to cost at most.
    #[serde(default)]
    forecasts: Vec<ForecastLimit>,
    /// Count only usage for these purposes; without it, all. Usage for `other` purposes always
    /// counts: it may be for any.
    #[schemars(length(min = 1))]
    purposes: Option<Vec<Purpose>>,
    /// Warn from this fraction of a limit on, 0 to 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    warn_at: Option<f64>,
}

/// An amount of money.
#[params]
pub struct Money {
    /// How much.
    #[schemars(range(min = 0.0))]
    amount: f64,
    /// ISO 4217 code (`USD`).
    #[schemars(regex(pattern = "^[A-Z]{3}$"))]
    currency: String,
}

/// The limit of one expected cost.
#[params]
pub struct ForecastLimit {
    /// What the cost is for, as the evidence names it (`per 1k requests`).
    metric: String,
    /// The most it may be.
    #[schemars(range(min = 0.0))]
    max: f64,
    /// ISO 4217 code (`USD`).
    #[schemars(regex(pattern = "^[A-Z]{3}$"))]
    currency: String,
}

/// What this policy checks.
#[derive(Clone, Copy, Rules)]
pub enum Rule {
    /// Usage known
    ///
    /// The evidence has what each limit needs: usage, and of every usage its GPU hours, its
    /// amount and currency, or its utilisation. Fails when any is missing: what is not known is
    /// not zero.
    Measured,
    /// GPU hours within budget
    ///
    /// All usage together took at most `max-gpu-hours`.
    GpuHours,
    /// Money within budget
    ///
    /// All usage together cost at most `max-amount`. Nothing is converted: where the evidence is
    /// in another currency, or in several, the policy refuses to judge.
    Amount,
    /// GPUs put to use
    ///
    /// The mean utilisation of the GPUs, weighted by GPU hours, is at least `min-utilization`.
    Utilization,
    /// Forecast within budget
    ///
    /// Each expected cost is at most its `max`. Fails when the evidence does not forecast it.
    Forecast,
}

/// Holds GPU hours, money, utilisation and serving forecasts against budgets.
#[policy(name = "gpu-cost-budget", rules = Rule)]
fn evaluate(params: Params, evidence: &Evidence) -> Result<Vec<Check>, Refusal> {
    params.validate()?;
    let mut checks = Vec::new();
    if params.limits_usage() {
        let mut usages = evidence.usages();
        usages.retain(|usage| params.counts(usage.purpose));
        if usages.is_empty() {
            checks.push(
                Check::fail(Rule::Measured, "the evidence has no GPU usage for these purposes")
                    .remedy("give the GPU usage as evidence, for instance from OpenCost"),
            );
        } else {
            checks.extend(params.judge_usages(&usages)?);
        }
    }
    if !params.forecasts.is_empty() {
        checks.extend(params.judge_forecasts(&evidence.forecasts())?);
    }
    Ok(checks)
}

impl Params {
    fn validate(&self) -> Result<(), Refusal> {
        let limits = [self.max_gpu_hours, self.max_amount.as_ref().map(|limit| limit.amount)];
        let forecasts = self.forecasts.iter().map(|limit| limit.max);
        let fractions = [self.min_utilization, self.warn_at];
        let problem = if !self.limits_usage() && self.forecasts.is_empty() {
            "there is no limit; give `max-gpu-hours`, `max-amount`, `min-utilization` or `forecasts`"
        } else if limits.into_iter().flatten().chain(forecasts).any(|limit| limit < 0.0) {
            "a limit is below 0"
        } else if fractions.iter().flatten().any(|fraction| !(0.0..=1.0).contains(fraction)) {
            "`min-utilization` and `warn-at` are between 0 and 1"
        } else if self.purposes.as_ref().is_some_and(Vec::is_empty) {
            "`purposes` is empty; leave it out to count all usage"
        } else {
            return Ok(());
        };
        Err(Refusal::Params(problem.to_owned()))
    }

    const fn limits_usage(&self) -> bool {
        self.max_gpu_hours.is_some() || self.max_amount.is_some() || self.min_utilization.is_some()
    }

    fn counts(&self, purpose: Purpose) -> bool {
        purpose == Purpose::Other
            || self.purposes.as_ref().is_none_or(|purposes| purposes.contains(&purpose))
    }
}

#[cfg(test)]
mod tests;
