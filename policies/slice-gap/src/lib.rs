//! The standard policy `slice-gap`.

use lockgate_sdk::{difference, number, prelude::*};

/// Which metrics may differ by how much between slices and the whole.
#[params]
#[schemars(extend(
    "examples" = [{
        "metrics": [{
            "name": "val_auc", "max-gap": 0.05, "slices": ["region"], "higher-is-better": true
        }]
    }]
))]
pub struct Params {
    /// The metrics whose slices are held against the whole dataset.
    #[schemars(length(min = 1))]
    metrics: Vec<Gap>,
}

/// One metric and the greatest gap between a slice and the whole.
#[params]
pub struct Gap {
    /// Name of the metric.
    name: String,
    /// How much worse than the whole a slice may be, in the metric's own unit.
    #[schemars(range(min = 0.0))]
    max_gap: f64,
    /// What the data is sliced by: `region` stands for `region=eu`, `region=us` and so on, and a
    /// full name for itself. Each must be there, with a slice that is not too small to be judged.
    /// Without it, every slice that the evidence has.
    #[schemars(length(min = 1))]
    slices: Option<Vec<String>>,
    /// Slices of fewer samples are left out, and listed as skipped. A slice that does not say its
    /// number of samples is judged.
    min_samples: Option<u64>,
    /// Whether more is better; without it, what the evidence says. MLflow does not say it.
    higher_is_better: Option<bool>,
    /// Dataset to judge; without it, every dataset.
    dataset: Option<String>,
}

/// What this policy checks.
#[derive(Clone, Copy, Rules)]
pub enum Rule {
    /// Slices measured
    ///
    /// The metric has a value on slices of the data, on each that is asked for, and on the whole
    /// dataset that they are slices of. Fails when any of these is missing, and when all slices of
    /// what is asked for have too few samples.
    Measured,
    /// Whole slice evaluated
    ///
    /// No value comes from only part of its data. Fails otherwise.
    Complete,
    /// Slice close to the whole
    ///
    /// Each slice is worse than the whole dataset by at most `max-gap`. A passed check names the
    /// worst slice.
    Gap,
}

/// Failing slices of one metric that are listed one by one.
const MAX_LISTED: usize = 50;

/// Holds the worst slice of the data against the whole.
#[policy(name = "slice-gap", rules = Rule)]
fn evaluate(params: Params, evidence: &Evidence) -> Result<Vec<Check>, Refusal> {
    if params.metrics.is_empty() {
        return Err(Refusal::Params("`metrics` is empty; name at least one metric".to_owned()));
    }
    let mut checks = Vec::new();
    for gap in &params.metrics {
        gap.validate()?;
        checks.extend(gap.judge(evidence)?);
    }
    Ok(checks)
}

impl Gap {
    fn validate(&self) -> Result<(), Refusal> {
        let problem = if self.max_gap < 0.0 {
            "has a `max-gap` below 0"
        } else if self.slices.as_ref().is_some_and(Vec::is_empty) {
            "has an empty list of `slices`; leave it out to judge them all"
        } else {
            return Ok(());
        };
        Err(Refusal::Params(format!("metric `{}` {problem}", self.name)))
    }

    fn judge(&self, evidence: &Evidence) -> Result<Vec<Check>, Refusal> {
        let mut metrics = evidence.metrics_named(&self.name);
        metrics.retain(|metric| self.dataset.is_none() || metric.dataset == self.dataset);
        let (wholes, slices): (Vec<Metric>, Vec<Metric>) =
            metrics.into_iter().partition(|metric| metric.slice.is_none());
        let higher_is_better = self.higher_is_better(wholes.iter().chain(&slices))?;

        let mut checks = self.missing(evidence, &wholes, &slices);
        let (mut gaps, mut orphans, mut skipped) = (Vec::new(), Vec::new(), 0);
        for slice in slices.iter().filter(|slice| self.asks_for(slice)) {
            if self.is_too_small(slice) {
                skipped += 1;
                continue;
            }
            let mut whole = wholes.iter().filter(|whole| whole.dataset == slice.dataset).peekable();
            if whole.peek().is_none() {
                orphans.push(slice.label());
            }
            gaps.extend(whole.map(|whole| {
                let gap = if higher_is_better {
                    difference(whole.value, slice.value)
                } else {
                    difference(slice.value, whole.value)
                };
                (gap, slice, whole)
            }));
        }
        if let Some(first) = orphans.first() {
            let which = slices_in_words(orphans.len());
            let message = format!("no value on the whole dataset of {which}: `{first}`…");
            checks.push(
                Check::fail(Rule::Measured, message)
                    .about(&self.name)
                    .remedy("evaluate on the whole dataset too"),
            );
        }
        if skipped > 0 {
            let which = slices_in_words(skipped);
            let message = format!("too few samples in {which} of `{}`", self.name);
            checks.push(Check::skip(Rule::Gap, message).about(&self.name));
        }
        if gaps.is_empty() {
            checks.push(self.nothing_compared());
        }
        checks.extend(self.partial(&gaps));
        checks.extend(self.compared(gaps));
        Ok(checks)
    }

