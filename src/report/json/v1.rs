//! The JSON report, version 1.
//!
//! Every key is always there; null means not known or none. Within the version keys and codes may
//! be added and nothing is taken away or changes its meaning.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A verdict on one promotion and everything needed to see how it came about.
///
/// Two reports on the same promotion, gate file, policies, evidence and evaluation time differ in
/// `usage` alone.
#[derive(Deserialize, Serialize, JsonSchema)]
pub(super) struct Report<'a> {
    /// Name and version of this format.
    pub(super) schema: SchemaName,
    /// Which way the version is to move; not said in reports that are older than the choice.
    #[serde(default)]
    pub(super) movement: Movement,
    /// What wrote the report.
    pub(super) tool: Tool<'a>,
    /// The answer.
    pub(super) verdict: Verdict,
    /// The evaluation time, RFC 3339.
    pub(super) evaluated_at: String,
    /// Digest of the gate file's text, `sha256:` and 64 hex digits.
    pub(super) gate_file_digest: String,
    /// What was asked.
    pub(super) promotion: Promotion<'a>,
    /// How many checks of each effect, and how many reasons for not deciding.
    pub(super) counts: Counts,
    /// Every reason for not deciding: first those apart from any policy, then those of policies.
    pub(super) undecided: Vec<Undecided<'a>>,
    /// What the gate file says of promotions that no gate matches; null when a gate matched.
    pub(super) unmatched: Option<Unmatched>,
    /// The gates that match, in the order of the gate file.
    pub(super) gates: Vec<Gate<'a>>,
    /// The waivers that concern this model version, in the order of the gate file.
    pub(super) waivers: Vec<Waiver<'a>>,
    /// What was judged.
    pub(super) evidence: Evidence<'a>,
}

/// Name and version of the format.
#[derive(Deserialize, Serialize, JsonSchema)]
pub(super) enum SchemaName {
    /// Version 1.
    #[serde(rename = "lockgate.dev/report/v1")]
    V1,
}

/// Which way the version is to move.
#[derive(Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Movement {
    /// It comes to the target.
    #[default]
    Promotion,
    /// It is taken from the target.
    Removal,
}

/// What wrote the report.
#[derive(Deserialize, Serialize, JsonSchema)]
pub(super) struct Tool<'a> {
    /// Name of the tool.
    pub(super) name: Cow<'a, str>,
    /// Its version (SemVer).
    pub(super) version: Cow<'a, str>,
}

/// The answer to a promotion.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// Every rule that counts holds.
    Allow,
    /// A rule that counts is broken.
    Deny,
    /// Not everything could be judged. Never to be taken for `allow`.
    Undecided,
}

/// What was asked.
#[derive(Deserialize, Serialize, JsonSchema)]
pub(super) struct Promotion<'a> {
    /// Registry that holds the model.
    pub(super) registry: Cow<'a, str>,
    /// Name of the registered model.
    pub(super) model: Cow<'a, str>,
    /// Version as the registry writes it.
    pub(super) version: Cow<'a, str>,
    /// Digest of the model's artifacts.
    pub(super) digest: Option<String>,
    /// Where the version is now: `stage:NAME`, `alias:NAME` or `env:NAME`.
    pub(super) source: Option<String>,
    /// Where it is to go, or to be taken from: `stage:NAME`, `alias:NAME` or `env:NAME`.
    pub(super) target: String,
    /// Who asks.
    pub(super) requested_by: Option<Cow<'a, str>>,
}

/// How many checks of each effect, and how many reasons for not deciding.
#[derive(Deserialize, Serialize, JsonSchema)]
pub(super) struct Counts {
    /// Checks that deny.
    pub(super) deny: usize,
    /// Reasons for not deciding.
    pub(super) undecided: usize,
    /// Checks that warn.
    pub(super) warn: usize,
    /// Broken rules that are recorded without being enforced.
    pub(super) shadow: usize,
    /// Broken rules that a waiver excepts.
    pub(super) waived: usize,
    /// Checks that pass.
    pub(super) pass: usize,
    /// Checks that do not apply.
    pub(super) skip: usize,
}

