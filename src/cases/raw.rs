//! A case as it is written. The doc comments here are what an editor shows, by way of the
//! published schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::config::WrittenLimits;
use crate::model;

/// One promotion, its evidence and params, and what a policy has to say of it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(title = "lockgate case")]
pub(super) struct Case {
    /// What the case shows, in one line.
    #[schemars(length(min = 1, max = 500))]
    pub(super) summary: String,
    /// What is asked for.
    pub(super) promotion: Promotion,
    /// What the policy is told.
    #[serde(default)]
    pub(super) params: Map<String, Value>,
    /// What the run may use; as in a gate file.
    #[serde(default)]
    pub(super) limits: WrittenLimits,
    /// Evidence about the version, as lockgate's own evidence JSON without the key `lockgate`.
    #[serde(default)]
    #[schemars(with = "Map<String, Value>")]
    pub(super) evidence: Option<Map<String, Value>>,
    /// Metrics of the version that it would replace, written like `evidence`.
    #[serde(default)]
    #[schemars(with = "Map<String, Value>")]
    pub(super) baseline: Option<Map<String, Value>>,
    /// Evidence about the version in files or folders, such as a scanner's report.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub(super) evidence_files: Vec<EvidenceFile>,
    /// Metrics of the version that it would replace, in files or folders.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub(super) baseline_files: Vec<EvidenceFile>,
    /// All evidence of one decision, as it was frozen; in place of all other evidence.
    #[serde(default)]
    #[schemars(with = "SnapshotFile")]
    pub(super) snapshot: Option<SnapshotFile>,
    /// What the policy has to say: one of `outcome`, `rules`, `refusal` and `undecided`.
    pub(super) expect: Expect,
}

/// What is asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Promotion {
    /// Name of the model.
    #[schemars(length(min = 1))]
    pub(super) model: String,
    /// Version of the model; not necessarily a number, so put it in quotes.
    #[schemars(length(min = 1))]
    pub(super) version: String,
    /// Where to: `stage:Production`, `alias:champion` or `env:prod`; a bare word is a stage.
    pub(super) to: String,
    /// Where it is now.
    #[serde(default)]
    #[schemars(with = "String")]
    pub(super) from: Option<String>,
    /// Who asks.
    #[serde(default)]
    #[schemars(with = "String")]
    pub(super) requested_by: Option<String>,
    /// Registry that holds the model; `local` when left out.
    #[serde(default)]
    #[schemars(with = "String", length(min = 1))]
    pub(super) registry: Option<String>,
    /// Digest of the model's artifacts, `sha256:` and 64 hex digits.
    #[serde(default)]
    #[schemars(with = "String")]
    pub(super) digest: Option<String>,
    /// The evaluation time, `2026-11-23` or `2026-11-23T12:00:00Z`: the only clock that a policy
    /// has.
    pub(super) at: String,
}

/// Evidence in a file or a folder, relative to the case and below the folder of all cases.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum EvidenceFile {
    /// Its path; the content tells the format.
    Path(String),
    /// Its path, and what the content does not tell.
    Assigned(AssignedFile),
}

/// A file, and what its content does not tell.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct AssignedFile {
    /// Path of the file.
    #[schemars(length(min = 1))]
    pub(super) path: String,
    /// Name of the format; `document` for any JSON.
    pub(super) format: String,
    /// What policies call the document; only with `format: document`.
    #[serde(default)]
    #[schemars(with = "String", length(min = 1, max = 100))]
    pub(super) name: Option<String>,
    /// ISO 4217 code of the amounts; only with `format: opencost`.
    #[serde(default)]
    #[schemars(with = "String")]
    pub(super) currency: Option<String>,
}

/// A snapshot of evidence, as `lockgate evidence show` prints it and decisions keep it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct SnapshotFile {
    /// Path of its file, relative to the case and below the folder of all cases.
    #[schemars(length(min = 1))]
    pub(super) file: String,
    /// Its digest, so that a snapshot that was changed since is not taken for the one of the
    /// decision; leave it out to change the snapshot.
    #[serde(default)]
    #[schemars(with = "String")]
    pub(super) digest: Option<String>,
}