    /// Whether the data is sliced by what is asked for.
    fn asks_for(&self, metric: &Metric) -> bool {
        match &self.slices {
            None => true,
            Some(wanted) => wanted.iter().any(|wanted| is_slice_of(metric, wanted)),
        }
    }

    fn is_too_small(&self, slice: &Metric) -> bool {
        self.min_samples.zip(slice.sample_size).is_some_and(|(least, samples)| samples < least)
    }

    fn missing(&self, evidence: &Evidence, wholes: &[Metric], slices: &[Metric]) -> Vec<Check> {
        let mut checks = Vec::new();
        if let Some(reason) = evidence.unmeasured(&self.name) {
            let message = format!("a value of `{}` is missing: {reason}", self.name);
            checks.push(Check::fail(Rule::Measured, message));
        }
        if wholes.is_empty() {
            let message = format!("`{}` was not measured on the whole dataset", self.name);
            checks.push(Check::fail(Rule::Measured, message));
        }
        for wanted in self.slices.iter().flatten() {
            let mut found = slices.iter().filter(|slice| is_slice_of(slice, wanted)).peekable();
            let message = if found.peek().is_none() {
                format!("`{}` was not measured on any slice `{wanted}`", self.name)
            } else if found.all(|slice| self.is_too_small(slice)) {
                format!("no slice `{wanted}` has enough samples to be judged")
            } else {
                continue;
            };
            checks.push(Check::fail(Rule::Measured, message));
        }
        let remedy = || {
            let name = &self.name;
            format!(
                "evaluate `{name}` on the whole and on slices of the data that are large enough"
            )
        };
        checks.into_iter().map(|check| check.about(&self.name).remedy_with(remedy)).collect()
    }

    fn nothing_compared(&self) -> Check {
        Check::fail(Rule::Measured, format!("no slice of `{}` could be compared", self.name))
            .about(&self.name)
            .remedy("evaluate on slices of the data that are large enough")
    }

    fn partial(&self, gaps: &[(f64, &Metric, &Metric)]) -> Option<Check> {
        let (_, slice, _) = gaps.iter().find(|(_, slice, whole)| slice.partial || whole.partial)?;
        let message = format!("`{}` or its whole was evaluated only in part", slice.label());
        Some(
            Check::fail(Rule::Complete, message)
                .about(&self.name)
                .remedy("evaluate the whole dataset"),
        )
    }

    /// A check of each slice that is too far off; where none is, one of the worst.
    fn compared(&self, mut gaps: Vec<(f64, &Metric, &Metric)>) -> Vec<Check> {
        gaps.sort_by(|(a, ..), (b, ..)| b.total_cmp(a));
        let too_far = |gap: f64| !gap.is_finite() || gap > self.max_gap;
        let check = |(gap, slice, whole): &(f64, &Metric, &Metric)| {
            let check = Check::at_most(Rule::Gap, "gap", *gap, self.max_gap);
            let message = format!(
                "{} is {} and the whole is {}: {}",
                slice.label(),
                number(slice.value),
                number(whole.value),
                check.message
            );
            check.message(message).about(self.about(slice)).remedy_with(|| {
                let part = slice.slice.as_deref().unwrap_or_default();
                format!("find out why the model does worse on `{part}`")
            })
        };
        // Only what is told is put into words.
        let failing: Vec<Check> =
            gaps.iter().filter(|(gap, ..)| too_far(*gap)).map(check).collect();
        if failing.is_empty() {
            return gaps.first().map(check).into_iter().collect();
        }
        let unlisted = failing.len().saturating_sub(MAX_LISTED);
        let mut checks: Vec<Check> = failing.into_iter().take(MAX_LISTED).collect();
        if unlisted > 0 {
            let which = slices_in_words(unlisted);
            let message = format!("too far off as well: {which} of `{}`", self.name);
            checks.push(Check::fail(Rule::Gap, message).about(&self.name));
        }
        checks
    }

