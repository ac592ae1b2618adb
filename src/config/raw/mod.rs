//! The gate file as it is written. The doc comments here are what an editor shows, by way of the
//! published schema.
//!
//! Lists of larger things hold values that are still unread, so that each is read by itself and
//! one that is broken hides nothing of the others. What must be there is optional here and
//! `required` in the schema, which reports its absence, for the same reason.

mod trust;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::model::Kind;
use crate::{decision, policy};
pub(super) use trust::{SignedPolicies, Trust, TrustedKey};

/// Which policies guard which promotions of machine-learning models.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(title = "lockgate gate file")]
pub(super) struct GateFile {
    /// Version of this file's format: `1`.
    #[serde(rename = "version")]
    #[schemars(extend("const" = 1))]
    pub(super) _version: Value,
    /// What is decided where no gate matches the model and the target: `deny` (the default),
    /// `undecided` or `allow`.
    #[serde(default)]
    #[schemars(extend("default" = "deny"))]
    pub(super) unmatched: Unmatched,
    /// The gates. All that match a promotion apply together: a gate can only add to what is
    /// asked, never take away.
    #[schemars(with = "Vec<Gate>", length(min = 1, max = 200))]
    pub(super) gates: Option<Vec<Value>>,
    /// Named, approved, expiring exceptions to single rules.
    #[serde(default)]
    #[schemars(with = "Vec<Waiver>", length(max = 500))]
    pub(super) waivers: Vec<Value>,
    /// Formats of evidence files whose content does not tell them apart. The first entry that
    /// matches a file counts; a file that none matches is recognised by its content.
    #[serde(default)]
    #[schemars(with = "Vec<Evidence>", length(max = 200))]
    pub(super) evidence: Vec<Value>,
    /// What names and tags mean in the MLflow registry.
    #[serde(default)]
    pub(super) mlflow: Mlflow,
    /// Whose signatures policies have to have. Once it is there, every policy that is not in the
    /// binary is either signed as it says or named under `unsigned`.
    #[serde(default)]
    #[schemars(with = "Trust")]
    pub(super) trust: Option<Trust>,
}

#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(super) enum Unmatched {
    #[default]
    Deny,
    Undecided,
    Allow,
}

/// The policies that guard some promotions.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Gate {
    /// Name of the gate, shown in every report. No two gates share one.
    #[schemars(required, length(min = 1, max = 100))]
    pub(super) name: Option<String>,
    /// Patterns for the names of the models that it guards, such as `fraud-*`. `*` and `?` stand
    /// for any characters; quote a pattern that begins with `*`. They match in any case.
    #[schemars(required, length(min = 1, max = 32))]
    pub(super) models: Option<Vec<String>>,
    /// Where to: `stage:Production`, `alias:champion` or `env:prod`; a bare word is a stage. The
    /// name may be a pattern, `env:*`.
    #[schemars(required, length(min = 1, max = 32))]
    pub(super) targets: Option<Vec<String>>,
    /// Kinds of evidence that must be there, each with the age that it may have at most.
    #[serde(default)]
    pub(super) require: Require,
    /// Whether a version may be taken from a target that the gate guards, by deleting the alias or
    /// the version, moving it off or renaming the model: `deny` (the default) or `allow`.
    #[serde(default)]
    #[schemars(extend("default" = "deny"))]
    pub(super) removal: Removal,
    /// The policies, all of which are run at every decision.
    #[schemars(with = "Vec<Policy>", length(min = 1, max = 50))]
    pub(super) policies: Option<Vec<Value>>,
}

#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(super) enum Removal {
    #[default]
    Deny,
    Allow,
}

/// What names and tags mean in the MLflow registry.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Mlflow {
    /// Patterns for names of registered models that are an environment: a version that is created
    /// under `prod.*` is promoted to `env:prod`. The environment is named by what the pattern
    /// begins with, or else ends with. The first that matches counts.
    #[serde(default)]
    #[schemars(length(max = 32))]
    pub(super) environments: Vec<String>,
    /// Tags that say where a version is used, so that setting one is a promotion.
    #[serde(default)]
    #[schemars(with = "Vec<PromotionTag>", length(max = 32))]
    pub(super) promotion_tags: Vec<Value>,
}

