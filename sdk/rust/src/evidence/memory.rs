use std::collections::BTreeMap;

use super::Evidence;
use crate::{
    Approval, Artifact, CardSection, Category, Finding, Forecast, Metadata, Metric, ModelVersion,
    Request, Scan, Severity, Source, Target, Test, Transition, Usage,
};

/// Facts held in memory, answered in the order that the contract promises.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    request: Request,
    metadata: Metadata,
    tags: BTreeMap<String, String>,
    card: Vec<CardSection>,
    artifacts: Vec<Artifact>,
    metrics: Vec<Metric>,
    baseline: Vec<Metric>,
    unmeasured: BTreeMap<String, String>,
    tests: Vec<Test>,
    usages: Vec<Usage>,
    forecasts: Vec<Forecast>,
    scans: Vec<Scan>,
    findings: Vec<Finding>,
    approvals: Vec<Approval>,
    transitions: Vec<Transition>,
    current: Option<String>,
    sources: Vec<Source>,
    documents: BTreeMap<String, String>,
}

impl Facts {
    pub(super) fn request(&self) -> Request {
        self.request.clone()
    }

    pub(super) fn metadata(&self) -> Metadata {
        self.metadata.clone()
    }

    pub(super) fn tag(&self, key: &str) -> Option<String> {
        self.tags.get(key).cloned()
    }

    pub(super) fn tags(&self) -> Vec<(String, String)> {
        self.tags.clone().into_iter().collect()
    }

    pub(super) fn card(&self) -> Vec<CardSection> {
        self.card.clone()
    }

    pub(super) fn artifacts(&self) -> Vec<Artifact> {
        self.artifacts.clone()
    }

    pub(super) fn metrics(&self) -> Vec<Metric> {
        self.metrics.clone()
    }

    pub(super) fn metrics_named(&self, name: &str) -> Vec<Metric> {
        named(&self.metrics, name)
    }

    pub(super) fn baseline(&self) -> Vec<Metric> {
        self.baseline.clone()
    }

    pub(super) fn baseline_named(&self, name: &str) -> Vec<Metric> {
        named(&self.baseline, name)
    }

    pub(super) fn unmeasured(&self, name: &str) -> Option<String> {
        self.unmeasured.get(name).cloned()
    }

    pub(super) fn tests(&self) -> Vec<Test> {
        self.tests.clone()
    }

    pub(super) fn usages(&self) -> Vec<Usage> {
        self.usages.clone()
    }

    pub(super) fn forecasts(&self) -> Vec<Forecast> {
        self.forecasts.clone()
    }

    pub(super) fn scans(&self) -> Vec<Scan> {
        self.scans.clone()
    }

    pub(super) fn findings(&self, at_least: Severity) -> Vec<Finding> {
        let asked_for = |finding: &&Finding| {
            finding.severity >= at_least || finding.severity == Severity::Unknown
        };
        self.findings.iter().filter(asked_for).cloned().collect()
    }

    pub(super) fn findings_of(&self, category: Category, at_least: Severity) -> Vec<Finding> {
        let mut findings = self.findings(at_least);
        findings.retain(|finding| finding.category == category);
        findings
    }

    pub(super) fn approvals(&self) -> Vec<Approval> {
        self.approvals.clone()
    }

    pub(super) fn transitions(&self) -> Vec<Transition> {
        self.transitions.clone()
    }

    pub(super) fn current(&self) -> Option<String> {
        self.current.clone()
    }

    pub(super) fn sources(&self) -> Vec<Source> {
        self.sources.clone()
    }

    pub(super) fn documents(&self) -> Vec<String> {
        self.documents.keys().cloned().collect()
    }

    pub(super) fn document(&self, name: &str) -> Option<String> {
        self.documents.get(name).cloned()
    }
}

fn named(metrics: &[Metric], name: &str) -> Vec<Metric> {
    metrics.iter().filter(|metric| metric.name == name).cloned().collect()
}

/// Holds a test to what the host promises.
#[track_caller]
fn finite(metric: Metric) -> Metric {
    let Metric { name, value, .. } = &metric;
    assert!(
        value.is_finite(),
        "`{name}` is {value}; evidence has finite values, and `unmeasured` for others"
    );
    metric
}

/// Collects the evidence of a test.
///
/// Unless told otherwise, `alice` asks to move version `1` of `model` to `stage:Production`, at
/// 2026-01-01T00:00:00Z.
#[derive(Clone, Debug)]
pub struct EvidenceBuilder(Facts);

impl Default for EvidenceBuilder {
    fn default() -> Self {
        Self(Facts {
            request: Request {
                subject: ModelVersion {
                    registry: "local".to_owned(),
                    model: "model".to_owned(),
                    version: "1".to_owned(),
                    digest: None,
                },
                source: None,
                target: Target::Stage("Production".to_owned()),
                requested_by: Some("alice".to_owned()),
                at: 1_767_225_600,
            },
            metadata: Metadata::default(),
            tags: BTreeMap::new(),
            card: Vec::new(),
            artifacts: Vec::new(),
            metrics: Vec::new(),
            baseline: Vec::new(),
            unmeasured: BTreeMap::new(),
            tests: Vec::new(),
            usages: Vec::new(),
            forecasts: Vec::new(),
            scans: Vec::new(),
            findings: Vec::new(),
            approvals: Vec::new(),
            transitions: Vec::new(),
            current: None,
            sources: Vec::new(),
            documents: BTreeMap::new(),
        })
    }
}

impl EvidenceBuilder {
    /// What is asked for, in place of the default.
    #[must_use]
    pub fn request(mut self, request: Request) -> Self {
        self.0.request = request;
        self
    }

