//! The decision: a pure function of the promotion, the gates, the snapshot and what the policies
//! answered. No I/O, no clock, no async.

mod decide;
mod evidence;
mod gate;
mod naming;
mod pattern;
mod removal;
mod verdict;
mod waiver;

use std::sync::Arc;

use serde::Serialize;

pub use decide::{Answered, GateInput, Inputs, decide};
pub use gate::{Enforcement, Gate, Guard, Removal, Requirement, TargetPattern, Unmatched};
pub use naming::{Environment, InvalidEnvironment, Naming, PromotionTag, TagPlace};
pub use pattern::{InvalidPattern, Patterns};
pub use removal::{decide_removal, removal_rule};
pub use verdict::{UnknownVerdict, Verdict};
pub use waiver::{Grant, Waiver};

use crate::model::{
    Check, Digest, LogLine, Promotion, Rule, RunUsage, Source, Timestamp, Undecided, Unmeasured,
};

/// A verdict and everything needed to see how it came about.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The answer.
    pub verdict: Verdict,
    /// Which way the version is to move.
    pub movement: Movement,
    /// What was asked.
    pub promotion: Promotion,
    /// Digest of the gate file that it was decided by.
    pub gate_file: Digest,
    /// What the evidence was.
    pub evidence: EvidenceSummary,
    /// Why it is undecided apart from any policy: unreadable or missing evidence, no gate.
    pub undecided: Vec<Undecided>,
    /// What no gate means, when no gate matched.
    pub unmatched: Option<Unmatched>,
    /// The gates that match, in the order of the file.
    pub gates: Vec<GateReport>,
    /// Waivers that concern this version, used or not, in the order of the file.
    pub waivers: Vec<WaiverReport>,
}

/// Which way a version is to move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Movement {
    /// It comes to the target.
    #[default]
    Promotion,
    /// It is taken from the target.
    Removal,
}

impl Movement {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Promotion => "promotion",
            Self::Removal => "removal",
        }
    }
}

/// The evidence behind a decision.
#[derive(Clone, Debug, Default)]
pub struct EvidenceSummary {
    /// Digest of the snapshot; none when it could not be frozen.
    pub digest: Option<Digest>,
    /// Where it came from.
    pub sources: Vec<Source>,
    /// Metrics with a name but no value.
    pub unmeasured: Vec<Unmeasured>,
}

/// One gate's part in a decision.
#[derive(Clone, Debug)]
pub struct GateReport {
    /// Name of the gate.
    pub name: String,
    /// Its policies, in the order of the file.
    pub policies: Vec<PolicyReport>,
}

/// One policy's part in a decision.
#[derive(Clone, Debug)]
pub struct PolicyReport {
    /// Id within the gate.
    pub id: String,
    /// What its failure does at the time of the decision.
    pub enforcement: Enforcement,
    /// Set when `deny` counts as `warn` until this time.
    pub effective_on: Option<Timestamp>,
    /// The component as the gate names it, and what it says of itself.
    pub component: Arc<ComponentReport>,
    /// JSON object it was given.
    pub params: Arc<str>,
    /// Every check it made, or why it could not judge.
    pub result: Result<Vec<JudgedCheck>, Undecided>,
    /// What the run took.
    pub usage: RunUsage,
    /// What it logged.
    pub log: Vec<LogLine>,
}

/// Which component answered.
#[derive(Clone, Debug, Default)]
pub struct ComponentReport {
    /// As the gate names it, `std/NAME` or a path.
    pub reference: String,
    /// Digest of the component; none when it could not be read.
    pub digest: Option<Digest>,
    /// Name it gives itself.
    pub name: Option<String>,
    /// Version it gives itself.
    pub version: Option<String>,
    /// The rules it describes.
    pub rules: Vec<Rule>,
}

/// A check and what it does to the verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgedCheck {
    /// The policy's words.
    pub check: Check,
    /// What it does.
    pub effect: Effect,
}

/// What a check does to the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The rule holds.
    Pass,
    /// The rule is broken, and that denies.
    Deny,
    /// The rule is broken or nearly so, and that is only said.
    Warn,
    /// The rule is broken or nearly so, and that is only recorded.
    Shadow,
    /// The rule is broken, and the waiver at this index of [`Decision::waivers`] excepts it.
    Waived(usize),
    /// The rule does not apply.
    Skip,
}

/// A waiver that concerns the version.
#[derive(Clone, Debug)]
pub struct WaiverReport {
    /// Id of the policy.
    pub policy: String,
    /// Code of the rule.
    pub rule: String,
    /// Which of the rule's checks.
    pub about: Option<String>,
    /// The paper behind it.
    pub grant: Grant,
    /// What became of it.
    pub state: WaiverState,
}

/// What became of a waiver in a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaiverState {
    /// It excepted a failed check.
    Used,
    /// It is past its expiry, and would have excepted a failed check.
    ExpiredNeeded,
    /// It is past its expiry.
    Expired,
    /// It excepts nothing here: no check that it names has failed.
    Useless,
}