/// A tag that says where a version is used.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct PromotionTag {
    /// Key of the tag.
    #[schemars(required, length(min = 1, max = 250))]
    pub(super) tag: Option<String>,
    /// What it hangs on: `version` (the default), a model version, which is promoted; or `model`,
    /// a registered model, of which the tag's value names the version that is promoted.
    #[serde(default)]
    #[schemars(extend("default" = "version"))]
    pub(super) on: TagPlace,
    /// Patterns for the values that count; all when left out. Not with `on: model`.
    #[serde(default)]
    #[schemars(with = "Vec<String>", length(min = 1, max = 32))]
    pub(super) values: Option<Vec<String>>,
    /// Where the version is promoted to, `env:prod`. When left out, to the environment that the
    /// value names; needed with `on: model`.
    #[serde(default)]
    #[schemars(with = "String", length(min = 1))]
    pub(super) target: Option<String>,
}

#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(super) enum TagPlace {
    #[default]
    Version,
    Model,
}

/// Kinds of evidence that must be there. The value is the age that each source of the kind may
/// have at most, `30m`, `24h`, `7d` or `2w`, or `any` for no limit.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Require {
    /// Metadata, tags, card and files of the model version.
    #[serde(default)]
    #[schemars(with = "Age")]
    model: Option<Age>,
    /// Evaluation metrics.
    #[serde(default)]
    #[schemars(with = "Age")]
    metrics: Option<Age>,
    /// Results of test suites: data drift, data quality, behaviour.
    #[serde(default)]
    #[schemars(with = "Age")]
    tests: Option<Age>,
    /// GPU usage and cost forecasts.
    #[serde(default)]
    #[schemars(with = "Age")]
    cost: Option<Age>,
    /// Security scans.
    #[serde(default)]
    #[schemars(with = "Age")]
    security: Option<Age>,
    /// Who has agreed.
    #[serde(default)]
    #[schemars(with = "Age")]
    approvals: Option<Age>,
    /// Earlier transitions of the model.
    #[serde(default)]
    #[schemars(with = "Age")]
    history: Option<Age>,
    /// JSON documents of any other kind.
    #[serde(default)]
    #[schemars(with = "Age")]
    documents: Option<Age>,
}

impl Require {
    /// The age of each kind that is required, in the order of [`Kind::ALL`].
    pub(super) fn ages(&self) -> impl Iterator<Item = (Kind, &Age)> {
        Kind::ALL.into_iter().filter_map(|kind| {
            let age = match kind {
                Kind::Model => &self.model,
                Kind::Metrics => &self.metrics,
                Kind::Tests => &self.tests,
                Kind::Cost => &self.cost,
                Kind::Security => &self.security,
                Kind::Approvals => &self.approvals,
                Kind::History => &self.history,
                Kind::Documents => &self.documents,
            };
            age.as_ref().map(|age| (kind, age))
        })
    }
}

#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
pub(super) struct Age(#[schemars(regex(pattern = "^([1-9][0-9]*[smhdw]|any)$"))] pub(super) String);

/// A policy, and what the gate makes of it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Policy {
    /// `std/NAME` for one of the standard policies, the path of a `.wasm` component, relative to
    /// this file, or a policy in a registry: `oci://registry.example.org/risk/tenure:1.4`, of
    /// which `lockgate.lock` says what the tag means, or `oci://…@sha256:…`.
    #[serde(rename = "use")]
    #[schemars(required, regex(pattern = r"^(std/[a-z0-9-]+|oci://[^/]+/.+|.+\.wasm)$"))]
    pub(super) component: Option<String>,
    /// What reports and waivers call the policy: its name or the file's, unless given here. No
    /// two policies of a gate share one.
    #[serde(default)]
    #[schemars(with = "String", regex(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"))]
    pub(super) id: Option<String>,
    /// What the policy is told; `lockgate policy inspect` shows what it takes.
    #[serde(default)]
    pub(super) params: Map<String, Value>,
    /// What a failure does: `deny` (the default), `warn` for a warning, or `shadow` to be
    /// recorded only.
    #[serde(default)]
    #[schemars(extend("default" = "deny"))]
    pub(super) enforce: Enforce,
    /// Until this day `deny` counts as `warn`: `2027-01-01`, from its start in UTC, or a time,
    /// `2027-01-01T12:00:00+01:00`.
    #[serde(default)]
    #[schemars(with = "String", regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T.+)?$"))]
    pub(super) effective_on: Option<String>,
    /// What one run of the policy may use.
    #[serde(default)]
    pub(super) limits: Limits,
}

#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(super) enum Enforce {
    #[default]
    Deny,
    Warn,
    Shadow,
}

