//! `lockgate:policy@1`, generated, and the conversions at that edge. Nothing else.

wasmtime::component::bindgen!({ path: "sdk/wit", world: "policy" });

pub(in crate::wasm) use self::lockgate::policy::{
    approvals, checks, cost, history, log, metrics, model, promotion, security, sources, tests,
};
pub(in crate::wasm) use exports_types::*;

mod exports_types {
    pub(in crate::wasm) use super::{Policy as Guest, PolicyPre as GuestPre};
}

use crate::model as ours;

/// Package and major version that every import and export must be of.
pub(in crate::wasm) const PACKAGE: &str = "lockgate:policy";

impl From<&ours::Target> for promotion::Target {
    fn from(target: &ours::Target) -> Self {
        match target {
            ours::Target::Stage(name) => Self::Stage(name.clone()),
            ours::Target::Alias(name) => Self::Alias(name.clone()),
            ours::Target::Environment(name) => Self::Environment(name.clone()),
        }
    }
}

impl From<&ours::Promotion> for promotion::Request {
    fn from(promotion: &ours::Promotion) -> Self {
        let subject = &promotion.subject;
        Self {
            subject: promotion::ModelVersion {
                registry: subject.registry.clone(),
                model: subject.model.clone(),
                version: subject.version.clone(),
                digest: subject.digest.map(|digest| digest.to_string()),
            },
            source: promotion.source.as_ref().map(Into::into),
            target: (&promotion.target).into(),
            requested_by: promotion.requested_by.clone(),
            at: promotion.at.seconds(),
        }
    }
}

impl From<&ours::Metadata> for model::Metadata {
    fn from(metadata: &ours::Metadata) -> Self {
        Self {
            owner: metadata.owner.clone(),
            license: metadata.license.clone(),
            framework: metadata.framework.clone(),
            description: metadata.description.clone(),
            created_at: metadata.created_at.map(ours::Timestamp::seconds),
            source_run: metadata.source_run.clone(),
            source_commit: metadata.source_commit.clone(),
            training_dataset: metadata.training_dataset.clone(),
        }
    }
}

impl From<&ours::Artifact> for model::Artifact {
    fn from(artifact: &ours::Artifact) -> Self {
        Self {
            path: artifact.path.clone(),
            format: artifact.format.clone(),
            size: artifact.size,
            digest: artifact.digest.clone(),
        }
    }
}

impl From<&ours::CardSection> for model::CardSection {
    fn from(section: &ours::CardSection) -> Self {
        Self { name: section.name.clone(), text: section.text.clone() }
    }
}

impl From<&ours::Metric> for metrics::Metric {
    fn from(metric: &ours::Metric) -> Self {
        Self {
            name: metric.name.clone(),
            value: metric.value,
            dataset: metric.dataset.clone(),
            slice: metric.slice.clone(),
            sample_size: metric.sample_size,
            standard_error: metric.standard_error,
            higher_is_better: metric.higher_is_better,
            partial: metric.partial,
            recorded_at: metric.recorded_at.map(ours::Timestamp::seconds),
        }
    }
}

impl From<&ours::Test> for tests::Test {
    fn from(test: &ours::Test) -> Self {
        Self {
            suite: test.suite.clone(),
            name: test.name.clone(),
            status: match test.status {
                ours::TestStatus::Pass => tests::Status::Pass,
                ours::TestStatus::Warn => tests::Status::Warn,
                ours::TestStatus::Fail => tests::Status::Fail,
                ours::TestStatus::Error => tests::Status::Error,
                ours::TestStatus::Skipped => tests::Status::Skipped,
            },
            critical: test.critical,
            message: test.message.clone(),
        }
    }
}

impl From<&ours::Usage> for cost::Usage {
    fn from(usage: &ours::Usage) -> Self {
        Self {
            purpose: match usage.purpose {
                ours::Purpose::Training => cost::Purpose::Training,
                ours::Purpose::Tuning => cost::Purpose::Tuning,
                ours::Purpose::Evaluation => cost::Purpose::Evaluation,
                ours::Purpose::Serving => cost::Purpose::Serving,
                ours::Purpose::Other => cost::Purpose::Other,
            },
            gpu_model: usage.gpu_model.clone(),
            gpu_hours: usage.gpu_hours,
            utilization: usage.utilization,
            amount: usage.amount,
            currency: usage.currency.clone(),
            started_at: usage.started_at.map(ours::Timestamp::seconds),
            ended_at: usage.ended_at.map(ours::Timestamp::seconds),
        }
    }
}

impl From<&ours::Forecast> for cost::Forecast {
    fn from(forecast: &ours::Forecast) -> Self {
        Self {
            metric: forecast.metric.clone(),
            amount: forecast.amount,
            currency: forecast.currency.clone(),
        }
    }
}

impl From<ours::Severity> for security::Severity {
    fn from(severity: ours::Severity) -> Self {
        match severity {
            ours::Severity::Unknown => Self::Unknown,
            ours::Severity::Negligible => Self::Negligible,
            ours::Severity::Low => Self::Low,
            ours::Severity::Medium => Self::Medium,
            ours::Severity::High => Self::High,
            ours::Severity::Critical => Self::Critical,
        }
    }
}

