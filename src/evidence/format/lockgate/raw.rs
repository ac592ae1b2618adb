//! The file as written. The published JSON Schema is made from these types; their comments are
//! its descriptions.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;

use super::scalar::{Code, Count, Name, NonNegative, Sha256, Share, Text, Time, Value};
use crate::model::{Category, Exploitability, Purpose, Severity, Target, TestStatus};

/// Evidence about one model version, for lockgate. Every part is optional; a part that is there,
/// even empty, says that it was looked into.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
#[schemars(rename = "Evidence", title = "lockgate evidence")]
pub(super) struct RawEvidence {
    /// Marks the file as lockgate evidence and gives the version of its format.
    #[serde(rename = "lockgate")]
    #[expect(dead_code, reason = "read so that a file of another version is refused")]
    pub(super) format: FormatVersion,
    /// What the file speaks of. Evidence about anything else than what is asked for is refused.
    pub(super) subject: Option<RawSubject>,
    /// When what the file says was true. Without it, a gate that bounds the age of evidence does
    /// not accept the file.
    pub(super) collected_at: Option<Time>,
    /// Facts of the model version itself.
    pub(super) model: Option<RawModel>,
    /// Evaluation metrics.
    pub(super) metrics: Option<Vec<RawMetric>>,
    /// Results of a test suite run elsewhere.
    pub(super) tests: Option<Vec<RawTest>>,
    /// GPU time and money, spent and expected.
    pub(super) cost: Option<RawCost>,
    /// Security scans and their findings.
    pub(super) security: Option<RawSecurity>,
    /// Who has agreed.
    pub(super) approvals: Option<Vec<RawApproval>>,
    /// Where the model has been before.
    pub(super) history: Option<RawHistory>,
    /// JSON documents of any other kind, by the name under which policies read them.
    pub(super) documents: Option<BTreeMap<String, serde_json::Value>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(expecting = "`evidence/v1`")]
pub(super) enum FormatVersion {
    #[serde(rename = "evidence/v1")]
    V1,
}

/// The model version the file speaks of; what is left out is not compared.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
#[schemars(rename = "Subject")]
pub(super) struct RawSubject {
    /// Name of the registered model.
    pub(super) model: Option<Name>,
    /// Version as the registry writes it.
    pub(super) version: Option<Name>,
    /// Digest of the model's artifacts.
    pub(super) digest: Option<Sha256>,
}

/// Facts of the model version itself.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
#[schemars(rename = "Model")]
pub(super) struct RawModel {
    /// Who answers for the model.
    pub(super) owner: Option<Name>,
    /// SPDX expression, or the name of the licence.
    pub(super) license: Option<Name>,
    /// Framework it was trained with.
    pub(super) framework: Option<Name>,
    /// Free text.
    pub(super) description: Option<Text>,
    /// When the version was created.
    pub(super) created_at: Option<Time>,
    /// Identifier of the run that produced it.
    pub(super) source_run: Option<Name>,
    /// Commit of the training code.
    pub(super) source_commit: Option<Name>,
    /// Name or digest of the training dataset.
    pub(super) training_dataset: Option<Name>,
    /// Tags of the version.
    #[serde(default)]
    pub(super) tags: BTreeMap<String, Text>,
    /// Sections of the model card, in their order.
    #[serde(default)]
    pub(super) card: Vec<RawCardSection>,
    /// Files of the model.
    #[serde(default)]
    pub(super) artifacts: Vec<RawArtifact>,
}

/// One section of the model card.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
#[schemars(rename = "CardSection")]
pub(super) struct RawCardSection {
    /// Heading.
    pub(super) name: Name,
    /// Body.
    pub(super) text: Text,
}

/// One file of the model.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
#[schemars(rename = "Artifact")]
pub(super) struct RawArtifact {
    /// Path within the model, `/` as separator.
    pub(super) path: Name,
    /// Serialisation format (`pickle`, `safetensors`).
    pub(super) format: Option<Name>,
    /// Size in bytes.
    pub(super) size: Option<Count>,
    /// Digest, as `ALGORITHM:HEX`.
    pub(super) digest: Option<Name>,
}

/// One evaluation metric.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
#[schemars(rename = "Metric")]
pub(super) struct RawMetric {
    /// Name by which policies ask for it.
    pub(super) name: Name,
    /// The value; a word that says there is none counts as not measured.
    pub(super) value: Value,
    /// Dataset it was measured on.
    pub(super) dataset: Option<Name>,
    /// Data slice (`region=eu`); left out for the whole dataset.
    pub(super) slice: Option<Name>,
    /// Number of samples behind the value.
    pub(super) sample_size: Option<Count>,
    /// Standard error of the value, in its unit.
    pub(super) standard_error: Option<NonNegative>,
    /// Whether more is better.
    pub(super) higher_is_better: Option<bool>,
    /// Whether only part of the dataset was evaluated.
    #[serde(default)]
    pub(super) partial: bool,
    /// When it was recorded.
    pub(super) recorded_at: Option<Time>,
}

