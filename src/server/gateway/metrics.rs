//! What the gateway counts. Labels come from fixed lists.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::server::metrics::{Word, begin};

/// What becomes of requests,
const REQUESTS: [&str; 4] = ["passed", "allowed", "denied", "refused"];
/// of deliveries,
const DELIVERIES: [&str; 12] = [
    "own",
    "recorded",
    "unguarded",
    "unjudged",
    "bypassed",
    "irrelevant",
    "unreadable",
    "later",
    "headers",
    "signature",
    "time",
    "duplicate",
];
/// and what changes are found to be that went around the gateway.
const FOUND: [&str; 4] = ["allow", "deny", "undecided", "unjudged"];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: Word,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Found {
    verdict: Word,
}

/// Counts of the gateway.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    requests: Family<Outcome, Counter>,
    deliveries: Family<Outcome, Counter>,
    bypassed: Family<Found, Counter>,
    tags_failed: Counter,
}

impl Counts {
    /// Counts at zero, which `registry` shows from now on.
    #[must_use]
    pub fn registered(registry: &mut Registry) -> Self {
        let counts = Self::default();
        registry.register(
            "mlflow_requests",
            "Requests for MLflow, by what became of them",
            counts.requests.clone(),
        );
        registry.register(
            "mlflow_webhook_deliveries",
            "Notices of MLflow, by what became of them",
            counts.deliveries.clone(),
        );
        registry.register(
            "mlflow_bypassed",
            "Changes in MLflow that went around the gateway, by what they were found to be",
            counts.bypassed.clone(),
        );
        registry.register(
            "mlflow_tags_failed",
            "Decisions that could not be written to the version as a tag",
            counts.tags_failed.clone(),
        );
        let outcomes = |words: &[&'static str]| -> Vec<Outcome> {
            words.iter().map(|word| Outcome { outcome: Word(word) }).collect()
        };
        begin(&counts.requests, outcomes(&REQUESTS));
        begin(&counts.deliveries, outcomes(&DELIVERIES));
        begin(&counts.bypassed, FOUND.map(|verdict| Found { verdict: Word(verdict) }));
        counts
    }

    pub(super) fn request(&self, outcome: &'static str) {
        self.requests.get_or_create(&Outcome { outcome: Word(outcome) }).inc();
    }

    pub(super) fn delivery(&self, outcome: &'static str) {
        self.deliveries.get_or_create(&Outcome { outcome: Word(outcome) }).inc();
    }

    pub(super) fn bypassed(&self, verdict: &'static str) {
        self.bypassed.get_or_create(&Found { verdict: Word(verdict) }).inc();
    }

    pub(super) fn tag_failed(&self) {
        self.tags_failed.inc();
    }
}
