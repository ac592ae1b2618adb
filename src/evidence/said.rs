use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Approval, Artifact, CardSection, Digest, Document, Finding, Forecast, Kind, Metadata, Metric,
    Scan, SourceName, Test, Timestamp, Transition, Usage,
};

/// What one source says, in the vocabulary of the model.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// When what it says was true.
    pub(super) collected_at: Option<Timestamp>,
    /// The kinds of evidence it holds, also where it holds an empty list of it.
    pub(super) kinds: BTreeSet<Kind>,
    /// Digests of the artifacts it says it speaks of.
    pub(super) subjects: Vec<Digest>,
    pub(super) metadata: Metadata,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) card: Vec<CardSection>,
    pub(super) artifacts: Vec<Artifact>,
    pub(super) metrics: Vec<Metric>,
    pub(super) unmeasured: Vec<NoValue>,
    pub(super) tests: Vec<Test>,
    pub(super) usages: Vec<Usage>,
    pub(super) forecasts: Vec<Forecast>,
    pub(super) scans: Vec<Scan>,
    pub(super) findings: Vec<Finding>,
    pub(super) approvals: Vec<Approval>,
    pub(super) transitions: Vec<Transition>,
    pub(super) current: Option<String>,
    pub(super) documents: Vec<Document>,
    /// Identifier of the MLflow logged model it is.
    pub(super) logged_model: Option<String>,
    /// Identifier of the MLflow logged model that the version was registered from.
    pub(super) registered_from: Option<String>,
}

/// A metric that a source names without a usable value.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NoValue {
    pub(super) name: String,
    pub(super) dataset: Option<String>,
    pub(super) slice: Option<String>,
    /// The word it has in place of a value (`NaN`).
    pub(super) word: String,
    pub(super) source: SourceName,
}

/// A metric by its name, dataset and slice.
type Measured<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

impl NoValue {
    /// What it says there is no number of. Without a dataset or slice it speaks of all of them.
    pub(super) fn about(&self) -> Measured<'_> {
        (&self.name, self.dataset.as_deref(), self.slice.as_deref())
    }

    /// What an entry is about that says there is no such number as `metric`, those first that say
    /// most of what it is.
    pub(super) fn covering(metric: &Metric) -> [Measured<'_>; 4] {
        let (name, dataset, slice) =
            (metric.name.as_str(), metric.dataset.as_deref(), metric.slice.as_deref());
        [(name, dataset, slice), (name, dataset, None), (name, None, slice), (name, None, None)]
    }
}

impl Said {
    /// How many items it adds to a snapshot.
    pub(super) fn len(&self) -> usize {
        [
            self.tags.len(),
            self.card.len(),
            self.artifacts.len(),
            self.metrics.len(),
            self.unmeasured.len(),
            self.tests.len(),
            self.usages.len(),
            self.forecasts.len(),
            self.scans.len(),
            self.findings.len(),
            self.approvals.len(),
            self.transitions.len(),
            self.documents.len(),
        ]
        .into_iter()
        .sum()
    }
}
