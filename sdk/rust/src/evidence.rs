#[cfg(target_arch = "wasm32")]
mod imports;
#[cfg(not(target_arch = "wasm32"))]
mod memory;

#[cfg(target_arch = "wasm32")]
use imports::Facts;
#[cfg(not(target_arch = "wasm32"))]
pub use memory::EvidenceBuilder;
#[cfg(not(target_arch = "wasm32"))]
use memory::Facts;

use crate::{
    Approval, Artifact, CardSection, Category, Finding, Forecast, Metadata, Metric, Request, Scan,
    Severity, Source, Test, Transition, Usage,
};

/// The facts about the version that asks.
///
/// On wasm32 every method asks the host anew: keep an answer rather than ask twice. A component
/// imports the functions behind the methods it calls, and no others.
#[derive(Clone, Debug)]
pub struct Evidence(Facts);

impl Evidence {
    /// What is asked for: subject, target, who asks, and the evaluation time.
    #[must_use]
    pub fn request(&self) -> Request {
        self.0.request()
    }

    /// What is known of the model version itself.
    #[must_use]
    pub fn metadata(&self) -> Metadata {
        self.0.metadata()
    }

    /// Value of one tag; none when the version does not carry it.
    #[must_use]
    pub fn tag(&self, key: &str) -> Option<String> {
        self.0.tag(key)
    }

    /// All tags, ordered by key.
    #[must_use]
    pub fn tags(&self) -> Vec<(String, String)> {
        self.0.tags()
    }

    /// Sections of the model card in their order; empty when there is no card.
    #[must_use]
    pub fn card(&self) -> Vec<CardSection> {
        self.0.card()
    }

    /// Files of the model.
    #[must_use]
    pub fn artifacts(&self) -> Vec<Artifact> {
        self.0.artifacts()
    }

    /// Metrics of the version that asks, ordered by name, dataset and slice.
    #[must_use]
    pub fn metrics(&self) -> Vec<Metric> {
        self.0.metrics()
    }

    /// Metrics of that name of the version that asks: one for each dataset and slice, and more
    /// when sources repeat or contradict each other.
    #[must_use]
    pub fn metrics_named(&self, name: &str) -> Vec<Metric> {
        self.0.metrics_named(name)
    }

    /// Metrics of the version it would replace; empty when there is none or they were not given.
    #[must_use]
    pub fn baseline(&self) -> Vec<Metric> {
        self.0.baseline()
    }

    /// Metrics of that name of the version it would replace.
    #[must_use]
    pub fn baseline_named(&self, name: &str) -> Vec<Metric> {
        self.0.baseline_named(name)
    }

    /// Why a metric that a source names has no value; none when no source names it at all.
    #[must_use]
    pub fn unmeasured(&self, name: &str) -> Option<String> {
        self.0.unmeasured(name)
    }

    /// Results of test suites run elsewhere.
    #[must_use]
    pub fn tests(&self) -> Vec<Test> {
        self.0.tests()
    }

    /// GPU time and money spent.
    #[must_use]
    pub fn usages(&self) -> Vec<Usage> {
        self.0.usages()
    }

    /// Expected costs.
    #[must_use]
    pub fn forecasts(&self) -> Vec<Forecast> {
        self.0.forecasts()
    }

    /// Scanner runs.
    #[must_use]
    pub fn scans(&self) -> Vec<Scan> {
        self.0.scans()
    }

    /// Findings of at least this severity, worst first, and every unrated one: a finding of
    /// unknown severity may be of any.
    #[must_use]
    pub fn findings(&self, at_least: Severity) -> Vec<Finding> {
        self.0.findings(at_least)
    }

    /// The same of one category. A policy pays for the findings that it is handed, so that this is
    /// cheaper than to pick them from all.
    #[must_use]
    pub fn findings_of(&self, category: Category, at_least: Severity) -> Vec<Finding> {
        self.0.findings_of(category, at_least)
    }

    /// Who has agreed.
    #[must_use]
    pub fn approvals(&self) -> Vec<Approval> {
        self.0.approvals()
    }

    /// Earlier transitions of any version of the model, oldest first.
    #[must_use]
    pub fn transitions(&self) -> Vec<Transition> {
        self.0.transitions()
    }

    /// The version that the target means now; none when it is empty or that is not known.
    #[must_use]
    pub fn current(&self) -> Option<String> {
        self.0.current()
    }

    /// Where each piece of evidence came from and who vouches for it.
    #[must_use]
    pub fn sources(&self) -> Vec<Source> {
        self.0.sources()
    }

    /// Names of the documents of any other kind.
    #[must_use]
    pub fn documents(&self) -> Vec<String> {
        self.0.documents()
    }

    /// The JSON text of the document of that name; none when there is none.
    #[must_use]
    pub fn document(&self, name: &str) -> Option<String> {
        self.0.document(name)
    }
}

#[cfg(target_arch = "wasm32")]
impl Evidence {
    /// The host's evidence, for the exported function.
    #[doc(hidden)]
    #[must_use]
    pub const fn imported() -> Self {
        Self(Facts)
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Evidence {
    /// Evidence for a test; empty until the builder is given some.
    #[must_use]
    pub fn builder() -> EvidenceBuilder {
        EvidenceBuilder::default()
    }
}
