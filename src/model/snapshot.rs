use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Kind;
use super::evidence::{
    Approval, Artifact, CardSection, Document, Finding, Forecast, Metadata, Metric, Scan, Source,
    Test, Transition, Unmeasured, Usage,
};

/// All evidence of one decision.
///
/// Every list is in a defined order (the order in which the contract promises it, ties broken by
/// source), so that the same files give the same snapshot whatever order they were named in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// Where everything came from.
    pub sources: Vec<Source>,
    /// Facts of the model version.
    pub metadata: Metadata,
    /// Tags of the model version.
    pub tags: BTreeMap<String, String>,
    /// Model card.
    pub card: Vec<CardSection>,
    /// Files of the model.
    pub artifacts: Vec<Artifact>,
    /// Metrics of the version that asks.
    pub candidate: Vec<Metric>,
    /// Metrics of the version that would be replaced.
    pub baseline: Vec<Metric>,
    /// Metrics of the version that asks that have a name but no value.
    pub unmeasured: Vec<Unmeasured>,
    /// Results of test suites.
    pub tests: Vec<Test>,
    /// GPU time and money spent.
    pub usages: Vec<Usage>,
    /// Expected costs.
    pub forecasts: Vec<Forecast>,
    /// Scanner runs.
    pub scans: Vec<Scan>,
    /// Findings of the scanners, worst first.
    pub findings: Vec<Finding>,
    /// Who has agreed.
    pub approvals: Vec<Approval>,
    /// Earlier transitions, oldest first.
    pub transitions: Vec<Transition>,
    /// Version that the target means now.
    pub current: Option<String>,
    /// Documents of any other kind.
    pub documents: Vec<Document>,
}

impl Snapshot {
    /// The sources that hold evidence of `kind` about the version that asks.
    pub fn sources_of(&self, kind: Kind) -> impl Iterator<Item = &Source> {
        self.sources.iter().filter(move |source| !source.baseline && source.kinds.contains(&kind))
    }
}
