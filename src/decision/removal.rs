//! Whether a version may be taken from a target. Nothing comes in its place that could be judged,
//! so the gates have said beforehand whether it may.

use std::sync::Arc;

use super::gate::{Enforcement, Gate, Removal, Unmatched};
use super::verdict::Verdict;
use super::{
    ComponentReport, Decision, Effect, EvidenceSummary, GateReport, JudgedCheck, Movement,
    PolicyReport,
};
use crate::model::{Check, Digest, Outcome, Promotion, Rule, RunUsage, Undecided};

/// What a gate's own word is told as: a policy with one rule, so that whoever reads decisions reads
/// this one like any other.
const POLICY: &str = "removal";
const RULE: &str = "stays";

/// Decides whether a version may be taken from a target, by the gates that guard it there.
///
/// It may not where one of them says so. Without any gate nothing was asked of anybody, which is
/// for whoever calls this to say beforehand, and is never an allow here.
#[must_use]
pub fn decide_removal(promotion: Promotion, gate_file: Digest, gates: &[&Gate]) -> Decision {
    let verdict = gates.iter().map(|gate| verdict_of(gate.removal)).max();
    let (undecided, unmatched) = match verdict {
        Some(_) => (Vec::new(), None),
        None => (vec![Undecided::NoMatchingGate], Some(Unmatched::Undecided)),
    };
    Decision {
        verdict: verdict.unwrap_or(Verdict::Undecided),
        movement: Movement::Removal,
        promotion,
        gate_file,
        evidence: EvidenceSummary::default(),
        undecided,
        unmatched,
        gates: gates.iter().map(|gate| report(gate)).collect(),
        waivers: Vec::new(),
    }
}

const fn verdict_of(removal: Removal) -> Verdict {
    match removal {
        Removal::Deny => Verdict::Deny,
        Removal::Allow => Verdict::Allow,
    }
}

fn report(gate: &Gate) -> GateReport {
    let name = &gate.name;
    let (check, params) = match gate.removal {
        Removal::Deny => (
            JudgedCheck {
                check: Check {
                    outcome: Outcome::Fail,
                    message: format!("gate `{name}` keeps what it guards (`removal: deny`)"),
                    remedy: Some(
                        "promote another version to take its place, or say `removal: allow` at the gate"
                            .to_owned(),
                    ),
                    ..check()
                },
                effect: Effect::Deny,
            },
            r#"{"removal":"deny"}"#,
        ),
        Removal::Allow => (
            JudgedCheck {
                check: Check {
                    outcome: Outcome::Pass,
                    message: format!("gate `{name}` lets go of what it guards (`removal: allow`)"),
                    ..check()
                },
                effect: Effect::Pass,
            },
            r#"{"removal":"allow"}"#,
        ),
    };
    let policy = PolicyReport {
        id: POLICY.to_owned(),
        enforcement: Enforcement::Deny,
        effective_on: None,
        component: Arc::new(ComponentReport {
            reference: env!("CARGO_PKG_NAME").to_owned(),
            digest: None,
            name: Some(POLICY.to_owned()),
            version: None,
            rules: vec![removal_rule()],
        }),
        params: Arc::from(params),
        result: Ok(vec![check]),
        usage: RunUsage::default(),
        log: Vec::new(),
    };
    GateReport { name: gate.name.clone(), policies: vec![policy] }
}

fn check() -> Check {
    Check {
        rule: RULE.to_owned(),
        about: None,
        outcome: Outcome::Skip,
        message: String::new(),
        measure: None,
        remedy: None,
    }
}

/// The one rule of a gate's own word on removals.
#[must_use]
pub fn removal_rule() -> Rule {
    Rule {
        code: RULE.to_owned(),
        title: "What a gate guards stays".to_owned(),
        description: "A version is not taken from a target that a gate guards, unless the gate says `removal: allow`.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::{Patterns, TargetPattern};
    use crate::model::{ModelVersion, Target};

    fn gate(name: &str, removal: Removal) -> Gate {
        let target = Target::Alias("champion".to_owned());
        Gate {
            name: name.to_owned(),
            models: Patterns::new(vec!["*".to_owned()]).unwrap(),
            targets: vec![TargetPattern::new(&target).unwrap()],
            require: Vec::new(),
            guards: Vec::new(),
            removal,
        }
    }

    fn decided(gates: &[&Gate]) -> Decision {
        let subject = ModelVersion {
            registry: "mlflow".to_owned(),
            model: "fraud".to_owned(),
            version: "3".to_owned(),
            digest: None,
        };
        let promotion = Promotion {
            subject,
            source: None,
            target: Target::Alias("champion".to_owned()),
            requested_by: None,
            at: "2026-11-23T12:00:00Z".parse().unwrap(),
        };
        decide_removal(promotion, Digest::of(b"gate file"), gates)
    }

    #[test]
    fn one_gate_that_keeps_it_is_enough() {
        let (keeps, lets_go) = (gate("a", Removal::Deny), gate("b", Removal::Allow));
        assert_eq!(decided(&[&keeps]).verdict, Verdict::Deny);
        assert_eq!(decided(&[&lets_go]).verdict, Verdict::Allow);
        assert_eq!(decided(&[&lets_go, &keeps]).verdict, Verdict::Deny);
        assert_eq!(decided(&[&keeps, &lets_go]).verdict, Verdict::Deny);
    }

    #[test]
    fn without_a_gate_nothing_is_allowed() {
        assert_eq!(decided(&[]).verdict, Verdict::Undecided);
    }

    #[test]
    fn every_gate_says_its_own_word() {
        let (keeps, lets_go) = (gate("a", Removal::Deny), gate("b", Removal::Allow));
        let decision = decided(&[&keeps, &lets_go]);
        let said: Vec<_> = decision
            .gates
            .iter()
            .flat_map(|gate| &gate.policies)
            .flat_map(|policy| policy.result.iter().flatten())
            .map(|judged| (judged.effect, judged.check.message.as_str()))
            .collect();
        assert_eq!(
            said,
            [
                (Effect::Deny, "gate `a` keeps what it guards (`removal: deny`)"),
                (Effect::Pass, "gate `b` lets go of what it guards (`removal: allow`)"),
            ]
        );
    }
}
