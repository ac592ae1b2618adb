//! A promotion with gates, answers, evidence and waivers to vary.

use std::sync::Arc;
use std::time::Duration;

use lockgate::decision::{
    Answered, Decision, Enforcement, Gate, GateInput, Grant, Guard, Inputs, Patterns, Removal,
    Requirement, TargetPattern, Unmatched, Waiver, decide,
};
use lockgate::model::{
    Check, Digest, Kind, ModelVersion, Outcome, Promotion, RunUsage, Snapshot, Source, Target,
    Timestamp, Undecided,
};

pub(crate) const NOW: u64 = 1_795_435_200;

pub(crate) fn time(offset: i64) -> Timestamp {
    Timestamp::from_seconds(NOW.checked_add_signed(offset).unwrap()).unwrap()
}

pub(crate) fn check(rule: &str, outcome: Outcome) -> Check {
    Check {
        rule: rule.into(),
        about: None,
        outcome,
        message: "said".into(),
        measure: None,
        remedy: None,
    }
}

pub(crate) type Answer = Result<Vec<Check>, Undecided>;

pub(crate) fn passes() -> Answer {
    Ok(vec![check("rule", Outcome::Pass)])
}

pub(crate) fn fails() -> Answer {
    Ok(vec![check("rule", Outcome::Fail)])
}

pub(crate) fn traps() -> Answer {
    Err(Undecided::Trap { detail: "unreachable".into() })
}

#[derive(Clone, Debug)]
pub(crate) struct PolicyCase {
    pub(crate) id: String,
    pub(crate) enforcement: Enforcement,
    pub(crate) effective_on: Option<Timestamp>,
    pub(crate) answer: Answer,
}

impl PolicyCase {
    pub(crate) fn new(id: &str, enforcement: Enforcement, answer: Answer) -> Self {
        Self { id: id.into(), enforcement, effective_on: None, answer }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) policies: Vec<PolicyCase>,
    pub(crate) require: Vec<Requirement>,
    pub(crate) snapshot: Result<Snapshot, Vec<Undecided>>,
    pub(crate) waivers: Vec<Waiver>,
    pub(crate) unmatched: Unmatched,
    pub(crate) gate_matches: bool,
}

impl Scenario {
    pub(crate) fn of(policies: Vec<PolicyCase>) -> Self {
        Self {
            policies,
            require: Vec::new(),
            snapshot: Ok(Snapshot::default()),
            waivers: Vec::new(),
            unmatched: Unmatched::Deny,
            gate_matches: true,
        }
    }

    pub(crate) fn denying(answer: Answer) -> Self {
        Self::of(vec![PolicyCase::new("policy", Enforcement::Deny, answer)])
    }

    pub(crate) fn decide(&self) -> Decision {
        let promotion = promotion();
        let gate = Gate {
            name: "production".into(),
            models: Patterns::new(vec!["*".into()]).unwrap(),
            targets: vec![TargetPattern::new(&promotion.target).unwrap()],
            require: self.require.clone(),
            removal: Removal::Deny,
            guards: self
                .policies
                .iter()
                .map(|policy| Guard {
                    id: policy.id.clone(),
                    enforcement: policy.enforcement,
                    effective_on: policy.effective_on,
                })
                .collect(),
        };
        let answers = self
            .policies
            .iter()
            .map(|policy| Answered {
                component: Arc::default(),
                params: Arc::from("{}"),
                result: policy.answer.clone(),
                usage: RunUsage::default(),
                log: Vec::new(),
            })
            .collect();
        let gates =
            if self.gate_matches { vec![GateInput { gate: &gate, answers }] } else { Vec::new() };
        decide(Inputs {
            promotion,
            gate_file: Digest::of(b"gate file"),
            snapshot: match &self.snapshot {
                Ok(snapshot) => Ok((snapshot, Digest::of(b"snapshot"))),
                Err(reasons) => Err(reasons.clone()),
            },
            gates,
            waivers: &self.waivers,
            unmatched: self.unmatched,
        })
    }
}

pub(crate) fn promotion() -> Promotion {
    Promotion {
        subject: ModelVersion {
            registry: "local".into(),
            model: "fraud-detector".into(),
            version: "3".into(),
            digest: None,
        },
        source: None,
        target: Target::Stage("Production".into()),
        requested_by: None,
        at: time(0),
    }
}

pub(crate) fn waiver(policy: &str, rule: &str) -> Waiver {
    Waiver {
        policy: policy.into(),
        rule: rule.into(),
        about: None,
        models: Patterns::new(vec!["fraud-*".into()]).unwrap(),
        versions: Patterns::new(vec!["*".into()]).unwrap(),
        grant: Grant {
            reason: "our own pipeline".into(),
            ticket: "RISK-113".into(),
            approved_by: "risk-board".into(),
            expires: time(86_400),
        },
    }
}

pub(crate) fn source(name: &str, kind: Kind, age: Option<i64>) -> Source {
    Source {
        name: name.into(),
        format: "lockgate".into(),
        digest: Digest::of(name.as_bytes()),
        collected_at: age.map(|age| time(-age)),
        baseline: false,
        kinds: vec![kind],
        subjects: Vec::new(),
        signed_by: Vec::new(),
    }
}

pub(crate) fn require(kind: Kind, max_age: Option<u64>) -> Requirement {
    Requirement { kind, max_age: max_age.map(Duration::from_secs) }
}
