use crate::bindings::lockgate::policy::{
    approvals, cost, documents, history, metrics, model, promotion, security, sources, tests,
};
use crate::{
    Approval, Artifact, CardSection, Category, Finding, Forecast, Metadata, Metric, Request, Scan,
    Severity, Source, Test, Transition, Usage,
};

/// Facts that the host holds. Each method is one import, so that one nobody calls is dropped by
/// the linker.
#[derive(Clone, Debug)]
pub(super) struct Facts;

impl Facts {
    pub(super) fn request(&self) -> Request {
        promotion::get_request()
    }

    pub(super) fn metadata(&self) -> Metadata {
        model::get_metadata()
    }

    pub(super) fn tag(&self, key: &str) -> Option<String> {
        model::tag(key)
    }

    pub(super) fn tags(&self) -> Vec<(String, String)> {
        model::tags()
    }

    pub(super) fn card(&self) -> Vec<CardSection> {
        model::card()
    }

    pub(super) fn artifacts(&self) -> Vec<Artifact> {
        model::artifacts()
    }

    pub(super) fn metrics(&self) -> Vec<Metric> {
        metrics::candidate()
    }

    pub(super) fn metrics_named(&self, name: &str) -> Vec<Metric> {
        metrics::candidate_named(name)
    }

    pub(super) fn baseline(&self) -> Vec<Metric> {
        metrics::baseline()
    }

    pub(super) fn baseline_named(&self, name: &str) -> Vec<Metric> {
        metrics::baseline_named(name)
    }

    pub(super) fn unmeasured(&self, name: &str) -> Option<String> {
        metrics::unmeasured(name)
    }

    pub(super) fn tests(&self) -> Vec<Test> {
        tests::results()
    }

    pub(super) fn usages(&self) -> Vec<Usage> {
        cost::usages()
    }

    pub(super) fn forecasts(&self) -> Vec<Forecast> {
        cost::forecasts()
    }

    pub(super) fn scans(&self) -> Vec<Scan> {
        security::scans()
    }

    pub(super) fn findings(&self, at_least: Severity) -> Vec<Finding> {
        security::findings(at_least)
    }

    pub(super) fn findings_of(&self, category: Category, at_least: Severity) -> Vec<Finding> {
        security::findings_of(category, at_least)
    }

    pub(super) fn approvals(&self) -> Vec<Approval> {
        approvals::list_approvals()
    }

    pub(super) fn transitions(&self) -> Vec<Transition> {
        history::transitions()
    }

    pub(super) fn current(&self) -> Option<String> {
        history::current()
    }

    pub(super) fn sources(&self) -> Vec<Source> {
        sources::list_sources()
    }

    pub(super) fn documents(&self) -> Vec<String> {
        documents::names()
    }

    pub(super) fn document(&self, name: &str) -> Option<String> {
        documents::read(name)
    }
}
