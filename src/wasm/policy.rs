use std::io;
use std::sync::Arc;
use std::time::Instant;

use wasmtime::Store;

use super::bindings::v1::{Guest, GuestPre, checks};
use super::engine::SandboxEngine;
use super::failure::{Phase, reason};
use super::standard;
use super::store::{self, HostState};
use super::view::View;
use crate::model::{Check, Description, Digest, RunUsage, Undecided};
use crate::policy::{Evaluation, Facts, Limits, Policy, answer};

/// Fuel that is used up within some milliseconds, less than deadlines are kept to.
const BRIEF_FUEL: u64 = 4_000_000;

/// A loaded component. Every evaluation gets a store and an instance of its own.
pub(super) struct SandboxedPolicy {
    engine: Arc<SandboxEngine>,
    guest: GuestPre<HostState>,
    description: Description,
    digest: Digest,
    /// Whether it is one of lockgate's own.
    is_standard: bool,
}

impl SandboxedPolicy {
    /// A policy that has described itself before, or is asked to now.
    pub(super) fn new(
        engine: Arc<SandboxEngine>,
        guest: GuestPre<HostState>,
        digest: Digest,
        description: Option<Description>,
    ) -> Result<Self, Undecided> {
        let description = match description {
            Some(description) => description,
            None => describe(&engine, &guest)?.0,
        };
        // Also one from the cache, which an earlier version may have accepted by other rules.
        let description = answer::accept_description(description)?;
        Ok(Self { engine, guest, description, digest, is_standard: standard::is_one(digest) })
    }

    /// What it takes to hold an instance and to have it describe itself.
    pub(super) fn need(&self) -> Result<Need, Undecided> {
        Ok(describe(&self.engine, &self.guest)?.1)
    }

    fn run(
        &self,
        store: &mut Store<HostState>,
        params: &str,
        limits: &Limits,
    ) -> Result<Vec<Check>, Undecided> {
        answer::accept_params(params)?;
        let instance = instantiate(&self.guest, store, limits)?;
        let answer = instance
            .call_evaluate(store, params)
            .map_err(|error| reason(&error, Phase::Call, limits))?;
        match answer {
            Ok(checks) => answer::accept_checks(
                checks.into_iter().map(Into::into).collect(),
                &self.description,
            ),
            Err(checks::Refusal::Params(detail)) => {
                Err(Undecided::ParamsRefused { detail: answer::shortened(&detail) })
            }
            Err(checks::Refusal::Evidence(detail)) => {
                Err(Undecided::EvidenceRefused { detail: answer::shortened(&detail) })
            }
        }
    }
}

impl Policy for SandboxedPolicy {
    fn description(&self) -> &Description {
        &self.description
    }

    fn digest(&self) -> Digest {
        self.digest
    }

    fn evaluate(&self, facts: &Facts, params: &str, limits: &Limits) -> Evaluation {
        if self.is_standard && !self.engine.is_watched() {
            // What lockgate brings along has used up so little fuel before any clock would tell, and
            // needs less as a rule. What runs out of it runs anew: it answers the same every time.
            // Others can make one unit of fuel last, by filling all their memory for it.
            let brief = limits.with_fuel_of(BRIEF_FUEL);
            let evaluation = self.evaluate_in_slot(facts, params, &brief);
            let ran_out = matches!(evaluation.result, Err(Undecided::FuelExhausted { .. }));
            if !ran_out || brief.fuel() == limits.fuel() {
                return evaluation;
            }
        }
        // Dropped after the store that is made within.
        let _slot = match self.engine.enter() {
            Ok(slot) => slot,
            Err(error) => return failed(&no_clock(&error)),
        };
        self.evaluate_in_slot(facts, params, limits)
    }

    fn evaluate_at_once(&self, facts: &Facts, params: &str, limits: &Limits) -> Option<Evaluation> {
        let _slot = self.engine.try_enter()?;
        Some(self.evaluate_in_slot(facts, params, limits))
    }
}

impl SandboxedPolicy {
    fn evaluate_in_slot(&self, facts: &Facts, params: &str, limits: &Limits) -> Evaluation {
        let start = Instant::now();
        let Some(view) = facts.view(View::new) else {
            return failed("the facts are another adapter's");
        };
        let mut store = match new_store(&self.engine, limits, Some(view)) {
            Ok(store) => store,
            Err(reason) => {
                return Evaluation {
                    result: Err(reason),
                    usage: RunUsage::default(),
                    log: Vec::new(),
                };
            }
        };
        let result = self.run(&mut store, params, limits);
        let left = store.get_fuel().unwrap_or(0);
        let state = store.into_data();
        Evaluation {
            result,
            usage: RunUsage {
                fuel: limits.fuel().saturating_sub(left),
                peak_memory: u64::try_from(state.limiter.peak_memory).unwrap_or(u64::MAX),
                elapsed: start.elapsed(),
            },
            log: state.log,
        }
    }
}

/// What a policy takes before it has judged anything.
pub(super) struct Need {
    pub(super) fuel: u64,
    /// Bytes of linear memory.
    pub(super) memory: usize,
    pub(super) table_elements: usize,
}

/// Asks the guest to describe itself, under the default limits and without facts.
fn describe(
    engine: &SandboxEngine,
    guest: &GuestPre<HostState>,
) -> Result<(Description, Need), Undecided> {
    let limits = Limits::default();
    let _slot =
        engine.enter().map_err(|error| Undecided::HostFault { detail: no_clock(&error) })?;
    let mut store = new_store(engine, &limits, None)?;
    let instance = instantiate(guest, &mut store, &limits)?;
    let description =
        instance.call_describe(&mut store).map_err(|error| reason(&error, Phase::Call, &limits))?;
    let fuel = limits.fuel().saturating_sub(store.get_fuel().unwrap_or(0));
    let limiter = store.into_data().limiter;
    let need = Need { fuel, memory: limiter.peak_memory, table_elements: limiter.table_elements };
    Ok((description.into(), need))
}

fn no_clock(error: &io::Error) -> String {
    format!("the thread that keeps deadlines cannot be started: {error}")
}

fn failed(detail: &str) -> Evaluation {
    Evaluation {
        result: Err(Undecided::HostFault { detail: detail.to_owned() }),
        usage: RunUsage::default(),
        log: Vec::new(),
    }
}

fn new_store(
    engine: &SandboxEngine,
    limits: &Limits,
    view: Option<Arc<View>>,
) -> Result<Store<HostState>, Undecided> {
    store::new(engine, limits, view)
        .map_err(|error| Undecided::HostFault { detail: super::failure::one_line(&error) })
}

fn instantiate(
    guest: &GuestPre<HostState>,
    store: &mut Store<HostState>,
    limits: &Limits,
) -> Result<Guest, Undecided> {
    guest.instantiate(store).map_err(|error| reason(&error, Phase::Instantiate, limits))
}
