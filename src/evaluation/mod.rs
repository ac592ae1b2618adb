//! From matching gates and frozen evidence to a decision: runs the policies and hands their
//! answers to [`decide`].

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::decision::{
    Answered, ComponentReport, Decision, Gate, GateInput, Inputs, Unmatched, Waiver, decide,
};
use crate::model::{Digest, Promotion, RunUsage, Snapshot, Undecided};
use crate::policy::{Evaluation, Facts, Invocation, Limits, Policy, PolicyLoader, PolicyRef};

/// A loaded policy, or why it could not be loaded.
pub type Loaded = Result<Arc<dyn Policy>, Undecided>;

/// The policies that some gates call, each loaded once.
#[derive(Default)]
pub struct Policies(BTreeMap<PolicyRef, Entry>);

struct Entry {
    policy: Loaded,
    /// What every decision says of it.
    component: Arc<ComponentReport>,
    /// Questions for which it is not tried within a moment, as it took longer before.
    pause: AtomicU32,
}

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
            let component = Arc::new(reported(reference, policy.as_deref().ok()));
            (reference.clone(), Entry { policy, component, pause: AtomicU32::new(0) })
        };
        // One after the other: most are mapped, in less time than a thread takes to start, and one
        // that is compiled takes all processors by itself.
        Self(wanted.into_iter().map(load).collect())
    }

    /// A policy that was loaded; undecided when it was not asked for.
    pub fn get(&self, reference: &PolicyRef) -> Loaded {
        let entry = self.0.get(reference);
        entry.map_or_else(|| Err(not_loaded(reference)), |entry| entry.policy.clone())
    }
}

/// What judging may take where others wait for the thread: all policies together a few
/// milliseconds, which no healthy one of a compiled language comes near.
const MOMENT: Duration = Duration::from_millis(5);
/// Units of fuel of one policy: what some milliseconds are worth, and the limit that such a thread
/// relies on, as the clock is coarser.
const MOMENT_FUEL: u64 = 4_000_000;
/// Questions until a policy that took longer is tried again.
const PAUSE: u32 = 100;

/// What judging takes before other threads help: to start one takes as long as a few policies do.
const ALONE: Duration = Duration::from_millis(2);

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
    judge(case, policies, || 1)
}

/// The same for whoever has all processors to himself: on as many threads, should it take long.
#[must_use]
pub fn evaluate_across(case: Case<'_>, policies: &Policies) -> Decision {
    judge(case, policies, || std::thread::available_parallelism().map_or(1, NonZero::get))
}

fn judge(case: Case<'_>, policies: &Policies, threads: impl Fn() -> usize) -> Decision {
    let until = case.until;
    let answers = case.answers(|invocations, facts| {
        let answered = across(&threads, ALONE, invocations, |invocation| {
            answer(invocation, policies, |policy, params| {
                run(policy, facts, params, &invocation.limits, until)
            })
        });
        let told = |(answered, invocation): (Option<Answered>, &&Invocation)| {
            answered.unwrap_or_else(|| {
                let detail = "evaluating it ended abnormally".to_owned();
                let fault = stopped(Undecided::HostFault { detail });
                answer(invocation, policies, |_, _| fault)
            })
        };
        Some(answered.into_iter().zip(invocations).map(told).collect())
    });
    // There is an answer to each.
    case.decide(answers.unwrap_or_default())
}

/// The same if it takes no longer than a moment, for threads that others wait for. What runs out of
/// that moment is judged anew by [`evaluate`]: a policy answers the same every time.
///
/// # Errors
/// The case, which takes longer or would have to wait.
pub fn evaluate_briefly<'a>(
    case: Case<'a>,
    policies: &Policies,
) -> Result<Decision, Box<Case<'a>>> {
    let start = Instant::now();
    let moment = start + MOMENT;
    let until = case.until.map_or(moment, |until| until.min(moment));
    let brief = |invocation: &Invocation, facts: &Facts| {
        let entry = policies.0.get(&invocation.reference)?;
        let takes_longer = |count: u32| count.checked_sub(1);
        if entry.pause.fetch_update(Relaxed, Relaxed, takes_longer).is_ok() {
            return None;
        }
        let left = until.saturating_duration_since(Instant::now());
        let limits = invocation.limits.within(left).with_fuel_of(MOMENT_FUEL);
        let mut whole = !left.is_zero();
        let answered = answer(invocation, policies, |policy, params| {
            let evaluation = whole.then(|| policy.evaluate_at_once(facts, params, &limits));
            evaluation.flatten().unwrap_or_else(|| {
                whole = false;
                stopped(Undecided::RequestTimeout)
            })
        });
        let ran_out = match &answered.result {
            Err(Undecided::FuelExhausted { .. }) => limits.fuel() < invocation.limits.fuel(),
            Err(Undecided::DeadlineExceeded { .. }) => true,
            Ok(_) | Err(_) => false,
        };
        if ran_out {
            entry.pause.store(PAUSE, Relaxed);
        }
        (whole && !ran_out).then_some(answered)
    };
    let answers = case.answers(|invocations, facts| {
        invocations.iter().map(|invocation| brief(invocation, facts)).collect()
    });
    match answers {
        Some(answers) => Ok(case.decide(answers)),
        None => Err(Box::new(case)),
    }
}