/// What one run of a policy may use. A policy that needs more is undecided.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Limits {
    /// Instructions, roughly; the limit that decides the same on every machine.
    #[serde(default)]
    #[schemars(with = "u64", range(min = 1, max = policy::Limits::MOST_FUEL), extend("default" = policy::Limits::DEFAULT_FUEL))]
    pub(super) fuel: Option<u64>,
    /// Linear memory, MiB.
    #[serde(default)]
    #[schemars(with = "u64", range(min = 1, max = policy::Limits::MOST_MEMORY_MIB), extend("default" = policy::Limits::DEFAULT_MEMORY_MIB))]
    pub(super) memory_mib: Option<u64>,
    /// Time on the clock, milliseconds: a backstop behind `fuel`.
    #[serde(default)]
    #[schemars(with = "u64", range(min = 1, max = policy::Limits::MOST_DEADLINE_MS), extend("default" = policy::Limits::DEFAULT_DEADLINE_MS))]
    pub(super) deadline_ms: Option<u64>,
}

impl Limits {
    /// What they come to, the defaults in place of what was left out.
    pub(crate) fn resolve(&self) -> Result<policy::Limits, Vec<policy::LimitOutOfRange>> {
        policy::Limits::new(
            self.fuel.unwrap_or(policy::Limits::DEFAULT_FUEL),
            self.memory_mib.unwrap_or(policy::Limits::DEFAULT_MEMORY_MIB),
            self.deadline_ms.unwrap_or(policy::Limits::DEFAULT_DEADLINE_MS),
        )
    }
}

/// An exception to one rule. The failed check stays visible as waived.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Waiver {
    /// Id of the policy, in whichever gates have it.
    #[schemars(required)]
    pub(super) policy: Option<String>,
    /// Code of the rule, as the check shows it.
    #[schemars(required, regex(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$"))]
    pub(super) rule: Option<String>,
    /// Which of the rule's checks (`CVE-2026-1`, `model.pkl`); all of them when left out.
    #[serde(default)]
    #[schemars(with = "String", length(min = 1))]
    pub(super) about: Option<String>,
    /// Patterns for the names of the models that it holds for.
    #[schemars(required, length(min = 1, max = 32))]
    pub(super) models: Option<Vec<String>>,
    /// Patterns for the versions that it holds for; all when left out.
    #[serde(default)]
    #[schemars(with = "Vec<String>", length(min = 1, max = 32))]
    pub(super) versions: Option<Vec<String>>,
    /// Why the rule may be broken.
    #[schemars(required, length(min = 1))]
    pub(super) reason: Option<String>,
    /// Where it is tracked.
    #[schemars(required, length(min = 1))]
    pub(super) ticket: Option<String>,
    /// Who approved it.
    #[schemars(required, length(min = 1))]
    pub(super) approved_by: Option<String>,
    /// Last day on which it holds, to its end in UTC, `2027-03-31`; or the time at which it no
    /// longer does, `2027-03-31T12:00:00Z`.
    #[schemars(required, regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T.+)?$"))]
    pub(super) expires: Option<String>,
}

/// The format of some evidence files.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Evidence {
    /// Pattern for the files' names, `scans/*.json`.
    #[serde(rename = "match")]
    #[schemars(required, length(min = 1))]
    pub(super) pattern: Option<String>,
    /// Name of the format; `document` for any JSON, `ignore` for files that are no evidence.
    #[schemars(required)]
    pub(super) format: Option<String>,
    /// What policies call the document; only with `format: document`.
    #[serde(default)]
    #[schemars(with = "String", length(min = 1, max = 100))]
    pub(super) name: Option<String>,
    /// ISO 4217 code of the amounts, which the format does not carry; only with
    /// `format: opencost`.
    #[serde(default)]
    #[schemars(with = "String", regex(pattern = "^[A-Z]{3}$"))]
    pub(super) currency: Option<String>,
}

impl From<Unmatched> for decision::Unmatched {
    fn from(raw: Unmatched) -> Self {
        match raw {
            Unmatched::Deny => Self::Deny,
            Unmatched::Undecided => Self::Undecided,
            Unmatched::Allow => Self::Allow,
        }
    }
}

impl From<Removal> for decision::Removal {
    fn from(raw: Removal) -> Self {
        match raw {
            Removal::Deny => Self::Deny,
            Removal::Allow => Self::Allow,
        }
    }
}

impl From<TagPlace> for decision::TagPlace {
    fn from(raw: TagPlace) -> Self {
        match raw {
            TagPlace::Version => Self::Version,
            TagPlace::Model => Self::Model,
        }
    }
}

impl From<Enforce> for decision::Enforcement {
    fn from(raw: Enforce) -> Self {
        match raw {
            Enforce::Deny => Self::Deny,
            Enforce::Warn => Self::Warn,
            Enforce::Shadow => Self::Shadow,
        }
    }
}
