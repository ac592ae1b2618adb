use std::hash::{Hash, Hasher};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use wasmtime::{Config, Engine, OptLevel};

use crate::model::Digest;

/// How often the epoch moves while a policy runs. Deadlines are kept to within two of these.
const TICK: Duration = Duration::from_millis(10);

/// Ticks made up for at once: the longest deadline there is.
const MOST_TICKS: u32 = 30_000;

/// Stack of a guest. Twice the default, for the recursive parsers of interpreters; the smallest
/// thread that evaluates has 2 MiB.
pub(super) const STACK: usize = 1 << 20;

/// The engine that every policy is compiled for and runs in.
///
/// Settings that bear on what a policy answers are fixed here: NaNs are canonical, relaxed SIMD
/// is off, fuel is counted. Threads are not even compiled into the engine.
pub(super) struct SandboxEngine {
    engine: Engine,
    ticker: Arc<Ticker>,
}

impl SandboxEngine {
    pub(super) fn new() -> wasmtime::Result<Self> {
        let engine = Engine::new(&config())?;
        let ticker = Arc::new(Ticker::default());
        let weak_engine = engine.weak();
        let weak_ticker = Arc::downgrade(&ticker);
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
        Ok(Self { engine, ticker })
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

    /// Lets the epoch move for as long as the answer lives.
    pub(super) fn running(&self) -> Running<'_> {
        self.ticker.change(|running| *running += 1);
        Running(&self.ticker)
    }

    /// Tells apart engines whose compiled code is not interchangeable.
    pub(super) fn fingerprint(&self) -> Digest {
        let mut hasher = Sha256Hasher(Sha256::new());
        self.engine.precompile_compatibility_hash().hash(&mut hasher);
        Digest::from_bytes(hasher.0.finalize().into())
    }
}

impl Drop for SandboxEngine {
    fn drop(&mut self) {
        // Wakes a parked ticker, so that it sees the engine gone.
        self.ticker.change(|running| *running += 1);
    }
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

/// Moves the epoch only while something runs, so that an idle server sleeps.
#[derive(Default)]
struct Ticker {
    state: Mutex<Ticking>,
    started: Condvar,
}

#[derive(Default)]
struct Ticking {
    running: usize,
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
            state = self.started.wait(state).unwrap_or_else(PoisonError::into_inner);
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

    fn change(&self, change: impl FnOnce(&mut usize)) {
        let mut state = self.lock();
        let before = state.running;
        change(&mut state.running);
        // Only then can the ticker be waiting; waking it is a system call, and runs are short.
        let starts = before == 0 && state.running > 0;
        drop(state);
        if starts {
            self.started.notify_all();
        }
    }
}

/// Keeps the epoch moving.
pub(super) struct Running<'a>(&'a Ticker);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.change(|running| *running = running.saturating_sub(1));
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