impl<'a> Case<'a> {
    /// An answer to every invocation, gate by gate, of what `answer` has to say to all of them;
    /// none when one could not be had.
    fn answers(
        &self,
        answer: impl FnOnce(&[&Invocation], &Facts) -> Option<Vec<Answered>>,
    ) -> Option<Vec<Vec<Answered>>> {
        let Ok((snapshot, _)) = &self.snapshot else {
            // Without facts there is nothing to run the policies on.
            return Some(self.gates.iter().map(|_| Vec::new()).collect());
        };
        let facts = Facts::new(self.promotion.clone(), Arc::clone(snapshot));
        let invocations: Vec<&Invocation> =
            self.gates.iter().flat_map(|matched| matched.invocations).collect();
        let mut answers = answer(&invocations, &facts)?.into_iter();
        let of_gate =
            |matched: &MatchedGate<'_>| answers.by_ref().take(matched.invocations.len()).collect();
        Some(self.gates.iter().map(of_gate).collect())
    }

    fn decide(self, answers: Vec<Vec<Answered>>) -> Decision {
        let Self { promotion, gate_file, snapshot, gates, waivers, unmatched, until: _ } = self;
        let mut answers = answers.into_iter();
        let gates = gates
            .iter()
            .map(|matched| GateInput {
                gate: matched.gate,
                answers: answers.next().unwrap_or_default(),
            })
            .collect();
        let snapshot = match &snapshot {
            Ok((snapshot, digest)) => Ok((snapshot.as_ref(), *digest)),
            Err(reasons) => Err(reasons.clone()),
        };
        decide(Inputs { promotion, gate_file, snapshot, gates, waivers, unmatched })
    }
}

fn answer(
    invocation: &Invocation,
    policies: &Policies,
    run: impl FnOnce(&dyn Policy, &str) -> Evaluation,
) -> Answered {
    let Invocation { reference, params, limits: _ } = invocation;
    let (component, evaluation) = match policies.0.get(reference) {
        Some(Entry { policy: Ok(policy), component, .. }) => {
            (Arc::clone(component), run(policy.as_ref(), params))
        }
        Some(Entry { policy: Err(reason), component, .. }) => {
            (Arc::clone(component), stopped(reason.clone()))
        }
        None => (Arc::new(reported(reference, None)), stopped(not_loaded(reference))),
    };
    let Evaluation { result, usage, log } = evaluation;
    Answered { component, params: Arc::clone(params), result, usage, log }
}

/// What decisions say of a component; little of one that could not be loaded.
fn reported(reference: &PolicyRef, policy: Option<&dyn Policy>) -> ComponentReport {
    let described = policy.map(Policy::description);
    ComponentReport {
        reference: reference.to_string(),
        digest: policy.map(Policy::digest),
        name: described.map(|description| description.name.clone()),
        version: described.map(|description| description.version.clone()),
        rules: described.map(|description| description.rules.clone()).unwrap_or_default(),
    }
}

fn not_loaded(reference: &PolicyRef) -> Undecided {
    Undecided::Unloadable { detail: format!("`{reference}` was not loaded") }
}

/// `work` on every item, in any order; none where it panicked on another thread. The others are
/// started once it has taken longer than `alone`.
fn across<T: Sync, R: Send + Sync>(
    threads: impl Fn() -> usize,
    alone: Duration,
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
) -> Vec<Option<R>> {
    let start = Instant::now();
    let done: Vec<OnceLock<R>> = items.iter().map(|_| OnceLock::new()).collect();
    let next = AtomicUsize::new(0);
    let take = || {
        let place = next.fetch_add(1, Relaxed);
        let taken = items.get(place).zip(done.get(place));
        // Nobody else has this place.
        taken.map(|(item, done)| done.get_or_init(|| work(item))).is_some()
    };
    std::thread::scope(|scope| {
        let mut others = Vec::new();
        while take() {
            let left = items.len().saturating_sub(next.load(Relaxed));
            if left > 1 && others.is_empty() && start.elapsed() >= alone {
                // One that cannot be had leaves its share to the rest.
                others.extend((1..threads().min(left)).map_while(|_| {
                    let thread = std::thread::Builder::new().name("policies".to_owned());
                    thread.spawn_scoped(scope, || while take() {}).ok()
                }));
            }
        }
        // Joined one by one, a panic stays with the item that it is of.
        others.into_iter().for_each(|other| drop(other.join()));
    });
    done.into_iter().map(OnceLock::into_inner).collect()
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
        return stopped(Undecided::RequestTimeout);
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

/// A run that never began.
fn stopped(reason: Undecided) -> Evaluation {
    Evaluation { result: Err(reason), usage: RunUsage::default(), log: Vec::new() }
}

#[cfg(test)]
mod tests;
