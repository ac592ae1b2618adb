//! lockgate's own evidence JSON, for whatever no other tool writes.

mod raw;
mod scalar;

use schemars::generate::SchemaSettings;

use super::super::error::Problem;
use super::super::json::{Parsed, syntax_problem};
use super::super::node::{Node, Reading};
use super::super::said::{NoValue, Said};
use super::{Context, Side};
use crate::model::{
    Approval, Artifact, CardSection, Document, Exploitability, Finding, Forecast, Kind, Metadata,
    Metric, Scan, SourceName, Test, Transition, Usage,
};
use raw::{RawCost, RawEvidence, RawHistory, RawMetric, RawModel, RawSecurity};
use scalar::{Count, Name, Text};

/// The JSON Schema (2020-12) of lockgate's own evidence JSON.
#[must_use]
pub fn schema() -> serde_json::Value {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<RawEvidence>().to_value()
}

pub(super) fn read(parsed: &Parsed<'_>, context: &Context<'_>) -> Result<Said, Problem> {
    let raw: RawEvidence =
        serde_json::from_str(parsed.text).map_err(|error| syntax_problem(&error))?;
    let mut said = Said { collected_at: raw.collected_at.map(|time| time.0), ..Said::default() };
    if let Some(subject) = raw.subject {
        let (model, version) =
            (subject.model.map(|name| name.0), subject.version.map(|name| name.0));
        let place = Node::root(&parsed.value).need("subject")?;
        context.check_subject(&place, model.as_deref(), version.as_deref())?;
        said.subjects = subject.digest.map(|digest| digest.0).into_iter().collect();
    }
    let source = &context.source;
    if let Some(model) = raw.model {
        said.kinds.insert(Kind::Model);
        add_model(model, source, &mut said);
    }
    if let Some(metrics) = raw.metrics {
        said.kinds.insert(Kind::Metrics);
        for metric in metrics {
            add_metric(metric, source, &mut said);
        }
    }
    if let Some(tests) = raw.tests {
        said.kinds.insert(Kind::Tests);
        said.tests = tests
            .into_iter()
            .map(|test| Test {
                suite: test.suite.0,
                name: test.name.0,
                status: test.status,
                critical: test.critical,
                message: test.message.map(|text| text.0),
                source: source.clone(),
            })
            .collect();
    }
    if let Some(cost) = raw.cost {
        said.kinds.insert(Kind::Cost);
        add_cost(cost, source, &mut said);
    }
    if let Some(security) = raw.security {
        said.kinds.insert(Kind::Security);
        add_security(security, source, &mut said);
    }
    if let Some(approvals) = raw.approvals {
        said.kinds.insert(Kind::Approvals);
        said.approvals = approvals
            .into_iter()
            .map(|approval| Approval {
                approver: approval.approver.0,
                role: text(approval.role),
                at: approval.at.0,
                reference: text(approval.reference),
                source: source.clone(),
            })
            .collect();
    }
    if let Some(history) = raw.history {
        said.kinds.insert(Kind::History);
        add_history(history, source, &mut said);
    }
    if let Some(documents) = raw.documents {
        said.kinds.insert(Kind::Documents);
        said.documents = documents
            .into_iter()
            .map(|(name, content)| Document { name, content, source: source.clone() })
            .collect();
    }
    if said.kinds.is_empty() {
        return Err(Problem::whole(match context.side {
            Side::Candidate => "holds no evidence; give at least one part, such as `metrics`",
            Side::Baseline => "holds no evidence; a baseline needs `metrics`",
        }));
    }
    Ok(said)
}

fn text(name: Option<Name>) -> Option<String> {
    name.map(|name| name.0)
}

