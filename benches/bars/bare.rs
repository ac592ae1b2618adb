//! The measure of comparison: policies called by as little wasmtime code as can be.
//!
//! The engine has its default settings. Nothing is limited: no fuel, no deadline, no cap on
//! memory. Imports answer with copies of plain vectors, and what a policy answers is not looked
//! at.

use std::sync::Arc;

use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Engine, Store};

wasmtime::component::bindgen!({ path: "sdk/wit", world: "policy" });

pub(crate) use self::lockgate::policy::{
    approvals, checks, cost, documents, history, log, metrics, model, promotion, security, sources,
    tests,
};

/// Everything that a policy can read.
pub(crate) struct Facts {
    pub(crate) request: promotion::Request,
    pub(crate) metadata: model::Metadata,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) card: Vec<model::CardSection>,
    pub(crate) candidate: Vec<metrics::Metric>,
    pub(crate) baseline: Vec<metrics::Metric>,
    pub(crate) usages: Vec<cost::Usage>,
    pub(crate) forecasts: Vec<cost::Forecast>,
    pub(crate) scans: Vec<security::Scan>,
    pub(crate) findings: Vec<security::Finding>,
    pub(crate) approvals: Vec<approvals::Approval>,
}

/// What a store holds.
struct Host(Arc<Facts>);

/// An engine, and what every policy links to.
pub(crate) struct Bare {
    engine: Engine,
    linker: Linker<Host>,
}

impl Bare {
    pub(crate) fn new() -> wasmtime::Result<Self> {
        let engine = Engine::default();
        let mut linker = Linker::new(&engine);
        Policy::add_to_linker::<_, HasSelf<_>>(&mut linker, |host| host)?;
        Ok(Self { engine, linker })
    }

    pub(crate) const fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn prepare(&self, component: &Component) -> wasmtime::Result<BarePolicy> {
        let guest = PolicyPre::new(self.linker.instantiate_pre(component)?)?;
        Ok(BarePolicy { engine: self.engine.clone(), guest })
    }
}

/// A policy, ready to be instantiated.
pub(crate) struct BarePolicy {
    engine: Engine,
    guest: PolicyPre<Host>,
}

impl BarePolicy {
    /// One call in a fresh store.
    pub(crate) fn evaluate(
        &self,
        facts: &Arc<Facts>,
        params: &str,
    ) -> wasmtime::Result<Result<Vec<Check>, Refusal>> {
        let mut store = Store::new(&self.engine, Host(Arc::clone(facts)));
        self.guest.instantiate(&mut store)?.call_evaluate(&mut store, params)
    }
}

impl checks::Host for Host {}

impl promotion::Host for Host {
    fn get_request(&mut self) -> promotion::Request {
        self.0.request.clone()
    }
}

impl model::Host for Host {
    fn get_metadata(&mut self) -> model::Metadata {
        self.0.metadata.clone()
    }

    fn tag(&mut self, key: String) -> Option<String> {
        let (_, value) = self.0.tags.iter().find(|(other, _)| *other == key)?;
        Some(value.clone())
    }

    fn tags(&mut self) -> Vec<(String, String)> {
        self.0.tags.clone()
    }

    fn card(&mut self) -> Vec<model::CardSection> {
        self.0.card.clone()
    }

    fn artifacts(&mut self) -> Vec<model::Artifact> {
        Vec::new()
    }
}

impl metrics::Host for Host {
    fn candidate(&mut self) -> Vec<metrics::Metric> {
        self.0.candidate.clone()
    }

    fn candidate_named(&mut self, name: String) -> Vec<metrics::Metric> {
        self.0.candidate.iter().filter(|metric| metric.name == name).cloned().collect()
    }

    fn baseline(&mut self) -> Vec<metrics::Metric> {
        self.0.baseline.clone()
    }

    fn baseline_named(&mut self, name: String) -> Vec<metrics::Metric> {
        self.0.baseline.iter().filter(|metric| metric.name == name).cloned().collect()
    }

    fn unmeasured(&mut self, _name: String) -> Option<String> {
        None
    }
}

impl tests::Host for Host {
    fn results(&mut self) -> Vec<tests::Test> {
        Vec::new()
    }
}

impl cost::Host for Host {
    fn usages(&mut self) -> Vec<cost::Usage> {
        self.0.usages.clone()
    }

    fn forecasts(&mut self) -> Vec<cost::Forecast> {
        self.0.forecasts.clone()
    }
}

impl security::Host for Host {
    fn scans(&mut self) -> Vec<security::Scan> {
        self.0.scans.clone()
    }

    fn findings_of(
        &mut self,
        category: security::Category,
        at_least: security::Severity,
    ) -> Vec<security::Finding> {
        let wanted = |finding: &&security::Finding| {
            finding.category == category && is_wanted(finding, at_least)
        };
        self.0.findings.iter().filter(wanted).cloned().collect()
    }

    fn findings(&mut self, at_least: security::Severity) -> Vec<security::Finding> {
        let wanted = |finding: &&security::Finding| is_wanted(finding, at_least);
        self.0.findings.iter().filter(wanted).cloned().collect()
    }
}

fn is_wanted(finding: &security::Finding, at_least: security::Severity) -> bool {
    finding.severity as u8 >= at_least as u8 || finding.severity == security::Severity::Unknown
}

impl approvals::Host for Host {
    fn list_approvals(&mut self) -> Vec<approvals::Approval> {
        self.0.approvals.clone()
    }
}

impl history::Host for Host {
    fn transitions(&mut self) -> Vec<history::Transition> {
        Vec::new()
    }

    fn current(&mut self) -> Option<String> {
        None
    }
}

impl sources::Host for Host {
    fn list_sources(&mut self) -> Vec<sources::Source> {
        Vec::new()
    }
}

impl documents::Host for Host {
    fn names(&mut self) -> Vec<String> {
        Vec::new()
    }

    fn read(&mut self, _name: String) -> Option<String> {
        None
    }
}

impl log::Host for Host {
    fn log(&mut self, _level: log::Level, _message: String) {}
}
