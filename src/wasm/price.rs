//! What the host's work for a guest costs.
//!
//! The engine does not count it. Without a price a loop of pulls would be stopped by the clock and
//! not by the fuel, and not at the same place on every machine.

use wasmtime::{StoreContextMut, Trap};

use super::bindings::v1;
use super::store::HostState;
use crate::model::{
    Approval, Artifact, CardSection, Document, Finding, Forecast, Metadata, Metric, Scan, Source,
    Target, Test, Transition, Usage,
};

const FUEL_PER_CALL: u64 = 200;
/// Of what is handed over, with an allocation in the guest.
const FUEL_PER_ITEM: u64 = 200;
/// Of text in either direction.
const FUEL_PER_BYTE: u64 = 1;
/// Of what is looked at to find what is handed over.
const FUEL_PER_LOOK: u64 = 10;

/// Takes what work costs from the fuel of the guest that asked for it, before it is done.
pub(super) struct Meter<'a, 'store>(pub(super) &'a mut StoreContextMut<'store, HostState>);

impl Meter<'_, '_> {
    /// For a call with these arguments.
    pub(super) fn call(&mut self, args: &impl Taken) -> wasmtime::Result<()> {
        self.pay(FUEL_PER_CALL.saturating_add(of_bytes(args.bytes())))
    }

    /// For all of a list.
    pub(super) fn items<'a, T: Handed + 'a>(
        &mut self,
        items: impl IntoIterator<Item = &'a T>,
    ) -> wasmtime::Result<()> {
        self.pay(of_items(items))
    }

    /// For one text.
    pub(super) fn text(&mut self, text: Option<&str>) -> wasmtime::Result<()> {
        self.pay(FUEL_PER_ITEM.saturating_add(of_bytes(text.map_or(0, str::len))))
    }

    /// For looking at so many items.
    pub(super) fn looks(&mut self, count: usize) -> wasmtime::Result<()> {
        self.pay(units(count).saturating_mul(FUEL_PER_LOOK))
    }

    fn pay(&mut self, fuel: u64) -> wasmtime::Result<()> {
        match self.0.get_fuel()?.checked_sub(fuel) {
            Some(left) => self.0.set_fuel(left),
            None => {
                self.0.set_fuel(0)?;
                Err(Trap::OutOfFuel.into())
            }
        }
    }
}

fn units(count: usize) -> u64 {
    // It fits; were it ever not to, the work is unaffordable, not free.
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn of_bytes(bytes: usize) -> u64 {
    units(bytes).saturating_mul(FUEL_PER_BYTE)
}

fn of_items<'a, T: Handed + 'a>(items: impl IntoIterator<Item = &'a T>) -> u64 {
    items.into_iter().map(T::fuel).fold(0, u64::saturating_add)
}

fn of_record<'a>(texts: impl IntoIterator<Item = &'a str>) -> u64 {
    FUEL_PER_ITEM.saturating_add(of_bytes(texts.into_iter().map(str::len).sum()))
}

/// What a guest passes to an import.
pub(super) trait Taken {
    /// Bytes of text that were copied for it.
    fn bytes(&self) -> usize;
}

impl Taken for () {
    fn bytes(&self) -> usize {
        0
    }
}

impl Taken for (String,) {
    fn bytes(&self) -> usize {
        self.0.len()
    }
}

impl Taken for (v1::security::Severity,) {
    fn bytes(&self) -> usize {
        0
    }
}

impl Taken for (v1::security::Category, v1::security::Severity) {
    fn bytes(&self) -> usize {
        0
    }
}

impl Taken for (v1::log::Level, String) {
    fn bytes(&self) -> usize {
        self.1.len()
    }
}

/// What is handed to a guest.
pub(super) trait Handed {
    /// What that costs.
    fn fuel(&self) -> u64;
}

impl Handed for String {
    fn fuel(&self) -> u64 {
        of_record([self.as_str()])
    }
}

impl Handed for Target {
    fn fuel(&self) -> u64 {
        of_record([self.name()])
    }
}

/// A record of these texts, and of parts that are handed over for themselves.
macro_rules! handed {
    ($($ours:ident { $($text:ident),*; $($maybe:ident),*; $($part:ident),* })+) => {
        $(impl Handed for $ours {
            fn fuel(&self) -> u64 {
                let texts = [$(Some(&*self.$text),)* $(self.$maybe.as_deref(),)*];
                of_record(texts.into_iter().flatten())
                    $(.saturating_add(of_items(&self.$part)))*
            }
        })+
    };
}

handed! {
    Metadata { ; owner, license, framework, description, source_run, source_commit,
        training_dataset; }
    Artifact { path; format, digest; }
    CardSection { name, text; ; }
    Metric { name; dataset, slice; }
    Test { suite, name; message; }
    Usage { ; gpu_model, currency; }
    Forecast { metric, currency; ; }
    Scan { scanner; version, target, target_digest; errors }
    Finding { scanner, id, title; component, installed, fixed_in, location; }
    Approval { approver; role, reference; }
    Source { name, format; ; signed_by }
    Document { name; ; }
}

impl Handed for Transition {
    fn fuel(&self) -> u64 {
        let texts = [Some(self.version.as_str()), self.by.as_deref()];
        of_record(texts.into_iter().flatten()).saturating_add(self.target.fuel())
    }
}

impl Handed for v1::promotion::Target {
    fn fuel(&self) -> u64 {
        let (Self::Stage(name) | Self::Alias(name) | Self::Environment(name)) = self;
        name.fuel()
    }
}

impl Handed for v1::promotion::Request {
    fn fuel(&self) -> u64 {
        let subject = &self.subject;
        of_record([subject.registry.as_str(), &subject.model, &subject.version])
            .saturating_add(of_items(&subject.digest))
            .saturating_add(of_items(&self.source))
            .saturating_add(self.target.fuel())
            .saturating_add(of_items(&self.requested_by))
    }
}
