use std::sync::{Arc, OnceLock};

use super::bindings::v1;
use crate::model::{Category, Finding, Metric, Severity, Snapshot};
use crate::policy::Facts;

/// A list in the contract's types, made when a policy first asks for it and then shared.
type Shared<T> = OnceLock<Arc<[T]>>;

/// The facts of one decision in the contract's types.
///
/// Each list is converted at the first pull and shared by every policy of the decision, so that
/// nobody pays for evidence that no policy reads, and nobody pays twice.
pub(super) struct View {
    snapshot: Arc<Snapshot>,
    request: Arc<v1::promotion::Request>,
    tags: Shared<(String, String)>,
    card: Shared<v1::model::CardSection>,
    artifacts: Shared<v1::model::Artifact>,
    candidate: Shared<v1::metrics::Metric>,
    baseline: Shared<v1::metrics::Metric>,
    tests: Shared<v1::tests::Test>,
    usages: Shared<v1::cost::Usage>,
    forecasts: Shared<v1::cost::Forecast>,
    scans: Shared<v1::security::Scan>,
    /// One by one, as policies ask for some of many.
    findings: OnceLock<Box<[OnceLock<Arc<v1::security::Finding>>]>>,
    approvals: Shared<v1::approvals::Approval>,
    transitions: Shared<v1::history::Transition>,
    sources: Shared<v1::sources::Source>,
    documents: Shared<(String, Arc<str>)>,
}

fn shared<'a, O: 'a, T: From<&'a O>>(cell: &Shared<T>, ours: &'a [O]) -> Arc<[T]> {
    Arc::clone(cell.get_or_init(|| ours.iter().map(T::from).collect()))
}

impl View {
    pub(super) fn new(facts: &Facts) -> Self {
        Self {
            snapshot: Arc::clone(facts.snapshot()),
            request: Arc::new(facts.promotion().into()),
            tags: OnceLock::new(),
            card: OnceLock::new(),
            artifacts: OnceLock::new(),
            candidate: OnceLock::new(),
            baseline: OnceLock::new(),
            tests: OnceLock::new(),
            usages: OnceLock::new(),
            forecasts: OnceLock::new(),
            scans: OnceLock::new(),
            findings: OnceLock::new(),
            approvals: OnceLock::new(),
            transitions: OnceLock::new(),
            sources: OnceLock::new(),
            documents: OnceLock::new(),
        }
    }

    pub(super) fn request(&self) -> Arc<v1::promotion::Request> {
        Arc::clone(&self.request)
    }

    pub(super) fn metadata(&self) -> v1::model::Metadata {
        (&self.snapshot.metadata).into()
    }

    pub(super) fn tag(&self, key: &str) -> Option<String> {
        self.snapshot.tags.get(key).cloned()
    }

    pub(super) fn tags(&self) -> Arc<[(String, String)]> {
        let copy =
            || self.snapshot.tags.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        Arc::clone(self.tags.get_or_init(copy))
    }

    pub(super) fn card(&self) -> Arc<[v1::model::CardSection]> {
        shared(&self.card, &self.snapshot.card)
    }

    pub(super) fn artifacts(&self) -> Arc<[v1::model::Artifact]> {
        shared(&self.artifacts, &self.snapshot.artifacts)
    }

    pub(super) fn candidate(&self) -> Arc<[v1::metrics::Metric]> {
        shared(&self.candidate, &self.snapshot.candidate)
    }

    pub(super) fn candidate_named(&self, name: &str) -> Vec<v1::metrics::Metric> {
        named(&self.snapshot.candidate, name)
    }

    pub(super) fn baseline(&self) -> Arc<[v1::metrics::Metric]> {
        shared(&self.baseline, &self.snapshot.baseline)
    }

    pub(super) fn baseline_named(&self, name: &str) -> Vec<v1::metrics::Metric> {
        named(&self.snapshot.baseline, name)
    }

    pub(super) fn unmeasured(&self, name: &str) -> Option<String> {
        let entry = self.snapshot.unmeasured.iter().find(|entry| entry.name == name)?;
        Some(entry.reason.clone())
    }

    pub(super) fn tests(&self) -> Arc<[v1::tests::Test]> {
        shared(&self.tests, &self.snapshot.tests)
    }

    pub(super) fn usages(&self) -> Arc<[v1::cost::Usage]> {
        shared(&self.usages, &self.snapshot.usages)
    }

    pub(super) fn forecasts(&self) -> Arc<[v1::cost::Forecast]> {
        shared(&self.forecasts, &self.snapshot.forecasts)
    }

    pub(super) fn scans(&self) -> Arc<[v1::security::Scan]> {
        shared(&self.scans, &self.snapshot.scans)
    }

    /// Findings of at least this severity and those that nobody rated, worst first; of one category
    /// or of any.
    pub(super) fn findings(
        &self,
        category: Option<Category>,
        at_least: Severity,
    ) -> Vec<Arc<v1::security::Finding>> {
        let converted = self
            .findings
            .get_or_init(|| self.snapshot.findings.iter().map(|_| OnceLock::new()).collect());
        let wanted = |finding: &Finding| {
            (finding.severity >= at_least || finding.severity == Severity::Unknown)
                && category.is_none_or(|category| finding.category == category)
        };
        self.snapshot
            .findings
            .iter()
            .zip(converted)
            .filter(|(ours, _)| wanted(ours))
            .map(|(ours, theirs)| Arc::clone(theirs.get_or_init(|| Arc::new(ours.into()))))
            .collect()
    }

    pub(super) fn approvals(&self) -> Arc<[v1::approvals::Approval]> {
        shared(&self.approvals, &self.snapshot.approvals)
    }

    pub(super) fn transitions(&self) -> Arc<[v1::history::Transition]> {
        shared(&self.transitions, &self.snapshot.transitions)
    }

    pub(super) fn current(&self) -> Option<String> {
        self.snapshot.current.clone()
    }

    pub(super) fn sources(&self) -> Arc<[v1::sources::Source]> {
        shared(&self.sources, &self.snapshot.sources)
    }

    pub(super) fn document_names(&self) -> Vec<String> {
        self.snapshot.documents.iter().map(|document| document.name.clone()).collect()
    }

    pub(super) fn document(&self, name: &str) -> Option<Arc<str>> {
        let documents = self.documents.get_or_init(|| {
            let text = |document: &crate::model::Document| {
                let text = serde_json_canonicalizer::to_string(&document.content).ok()?;
                Some((document.name.clone(), Arc::from(text)))
            };
            self.snapshot.documents.iter().filter_map(text).collect()
        });
        let (_, text) = documents.iter().find(|(other, _)| other == name)?;
        Some(Arc::clone(text))
    }
}

fn named(metrics: &[Metric], name: &str) -> Vec<v1::metrics::Metric> {
    metrics.iter().filter(|metric| metric.name == name).map(Into::into).collect()
}