    fn higher_is_better<'a>(
        &self,
        metrics: impl Iterator<Item = &'a Metric>,
    ) -> Result<bool, Refusal> {
        if let Some(direction) = self.higher_is_better {
            return Ok(direction);
        }
        let (mut yes, mut no, mut any) = (false, false, false);
        for metric in metrics {
            any = true;
            yes |= metric.higher_is_better == Some(true);
            no |= metric.higher_is_better == Some(false);
        }
        let problem = match (yes, no) {
            (true, false) => return Ok(true),
            (false, true) => return Ok(false),
            // Nothing is compared, so the direction makes no difference.
            (false, false) if !any => return Ok(true),
            (false, false) => "nothing says whether more of",
            (true, true) => "the evidence contradicts itself whether more of",
        };
        Err(Refusal::Evidence(format!(
            "{problem} `{}` is better; set `higher-is-better` in the params",
            self.name
        )))
    }

    fn about(&self, slice: &Metric) -> String {
        let part = slice.slice.as_deref().unwrap_or_default();
        format!("{} ({part})", self.name)
    }
}

fn slices_in_words(count: usize) -> String {
    if count == 1 { "1 slice".to_owned() } else { format!("{count} slices") }
}

/// `region` is the dimension of `region=eu`; a full name is itself.
fn is_slice_of(metric: &Metric, wanted: &str) -> bool {
    metric.slice.as_deref().is_some_and(|slice| {
        slice == wanted || slice.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('='))
    })
}

#[cfg(test)]
mod tests {
    use lockgate_sdk::parse_params;

    use super::*;

    fn whole(value: f64) -> Metric {
        Metric { higher_is_better: Some(true), ..Metric::new("auc", value) }
    }

    fn slice(name: &str, value: f64) -> Metric {
        Metric { slice: Some(name.to_owned()), ..whole(value) }
    }

    fn evidence(metrics: impl IntoIterator<Item = Metric>) -> Evidence {
        metrics
            .into_iter()
            .fold(Evidence::builder(), |builder, metric| builder.metric(metric))
            .build()
    }

    fn judge(params: &str, evidence: &Evidence) -> Vec<(String, Option<String>, Outcome)> {
        evaluate(parse_params(params).unwrap(), evidence)
            .unwrap()
            .into_iter()
            .map(|check| (check.rule, check.about, check.outcome))
            .collect()
    }

    fn one(rule: &str, about: &str, outcome: Outcome) -> Vec<(String, Option<String>, Outcome)> {
        vec![(rule.to_owned(), Some(about.to_owned()), outcome)]
    }

    const GAP: &str = r#"{"metrics": [{"name": "auc", "max-gap": 0.05}]}"#;

    #[test]
    fn a_passed_check_names_the_worst_slice() {
        let evidence = evidence([whole(0.9), slice("region=eu", 0.92), slice("region=us", 0.85)]);
        assert_eq!(judge(GAP, &evidence), one("gap", "auc (region=us)", Outcome::Pass));
    }

    #[test]
    fn every_slice_that_is_too_far_off_fails_worst_first() {
        let evidence =
            evidence([whole(0.9), slice("a=1", 0.8), slice("a=2", 0.7), slice("a=3", 0.9)]);
        let expected =
            [one("gap", "auc (a=2)", Outcome::Fail), one("gap", "auc (a=1)", Outcome::Fail)];
        assert_eq!(judge(GAP, &evidence), expected.concat());
    }

    #[test]
    fn many_failing_slices_are_summed_up() {
        let slices = (0..60).map(|index| slice(&format!("shop={index}"), 0.5));
        let checks = judge(GAP, &evidence(slices.chain([whole(0.9)])));
        assert_eq!(checks.len(), MAX_LISTED + 1);
        assert!(checks.iter().all(|(_, _, outcome)| *outcome == Outcome::Fail));
    }

    #[test]
    fn less_can_be_better() {
        let params =
            r#"{"metrics": [{"name": "auc", "max-gap": 0.05, "higher-is-better": false}]}"#;
        let evidence = evidence([whole(0.9), slice("a=1", 0.5)]);
        assert_eq!(judge(params, &evidence), one("gap", "auc (a=1)", Outcome::Pass));
    }

    #[test]
    fn rejects_evidence_without_slices_or_without_the_whole() {
        let checks = judge(GAP, &evidence([whole(0.9)]));
        assert_eq!(checks, one("measured", "auc", Outcome::Fail));
        let checks = judge(GAP, &evidence([slice("a=1", 0.9)]));
        assert!(checks.len() == 3 && checks.iter().all(|(.., outcome)| *outcome == Outcome::Fail));
        assert!(judge(GAP, &evidence([])).iter().all(|(.., outcome)| *outcome == Outcome::Fail));
    }