/// One test of a suite.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
#[schemars(rename = "Test")]
pub(super) struct RawTest {
    /// Suite it belongs to.
    pub(super) suite: Name,
    /// Name within the suite.
    pub(super) name: Name,
    /// Its outcome.
    pub(super) status: TestStatus,
    /// Whether the suite's author marked it as critical.
    #[serde(default)]
    pub(super) critical: bool,
    /// What it said.
    pub(super) message: Option<Text>,
}

/// GPU time and money.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
#[schemars(rename = "Cost")]
pub(super) struct RawCost {
    /// What was spent.
    #[serde(default)]
    pub(super) usages: Vec<RawUsage>,
    /// What serving is expected to cost.
    #[serde(default)]
    pub(super) forecasts: Vec<RawForecast>,
}

/// GPU time and money spent.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
#[schemars(rename = "Usage")]
pub(super) struct RawUsage {
    /// What it was spent on.
    pub(super) purpose: Purpose,
    /// Model of the GPU (`NVIDIA H100`).
    pub(super) gpu_model: Option<Name>,
    /// GPU count times hours.
    pub(super) gpu_hours: Option<NonNegative>,
    /// Mean utilisation, from 0 to 1.
    pub(super) utilization: Option<Share>,
    /// Money, in `currency`.
    pub(super) amount: Option<NonNegative>,
    /// Currency of `amount`.
    pub(super) currency: Option<Code>,
    /// Start of the time it was spent in.
    pub(super) started_at: Option<Time>,
    /// End of the time it was spent in.
    pub(super) ended_at: Option<Time>,
}

/// An expected cost.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
#[schemars(rename = "Forecast")]
pub(super) struct RawForecast {
    /// What the amount is for; the unit is its name (`per 1k requests`, `per month`).
    pub(super) metric: Name,
    /// Money, in `currency`.
    pub(super) amount: NonNegative,
    /// Currency of `amount`.
    pub(super) currency: Code,
}

/// Security scans and their findings.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
#[schemars(rename = "Security")]
pub(super) struct RawSecurity {
    /// Runs of scanners. Without one, no absence of findings means anything.
    #[serde(default)]
    pub(super) scans: Vec<RawScan>,
    /// What they found.
    #[serde(default)]
    pub(super) findings: Vec<RawFinding>,
}

/// One run of a scanner.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
#[schemars(rename = "Scan")]
pub(super) struct RawScan {
    /// Name of the scanner.
    pub(super) scanner: Name,
    /// Its version.
    pub(super) version: Option<Name>,
    /// What was scanned, as the scanner names it.
    pub(super) target: Option<Name>,
    /// Digest of what was scanned.
    pub(super) target_digest: Option<Name>,
    /// When it ended.
    pub(super) finished_at: Option<Time>,
    /// Number of files or packages looked at.
    pub(super) scanned: Option<Count>,
    /// What it was able to find; no finding outside these means nothing.
    pub(super) looked_for: BTreeSet<Category>,
    /// Number of files passed over. Not the same as clean.
    pub(super) skipped: Count,
    /// What went wrong, one line each.
    #[serde(default)]
    pub(super) errors: Vec<Name>,
}

/// One finding of a scanner.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
#[schemars(rename = "Finding")]
pub(super) struct RawFinding {
    /// Name of the scanner.
    pub(super) scanner: Name,
    /// The scanner's identifier (`CVE-2026-1`).
    pub(super) id: Name,
    /// What it is about.
    pub(super) category: Category,
    /// How bad it is; `unknown` where the scanner does not rate it.
    pub(super) severity: Severity,
    /// One line.
    pub(super) title: Name,
    /// Package or module it is in.
    pub(super) component: Option<Name>,
    /// Installed version of the component.
    pub(super) installed: Option<Name>,
    /// First version without it; left out when there is no fix.
    pub(super) fixed_in: Option<Name>,
    /// File or layer it was found in.
    pub(super) location: Option<Name>,
    /// What a VEX statement says of its effect here; `unstated` when left out.
    pub(super) exploitability: Option<Exploitability>,
}

/// One person's agreement.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
#[schemars(rename = "Approval")]
pub(super) struct RawApproval {
    /// Who approved, as their system names them.
    pub(super) approver: Name,
    /// In which role.
    pub(super) role: Option<Name>,
    /// When.
    pub(super) at: Time,
    /// Ticket, review or change it is recorded in.
    pub(super) reference: Option<Name>,
}

/// Where the model has been before.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
#[schemars(rename = "History")]
pub(super) struct RawHistory {
    /// Earlier promotions of any version of the model.
    #[serde(default)]
    pub(super) transitions: Vec<RawTransition>,
    /// Version that the target of this promotion means now; left out when there is none.
    pub(super) current: Option<Name>,
}

/// One earlier promotion.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
#[schemars(rename = "Transition")]
pub(super) struct RawTransition {
    /// Version that moved.
    pub(super) version: Name,
    /// Where it went.
    pub(super) target: Target,
    /// When.
    pub(super) at: Time,
    /// Who did it.
    pub(super) by: Option<Name>,
}
