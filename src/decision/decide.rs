use std::sync::Arc;

use super::gate::{Enforcement, Gate, Guard, Unmatched};
use super::verdict::Verdict;
use super::waiver::Waiver;
use super::{
    ComponentReport, Decision, Effect, EvidenceSummary, GateReport, JudgedCheck, Movement,
    PolicyReport, WaiverReport, WaiverState, evidence,
};
use crate::model::{
    Check, Digest, LogLine, Outcome, Promotion, RunUsage, Snapshot, Timestamp, Undecided,
};

/// Everything a decision depends on.
pub struct Inputs<'a> {
    /// What is asked.
    pub promotion: Promotion,
    /// Digest of the gate file.
    pub gate_file: Digest,
    /// The frozen evidence and its digest, or why it could not be had.
    pub snapshot: Result<(&'a Snapshot, Digest), Vec<Undecided>>,
    /// The gates that match, each with what its policies answered.
    pub gates: Vec<GateInput<'a>>,
    /// Every waiver of the gate file.
    pub waivers: &'a [Waiver],
    /// What no gate means.
    pub unmatched: Unmatched,
}

/// A gate that matches, with one answer for each of its guards, in their order.
pub struct GateInput<'a> {
    /// The gate.
    pub gate: &'a Gate,
    /// What its policies answered. A guard without an answer counts as one that failed to run.
    pub answers: Vec<Answered>,
}

/// What one policy answered.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Which component answered.
    pub component: Arc<ComponentReport>,
    /// JSON object it was given.
    pub params: Arc<str>,
    /// Its checks, or why it could not judge.
    pub result: Result<Vec<Check>, Undecided>,
    /// What the run took.
    pub usage: RunUsage,
    /// What it logged.
    pub log: Vec<LogLine>,
}

/// Combines everything into one verdict. Infallible: what is missing is a reason to be
/// undecided, not an error.
///
/// The verdict is the worst that any gate, policy, check or piece of evidence leads to, so
/// neither the order of policies nor one more failure can better it.
#[must_use]
pub fn decide(inputs: Inputs<'_>) -> Decision {
    let Inputs { promotion, gate_file, snapshot, gates, waivers, unmatched } = inputs;
    let mut waivers = Waivers::concerning(&promotion, waivers);
    let mut undecided = Vec::new();
    let mut summary = EvidenceSummary::default();
    let mut reports = Vec::new();
    if gates.is_empty() {
        undecided.push(Undecided::NoMatchingGate);
    }
    let unmatched_applies = gates.is_empty();
    match snapshot {
        Ok((snapshot, digest)) => {
            summary = EvidenceSummary {
                digest: Some(digest),
                sources: snapshot.sources.clone(),
                unmeasured: snapshot.unmeasured.clone(),
            };
            for input in gates {
                undecided.extend(evidence::missing(input.gate, snapshot, promotion.at));
                reports.push(judge_gate(input, &promotion, &mut waivers));
            }
        }
        // What policies say of half the evidence is worth nothing, and is not even looked at.
        Err(reasons) => {
            undecided.extend(reasons);
            reports.extend(
                gates.iter().map(|input| GateReport {
                    name: input.gate.name.clone(),
                    policies: Vec::new(),
                }),
            );
        }
    }

    let verdict = undecided
        .iter()
        .map(|reason| Verdict::of(reason, unmatched))
        .chain(reports.iter().flat_map(|gate| &gate.policies).map(verdict_of))
        .max()
        // Neither a reason nor a policy: a gate without policies, or evidence that failed without
        // saying why. Neither can be written down, and neither may mean "allow".
        .unwrap_or(Verdict::Undecided);

    Decision {
        verdict,
        movement: Movement::Promotion,
        promotion,
        gate_file,
        evidence: summary,
        undecided,
        unmatched: unmatched_applies.then_some(unmatched),
        gates: reports,
        waivers: waivers.into_reports(),
    }
}

fn judge_gate(
    input: GateInput<'_>,
    promotion: &Promotion,
    waivers: &mut Waivers<'_>,
) -> GateReport {
    let mut answers = input.answers.into_iter();
    let policies = input
        .gate
        .guards
        .iter()
        .map(|guard| {
            let answer = answers.next().unwrap_or_else(|| Answered {
                component: Arc::default(),
                params: Arc::from("{}"),
                result: Err(Undecided::HostFault { detail: "the policy was not run".to_owned() }),
                usage: RunUsage::default(),
                log: Vec::new(),
            });
            judge_policy(guard, answer, promotion, waivers)
        })
        .collect();
    GateReport { name: input.gate.name.clone(), policies }
}