    /// The evaluation time in seconds since the Unix epoch.
    #[must_use]
    pub fn at(mut self, seconds: u64) -> Self {
        self.0.request.at = seconds;
        self
    }

    /// Who asks; none when nobody was named.
    #[must_use]
    pub fn requested_by(mut self, name: Option<&str>) -> Self {
        self.0.request.requested_by = name.map(str::to_owned);
        self
    }

    /// What is known of the model version itself.
    #[must_use]
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.0.metadata = metadata;
        self
    }

    /// When the version was created, in seconds since the Unix epoch.
    #[must_use]
    pub fn created_at(mut self, seconds: u64) -> Self {
        self.0.metadata.created_at = Some(seconds);
        self
    }

    /// One tag.
    #[must_use]
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.tags.insert(key.into(), value.into());
        self
    }

    /// One section of the model card.
    #[must_use]
    pub fn card_section(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.0.card.push(CardSection::new(name, text));
        self
    }

    /// One file of the model.
    #[must_use]
    pub fn artifact(mut self, artifact: Artifact) -> Self {
        self.0.artifacts.push(artifact);
        self
    }

    /// One metric of the version that asks.
    ///
    /// # Panics
    ///
    /// When its value is not finite: evidence has none such, and [`unmeasured`](Self::unmeasured)
    /// is for it.
    #[must_use]
    #[track_caller]
    pub fn metric(mut self, metric: Metric) -> Self {
        self.0.metrics.push(finite(metric));
        self
    }

    /// One metric of the version it would replace.
    ///
    /// # Panics
    ///
    /// When its value is not finite, as [`metric`](Self::metric).
    #[must_use]
    #[track_caller]
    pub fn baseline(mut self, metric: Metric) -> Self {
        self.0.baseline.push(finite(metric));
        self
    }

    /// A metric that has a name but no value, and why.
    #[must_use]
    pub fn unmeasured(mut self, name: impl Into<String>, reason: impl Into<String>) -> Self {
        self.0.unmeasured.insert(name.into(), reason.into());
        self
    }

    /// The result of one test.
    #[must_use]
    pub fn test(mut self, test: Test) -> Self {
        self.0.tests.push(test);
        self
    }

    /// One stretch of GPU usage.
    #[must_use]
    pub fn usage(mut self, usage: Usage) -> Self {
        self.0.usages.push(usage);
        self
    }

    /// One expected cost.
    #[must_use]
    pub fn forecast(mut self, forecast: Forecast) -> Self {
        self.0.forecasts.push(forecast);
        self
    }

    /// One run of a scanner.
    #[must_use]
    pub fn scan(mut self, scan: Scan) -> Self {
        self.0.scans.push(scan);
        self
    }

    /// One finding of a scanner.
    #[must_use]
    pub fn finding(mut self, finding: Finding) -> Self {
        self.0.findings.push(finding);
        self
    }

    /// One approval.
    #[must_use]
    pub fn approval(mut self, approval: Approval) -> Self {
        self.0.approvals.push(approval);
        self
    }

    /// One earlier transition of the model.
    #[must_use]
    pub fn transition(mut self, transition: Transition) -> Self {
        self.0.transitions.push(transition);
        self
    }

    /// The version that the target means now.
    #[must_use]
    pub fn current(mut self, version: impl Into<String>) -> Self {
        self.0.current = Some(version.into());
        self
    }

    /// Where a piece of evidence came from.
    #[must_use]
    pub fn source(mut self, source: Source) -> Self {
        self.0.sources.push(source);
        self
    }

    /// A document of any other kind, as JSON text.
    #[must_use]
    pub fn document(mut self, name: impl Into<String>, json: impl Into<String>) -> Self {
        self.0.documents.insert(name.into(), json.into());
        self
    }

    /// The evidence, each list in the order in which the host gives it.
    #[must_use]
    pub fn build(self) -> Evidence {
        let mut facts = self.0;
        for metrics in [&mut facts.metrics, &mut facts.baseline] {
            metrics.sort_by(|a, b| {
                (&a.name, &a.dataset, &a.slice).cmp(&(&b.name, &b.dataset, &b.slice))
            });
        }
        facts.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        facts.transitions.sort_by_key(|transition| transition.at);
        Evidence(facts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_worst_first_and_unrated_ones_are_never_left_out() {
        let finding = |id: &str, severity| Finding::new(id, Category::Vulnerability, severity);
        let evidence = Evidence::builder()
            .finding(finding("low", Severity::Low))
            .finding(finding("unrated", Severity::Unknown))
            .finding(finding("critical", Severity::Critical))
            .build();
        let ids: Vec<String> =
            evidence.findings(Severity::High).into_iter().map(|finding| finding.id).collect();
        assert_eq!(ids, ["critical", "unrated"]);
    }

    #[test]
    #[should_panic = "`auc` is NaN; evidence has finite values, and `unmeasured` for others"]
    fn a_metric_without_a_finite_value_is_a_mistake_of_the_test() {
        let _ = Evidence::builder().metric(Metric::new("auc", f64::NAN));
    }

    #[test]
    fn metrics_are_ordered_and_found_by_name() {
        let evidence = Evidence::builder()
            .metric(Metric { slice: Some("region=eu".into()), ..Metric::new("auc", 0.8) })
            .metric(Metric::new("f1", 0.7))
            .metric(Metric::new("auc", 0.9))
            .build();
        let values: Vec<f64> =
            evidence.metrics_named("auc").into_iter().map(|metric| metric.value).collect();
        assert_eq!(values, [0.9, 0.8]);
        assert_eq!(evidence.metrics().len(), 3);
    }
}
