//! The gate file, as a user meets it: what is accepted and what it means, and what is said of
//! everything that is wrong.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests may fail as tests do"
)]

mod errors;
mod hostile;
mod meaning;
mod params;
mod published;

use lockgate::config::{Config, Diagnostics, KnownNames, parse};

const KNOWN: KnownNames<'_> = KnownNames {
    policies: &[
        "approvals",
        "baseline-regression",
        "gpu-cost-budget",
        "metric-threshold",
        "model-metadata",
        "model-scan",
        "slice-gap",
        "vulnerability-threshold",
    ],
    formats: &["lockgate", "mlflow-run", "opencost", "sarif", "trivy", "document", "ignore"],
};

fn read(text: &str) -> Result<Config, Diagnostics> {
    parse(text, "lockgate.yaml", &KNOWN)
}

fn accepted(text: &str) -> Config {
    read(text).unwrap_or_else(|diagnostics| panic!("{diagnostics}"))
}

fn refused(text: &str) -> Diagnostics {
    match read(text) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(diagnostics) => diagnostics,
    }
}

/// Each message, with its line and column.
fn messages(diagnostics: &Diagnostics) -> Vec<String> {
    let line = |diagnostic: &lockgate::config::Diagnostic| match diagnostic.place {
        Some(place) => format!("{}:{} {}", place.line, place.column, diagnostic.message),
        None => diagnostic.message.clone(),
    };
    diagnostics.iter().map(line).collect()
}

/// A sound gate file with one gate, and `more` at its end.
fn with(more: &str) -> String {
    format!(
        "version: 1
gates:
  - name: production
    models: [\"*\"]
    targets: [Production]
    policies:
      - use: std/model-scan
{more}"
    )
}
