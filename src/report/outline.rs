//! What there is to tell of a decision, in the order in which people want to hear it.

use crate::decision::{Decision, Effect, Enforcement, JudgedCheck, PolicyReport, Verdict};
use crate::decision::{WaiverReport, WaiverState};
use crate::model::Undecided;

/// How much something matters to the verdict; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// It keeps the promotion from being allowed.
    Blocks,
    /// It is a warning.
    Warns,
    /// It is only noted: waived, or recorded without being enforced.
    Noted,
}

/// A check with the place it was made in.
#[derive(Clone, Copy)]
pub(super) struct Placed<'a> {
    /// Name of the gate.
    pub(super) gate: &'a str,
    pub(super) policy: &'a PolicyReport,
    pub(super) judged: &'a JudgedCheck,
}

/// A reason for not deciding with the place it comes from.
#[derive(Clone, Copy)]
pub(super) struct Reason<'a> {
    pub(super) reason: &'a Undecided,
    /// Name of the gate; none for reasons that concern all gates.
    pub(super) gate: Option<&'a str>,
    /// The policy; none for reasons apart from any policy.
    pub(super) policy: Option<&'a PolicyReport>,
    pub(super) weight: Weight,
}

/// Every check of every policy, in the order of the gate file.
pub(super) fn checks(decision: &Decision) -> impl Iterator<Item = Placed<'_>> {
    decision.gates.iter().flat_map(|gate| {
        gate.policies.iter().flat_map(|policy| {
            policy.result.iter().flatten().map(|judged| Placed { gate: &gate.name, policy, judged })
        })
    })
}

/// The checks that did not simply pass or skip, worst first.
pub(super) fn concerns(decision: &Decision) -> Vec<(Weight, Placed<'_>)> {
    let mut concerns: Vec<_> = checks(decision)
        .filter_map(|placed| Some((weight_of_effect(placed.judged.effect)?, placed)))
        .collect();
    concerns.sort_by_key(|(weight, placed)| (*weight, rank(placed.judged.effect)));
    concerns
}

/// A policy's checks, worst first.
pub(super) fn worst_first(checks: &[JudgedCheck]) -> Vec<&JudgedCheck> {
    let mut sorted: Vec<_> = checks.iter().collect();
    sorted.sort_by_key(|judged| rank(judged.effect));
    sorted
}

/// Every reason for not deciding: those apart from any policy, then the policies'.
pub(super) fn reasons(decision: &Decision) -> Vec<Reason<'_>> {
    let apart = decision.undecided.iter().map(|reason| Reason {
        reason,
        gate: gate_of(reason),
        policy: None,
        weight: match Verdict::of(reason, decision.unmatched.unwrap_or_default()) {
            Verdict::Deny | Verdict::Undecided => Weight::Blocks,
            Verdict::Allow => Weight::Warns,
        },
    });
    let of_policies = decision.gates.iter().flat_map(|gate| {
        gate.policies.iter().filter_map(|policy| {
            let reason = policy.result.as_ref().err()?;
            let weight = weight_of_enforcement(policy.enforcement);
            Some(Reason { reason, gate: Some(&gate.name), policy: Some(policy), weight })
        })
    });
    apart.chain(of_policies).collect()
}

/// The waivers that are worth a word: those that excepted nothing.
pub(super) fn idle_waivers(decision: &Decision) -> Vec<&WaiverReport> {
    let mut idle: Vec<_> =
        decision.waivers.iter().filter(|waiver| waiver.state != WaiverState::Used).collect();
    idle.sort_by_key(|waiver| waiver.state != WaiverState::ExpiredNeeded);
    idle
}

/// The waiver under which a check is excepted.
pub(super) fn waiver_of<'a>(
    decision: &'a Decision,
    judged: &JudgedCheck,
) -> Option<&'a WaiverReport> {
    match judged.effect {
        Effect::Waived(index) => decision.waivers.get(index),
        Effect::Pass | Effect::Deny | Effect::Warn | Effect::Shadow | Effect::Skip => None,
    }
}

/// How many checks of each effect, and how many reasons for not deciding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) deny: usize,
    pub(super) undecided: usize,
    pub(super) warn: usize,
    pub(super) shadow: usize,
    pub(super) waived: usize,
    pub(super) pass: usize,
    pub(super) skip: usize,
}

impl Tally {
    pub(super) fn of(decision: &Decision) -> Self {
        let undecided = reasons(decision).len();
        let all = checks(decision).map(|placed| placed.judged);
        Self { undecided, ..Self::of_checks(all) }
    }

    pub(super) fn of_checks<'a>(checks: impl IntoIterator<Item = &'a JudgedCheck>) -> Self {
        let mut tally = Self::default();
        for judged in checks {
            let count = match judged.effect {
                Effect::Deny => &mut tally.deny,
                Effect::Warn => &mut tally.warn,
                Effect::Shadow => &mut tally.shadow,
                Effect::Waived(_) => &mut tally.waived,
                Effect::Pass => &mut tally.pass,
                Effect::Skip => &mut tally.skip,
            };
            *count += 1;
        }
        tally
    }
}

pub(super) const fn weight_of_effect(effect: Effect) -> Option<Weight> {
    match effect {
        Effect::Deny => Some(Weight::Blocks),
        Effect::Warn => Some(Weight::Warns),
        Effect::Shadow | Effect::Waived(_) => Some(Weight::Noted),
        Effect::Pass | Effect::Skip => None,
    }
}

const fn weight_of_enforcement(enforcement: Enforcement) -> Weight {
    match enforcement {
        Enforcement::Deny => Weight::Blocks,
        Enforcement::Warn => Weight::Warns,
        Enforcement::Shadow => Weight::Noted,
    }
}

const fn rank(effect: Effect) -> u8 {
    match effect {
        Effect::Deny => 0,
        Effect::Warn => 1,
        Effect::Waived(_) => 2,
        Effect::Shadow => 3,
        Effect::Pass => 4,
        Effect::Skip => 5,
    }
}

fn gate_of(reason: &Undecided) -> Option<&str> {
    if let Undecided::EvidenceMissing { gate, .. }
    | Undecided::EvidenceUndated { gate, .. }
    | Undecided::EvidenceStale { gate, .. }
    | Undecided::EvidenceFromFuture { gate, .. } = reason
    {
        Some(gate)
    } else {
        None
    }
}