    #[test]
    fn a_slice_is_held_against_its_own_dataset() {
        let other = Metric { dataset: Some("other".into()), ..whole(0.9) };
        let checks = judge(GAP, &evidence([other, slice("a=1", 0.9)]));
        assert!(checks.contains(&one("measured", "auc", Outcome::Fail)[0]), "{checks:?}");
    }

    #[test]
    fn each_dimension_asked_for_must_be_there() {
        let params =
            r#"{"metrics": [{"name": "auc", "max-gap": 0.05, "slices": ["region", "age=old"]}]}"#;
        let found = evidence([whole(0.9), slice("region=eu", 0.9), slice("regional=x", 0.1)]);
        assert_eq!(
            judge(params, &found),
            [one("measured", "auc", Outcome::Fail), one("gap", "auc (region=eu)", Outcome::Pass)]
                .concat()
        );
    }

    #[test]
    fn small_slices_are_skipped_and_do_not_pass_alone() {
        let params = r#"{"metrics": [{"name": "auc", "max-gap": 0.05, "min-samples": 30}]}"#;
        let small = Metric { sample_size: Some(29), ..slice("a=1", 0.1) };
        let checks = judge(params, &evidence([whole(0.9), small.clone()]));
        let skipped = one("gap", "auc", Outcome::Skip);
        assert_eq!(checks, [skipped.clone(), one("measured", "auc", Outcome::Fail)].concat());
        let large = Metric { sample_size: Some(30), ..slice("a=2", 0.9) };
        let checks = judge(params, &evidence([whole(0.9), small, large]));
        assert_eq!(checks, [skipped, one("gap", "auc (a=2)", Outcome::Pass)].concat());
    }

    #[test]
    fn a_slice_that_is_asked_for_is_judged_or_fails() {
        let params = r#"{"metrics": [
            {"name": "auc", "max-gap": 0.05, "slices": ["region", "age=18"], "min-samples": 100}
        ]}"#;
        let of = |name: &str, value, samples| Metric {
            sample_size: Some(samples),
            ..slice(name, value)
        };
        let small = [of("region=eu", 0.9, 100), of("region=aq", 0.1, 99), of("age=18", 0.1, 99)];
        let answer = evaluate(
            parse_params(params).unwrap(),
            &evidence(small.into_iter().chain([whole(0.9)])),
        );
        let told: Vec<(String, Outcome)> =
            answer.unwrap().into_iter().map(|check| (check.message, check.outcome)).collect();
        assert_eq!(
            told[..2],
            [
                ("no slice `age=18` has enough samples to be judged".to_owned(), Outcome::Fail),
                ("too few samples in 2 slices of `auc`".to_owned(), Outcome::Skip),
            ]
        );
        let large = [of("region=eu", 0.9, 100), of("age=18", 0.9, 100)];
        let checks = judge(params, &evidence(large.into_iter().chain([whole(0.9)])));
        assert_eq!(checks.len(), 1, "{checks:?}");
        assert_eq!(checks[0].2, Outcome::Pass);
    }

    #[test]
    fn rejects_partial_and_missing_values() {
        let partial = Metric { partial: true, ..slice("a=1", 0.9) };
        let checks = judge(GAP, &evidence([whole(0.9), partial]));
        assert!(checks.contains(&one("complete", "auc", Outcome::Fail)[0]));
        let evidence = Evidence::builder()
            .metric(whole(0.9))
            .metric(slice("a=1", 0.9))
            .unmeasured("auc", "NaN")
            .build();
        assert!(judge(GAP, &evidence).contains(&one("measured", "auc", Outcome::Fail)[0]));
    }

    #[test]
    fn refuses_to_guess_the_direction() {
        let unstated = Metric { higher_is_better: None, ..whole(0.9) };
        let contradicted = Metric { higher_is_better: Some(false), ..slice("a=1", 0.9) };
        for metrics in [vec![unstated], vec![whole(0.9), contradicted]] {
            let answer = evaluate(parse_params(GAP).unwrap(), &evidence(metrics));
            assert!(matches!(answer, Err(Refusal::Evidence(_))), "{answer:?}");
        }
    }

    #[test]
    fn refuses_params_that_check_nothing() {
        for params in [
            r#"{"metrics": []}"#,
            r#"{"metrics": [{"name": "auc", "max-gap": -0.1}]}"#,
            r#"{"metrics": [{"name": "auc", "max-gap": 0.1, "slices": []}]}"#,
        ] {
            let answer = evaluate(parse_params(params).unwrap(), &evidence([]));
            assert!(matches!(answer, Err(Refusal::Params(_))), "{params}");
        }
    }
}
