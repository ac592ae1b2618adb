//! A case made of a decision: what one of its policies was asked, on the very same evidence, and
//! what it said.

use serde_json::{Value, json};

use super::expected::word;
use super::pattern::exactly;
use super::update::flow_of;
use crate::config::{flow, scalar};
use crate::decision::{Decision, PolicyReport};
use crate::evidence::Frozen;
use crate::model::{Budget, Check, Digest, RunUsage, Undecided};
use crate::policy::Limits;
use crate::text::plain;

/// A decision, and the evidence that it was made on.
pub struct Recorded<'a> {
    /// The decision.
    pub decision: &'a Decision,
    /// The evidence.
    pub evidence: &'a Frozen,
}

/// A case made of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The case, in YAML.
    pub case: String,
    /// The evidence, in JSON.
    pub snapshot: String,
    /// The policy as the gate names it, `std/NAME` or a path relative to the gate file.
    pub reference: String,
    /// Digest of the component that answered.
    pub component: Option<Digest>,
}

/// Why no case can be made of a decision.
#[derive(Debug, thiserror::Error)]
pub enum RecordedError {
    /// The evidence is not that of the decision.
    #[error("the evidence has the digest `{got}`, and the decision was made on `{expected}`")]
    OtherEvidence {
        /// What the decision names.
        expected: Digest,
        /// What is at hand.
        got: Digest,
    },
    /// No policy was asked on any evidence.
    #[error("the decision was made without evidence, so no policy was asked")]
    NoEvidence,
    /// No policy is of that id.
    #[error("no policy of the decision is called `{policy}`; there are {known}")]
    NoSuchPolicy {
        /// The id that was given.
        policy: String,
        /// Those that there are.
        known: String,
    },
    /// Several policies could be meant.
    #[error(
        "the decision has several policies; name one with --policy, and its gate with --gate where two gates have it: {known}"
    )]
    Several {
        /// Those that there are.
        known: String,
    },
    /// The policy did not run to an end that another run would come to as well.
    #[error("`{policy}` came to no answer that can be reproduced: {reason}")]
    ByChance {
        /// The policy.
        policy: String,
        /// Why there was no answer.
        reason: Box<Undecided>,
    },
    /// It cannot be written.
    #[error("the evidence cannot be written as JSON: {0}")]
    Unwritable(#[from] serde_json::Error),
}

impl Recorded<'_> {
    /// The case of one of the decision's policies, to be kept beside the file `snapshot`.
    ///
    /// # Errors
    /// When it is not told which, or it has no answer to hold it to.
    pub fn case(
        &self,
        gate: Option<&str>,
        policy: Option<&str>,
        (heading, snapshot): (&str, &str),
    ) -> Result<Written, RecordedError> {
        let Self { decision, evidence } = self;
        match decision.evidence.digest {
            None => return Err(RecordedError::NoEvidence),
            Some(expected) if expected != evidence.digest => {
                return Err(RecordedError::OtherEvidence { expected, got: evidence.digest });
            }
            Some(_) => {}
        }
        let (gate, policy) = self.find(gate, policy)?;
        let reference = &policy.component.reference;
        let promotion = &decision.promotion;
        let summary = format!(
            "{} on {} to {}, as decided at {}",
            policy.id, promotion.subject, promotion.target, promotion.at
        );
        let params: Value = serde_json::from_str(&policy.params)?;
        let mut case = String::new();
        for line in heading.lines() {
            case.push_str(&format!("# {line}\n"));
        }
        case.push_str(&format!("# The gate was {}.\n", plain(gate)));
        case.push_str(&format!("summary: {}\n", scalar(&summary)));
        case.push_str("promotion:\n");
        let subject = &promotion.subject;
        let facts = [
            ("model", Some(subject.model.clone())),
            ("version", Some(subject.version.clone())),
            ("to", Some(promotion.target.to_string())),
            ("from", promotion.source.as_ref().map(ToString::to_string)),
            ("requested-by", promotion.requested_by.clone()),
            ("registry", Some(subject.registry.clone())),
            ("digest", subject.digest.map(String::from)),
            ("at", Some(promotion.at.to_string())),
        ];
        for (key, value) in facts {
            if let Some(value) = value {
                case.push_str(&format!("  {key}: {}\n", scalar(&value)));
            }
        }
        case.push_str(&format!("params: {}\n", flow(&params)));
        case.push_str(&limits(policy));
        case.push_str(&format!("snapshot:\n  file: {}\n", scalar(snapshot)));
        case.push_str(&format!("  digest: {}\n", scalar(&evidence.digest.to_string())));
        case.push_str(&expectation(policy)?);
        Ok(Written {
            case,
            snapshot: serde_json::to_string_pretty(&*evidence.snapshot)? + "\n",
            reference: reference.clone(),
            component: policy.component.digest,
        })
    }

    fn find(
        &self,
        gate: Option<&str>,
        policy: Option<&str>,
    ) -> Result<(&str, &PolicyReport), RecordedError> {
        let all: Vec<(&str, &PolicyReport)> = self
            .decision
            .gates
            .iter()
            .flat_map(|gate| gate.policies.iter().map(|policy| (gate.name.as_str(), policy)))
            .collect();
        let known = || {
            let named = |(gate, policy): &(&str, &PolicyReport)| {
                format!("`{}` of gate `{gate}`", policy.id)
            };
            all.iter().map(named).collect::<Vec<_>>().join(", ")
        };
        let meant: Vec<_> = all
            .iter()
            .filter(|(name, report)| {
                gate.is_none_or(|gate| gate == *name)
                    && policy.is_none_or(|policy| {
                        policy == report.id || policy == report.component.reference
                    })
            })
            .collect();
        match (meant.as_slice(), policy) {
            ([one], _) => Ok(**one),
            ([], Some(policy)) => {
                let policy = policy.chars().take(100).collect();
                Err(RecordedError::NoSuchPolicy { policy, known: known() })
            }
            _ => Err(RecordedError::Several { known: known() }),
        }
    }
}