/// A reason for not deciding.
#[derive(Deserialize, Serialize, JsonSchema)]
pub(super) struct Undecided<'a> {
    /// Stable code (`evidence_missing`, `fuel_exhausted`); later versions of the tool may add some.
    #[schemars(regex(pattern = "^[a-z_]+$"))]
    pub(super) code: Cow<'a, str>,
    /// One line for people.
    pub(super) message: String,
    /// The names and figures of the message; null when it has none.
    pub(super) facts: Option<Map<String, Value>>,
    /// Gate whose requirement or policy it is about.
    pub(super) gate: Option<Cow<'a, str>>,
    /// Id of the policy that could not judge.
    pub(super) policy: Option<Cow<'a, str>>,
    /// Whether it keeps the promotion from being allowed.
    pub(super) blocks: bool,
}

/// What no gate means.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Unmatched {
    /// Deny.
    Deny,
    /// Allow.
    Allow,
    /// Undecided.
    Undecided,
}

/// One gate's part.
#[derive(Deserialize, Serialize, JsonSchema)]
pub(super) struct Gate<'a> {
    /// Its name, unique within the gate file.
    pub(super) name: Cow<'a, str>,
    /// Its policies, in the order of the gate file.
    pub(super) policies: Vec<Policy<'a>>,
}

/// One policy's part.
#[derive(Deserialize, Serialize, JsonSchema)]
pub(super) struct Policy<'a> {
    /// Its id, unique within the gate.
    pub(super) id: Cow<'a, str>,
    /// What its failure does at the evaluation time.
    pub(super) enforcement: Enforcement,
    /// When it starts to deny, where that is still to come; RFC 3339.
    pub(super) effective_on: Option<String>,
    /// The component that answered.
    pub(super) component: Component<'a>,
    /// The params it was given.
    pub(super) params: Value,
    /// Why it could not judge; null when it did.
    pub(super) undecided: Option<Undecided<'a>>,
    /// Every check it made, in its order; empty when it could not judge.
    pub(super) checks: Vec<Check<'a>>,
    /// What it logged.
    pub(super) log: Vec<LogLine<'a>>,
    /// What the run took.
    pub(super) usage: Usage,
}

/// What a policy's failure does.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Enforcement {
    /// Denies.
    Deny,
    /// Warns.
    Warn,
    /// Is recorded only.
    Shadow,
}

/// Which component answered.
#[derive(Deserialize, Serialize, JsonSchema)]
pub(super) struct Component<'a> {
    /// As the gate names it, `std/NAME` or a path.
    pub(super) reference: Cow<'a, str>,
    /// SHA-256 of the component, `sha256:` and 64 hex digits.
    pub(super) digest: Option<String>,
    /// Name it gives itself.
    pub(super) name: Option<Cow<'a, str>>,
    /// Version it gives itself.
    pub(super) version: Option<Cow<'a, str>>,
}

/// The result of one rule.
#[derive(Deserialize, Serialize, JsonSchema)]
pub(super) struct Check<'a> {
    /// Code of the rule.
    pub(super) rule: Cow<'a, str>,
    /// Which of several things the check is about.
    pub(super) about: Option<Cow<'a, str>>,
    /// What the policy found.
    pub(super) outcome: Outcome,
    /// What that does to the verdict.
    pub(super) effect: Effect,
    /// One line for people, in the policy's words.
    pub(super) message: Cow<'a, str>,
    /// What was measured against what.
    pub(super) measure: Option<Measure<'a>>,
    /// What to do about it.
    pub(super) remedy: Option<Cow<'a, str>>,
    /// Index into `waivers` of the one that excepts the check.
    pub(super) waiver: Option<usize>,
}

/// What a policy found.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// The rule holds.
    Pass,
    /// The rule is broken.
    Fail,
    /// The rule holds, narrowly or with a remark.
    Warn,
    /// The rule does not apply.
    Skip,
}

/// What a check does to the verdict.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Effect {
    /// The rule holds.
    Pass,
    /// The rule is broken, and that denies.
    Deny,
    /// The rule is broken or nearly so, and that is only said.
    Warn,
    /// The rule is broken or nearly so, and that is only recorded.
    Shadow,
    /// The rule is broken, and a waiver excepts it.
    Waived,
    /// The rule does not apply.
    Skip,
}

