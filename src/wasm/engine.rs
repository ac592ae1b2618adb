use std::hash::{Hash, Hasher};
use std::io;
use std::num::NonZero;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig,
};

use super::store;
use crate::model::Digest;

/// How often the epoch moves while a policy runs. Deadlines are kept to within two of these.
const TICK: Duration = Duration::from_millis(10);

/// Ticks made up for at once: the longest deadline there is.
const MOST_TICKS: u32 = 30_000;

/// Stack of a guest. Twice the default, for the recursive parsers of interpreters; the smallest
/// thread that evaluates has 2 MiB.
pub(super) const STACK: usize = 1 << 20;

/// Evaluations at the same time for each processor; more than these wait for one to end. A policy
/// never waits for anything but its processor, so that more would only share it.
const EVALUATIONS_PER_PROCESSOR: u32 = 2;

/// What a slot keeps when an evaluation ends: the pages that it wrote are cleared and stay, up to
/// this many bytes. Most policies write fewer; what an interpreter writes beyond goes back to the
/// system.
const KEPT_MEMORY: usize = 1 << 20;
const KEPT_TABLE: usize = 64 << 10;

/// The engine that every policy is compiled for and runs in.
///
/// Settings that bear on what a policy answers are fixed here: NaNs are canonical, relaxed SIMD
/// is off, fuel is counted. Threads are not even compiled into the engine.
pub(super) struct SandboxEngine {
    engine: Engine,
    ticker: Arc<Ticker>,
    fingerprint: Digest,
    /// Whether a thread moves the epoch.
    is_watched: AtomicBool,
}

impl SandboxEngine {
    /// An engine for many evaluations, with room for as many as may run at a time.
    pub(super) fn new() -> wasmtime::Result<Self> {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        let evaluations =
            u32::try_from(processors).unwrap_or(1).clamp(2, 256) * EVALUATIONS_PER_PROCESSOR;
        let pooled = Engine::new(config().allocation_strategy(pool(evaluations)));
        // Where address space is rationed the pool cannot be had. Slots are then made for each
        // evaluation, which takes longer and is otherwise the same.
        let engine = pooled.or_else(|_| on_demand())?;
        let engine = Self::with(engine, evaluations);
        engine.watch()?;
        Ok(engine)
    }

    /// An engine for a few evaluations: it maps memory when that is wanted, and has no clock until
    /// something runs for long.
    pub(super) fn for_few() -> wasmtime::Result<Self> {
        Ok(Self::with(on_demand()?, u32::MAX))
    }

    fn with(engine: Engine, most: u32) -> Self {
        let ticker = Arc::new(Ticker::new(most));
        let fingerprint = fingerprint(&engine);
        Self { engine, ticker, fingerprint, is_watched: AtomicBool::new(false) }
    }

    /// Whether deadlines are kept already.
    pub(super) fn is_watched(&self) -> bool {
        self.is_watched.load(Acquire)
    }

    /// Sees to it that deadlines are kept.
    fn watch(&self) -> io::Result<()> {
        if self.is_watched() {
            return Ok(());
        }
        let weak_engine = self.engine.weak();
        let weak_ticker = Arc::downgrade(&self.ticker);
        // Should two come here at once, both threads count the same time, which is counted once.
        std::thread::Builder::new().name("epoch".to_owned()).spawn(move || {
            // Both are weak, so that the thread ends with the engine.
            while let (Some(ticker), Some(engine)) = (weak_ticker.upgrade(), weak_engine.upgrade())
            {
                ticker.wait_until_running();
                ticker.catch_up(&engine);
                drop((ticker, engine));
                std::thread::sleep(TICK);
            }
        })?;
        self.is_watched.store(true, Release);
        Ok(())
    }

    pub(super) const fn wasmtime(&self) -> &Engine {
        &self.engine
    }

    /// Epoch ticks that amount to at least `duration`.
    pub(super) fn ticks(&self, duration: Duration) -> u64 {
        // Time before now is nothing that what comes now has used.
        self.ticker.catch_up(&self.engine);
        // One more, as the first tick may come at once.
        let ticks = duration.as_millis().div_ceil(TICK.as_millis()) + 1;
        u64::try_from(ticks).unwrap_or(u64::MAX)
    }

    /// Waits for a slot to evaluate in, and lets the epoch move for as long as the answer lives.
    pub(super) fn enter(&self) -> io::Result<Running<'_>> {
        self.watch()?;
        self.ticker.enter();
        Ok(Running(&self.ticker))
    }

    /// The same without waiting; none when every slot is taken.
    pub(super) fn try_enter(&self) -> Option<Running<'_>> {
        self.watch().ok()?;
        self.ticker.try_enter().then_some(Running(&self.ticker))
    }

    /// Tells apart engines whose compiled code is not interchangeable.
    pub(super) const fn fingerprint(&self) -> Digest {
        self.fingerprint
    }
}