impl From<security::Severity> for ours::Severity {
    fn from(severity: security::Severity) -> Self {
        match severity {
            security::Severity::Unknown => Self::Unknown,
            security::Severity::Negligible => Self::Negligible,
            security::Severity::Low => Self::Low,
            security::Severity::Medium => Self::Medium,
            security::Severity::High => Self::High,
            security::Severity::Critical => Self::Critical,
        }
    }
}

impl From<security::Category> for ours::Category {
    fn from(category: security::Category) -> Self {
        match category {
            security::Category::Vulnerability => Self::Vulnerability,
            security::Category::UnsafeCode => Self::UnsafeCode,
            security::Category::Secret => Self::Secret,
            security::Category::Misconfiguration => Self::Misconfiguration,
            security::Category::License => Self::License,
            security::Category::Other => Self::Other,
        }
    }
}

impl From<ours::Category> for security::Category {
    fn from(category: ours::Category) -> Self {
        match category {
            ours::Category::Vulnerability => Self::Vulnerability,
            ours::Category::UnsafeCode => Self::UnsafeCode,
            ours::Category::Secret => Self::Secret,
            ours::Category::Misconfiguration => Self::Misconfiguration,
            ours::Category::License => Self::License,
            ours::Category::Other => Self::Other,
        }
    }
}

impl From<&ours::Scan> for security::Scan {
    fn from(scan: &ours::Scan) -> Self {
        Self {
            scanner: scan.scanner.clone(),
            version: scan.version.clone(),
            target: scan.target.clone(),
            target_digest: scan.target_digest.clone(),
            finished_at: scan.finished_at.map(ours::Timestamp::seconds),
            scanned: scan.scanned,
            looked_for: scan.looked_for.iter().map(|category| (*category).into()).collect(),
            skipped: scan.skipped,
            errors: scan.errors.clone(),
        }
    }
}

impl From<&ours::Finding> for security::Finding {
    fn from(finding: &ours::Finding) -> Self {
        Self {
            scanner: finding.scanner.clone(),
            id: finding.id.clone(),
            category: finding.category.into(),
            severity: finding.severity.into(),
            title: finding.title.clone(),
            component: finding.component.clone(),
            installed: finding.installed.clone(),
            fixed_in: finding.fixed_in.clone(),
            location: finding.location.clone(),
            exploitability: match finding.exploitability {
                ours::Exploitability::Affected => security::Exploitability::Affected,
                ours::Exploitability::NotAffected => security::Exploitability::NotAffected,
                ours::Exploitability::Fixed => security::Exploitability::Fixed,
                ours::Exploitability::UnderInvestigation => {
                    security::Exploitability::UnderInvestigation
                }
                ours::Exploitability::Unstated => security::Exploitability::Unstated,
            },
        }
    }
}

impl From<&ours::Approval> for approvals::Approval {
    fn from(approval: &ours::Approval) -> Self {
        Self {
            approver: approval.approver.clone(),
            role: approval.role.clone(),
            at: approval.at.seconds(),
            reference: approval.reference.clone(),
        }
    }
}

impl From<&ours::Transition> for history::Transition {
    fn from(transition: &ours::Transition) -> Self {
        Self {
            version: transition.version.clone(),
            target: (&transition.target).into(),
            at: transition.at.seconds(),
            by: transition.by.clone(),
        }
    }
}

impl From<&ours::Source> for sources::Source {
    fn from(source: &ours::Source) -> Self {
        Self {
            name: source.name.as_ref().to_owned(),
            format: source.format.clone(),
            digest: source.digest.to_string(),
            collected_at: source.collected_at.map(ours::Timestamp::seconds),
            signed_by: source.signed_by.clone(),
        }
    }
}

impl From<log::Level> for ours::LogLevel {
    fn from(level: log::Level) -> Self {
        match level {
            log::Level::Debug => Self::Debug,
            log::Level::Info => Self::Info,
            log::Level::Warn => Self::Warn,
        }
    }
}

impl From<checks::Check> for ours::Check {
    fn from(check: checks::Check) -> Self {
        Self {
            rule: check.rule,
            about: check.about,
            outcome: match check.outcome {
                checks::Outcome::Pass => ours::Outcome::Pass,
                checks::Outcome::Fail => ours::Outcome::Fail,
                checks::Outcome::Warn => ours::Outcome::Warn,
                checks::Outcome::Skip => ours::Outcome::Skip,
            },
            message: check.message,
            measure: check.measure.map(|measure| ours::Measure {
                name: measure.name,
                actual: measure.actual,
                limit: measure.limit,
                comparison: match measure.comparison {
                    checks::Comparison::AtLeast => ours::Comparison::AtLeast,
                    checks::Comparison::AtMost => ours::Comparison::AtMost,
                },
                unit: measure.unit,
            }),
            remedy: check.remedy,
        }
    }
}

impl From<checks::Description> for ours::Description {
    fn from(description: checks::Description) -> Self {
        let rule = |rule: checks::Rule| ours::Rule {
            code: rule.code,
            title: rule.title,
            description: rule.description,
        };
        Self {
            name: description.name,
            version: description.version,
            summary: description.summary,
            rules: description.rules.into_iter().map(rule).collect(),
            params_schema: description.params_schema,
        }
    }
}