/// What was measured against what.
#[derive(Deserialize, Serialize, JsonSchema)]
pub(super) struct Measure<'a> {
    /// What was measured.
    pub(super) name: Cow<'a, str>,
    /// The value found.
    pub(super) actual: f64,
    /// The value it is held against.
    pub(super) limit: f64,
    /// Which side of the limit is the good one.
    pub(super) comparison: Comparison,
    /// How far inside the limit the value is, negative outside; null beyond the range of a double.
    pub(super) margin: Option<f64>,
    /// Unit of the numbers.
    pub(super) unit: Option<Cow<'a, str>>,
}

/// Which side of a limit is the good one.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Comparison {
    /// The limit or more.
    AtLeast,
    /// The limit or less.
    AtMost,
}

/// One line that a policy logged.
#[derive(Deserialize, Serialize, JsonSchema)]
pub(super) struct LogLine<'a> {
    /// Its level.
    pub(super) level: LogLevel,
    /// Its text.
    pub(super) message: Cow<'a, str>,
}

/// How important a policy's author holds a log line to be.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum LogLevel {
    /// For the author only.
    Debug,
    /// Worth knowing.
    Info,
    /// Worth acting on.
    Warn,
}

/// What a run took. The only part of a report that differs from run to run.
#[derive(Deserialize, Serialize, JsonSchema)]
pub(super) struct Usage {
    /// Units of fuel.
    pub(super) fuel: u64,
    /// Most linear memory held at a time, bytes.
    pub(super) peak_memory: u64,
    /// Wall-clock time, microseconds.
    pub(super) elapsed_us: u64,
}

/// A waiver that concerns the model version.
#[derive(Deserialize, Serialize, JsonSchema)]
pub(super) struct Waiver<'a> {
    /// Id of the policy.
    pub(super) policy: Cow<'a, str>,
    /// Code of the rule.
    pub(super) rule: Cow<'a, str>,
    /// Which of the rule's checks; null for all of them.
    pub(super) about: Option<Cow<'a, str>>,
    /// Why.
    pub(super) reason: Cow<'a, str>,
    /// Where it is tracked.
    pub(super) ticket: Cow<'a, str>,
    /// Who approved it.
    pub(super) approved_by: Cow<'a, str>,
    /// First moment at which it no longer holds, RFC 3339.
    pub(super) expires: String,
    /// What became of it.
    pub(super) state: WaiverState,
}

/// What became of a waiver.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum WaiverState {
    /// It excepted a failed check.
    Used,
    /// It is past its expiry, and would have excepted a failed check.
    ExpiredNeeded,
    /// It is past its expiry.
    Expired,
    /// No check that it names has failed.
    Useless,
}

/// What was judged.
#[derive(Deserialize, Serialize, JsonSchema)]
pub(super) struct Evidence<'a> {
    /// SHA-256 of the snapshot; null when it could not be frozen.
    pub(super) digest: Option<String>,
    /// Where it came from.
    pub(super) sources: Vec<Source<'a>>,
    /// Metrics with a name but no value.
    pub(super) unmeasured: Vec<Unmeasured<'a>>,
}

/// Where a piece of evidence came from.
#[derive(Deserialize, Serialize, JsonSchema)]
pub(super) struct Source<'a> {
    /// File or registry resource; unique within a report.
    pub(super) name: Cow<'a, str>,
    /// The format it was read as.
    pub(super) format: Cow<'a, str>,
    /// SHA-256 of its bytes.
    pub(super) digest: String,
    /// When what it says was true, RFC 3339.
    pub(super) collected_at: Option<String>,
    /// Whether it speaks of the version that would be replaced.
    pub(super) baseline: bool,
    /// The kinds of evidence it holds.
    pub(super) kinds: Vec<Cow<'a, str>>,
    /// Digests of the artifacts it says it speaks of.
    pub(super) subjects: Vec<String>,
    /// Identities whose signature over it was verified.
    pub(super) signed_by: Cow<'a, [String]>,
}

/// A metric with a name but no value.
#[derive(Deserialize, Serialize, JsonSchema)]
pub(super) struct Unmeasured<'a> {
    /// Its name.
    pub(super) name: Cow<'a, str>,
    /// Why there is no value.
    pub(super) reason: Cow<'a, str>,
    /// Name of the source.
    pub(super) source: Cow<'a, str>,
}
