use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::bindings::v1;
use crate::model::{Finding, Metric, Severity, Snapshot, canonical};
use crate::policy::Facts;

/// A list in the contract's types, made when a policy first asks for it and then shared.
type Shared<T> = OnceLock<Arc<[T]>>;

/// A list of which policies ask for some of many: each item is made when it is first asked for.
type OneByOne<T> = OnceLock<Box<[OnceLock<T>]>>;

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
    findings: OneByOne<Arc<v1::security::Finding>>,
    approvals: Shared<v1::approvals::Approval>,
    transitions: Shared<v1::history::Transition>,
    sources: Shared<v1::sources::Source>,
    /// None where a document cannot be written.
    documents: OneByOne<Option<Arc<str>>>,
}

fn shared<'a, O: 'a, T: From<&'a O>>(cell: &Shared<T>, ours: &'a [O]) -> Arc<[T]> {
    Arc::clone(cell.get_or_init(|| ours.iter().map(T::from).collect()))
}

fn one_by_one<'a, O, T>(cell: &'a OneByOne<T>, ours: &[O]) -> &'a [OnceLock<T>] {
    cell.get_or_init(|| ours.iter().map(|_| OnceLock::new()).collect())
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

    pub(super) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    pub(super) fn request(&self) -> Arc<v1::promotion::Request> {
        Arc::clone(&self.request)
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

    pub(super) fn candidate_named(&self, name: &str) -> &[Metric] {
        named(&self.snapshot.candidate, name, |metric| &metric.name)
    }

    pub(super) fn baseline(&self) -> Arc<[v1::metrics::Metric]> {
        shared(&self.baseline, &self.snapshot.baseline)
    }

    pub(super) fn baseline_named(&self, name: &str) -> &[Metric] {
        named(&self.snapshot.baseline, name, |metric| &metric.name)
    }

    pub(super) fn unmeasured(&self, name: &str) -> Option<&str> {
        let entries = named(&self.snapshot.unmeasured, name, |entry| &entry.name);
        Some(&entries.first()?.reason)
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

    /// Findings of at least this severity and those that nobody rated, worst first; and how many
    /// they are.
    pub(super) fn rated(
        &self,
        at_least: Severity,
    ) -> (usize, impl Iterator<Item = Place<'_>> + Clone) {
        let ours = self.snapshot.findings.as_slice();
        let theirs = one_by_one(&self.findings, ours);
        let unrated = ours.partition_point(|finding| finding.severity > Severity::Unknown);
        let rated = ours.partition_point(|finding| finding.severity >= at_least).min(unrated);
        let places = |range: Range<usize>| {
            let ours = ours.get(range.clone()).unwrap_or_default();
            let theirs = theirs.get(range).unwrap_or_default();
            ours.iter().zip(theirs).map(|(ours, theirs)| Place { ours, theirs })
        };
        let count = rated + (ours.len() - unrated);
        (count, places(0..rated).chain(places(unrated..ours.len())))
    }

    pub(super) fn approvals(&self) -> Arc<[v1::approvals::Approval]> {
        shared(&self.approvals, &self.snapshot.approvals)
    }

    pub(super) fn transitions(&self) -> Arc<[v1::history::Transition]> {
        shared(&self.transitions, &self.snapshot.transitions)
    }

    pub(super) fn sources(&self) -> Arc<[v1::sources::Source]> {
        shared(&self.sources, &self.snapshot.sources)
    }

    pub(super) fn document(&self, name: &str) -> Option<Arc<str>> {
        let ours = &self.snapshot.documents;
        let place = ours.binary_search_by(|document| document.name.as_str().cmp(name)).ok()?;
        let texts = one_by_one(&self.documents, ours);
        let text = || {
            let text = canonical::to_string(&ours.get(place)?.content).ok()?;
            Some(Arc::from(text))
        };
        texts.get(place)?.get_or_init(text).clone()
    }
}

/// A finding, and what stands for it in the contract's types once somebody has asked for it.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) ours: &'a Finding,
    theirs: &'a OnceLock<Arc<v1::security::Finding>>,
}

impl Place<'_> {
    pub(super) fn theirs(&self) -> Arc<v1::security::Finding> {
        Arc::clone(self.theirs.get_or_init(|| Arc::new(self.ours.into())))
    }
}

/// Those of this name in a list that is ordered by name, as the lists of a snapshot are.
fn named<'a, T>(ordered: &'a [T], name: &str, name_of: impl Fn(&T) -> &String) -> &'a [T] {
    let start = ordered.partition_point(|item| name_of(item).as_str() < name);
    let rest = ordered.get(start..).unwrap_or_default();
    let count = rest.partition_point(|item| name_of(item) == name);
    rest.get(..count).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_name_is_found_in_an_ordered_list() {
        let list = ["a", "b", "b", "d"].map(str::to_owned);
        for (name, count) in [("", 0), ("a", 1), ("b", 2), ("c", 0), ("d", 1), ("e", 0)] {
            let found = named(&list, name, |name| name);
            assert_eq!(found, vec![name.to_owned(); count]);
        }
    }
}