/// The limits without which another run would come to another end: those that it ran into, and more
/// than there is by default for what it took more of.
fn limits(policy: &PolicyReport) -> String {
    let twice = |used: u64, default: u64, most: u64| {
        (used > default).then(|| used.saturating_mul(2).min(most))
    };
    let RunUsage { fuel, peak_memory, elapsed } = policy.usage;
    let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    let fuel = match policy.result {
        Err(Undecided::FuelExhausted { fuel }) => Some(fuel),
        Ok(_) | Err(_) => twice(fuel, Limits::DEFAULT_FUEL, Limits::MOST_FUEL),
    };
    let memory = match policy.result {
        Err(Undecided::MemoryExhausted { budget: Budget::Memory, limit }) => Some(limit >> 20),
        Ok(_) | Err(_) => {
            let mib = peak_memory.div_ceil(1 << 20);
            twice(mib, Limits::DEFAULT_MEMORY_MIB, Limits::MOST_MEMORY_MIB)
        }
    };
    // How long it takes differs from machine to machine.
    let half = Limits::DEFAULT_DEADLINE_MS / 2;
    let deadline = twice(milliseconds, half, Limits::MOST_DEADLINE_MS);
    let limits = [("fuel", fuel), ("memory-mib", memory), ("deadline-ms", deadline)];
    let limits: Vec<_> =
        limits.into_iter().filter_map(|(key, limit)| Some(format!("{key}: {}", limit?))).collect();
    if limits.is_empty() { String::new() } else { format!("limits: {{{}}}\n", limits.join(", ")) }
}

/// What the policy said, as what is expected of it from now on.
fn expectation(policy: &PolicyReport) -> Result<String, RecordedError> {
    let text = match &policy.result {
        Ok(judged) => {
            let mut text = "expect:\n  outcome:\n".to_owned();
            for judged in judged {
                let Check { rule, about, outcome, message, .. } = &judged.check;
                let mut value = json!({
                    "rule": rule,
                    "outcome": word(*outcome),
                    "message": exactly(message),
                });
                if let (Some(about), Some(value)) = (about, value.as_object_mut()) {
                    value.insert("about".to_owned(), json!(about));
                }
                text.push_str(&format!("    - {}\n", flow_of(&value)));
            }
            text
        }
        Err(Undecided::ParamsRefused { detail }) => {
            format!("expect:\n  refusal: {}\n", flow(&json!({ "params": exactly(detail) })))
        }
        Err(Undecided::EvidenceRefused { detail }) => {
            format!("expect:\n  refusal: {}\n", flow(&json!({ "evidence": exactly(detail) })))
        }
        Err(
            reason @ (Undecided::Trap { .. }
            | Undecided::FuelExhausted { .. }
            | Undecided::MemoryExhausted { .. }
            | Undecided::StackExhausted { .. }
            | Undecided::OutputOversize { .. }
            | Undecided::OutputInvalid { .. }
            | Undecided::OutputUnreadable { .. }
            | Undecided::NothingChecked),
        ) => format!("expect:\n  undecided: {}\n", reason.code()),
        Err(reason) => {
            let (policy, reason) = (policy.id.clone(), Box::new(reason.clone()));
            return Err(RecordedError::ByChance { policy, reason });
        }
    };
    Ok(text)
}
