//! The standard policies with params under which each has something to do.

use crate::evidence::METRICS;

/// Names and params, in the order in which a gate would call them.
pub(crate) fn standard() -> Vec<(&'static str, String)> {
    let each = |limits: &str| {
        let limits = METRICS.map(|name| format!(r#"{{"name": "{name}", {limits}}}"#));
        format!(r#"{{"metrics": [{}]}}"#, limits.join(", "))
    };
    vec![
        ("metric-threshold", each(r#""min": 0.92, "min-samples": 1000"#)),
        ("baseline-regression", each(r#""max-drop": 0.01, "within-standard-errors": 2"#)),
        ("slice-gap", each(r#""max-gap": 0.02, "slices": ["region"]"#)),
        (
            "gpu-cost-budget",
            r#"{"max-gpu-hours": 100, "max-amount": {"amount": 120, "currency": "USD"}, "min-utilization": 0.5, "forecasts": [{"metric": "per 1k requests", "max": 0.05, "currency": "USD"}]}"#
                .to_owned(),
        ),
        (
            "vulnerability-threshold",
            r#"{"fail-on": "high", "exceptions": [{"id": "CVE-2026-00000", "reason": "not reachable"}]}"#
                .to_owned(),
        ),
        ("model-scan", "{}".to_owned()),
        (
            "model-metadata",
            r#"{"required": ["owner", "license", "description", "source-run", "source-commit", "training-dataset"], "required-tags": ["team", "reviewed"], "card-sections": ["Intended use", "Limitations"], "licenses": ["Apache-2.0", "MIT"]}"#
                .to_owned(),
        ),
        ("approvals", r#"{"required": [{"role": "risk", "count": 2}], "max-age-days": 7}"#.to_owned()),
    ]
}

/// A gate that calls standard policies by name and components by path, each with its params.
pub(crate) fn gate_file(standard: &[(&str, String)], components: &[(&str, String)]) -> String {
    let standard = standard.iter().map(|(name, params)| (format!("std/{name}"), params));
    let components = components.iter().map(|(path, params)| (format!("./{path}"), params));
    let head = "version: 1\ngates:\n  - name: production\n    models: [\"*\"]\n    \
                targets: [stage:Production]\n    policies:\n";
    // JSON is YAML too.
    let policy = |(reference, params)| format!("      - {{use: {reference}, params: {params}}}\n");
    standard.chain(components).map(policy).fold(head.to_owned(), |text, line| text + &line)
}
