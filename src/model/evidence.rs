use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Digest, Kind, Target, Timestamp};

/// Name of the source an item came from; unique within a snapshot.
pub type SourceName = Arc<str>;

/// Where a piece of evidence came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// File or registry resource; unique within the snapshot.
    pub name: SourceName,
    /// The format it was read as (`trivy`).
    pub format: String,
    /// Digest of its bytes.
    pub digest: Digest,
    /// When what it says was true, by its own account.
    pub collected_at: Option<Timestamp>,
    /// Whether it speaks of the version that would be replaced.
    pub baseline: bool,
    /// The kinds of evidence it holds, in order and without repeats.
    pub kinds: Vec<Kind>,
    /// Digests of the artifacts it says it speaks of; empty when it names none.
    pub subjects: Vec<Digest>,
    /// Identities whose signature over it was verified.
    pub signed_by: Vec<String>,
}

/// What is known of the model version itself. Later sources fill what earlier ones left open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Metadata {
    /// Who answers for the model.
    pub owner: Option<String>,
    /// SPDX expression or the text the source gave.
    pub license: Option<String>,
    /// Framework it was trained with.
    pub framework: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// When the version was created.
    pub created_at: Option<Timestamp>,
    /// Run that produced it.
    pub source_run: Option<String>,
    /// Commit of the training code.
    pub source_commit: Option<String>,
    /// Name or digest of the training dataset.
    pub training_dataset: Option<String>,
}

/// One file of the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// Path within the model.
    pub path: String,
    /// Serialisation format.
    pub format: Option<String>,
    /// Size in bytes.
    pub size: Option<u64>,
    /// Digest as the source gives it.
    pub digest: Option<String>,
    /// Where this was read.
    pub source: SourceName,
}

/// One section of the model card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardSection {
    /// Heading.
    pub name: String,
    /// Body.
    pub text: String,
    /// Where this was read.
    pub source: SourceName,
}

/// One evaluation metric with a finite value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Name as the source gives it.
    pub name: String,
    /// Always finite.
    pub value: f64,
    /// Dataset it was measured on.
    pub dataset: Option<String>,
    /// Data slice; none for the whole dataset.
    pub slice: Option<String>,
    /// Number of samples behind the value.
    pub sample_size: Option<u64>,
    /// Standard error of the value, finite and at least 0.
    pub standard_error: Option<f64>,
    /// Whether more is better.
    pub higher_is_better: Option<bool>,
    /// Whether only part of the dataset was evaluated.
    pub partial: bool,
    /// When it was recorded.
    pub recorded_at: Option<Timestamp>,
    /// Where this was read.
    pub source: SourceName,
}

/// A metric that a source names without a usable value. Not the same as absent, and never clean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmeasured {
    /// Name as the source gives it.
    pub name: String,
    /// Why there is no value, and where that is said (``NaN in `run.json` ``).
    pub reason: String,
    /// Where this was read.
    pub source: SourceName,
}

/// Outcome of one test of a suite run elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestStatus {
    /// It passed.
    Pass,
    /// It passed with a remark.
    Warn,
    /// It failed.
    Fail,
    /// It could not be run to its end.
    Error,
    /// It was not run.
    Skipped,
}

/// One test of a suite run elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Test {
    /// Suite it belongs to.
    pub suite: String,
    /// Name within the suite.
    pub name: String,
    /// Its outcome.
    pub status: TestStatus,
    /// Whether the suite's author marked it as critical.
    pub critical: bool,
    /// What it said.
    pub message: Option<String>,
    /// Where this was read.
    pub source: SourceName,
}

/// What GPU time was spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Training the model.
    Training,
    /// Fine-tuning or searching for hyperparameters.
    Tuning,
    /// Evaluating it.
    Evaluation,
    /// Serving it.
    Serving,
    /// Anything else, or not stated.
    Other,
}

/// GPU time and money spent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// What it was spent on.
    pub purpose: Purpose,
    /// Model of the GPU.
    pub gpu_model: Option<String>,
    /// GPU count times hours; finite, at least 0.
    pub gpu_hours: Option<f64>,
    /// Mean utilisation, 0 to 1.
    pub utilization: Option<f64>,
    /// Money, finite.
    pub amount: Option<f64>,
    /// ISO 4217 code of `amount`.
    pub currency: Option<String>,
    /// Start of the window.
    pub started_at: Option<Timestamp>,
    /// End of the window.
    pub ended_at: Option<Timestamp>,
    /// Where this was read.
    pub source: SourceName,
}

/// An expected cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// What it is for; the unit is its name (`per 1k requests`).
    pub metric: String,
    /// Money, finite.
    pub amount: f64,
    /// ISO 4217 code.
    pub currency: String,
    /// Where this was read.
    pub source: SourceName,
}

/// How bad a finding is, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Not rated by the scanner; may be anything.
    Unknown,
    /// Of no practical effect.
    Negligible,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// A known vulnerability of a component.
    Vulnerability,
    /// A model file that runs code when it is loaded.
    UnsafeCode,
    /// A credential.
    Secret,
    /// A setting that weakens security.
    Misconfiguration,
    /// A licence problem.
    License,
    /// Anything else.
    Other,
}

/// What a VEX statement or the scanner says of a finding's effect here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exploitability {
    /// It is exploitable.
    Affected,
    /// It is not exploitable here.
    NotAffected,
    /// It is fixed here.
    Fixed,
    /// Not known yet.
    UnderInvestigation,
    /// Nothing was said.
    Unstated,
}

/// One run of a scanner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan {
    /// Name of the scanner.
    pub scanner: String,
    /// Its version.
    pub version: Option<String>,
    /// What was scanned, as the scanner names it.
    pub target: Option<String>,
    /// Digest of what was scanned.
    pub target_digest: Option<String>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Number of files or packages looked at.
    pub scanned: Option<u64>,
    /// What it was able to find.
    pub looked_for: Vec<Category>,
    /// Number of files it passed over.
    pub skipped: u64,
    /// What went wrong.
    pub errors: Vec<String>,
    /// Where this was read.
    pub source: SourceName,
}

/// One finding of a scanner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Name of the scanner.
    pub scanner: String,
    /// The scanner's identifier.
    pub id: String,
    /// What it is about.
    pub category: Category,
    /// How bad it is.
    pub severity: Severity,
    /// One line.
    pub title: String,
    /// Package or module it is in.
    pub component: Option<String>,
    /// Installed version of the component.
    pub installed: Option<String>,
    /// First version without it.
    pub fixed_in: Option<String>,
    /// File or layer it was found in.
    pub location: Option<String>,
    /// Its effect here, by VEX or the scanner.
    pub exploitability: Exploitability,
    /// Where this was read.
    pub source: SourceName,
}

/// One person's agreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who approved.
    pub approver: String,
    /// In which role.
    pub role: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Where that is recorded.
    pub reference: Option<String>,
    /// Where this was read.
    pub source: SourceName,
}

/// One earlier promotion of the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// The version that moved.
    pub version: String,
    /// Where it went.
    pub target: Target,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub by: Option<String>,
    /// Where this was read.
    pub source: SourceName,
}

/// A JSON document that no other kind fits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Name a policy reads it by; unique within a snapshot.
    pub name: String,
    /// Its content.
    pub content: serde_json::Value,
    /// Where this was read.
    pub source: SourceName,
}
