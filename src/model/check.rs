use serde::{Deserialize, Serialize};

/// What a policy says of one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The rule holds.
    Pass,
    /// The rule is broken.
    Fail,
    /// The rule holds, narrowly or with a remark.
    Warn,
    /// The rule does not apply.
    Skip,
}

/// Which side of the limit is the good one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// The limit or more is good.
    AtLeast,
    /// The limit or less is good.
    AtMost,
}

/// What was measured against what. Both numbers are finite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// What was measured.
    pub name: String,
    /// The value found.
    pub actual: f64,
    /// The value it is held against.
    pub limit: f64,
    /// Which side of the limit is the good one.
    pub comparison: Comparison,
    /// Unit of both numbers; none for a bare number.
    pub unit: Option<String>,
}

impl Measure {
    /// How far inside the limit the value is; negative outside.
    #[must_use]
    pub fn margin(&self) -> f64 {
        match self.comparison {
            Comparison::AtLeast => self.actual - self.limit,
            Comparison::AtMost => self.limit - self.actual,
        }
    }
}

/// The result of one rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Stable kebab-case code of the rule.
    pub rule: String,
    /// Which of several things the check is about (`CVE-2026-1`, `region=eu`).
    pub about: Option<String>,
    /// What the policy found.
    pub outcome: Outcome,
    /// One line for the person whose promotion this is.
    pub message: String,
    /// What was measured, where there is a number.
    pub measure: Option<Measure>,
    /// What to do about it.
    pub remedy: Option<String>,
}

/// One named thing that a policy checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Stable kebab-case code.
    pub code: String,
    /// A few words.
    pub title: String,
    /// What is checked and when it fails.
    pub description: String,
}

/// What a policy says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Kebab-case name.
    pub name: String,
    /// Version of the policy (SemVer).
    pub version: String,
    /// One line.
    pub summary: String,
    /// The rules it may answer with.
    pub rules: Vec<Rule>,
    /// JSON Schema of the params, as text.
    pub params_schema: String,
}
