//! The evidence as a document that lockgate reads, so that both sides judge the same.

use serde_json::{Map, Value, json};

use crate::bare::{Facts, metrics, security};

/// The evidence about the version that asks.
pub(crate) fn candidate(facts: &Facts) -> Value {
    let tags: Map<String, Value> =
        facts.tags.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect();
    let metadata = &facts.metadata;
    let card = facts.card.iter().map(|section| json!({"name": section.name, "text": section.text}));
    let usages = facts.usages.iter().map(|usage| {
        json!({
            "purpose": "training",
            "gpu_model": usage.gpu_model,
            "gpu_hours": usage.gpu_hours,
            "utilization": usage.utilization,
            "amount": usage.amount,
            "currency": usage.currency,
            "started_at": time(usage.started_at),
            "ended_at": time(usage.ended_at),
        })
    });
    let forecasts = facts.forecasts.iter().map(|forecast| {
        json!({"metric": forecast.metric, "amount": forecast.amount, "currency": forecast.currency})
    });
    let approvals = facts.approvals.iter().map(|approval| {
        json!({
            "approver": approval.approver,
            "role": approval.role,
            "at": time(Some(approval.at)),
            "reference": approval.reference,
        })
    });
    json!({
        "lockgate": "evidence/v1",
        "model": {
            "owner": metadata.owner,
            "license": metadata.license,
            "framework": metadata.framework,
            "description": metadata.description,
            "created_at": time(metadata.created_at),
            "source_run": metadata.source_run,
            "source_commit": metadata.source_commit,
            "training_dataset": metadata.training_dataset,
            "tags": tags,
            "card": Value::from_iter(card),
        },
        "metrics": Value::from_iter(facts.candidate.iter().map(metric)),
        "cost": {"usages": Value::from_iter(usages), "forecasts": Value::from_iter(forecasts)},
        "security": {
            "scans": Value::from_iter(facts.scans.iter().map(scan)),
            "findings": Value::from_iter(facts.findings.iter().map(finding)),
        },
        "approvals": Value::from_iter(approvals),
    })
}

/// The evidence about the version that would be replaced.
pub(crate) fn baseline(facts: &Facts) -> Value {
    json!({
        "lockgate": "evidence/v1",
        "metrics": Value::from_iter(facts.baseline.iter().map(metric)),
    })
}

fn metric(metric: &metrics::Metric) -> Value {
    let mut value = json!({
        "name": metric.name,
        "value": metric.value,
        "dataset": metric.dataset,
        "sample_size": metric.sample_size,
        "standard_error": metric.standard_error,
        "higher_is_better": metric.higher_is_better,
        "recorded_at": time(metric.recorded_at),
    });
    set(&mut value, "slice", metric.slice.as_deref());
    value
}

fn scan(scan: &security::Scan) -> Value {
    json!({
        "scanner": scan.scanner,
        "version": scan.version,
        "target": scan.target,
        "finished_at": time(scan.finished_at),
        "scanned": scan.scanned,
        "looked_for": Value::from_iter(scan.looked_for.iter().map(|kind| category(*kind))),
        "skipped": scan.skipped,
    })
}

fn finding(finding: &security::Finding) -> Value {
    let mut value = json!({
        "scanner": finding.scanner,
        "id": finding.id,
        "category": category(finding.category),
        "severity": severity(finding.severity),
        "title": finding.title,
        "component": finding.component,
        "installed": finding.installed,
        "location": finding.location,
    });
    set(&mut value, "fixed_in", finding.fixed_in.as_deref());
    value
}

/// Sets a key that is left out where there is nothing to say.
fn set(object: &mut Value, key: &str, text: Option<&str>) {
    if let (Some(object), Some(text)) = (object.as_object_mut(), text) {
        object.insert(key.to_owned(), text.into());
    }
}

const fn category(category: security::Category) -> &'static str {
    match category {
        security::Category::Vulnerability => "vulnerability",
        security::Category::UnsafeCode => "unsafe_code",
        security::Category::Secret => "secret",
        security::Category::Misconfiguration => "misconfiguration",
        security::Category::License => "license",
        security::Category::Other => "other",
    }
}

const fn severity(severity: security::Severity) -> &'static str {
    match severity {
        security::Severity::Unknown => "unknown",
        security::Severity::Negligible => "negligible",
        security::Severity::Low => "low",
        security::Severity::Medium => "medium",
        security::Severity::High => "high",
        security::Severity::Critical => "critical",
    }
}

fn time(seconds: Option<u64>) -> Option<String> {
    lockgate::model::Timestamp::from_seconds(seconds?).map(|time| time.to_string())
}
