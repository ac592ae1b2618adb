//! What a policy can import: the contract's functions, and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentNamedList, Lift, Linker, Lower};

use super::bindings::v1;
use super::engine::SandboxEngine;
use super::price::{Handed, Meter, Taken};
use super::store::{HostState, Stopped};
use super::view::View;
use crate::model::{Category, LogLine, Metric, Severity, Snapshot};

/// Version of the contract that is offered. Components built for an older minor version load too.
const VERSION: &str = "1.0.0";

/// Lines one run may log.
const LOG_LINES: usize = 1_000;

/// Bytes one run may log, and so also the longest line.
const LOG_BYTES: usize = 256 << 10;

/// The functions on offer by interface.
pub(super) type Offer = BTreeMap<&'static str, Vec<&'static str>>;

/// A linker with every function of the contract, and their names.
pub(super) fn linker(engine: &SandboxEngine) -> wasmtime::Result<(Linker<HostState>, Offer)> {
    let mut imports = Imports { linker: Linker::new(engine.wasmtime()), offer: Offer::new() };
    imports.types("checks")?;

    imports.pull("promotion", "get-request", |view, (), meter| {
        let request = view.request();
        meter.items([&*request])?;
        Ok(request)
    })?;

    imports.pull("model", "get-metadata", |view, (), meter| {
        meter.items([&view.snapshot().metadata])?;
        Ok(v1::model::Metadata::from(&view.snapshot().metadata))
    })?;
    imports.pull("model", "tag", |view, (key,): (String,), meter| {
        let tag = view.snapshot().tags.get(&key);
        text(tag.map(String::as_str), meter)
    })?;
    imports.pull("model", "tags", |view, (), meter| {
        meter.items(view.snapshot().tags.keys())?;
        meter.items(view.snapshot().tags.values())?;
        Ok(view.tags())
    })?;
    imports.list("model", "card", |snapshot| &snapshot.card, View::card)?;
    imports.list("model", "artifacts", |snapshot| &snapshot.artifacts, View::artifacts)?;

    imports.list("metrics", "candidate", |snapshot| &snapshot.candidate, View::candidate)?;
    imports.pull("metrics", "candidate-named", |view, (name,): (String,), meter| {
        metrics(view.candidate_named(&name), meter)
    })?;
    imports.list("metrics", "baseline", |snapshot| &snapshot.baseline, View::baseline)?;
    imports.pull("metrics", "baseline-named", |view, (name,): (String,), meter| {
        metrics(view.baseline_named(&name), meter)
    })?;
    imports.pull("metrics", "unmeasured", |view, (name,): (String,), meter| {
        text(view.unmeasured(&name), meter)
    })?;

    imports.list("tests", "results", |snapshot| &snapshot.tests, View::tests)?;

    imports.list("cost", "usages", |snapshot| &snapshot.usages, View::usages)?;
    imports.list("cost", "forecasts", |snapshot| &snapshot.forecasts, View::forecasts)?;

    imports.list("security", "scans", |snapshot| &snapshot.scans, View::scans)?;
    imports.pull(
        "security",
        "findings",
        |view, (at_least,): (v1::security::Severity,), meter| {
            findings(view, None, at_least.into(), meter)
        },
    )?;
    imports.pull(
        "security",
        "findings-of",
        |view, (category, at_least): (v1::security::Category, v1::security::Severity), meter| {
            findings(view, Some(category.into()), at_least.into(), meter)
        },
    )?;

    imports.list("approvals", "list-approvals", |snapshot| &snapshot.approvals, View::approvals)?;

    imports.list("history", "transitions", |snapshot| &snapshot.transitions, View::transitions)?;
    imports.pull("history", "current", |view, (), meter| {
        text(view.snapshot().current.as_deref(), meter)
    })?;

    imports.list("sources", "list-sources", |snapshot| &snapshot.sources, View::sources)?;

    imports.pull("documents", "names", |view, (), meter| {
        let documents = &view.snapshot().documents;
        meter.items(documents)?;
        Ok(documents.iter().map(|document| document.name.clone()).collect::<Vec<_>>())
    })?;
    imports.pull("documents", "read", |view, (name,): (String,), meter| {
        // How long it is only its text tells, which is made once for a decision.
        let document = view.document(&name);
        meter.text(document.as_deref())?;
        Ok(document)
    })?;

    imports.add("log", "log", log)?;
    Ok((imports.linker, imports.offer))
}