fn judge_policy(
    guard: &Guard,
    answer: Answered,
    promotion: &Promotion,
    waivers: &mut Waivers<'_>,
) -> PolicyReport {
    let enforcement = guard.enforcement_at(promotion.at);
    let result = answer.result.and_then(|checks| {
        if checks.iter().all(|check| check.outcome == Outcome::Skip) {
            return Err(Undecided::NothingChecked);
        }
        let judged = checks.into_iter().map(|check| {
            let effect = effect_of(&check, guard, enforcement, waivers);
            JudgedCheck { check, effect }
        });
        Ok(judged.collect())
    });
    PolicyReport {
        id: guard.id.clone(),
        enforcement,
        effective_on: guard.denies_from(promotion.at),
        component: answer.component,
        params: answer.params,
        result,
        usage: answer.usage,
        log: answer.log,
    }
}

fn effect_of(
    check: &Check,
    guard: &Guard,
    enforcement: Enforcement,
    waivers: &mut Waivers<'_>,
) -> Effect {
    match (check.outcome, enforcement) {
        (Outcome::Pass, _) => Effect::Pass,
        (Outcome::Skip, _) => Effect::Skip,
        (Outcome::Warn, Enforcement::Shadow) => Effect::Shadow,
        (Outcome::Warn, Enforcement::Warn | Enforcement::Deny) => Effect::Warn,
        (Outcome::Fail, _) => match (waivers.waive(&guard.id, check), enforcement) {
            (Some(waiver), _) => Effect::Waived(waiver),
            (None, Enforcement::Deny) => Effect::Deny,
            (None, Enforcement::Warn) => Effect::Warn,
            (None, Enforcement::Shadow) => Effect::Shadow,
        },
    }
}

fn verdict_of(policy: &PolicyReport) -> Verdict {
    match (&policy.result, policy.enforcement) {
        // Enforcement says what a policy's failure does; failing to judge is held to the same.
        (Err(_), Enforcement::Warn | Enforcement::Shadow) => Verdict::Allow,
        // No gate file can make this an allow: its word on unmatched promotions is not about
        // what a policy answered.
        (Err(reason), Enforcement::Deny) => Verdict::of(reason, Unmatched::Undecided),
        (Ok(checks), _) => {
            if checks.iter().any(|judged| judged.effect == Effect::Deny) {
                Verdict::Deny
            } else {
                Verdict::Allow
            }
        }
    }
}

/// The waivers that concern one promotion, and what became of each.
struct Waivers<'a> {
    entries: Vec<(&'a Waiver, WaiverState)>,
    at: Timestamp,
}

impl<'a> Waivers<'a> {
    fn concerning(promotion: &Promotion, waivers: &'a [Waiver]) -> Self {
        let at = promotion.at;
        let entries = waivers
            .iter()
            .filter(|waiver| waiver.concerns(promotion))
            .map(|waiver| {
                let unused =
                    if waiver.holds_at(at) { WaiverState::Useless } else { WaiverState::Expired };
                (waiver, unused)
            })
            .collect();
        Self { entries, at }
    }

    /// Finds a waiver that holds for a failed check; marks it or, where there is none, those that
    /// would have held before they expired.
    fn waive(&mut self, id: &str, check: &Check) -> Option<usize> {
        let (at, mut found) = (self.at, None);
        let named = self.entries.iter_mut().enumerate();
        let named = named.filter(|(_, (waiver, _))| waiver.names(id, check));
        let (holding, expired): (Vec<_>, Vec<_>) =
            named.partition(|(_, (waiver, _))| waiver.holds_at(at));
        for (index, (_, state)) in holding {
            *state = WaiverState::Used;
            found = found.or(Some(index));
        }
        if found.is_none() {
            expired.into_iter().for_each(|(_, (_, state))| *state = WaiverState::ExpiredNeeded);
        }
        found
    }

    fn into_reports(self) -> Vec<WaiverReport> {
        self.entries
            .into_iter()
            .map(|(waiver, state)| WaiverReport {
                policy: waiver.policy.clone(),
                rule: waiver.rule.clone(),
                about: waiver.about.clone(),
                grant: waiver.grant.clone(),
                state,
            })
            .collect()
    }
}