impl Drop for SandboxEngine {
    fn drop(&mut self) {
        // Wakes a parked ticker, so that it sees the engine gone.
        self.ticker.enter();
    }
}

fn on_demand() -> wasmtime::Result<Engine> {
    Engine::new(config().allocation_strategy(InstanceAllocationStrategy::OnDemand))
}

fn fingerprint(engine: &Engine) -> Digest {
    let mut hasher = Sha256Hasher(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    Digest::from_bytes(hasher.0.finalize().into())
}

fn config() -> Config {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .epoch_interruption(true)
        .cranelift_nan_canonicalization(true)
        .cranelift_opt_level(OptLevel::Speed)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .max_wasm_stack(STACK)
        // Neither is read by anyone here, and both make the code that is mapped larger.
        .generate_address_map(false)
        .native_unwind_info(false)
        .wasm_backtrace_max_frames(None);
    config
}

/// Memory and tables for as many evaluations as may run at the same time, reserved once: to map
/// them anew each time would cost more than most policies do.
fn pool(evaluations: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(evaluations)
        .total_core_instances(evaluations.saturating_mul(store::INSTANCES))
        .total_memories(evaluations.saturating_mul(store::MEMORIES))
        .total_tables(evaluations.saturating_mul(store::TABLES))
        .max_memories_per_module(store::MEMORIES)
        .max_tables_per_module(store::TABLES)
        .table_elements(store::TABLE_SLOT)
        .linear_memory_keep_resident(KEPT_MEMORY)
        .table_keep_resident(KEPT_TABLE)
        .pagemap_scan(Enabled::Auto);
    pool
}

/// Moves the epoch only while something runs, so that an idle server sleeps.
struct Ticker {
    most: u32,
    state: Mutex<Ticking>,
    started: Condvar,
    ended: Condvar,
}

#[derive(Default)]
struct Ticking {
    running: u32,
    /// Whether the ticker waits for something to run. Waking costs a system call, and runs are
    /// short.
    parked: bool,
    /// Up to when time has been counted.
    counted: Option<Instant>,
}

impl Ticker {
    fn lock(&self) -> MutexGuard<'_, Ticking> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_until_running(&self) {
        let mut state = self.lock();
        while state.running == 0 {
            state.counted = None;
            state.parked = true;
            state = self.started.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn new(most: u32) -> Self {
        Self { most, state: Mutex::default(), started: Condvar::new(), ended: Condvar::new() }
    }

    /// Waits for a slot.
    fn enter(&self) {
        let mut state = self.lock();
        while state.running >= self.most {
            state = self.ended.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        self.begin(state);
    }

    /// Takes a slot if there is one.
    fn try_enter(&self) -> bool {
        let state = self.lock();
        let is_free = state.running < self.most;
        if is_free {
            self.begin(state);
        }
        is_free
    }

    fn begin(&self, mut state: MutexGuard<'_, Ticking>) {
        state.running += 1;
        let wakes = std::mem::take(&mut state.parked);
        drop(state);
        if wakes {
            self.started.notify_one();
        }
    }

    fn leave(&self) {
        let mut state = self.lock();
        // Only then can anybody be waiting for a slot.
        let frees = state.running >= self.most;
        state.running = state.running.saturating_sub(1);
        drop(state);
        if frees {
            self.ended.notify_one();
        }
    }

    /// Moves the epoch by the time that has passed, not by the times that the ticker has woken: on
    /// a busy machine it wakes late, and deadlines would be late by all of that together.
    fn catch_up(&self, engine: &Engine) {
        let mut state = self.lock();
        let now = Instant::now();
        let counted = *state.counted.get_or_insert(now);
        let passed = now.saturating_duration_since(counted).as_millis() / TICK.as_millis();
        // A machine that slept for days makes nothing later by as much.
        let passed = u32::try_from(passed).unwrap_or(u32::MAX).min(MOST_TICKS);
        for _ in 0..passed {
            engine.increment_epoch();
        }
        let counted = if passed == MOST_TICKS { now } else { counted + TICK * passed };
        state.counted = Some(counted);
    }
}

/// A slot to evaluate in. While there is one, the epoch moves.
pub(super) struct Running<'a>(&'a Ticker);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// Feeds what is hashed into SHA-256, as the standard hasher's 64 bits are too few to key a
/// cache of machine code by.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        digest.iter().take(8).fold(0, |value, byte| value << 8 | u64::from(*byte))
    }
}