fn text(text: Option<&str>, meter: &mut Meter<'_, '_>) -> wasmtime::Result<Option<String>> {
    meter.text(text)?;
    Ok(text.map(str::to_owned))
}

fn metrics(
    found: &[Metric],
    meter: &mut Meter<'_, '_>,
) -> wasmtime::Result<Vec<v1::metrics::Metric>> {
    meter.items(found)?;
    Ok(found.iter().map(Into::into).collect())
}

/// Findings of at least this severity and those that nobody rated, worst first; of one category or
/// of any.
fn findings(
    view: &View,
    category: Option<Category>,
    at_least: Severity,
    meter: &mut Meter<'_, '_>,
) -> wasmtime::Result<Vec<Arc<v1::security::Finding>>> {
    let (count, rated) = view.rated(at_least);
    meter.looks(count)?;
    let wanted =
        rated.filter(|place| category.is_none_or(|category| place.ours.category == category));
    meter.items(wanted.clone().map(|place| place.ours))?;
    Ok(wanted.map(|place| place.theirs()).collect())
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

    /// A function that hands over one of the facts' lists.
    fn list<O: Handed + 'static, T: 'static>(
        &mut self,
        interface: &'static str,
        name: &'static str,
        ours: fn(&Snapshot) -> &[O],
        theirs: fn(&View) -> Arc<[T]>,
    ) -> wasmtime::Result<()>
    where
        (Arc<[T]>,): ComponentNamedList + Lower,
        Arc<[T]>: Lower,
    {
        self.pull(interface, name, move |view, (), meter| {
            meter.items(ours(view.snapshot()))?;
            Ok(theirs(view))
        })
    }

    /// A function that reads the facts, and pays for what it does for it.
    fn pull<P, R>(
        &mut self,
        interface: &'static str,
        name: &'static str,
        read: impl Fn(&View, P, &mut Meter<'_, '_>) -> wasmtime::Result<R> + Send + Sync + 'static,
    ) -> wasmtime::Result<()>
    where
        P: ComponentNamedList + Lift + Taken + 'static,
        R: Lower + 'static,
        (R,): ComponentNamedList + Lower + 'static,
    {
        self.add(interface, name, move |mut store: StoreContextMut<'_, HostState>, args: P| {
            let Some(view) = store.data().view.as_ref().map(Arc::clone) else {
                return Err(Stopped::ImportInDescribe(name).into());
            };
            Ok((read(&view, args, &mut Meter(&mut store))?,))
        })
    }

    fn add<P, R>(
        &mut self,
        interface: &'static str,
        name: &'static str,
        call: impl Fn(StoreContextMut<'_, HostState>, P) -> wasmtime::Result<R> + Send + Sync + 'static,
    ) -> wasmtime::Result<()>
    where
        P: ComponentNamedList + Lift + Taken + 'static,
        R: ComponentNamedList + Lower + 'static,
    {
        let paid = move |mut store: StoreContextMut<'_, HostState>, args: P| {
            Meter(&mut store).call(&args)?;
            call(store, args)
        };
        self.linker.instance(&qualified(interface))?.func_wrap(name, paid)?;
        self.offer.entry(interface).or_default().push(name);
        Ok(())
    }
}

fn qualified(interface: &str) -> String {
    format!("{}/{interface}@{VERSION}", v1::PACKAGE)
}

fn log(
    mut store: StoreContextMut<'_, HostState>,
    (level, message): (v1::log::Level, String),
) -> wasmtime::Result<()> {
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
