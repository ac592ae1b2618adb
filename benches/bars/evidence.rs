//! The evidence that is measured on: as many metrics and findings as are asked for, some of each
//! kind that the standard policies tell apart.

use crate::bare::{Facts, approvals, cost, metrics, model, promotion, security};

/// The evaluation time, 2026-11-23T12:00:00Z.
const AT: u64 = 1_795_435_200;

const SLICES: [Option<&str>; 5] =
    [None, Some("region=apac"), Some("region=eu"), Some("region=latam"), Some("region=us")];

/// Names of the metrics. Each is there for the whole dataset and four slices of it.
pub(crate) const METRICS: [&str; 10] = [
    "accuracy",
    "average_precision",
    "brier_skill",
    "f1",
    "ks",
    "precision_at_100",
    "recall",
    "recall_at_100",
    "specificity",
    "val_auc",
];

/// Evidence with 50 metrics and this many findings.
pub(crate) fn facts(findings: u32) -> Facts {
    let candidate = METRICS.iter().flat_map(|name| SLICES.map(|slice| metric(name, slice, 0.93)));
    Facts {
        request: promotion::Request {
            subject: promotion::ModelVersion {
                registry: "local".to_owned(),
                model: "fraud-detector".to_owned(),
                version: "3".to_owned(),
                digest: None,
            },
            source: None,
            target: promotion::Target::Stage("Production".to_owned()),
            requested_by: Some("alex".to_owned()),
            at: AT,
        },
        metadata: model::Metadata {
            owner: some("risk-ml"),
            license: some("Apache-2.0"),
            framework: some("pytorch"),
            description: some("Scores card payments."),
            created_at: Some(AT - 90_000),
            source_run: some("8c01f8550fc047d6825fbc2b8119e4a8"),
            source_commit: some("0123456789abcdef0123456789abcdef01234567"),
            training_dataset: some("payments@2026-11-01"),
        },
        tags: vec![
            ("reviewed".to_owned(), "2026-11-22".to_owned()),
            ("team".to_owned(), "risk".to_owned()),
        ],
        card: ["Intended use", "Limitations", "Training data", "Evaluation"]
            .map(|name| model::CardSection {
                name: name.to_owned(),
                text: "Ranking card payments for review by people. ".repeat(10),
            })
            .into(),
        candidate: candidate.collect(),
        baseline: METRICS.map(|name| metric(name, None, 0.932)).into(),
        usages: (0..10).map(usage).collect(),
        forecasts: vec![cost::Forecast {
            metric: "per 1k requests".to_owned(),
            amount: 0.04,
            currency: "USD".to_owned(),
        }],
        scans: vec![
            scan("modelscan", security::Category::UnsafeCode),
            scan("trivy", security::Category::Vulnerability),
        ],
        findings: worst_first((0..findings).map(finding).collect()),
        approvals: ["ada", "grace", "kay"]
            .map(|approver| approvals::Approval {
                approver: approver.to_owned(),
                role: some("risk"),
                at: AT - 3_600,
                reference: some("RISK-113"),
            })
            .into(),
    }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn metric(name: &str, slice: Option<&str>, value: f64) -> metrics::Metric {
    metrics::Metric {
        name: name.to_owned(),
        value,
        dataset: some("payments-val"),
        slice: slice.map(str::to_owned),
        sample_size: Some(20_000),
        standard_error: Some(0.002),
        higher_is_better: Some(true),
        partial: false,
        recorded_at: Some(AT - 7_200),
    }
}

fn usage(day: u64) -> cost::Usage {
    let started_at = AT - 86_400 * (day + 1);
    cost::Usage {
        purpose: cost::Purpose::Training,
        gpu_model: some("NVIDIA H100"),
        gpu_hours: Some(4.0),
        utilization: Some(0.71),
        amount: Some(9.5),
        currency: some("USD"),
        started_at: Some(started_at),
        ended_at: Some(started_at + 3_600),
    }
}

fn scan(scanner: &str, category: security::Category) -> security::Scan {
    security::Scan {
        scanner: scanner.to_owned(),
        version: some("1.0.0"),
        target: some("fraud-detector"),
        target_digest: None,
        finished_at: Some(AT - 7_200),
        scanned: Some(150),
        looked_for: vec![category],
        skipped: 0,
        errors: Vec::new(),
    }
}

/// Of twenty findings one is critical, two are high, seven medium, nine low and one unrated; one
/// of them is not a vulnerability but unsafe code.
fn finding(number: u32) -> security::Finding {
    let unsafe_code = number % 20 == 19;
    let severity = match number % 20 {
        0 => security::Severity::Critical,
        1 | 2 => security::Severity::High,
        3..=9 => security::Severity::Medium,
        10 => security::Severity::Unknown,
        _ => security::Severity::Low,
    };
    security::Finding {
        scanner: if unsafe_code { "modelscan" } else { "trivy" }.to_owned(),
        id: format!("CVE-2026-{number:05}"),
        category: if unsafe_code {
            security::Category::UnsafeCode
        } else {
            security::Category::Vulnerability
        },
        severity,
        title: "Improper handling of a length field allows reading out of bounds".to_owned(),
        component: Some(format!("package-{}", number % 40)),
        installed: some("1.4.2"),
        fixed_in: number.is_multiple_of(3).then(|| "1.4.9".to_owned()),
        location: some("requirements.txt"),
        exploitability: security::Exploitability::Unstated,
    }
}

fn worst_first(mut findings: Vec<security::Finding>) -> Vec<security::Finding> {
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity as u8));
    findings
}
