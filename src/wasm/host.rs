//! What a policy can import: the contract's functions, and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use wasmtime::component::{ComponentNamedList, Lift, Linker, Lower};
use wasmtime::{StoreContextMut, Trap};

use super::bindings::v1;
use super::engine::SandboxEngine;
use super::store::{HostState, Stopped};
use super::view::View;
use crate::model::LogLine;

/// Version of the contract that is offered. Components built for an older minor version load too.
const VERSION: &str = "1.0.0";

/// Lines one run may log.
const LOG_LINES: usize = 1_000;

/// Bytes one run may log, and so also the longest line.
const LOG_BYTES: usize = 256 << 10;

/// Fuel that a call of an import costs, and each item it hands over. The work is the host's, so
/// the engine does not count it; without a price a loop of pulls would be stopped by the clock
/// and not by the fuel, and not at the same place on every machine.
const FUEL_PER_CALL: u64 = 200;
const FUEL_PER_ITEM: u64 = 200;
const FUEL_PER_BYTE: u64 = 1;

/// The functions on offer by interface.
pub(super) type Offer = BTreeMap<&'static str, Vec<&'static str>>;

/// A linker with every function of the contract, and their names.
pub(super) fn linker(engine: &SandboxEngine) -> wasmtime::Result<(Linker<HostState>, Offer)> {
    let mut imports = Imports { linker: Linker::new(engine.wasmtime()), offer: Offer::new() };
    imports.types("checks")?;

    imports.pull("promotion", "get-request", |view, ()| one(view.request()))?;

    imports.pull("model", "get-metadata", |view, ()| one(view.metadata()))?;
    imports.pull("model", "tag", |view, (key,): (String,)| one(view.tag(&key)))?;
    imports.pull("model", "tags", |view, ()| list(view.tags()))?;
    imports.pull("model", "card", |view, ()| list(view.card()))?;
    imports.pull("model", "artifacts", |view, ()| list(view.artifacts()))?;

    imports.pull("metrics", "candidate", |view, ()| list(view.candidate()))?;
    imports.pull("metrics", "candidate-named", |view, (name,): (String,)| {
        list(view.candidate_named(&name))
    })?;
    imports.pull("metrics", "baseline", |view, ()| list(view.baseline()))?;
    imports.pull("metrics", "baseline-named", |view, (name,): (String,)| {
        list(view.baseline_named(&name))
    })?;
    imports.pull(
        "metrics",
        "unmeasured",
        |view, (name,): (String,)| one(view.unmeasured(&name)),
    )?;

    imports.pull("tests", "results", |view, ()| list(view.tests()))?;

    imports.pull("cost", "usages", |view, ()| list(view.usages()))?;
    imports.pull("cost", "forecasts", |view, ()| list(view.forecasts()))?;

    imports.pull("security", "scans", |view, ()| list(view.scans()))?;
    imports.pull("security", "findings", |view, (at_least,): (v1::security::Severity,)| {
        list(view.findings(None, at_least.into()))
    })?;
    imports.pull(
        "security",
        "findings-of",
        |view, (category, at_least): (v1::security::Category, v1::security::Severity)| {
            list(view.findings(Some(category.into()), at_least.into()))
        },
    )?;

    imports.pull("approvals", "list-approvals", |view, ()| list(view.approvals()))?;

    imports.pull("history", "transitions", |view, ()| list(view.transitions()))?;
    imports.pull("history", "current", |view, ()| one(view.current()))?;

    imports.pull("sources", "list-sources", |view, ()| list(view.sources()))?;

    imports.pull("documents", "names", |view, ()| list(view.document_names()))?;
    imports.pull("documents", "read", |view, (name,): (String,)| {
        let text = view.document(&name);
        let fuel = text.as_ref().map_or(0, |text| count(text.len()) * FUEL_PER_BYTE);
        Pulled { value: text, fuel }
    })?;

    imports.add("log", "log", log)?;
    Ok((imports.linker, imports.offer))
}

/// What a pull answers with, and what that costs.
struct Pulled<T> {
    value: T,
    fuel: u64,
}

fn one<T>(value: T) -> Pulled<T> {
    Pulled { value, fuel: FUEL_PER_ITEM }
}

fn list<I, T: AsRef<[I]>>(value: T) -> Pulled<T> {
    let fuel = count(value.as_ref().len()) * FUEL_PER_ITEM;
    Pulled { value, fuel }
}

fn count(length: usize) -> u64 {
    // A length fits; were it ever not to, the pull is unaffordable, not free.
    u64::try_from(length).unwrap_or(u64::MAX / FUEL_PER_ITEM)
}

struct Imports {
    linker: Linker<HostState>,
    offer: Offer,
}

impl Imports {
    /// An interface that has types only.
    fn types(&mut self, interface: &'static str) -> wasmtime::Result<()> {
        self.linker.instance(&qualified(interface))?;
        self.offer.entry(interface).or_default();
        Ok(())
    }

    /// A function that reads the facts.
    fn pull<P, R>(
        &mut self,
        interface: &'static str,
        name: &'static str,
        read: impl Fn(&View, P) -> Pulled<R> + Send + Sync + 'static,
    ) -> wasmtime::Result<()>
    where
        P: ComponentNamedList + Lift + 'static,
        R: Lower + 'static,
        (R,): ComponentNamedList + Lower + 'static,
    {
        self.add(interface, name, move |mut store: StoreContextMut<'_, HostState>, args: P| {
            let Some(view) = store.data().view.as_ref().map(Arc::clone) else {
                return Err(Stopped::ImportInDescribe(name).into());
            };
            let Pulled { value, fuel } = read(&view, args);
            charge(&mut store, FUEL_PER_CALL.saturating_add(fuel))?;
            Ok((value,))
        })
    }

    fn add<P, R>(
        &mut self,
        interface: &'static str,
        name: &'static str,
        call: impl Fn(StoreContextMut<'_, HostState>, P) -> wasmtime::Result<R> + Send + Sync + 'static,
    ) -> wasmtime::Result<()>
    where
        P: ComponentNamedList + Lift + 'static,
        R: ComponentNamedList + Lower + 'static,
    {
        self.linker.instance(&qualified(interface))?.func_wrap(name, call)?;
        self.offer.entry(interface).or_default().push(name);
        Ok(())
    }
}

fn qualified(interface: &str) -> String {
    format!("{}/{interface}@{VERSION}", v1::PACKAGE)
}

fn charge(store: &mut StoreContextMut<'_, HostState>, fuel: u64) -> wasmtime::Result<()> {
    match store.get_fuel()?.checked_sub(fuel) {
        Some(left) => store.set_fuel(left),
        None => {
            store.set_fuel(0)?;
            Err(Trap::OutOfFuel.into())
        }
    }
}

fn log(
    mut store: StoreContextMut<'_, HostState>,
    (level, message): (v1::log::Level, String),
) -> wasmtime::Result<()> {
    charge(&mut store, FUEL_PER_CALL)?;
    let state = store.data_mut();
    let bytes = state.log_bytes.saturating_add(message.len());
    if state.log.len() >= LOG_LINES {
        return Err(Stopped::LogOversize(format!("more than {LOG_LINES} log lines")).into());
    }
    if bytes > LOG_BYTES {
        return Err(Stopped::LogOversize(format!("more than {LOG_BYTES} bytes of log")).into());
    }
    state.log_bytes = bytes;
    state.log.push(LogLine { level: level.into(), message });
    Ok(())
}
