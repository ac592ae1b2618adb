//! From matching gates and frozen evidence to a decision: runs the policies and hands their
//! answers to [`decide`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use crate::decision::{
    Answered, ComponentReport, Decision, Gate, GateInput, Inputs, Unmatched, Waiver, decide,
};
use crate::model::{Digest, Promotion, RunUsage, Snapshot, Undecided};
use crate::policy::{Evaluation, Facts, Invocation, Limits, Policy, PolicyLoader, PolicyRef};

/// A loaded policy, or why it could not be loaded.
pub type Loaded = Result<Arc<dyn Policy>, Undecided>;

/// The policies that some gates call, each loaded once.
#[derive(Default)]
pub struct Policies(BTreeMap<PolicyRef, Loaded>);

impl Policies {
    /// Loads each policy once. Paths are relative to `base`.
    pub fn load<'a>(
        loader: &dyn PolicyLoader,
        base: &Path,
        references: impl IntoIterator<Item = &'a PolicyRef>,
    ) -> Self {
        let wanted: BTreeSet<&PolicyRef> = references.into_iter().collect();
        let load = |reference: &PolicyRef| {
            let policy = match reference {
                PolicyRef::Standard(_) | PolicyRef::Oci(_) => loader.load(reference),
                PolicyRef::Path(path) => loader.load(&PolicyRef::Path(base.join(path))),
            };
            (reference.clone(), policy)
        };
        // One after the other: most are mapped, in less time than a thread takes to start, and one
        // that is compiled takes all processors by itself.
        Self(wanted.into_iter().map(load).collect())
    }

    /// A policy that was loaded; undecided when it was not asked for.
    pub fn get(&self, reference: &PolicyRef) -> Loaded {
        self.0.get(reference).cloned().unwrap_or_else(|| {
            Err(Undecided::Unloadable { detail: format!("`{reference}` was not loaded") })
        })
    }
}

/// A gate that matches, with one invocation for each of its guards, in their order.
pub struct MatchedGate<'a> {
    /// The gate.
    pub gate: &'a Gate,
    /// What it calls.
    pub invocations: &'a [Invocation],
}

/// What is to be judged, and by which rules.
pub struct Case<'a> {
    /// What is asked.
    pub promotion: Promotion,
    /// Digest of the gate file.
    pub gate_file: Digest,
    /// The frozen evidence and its digest, or why it could not be had.
    pub snapshot: Result<(Arc<Snapshot>, Digest), Vec<Undecided>>,
    /// The gates that match.
    pub gates: &'a [MatchedGate<'a>],
    /// Every waiver of the gate file.
    pub waivers: &'a [Waiver],
    /// What no gate means.
    pub unmatched: Unmatched,
    /// When nobody waits for an answer any longer, and policies are stopped whatever their own
    /// limits; none where somebody waits for as long as it takes.
    pub until: Option<Instant>,
}

/// Runs every policy of every gate that matches, not just up to the first failure, and decides.
#[must_use]
pub fn evaluate(case: Case<'_>, policies: &Policies) -> Decision {
    let Case { promotion, gate_file, snapshot, gates, waivers, unmatched, until } = case;
    let facts = snapshot
        .as_ref()
        .ok()
        .map(|(snapshot, _)| Facts::new(promotion.clone(), Arc::clone(snapshot)));
    let inputs = gates
        .iter()
        .map(|matched| GateInput {
            gate: matched.gate,
            // Without facts there is nothing to run the policies on.
            answers: facts.as_ref().map_or_else(Vec::new, |facts| {
                matched
                    .invocations
                    .iter()
                    .map(|invocation| answer(invocation, policies, facts, until))
                    .collect()
            }),
        })
        .collect();
    let snapshot = match &snapshot {
        Ok((snapshot, digest)) => Ok((snapshot.as_ref(), *digest)),
        Err(reasons) => Err(reasons.clone()),
    };
    decide(Inputs { promotion, gate_file, snapshot, gates: inputs, waivers, unmatched })
}

fn answer(
    invocation: &Invocation,
    policies: &Policies,
    facts: &Facts,
    until: Option<Instant>,
) -> Answered {
    let Invocation { reference, params, limits } = invocation;
    let params = Arc::clone(params);
    match policies.get(reference) {
        Ok(policy) => {
            let evaluation = run(policy.as_ref(), facts, &params, limits, until);
            let description = policy.description();
            Answered {
                component: ComponentReport {
                    reference: reference.to_string(),
                    digest: Some(policy.digest()),
                    name: Some(description.name.clone()),
                    version: Some(description.version.clone()),
                    rules: description.rules.clone(),
                },
                params,
                result: evaluation.result,
                usage: evaluation.usage,
                log: evaluation.log,
            }
        }
        Err(reason) => Answered {
            component: ComponentReport {
                reference: reference.to_string(),
                ..ComponentReport::default()
            },
            params,
            result: Err(reason),
            usage: RunUsage::default(),
            log: Vec::new(),
        },
    }
}

/// Runs one policy for as long as it may take, or as somebody waits.
fn run(
    policy: &dyn Policy,
    facts: &Facts,
    params: &str,
    limits: &Limits,
    until: Option<Instant>,
) -> Evaluation {
    let Some(until) = until else { return policy.evaluate(facts, params, limits) };
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        let result = Err(Undecided::RequestTimeout);
        return Evaluation { result, usage: RunUsage::default(), log: Vec::new() };
    }
    let mut evaluation = policy.evaluate(facts, params, &limits.within(left));
    // The deadline it ran into was the request's, and no limit of the gate file's.
    if left < limits.deadline()
        && matches!(evaluation.result, Err(Undecided::DeadlineExceeded { .. }))
    {
        evaluation.result = Err(Undecided::RequestTimeout);
    }
    evaluation
}