fn add_model(model: RawModel, source: &SourceName, said: &mut Said) {
    let long = |text: Option<Text>| text.map(|text| text.0);
    said.metadata = Metadata {
        owner: text(model.owner),
        license: text(model.license),
        framework: text(model.framework),
        description: long(model.description),
        created_at: model.created_at.map(|time| time.0),
        source_run: text(model.source_run),
        source_commit: text(model.source_commit),
        training_dataset: text(model.training_dataset),
    };
    said.tags = model.tags.into_iter().map(|(key, value)| (key, value.0)).collect();
    said.card = model
        .card
        .into_iter()
        .map(|section| CardSection {
            name: section.name.0,
            text: section.text.0,
            source: source.clone(),
        })
        .collect();
    said.artifacts = model
        .artifacts
        .into_iter()
        .map(|artifact| Artifact {
            path: artifact.path.0,
            format: text(artifact.format),
            size: artifact.size.map(|Count(size)| size),
            digest: text(artifact.digest),
            source: source.clone(),
        })
        .collect();
}

fn add_metric(metric: RawMetric, source: &SourceName, said: &mut Said) {
    let (name, dataset, slice) = (metric.name.0, text(metric.dataset), text(metric.slice));
    let source = source.clone();
    match metric.value.0 {
        Reading::Value(value) => said.metrics.push(Metric {
            name,
            value,
            dataset,
            slice,
            sample_size: metric.sample_size.map(|Count(count)| count),
            standard_error: metric.standard_error.map(|error| error.0),
            higher_is_better: metric.higher_is_better,
            partial: metric.partial,
            recorded_at: metric.recorded_at.map(|time| time.0),
            source,
        }),
        Reading::NotANumber(word) => {
            said.unmeasured.push(NoValue { name, dataset, slice, word: word.to_owned(), source });
        }
    }
}

fn add_cost(cost: RawCost, source: &SourceName, said: &mut Said) {
    said.usages = cost
        .usages
        .into_iter()
        .map(|usage| Usage {
            purpose: usage.purpose,
            gpu_model: text(usage.gpu_model),
            gpu_hours: usage.gpu_hours.map(|hours| hours.0),
            utilization: usage.utilization.map(|share| share.0),
            amount: usage.amount.map(|amount| amount.0),
            currency: usage.currency.map(|code| code.0.to_string()),
            started_at: usage.started_at.map(|time| time.0),
            ended_at: usage.ended_at.map(|time| time.0),
            source: source.clone(),
        })
        .collect();
    said.forecasts = cost
        .forecasts
        .into_iter()
        .map(|forecast| Forecast {
            metric: forecast.metric.0,
            amount: forecast.amount.0,
            currency: forecast.currency.0.to_string(),
            source: source.clone(),
        })
        .collect();
}

fn add_security(security: RawSecurity, source: &SourceName, said: &mut Said) {
    said.scans = security
        .scans
        .into_iter()
        .map(|scan| Scan {
            scanner: scan.scanner.0,
            version: text(scan.version),
            target: text(scan.target),
            target_digest: text(scan.target_digest),
            finished_at: scan.finished_at.map(|time| time.0),
            scanned: scan.scanned.map(|Count(count)| count),
            looked_for: scan.looked_for.into_iter().collect(),
            skipped: scan.skipped.0,
            errors: scan.errors.into_iter().map(|error| error.0).collect(),
            source: source.clone(),
        })
        .collect();
    said.findings = security
        .findings
        .into_iter()
        .map(|finding| Finding {
            scanner: finding.scanner.0,
            id: finding.id.0,
            category: finding.category,
            severity: finding.severity,
            title: finding.title.0,
            component: text(finding.component),
            installed: text(finding.installed),
            fixed_in: text(finding.fixed_in),
            location: text(finding.location),
            exploitability: finding.exploitability.unwrap_or(Exploitability::Unstated),
            source: source.clone(),
        })
        .collect();
}

fn add_history(history: RawHistory, source: &SourceName, said: &mut Said) {
    said.current = text(history.current);
    said.transitions = history
        .transitions
        .into_iter()
        .map(|transition| Transition {
            version: transition.version.0,
            target: transition.target,
            at: transition.at.0,
            by: text(transition.by),
            source: source.clone(),
        })
        .collect();
}
