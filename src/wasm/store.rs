//! The one way to make a `Store`. None can be made without every limit in place.

use std::sync::Arc;

use wasmtime::{ResourceLimiter, Store};

use super::engine::SandboxEngine;
use super::view::View;
use crate::model::{Budget, LogLine};
use crate::policy::Limits;

/// Elements of all tables together. A Python interpreter has some 20,000.
pub(super) const TABLE_ELEMENTS: usize = 200_000;

/// Elements that a slot of the pool has room for: more than are granted, so that a guest is
/// stopped by its limit with and without a pool.
pub(super) const TABLE_SLOT: usize = TABLE_ELEMENTS + 1;

/// Core instances, memories and tables of one component. Components as toolchains make them have
/// fewer than ten instances, and one or two of the others.
pub(super) const INSTANCES: u32 = 64;
pub(super) const MEMORIES: u32 = 16;
pub(super) const TABLES: u32 = 16;

/// Bytes that one call may hand over to the host. A guest with the most memory that can be granted
/// must not make the host take as much again; a whole answer is not even a hundredth of this.
const TRANSFER_BYTES: usize = 256 << 20;

/// Everything a store holds besides the guest.
pub(super) struct HostState {
    /// The facts as guests read them; none while a policy describes itself.
    pub(super) view: Option<Arc<View>>,
    pub(super) log: Vec<LogLine>,
    pub(super) log_bytes: usize,
    pub(super) limiter: Limiter,
}

/// Why the host stopped a guest, carried through the engine as a typed error.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stopped {
    #[error("more than {limit} {budget}")]
    Budget { budget: Budget, limit: u64 },
    #[error("{0}")]
    LogOversize(String),
    #[error("`describe` must not call imports, and called `{0}`")]
    ImportInDescribe(&'static str),
}

/// Bounds what a guest's instances hold together.
pub(super) struct Limiter {
    memory_limit: usize,
    memory: usize,
    pub(super) peak_memory: usize,
    pub(super) table_elements: usize,
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // Past its own declared maximum a grow fails as the specification says; that is the
        // guest's affair and takes no memory.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let total = self.memory.saturating_add(desired.saturating_sub(current));
        if total > self.memory_limit {
            return Err(Stopped::Budget {
                budget: Budget::Memory,
                limit: u64::try_from(self.memory_limit).unwrap_or(u64::MAX),
            }
            .into());
        }
        self.memory = total;
        self.peak_memory = self.peak_memory.max(total);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // Beyond what a slot of the pool holds the maximum is the slot's, and not the guest's.
        if maximum.is_some_and(|maximum| maximum < TABLE_SLOT && desired > maximum) {
            return Ok(false);
        }
        let total = self.table_elements.saturating_add(desired.saturating_sub(current));
        if total > TABLE_ELEMENTS {
            return Err(Stopped::Budget {
                budget: Budget::TableElements,
                limit: u64::try_from(TABLE_ELEMENTS).unwrap_or(u64::MAX),
            }
            .into());
        }
        self.table_elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        INSTANCES as usize
    }

    fn memories(&self) -> usize {
        MEMORIES as usize
    }

    fn tables(&self) -> usize {
        TABLES as usize
    }
}

/// A fresh store under `limits`.
pub(super) fn new(
    engine: &SandboxEngine,
    limits: &Limits,
    view: Option<Arc<View>>,
) -> wasmtime::Result<Store<HostState>> {
    let memory_limit = usize::try_from(limits.memory()).unwrap_or(usize::MAX);
    let state = HostState {
        view,
        log: Vec::new(),
        log_bytes: 0,
        limiter: Limiter { memory_limit, memory: 0, peak_memory: 0, table_elements: 0 },
    };
    let mut store = Store::try_new(engine.wasmtime(), state)?;
    store.limiter(|state| &mut state.limiter);
    store.set_fuel(limits.fuel())?;
    store.set_epoch_deadline(engine.ticks(limits.deadline()));
    store.epoch_deadline_trap();
    // What a guest hands over is copied, and one text may stand behind many pointers. It never
    // makes the host copy more than the guest itself may hold.
    store.set_hostcall_fuel(memory_limit.min(TRANSFER_BYTES));
    Ok(store)
}