/// What the policy has to say; one of these.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Expect {
    /// Every check, in its order.
    #[serde(default)]
    #[schemars(with = "Vec<ExpectedCheck>", length(max = 4096))]
    pub(super) outcome: Option<Vec<ExpectedCheck>>,
    /// What some rules come to, by their codes; the others may come to anything.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, ExpectedRule>", length(min = 1))]
    pub(super) rules: Option<BTreeMap<String, ExpectedRule>>,
    /// The policy refuses to judge.
    #[serde(default)]
    #[schemars(with = "ExpectedRefusal")]
    pub(super) refusal: Option<ExpectedRefusal>,
    /// There is no answer, for a reason that reports tell by this code.
    #[serde(default)]
    #[schemars(with = "ExpectedReason")]
    pub(super) undecided: Option<ExpectedReason>,
}

/// A check that the policy has to make.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedCheck {
    /// Code of the rule.
    pub(super) rule: String,
    /// What the check is about; left out where it is about nothing in particular.
    #[serde(default)]
    #[schemars(with = "String")]
    pub(super) about: Option<String>,
    /// What it comes to.
    pub(super) outcome: Outcome,
    /// Regular expression that matches somewhere in the message.
    #[serde(default)]
    #[schemars(with = "String", length(max = 4096))]
    pub(super) message: Option<String>,
}

/// What a check comes to.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(super) enum Outcome {
    Pass,
    Fail,
    Warn,
    Skip,
}

/// What one rule comes to.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum ExpectedRule {
    /// There is a check of it, and all of them come to this; `none` where there is no check.
    All(RuleOutcome),
    /// Every check of it, in their order.
    Checks(Vec<CheckOfRule>),
}

/// What all checks of a rule come to, or `none` where there is no check.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(super) enum RuleOutcome {
    Pass,
    Fail,
    Warn,
    Skip,
    None,
}

/// A check of a rule.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckOfRule {
    /// What the check is about; left out where it is about nothing in particular.
    #[serde(default)]
    #[schemars(with = "String")]
    pub(super) about: Option<String>,
    /// What it comes to.
    pub(super) outcome: Outcome,
    /// Regular expression that matches somewhere in the message.
    #[serde(default)]
    #[schemars(with = "String", length(max = 4096))]
    pub(super) message: Option<String>,
}

/// What the policy refuses, and a regular expression that matches somewhere in its reason; one of
/// these.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedRefusal {
    /// The params, by its own word or by its schema.
    #[serde(default)]
    #[schemars(with = "String", length(max = 4096))]
    pub(super) params: Option<String>,
    /// The evidence.
    #[serde(default)]
    #[schemars(with = "String", length(max = 4096))]
    pub(super) evidence: Option<String>,
}

/// Why there is no answer.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum ExpectedReason {
    /// Code of the reason.
    Code(ReasonCode),
    /// Code of the reason, and what it says.
    Said(SaidReason),
}

/// Code of a reason, and what it says.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SaidReason {
    /// Code of the reason.
    pub(super) reason: ReasonCode,
    /// Regular expression that matches somewhere in it.
    #[schemars(length(max = 4096))]
    pub(super) message: String,
}

/// The reasons for which one run of a policy comes to no answer.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(super) enum ReasonCode {
    Trap,
    FuelExhausted,
    DeadlineExceeded,
    MemoryExhausted,
    StackExhausted,
    OutputOversize,
    OutputInvalid,
    OutputUnreadable,
    NothingChecked,
    ParamsRefused,
    EvidenceRefused,
    HostFault,
}

impl ReasonCode {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Trap => "trap",
            Self::FuelExhausted => "fuel_exhausted",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::MemoryExhausted => "memory_exhausted",
            Self::StackExhausted => "stack_exhausted",
            Self::OutputOversize => "output_oversize",
            Self::OutputInvalid => "output_invalid",
            Self::OutputUnreadable => "output_unreadable",
            Self::NothingChecked => "nothing_checked",
            Self::ParamsRefused => "params_refused",
            Self::EvidenceRefused => "evidence_refused",
            Self::HostFault => "host_fault",
        }
    }
}

impl From<Outcome> for model::Outcome {
    fn from(raw: Outcome) -> Self {
        match raw {
            Outcome::Pass => Self::Pass,
            Outcome::Fail => Self::Fail,
            Outcome::Warn => Self::Warn,
            Outcome::Skip => Self::Skip,
        }
    }
}

impl RuleOutcome {
    /// The outcome; none where there is no check.
    pub(super) const fn outcome(self) -> Option<model::Outcome> {
        match self {
            Self::Pass => Some(model::Outcome::Pass),
            Self::Fail => Some(model::Outcome::Fail),
            Self::Warn => Some(model::Outcome::Warn),
            Self::Skip => Some(model::Outcome::Skip),
            Self::None => None,
        }
    }
}
