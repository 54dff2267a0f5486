//! The one engine all plugins run in.
//!
//! Tuned so that a call makes no memory-management system call: those take a lock of the whole process, and with them a
//! second thread makes calls slower instead of faster.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use wasmtime::{Enabled, EngineWeak, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::domain::trace::{Unwatched, Watch};

use super::breaker::BreakerSettings;
use super::lanes::Lanes;
use super::last_good::LastGood;
use super::limits::{Limits, TABLE_ELEMENTS};
use super::outside::Door;
use super::slots::{Slot, Slots};

/// How often deadlines are looked at.
const TICK: Duration = Duration::from_millis(5);

/// Bytes of a memory that stay mapped for the next call.
const MEMORY_KEPT: usize = 1 << 20;

/// Bytes of a table that stay mapped for the next call.
const TABLE_KEPT: usize = 64 << 10;

/// Core modules one component may instantiate. A component made by a Rust toolchain has three or four.
pub(super) const CORE_INSTANCES: u32 = 16;
pub(super) const MEMORIES: u32 = 2;
pub(super) const TABLES: u32 = 8;

/// How plugins are run.
#[derive(Debug, Clone)]
pub struct Config {
    /// What a call may use at most. A manifest may ask for less.
    pub limits: Limits,
    /// What a call of an upgrade's step may use at most. A manifest may ask for less.
    pub step_limits: Limits,
    /// What a call of a step in a change of configuration may use at most. A manifest may ask for less.
    pub handler_limits: Limits,
    /// How many calls may run at once.
    pub slots: u32,
    /// How long a call waits for a slot.
    pub patience: Duration,
    /// How many calls of one plugin may run at once, those of all its versions together.
    pub lane: u32,
    /// How many calls may wait for their turn with one plugin; more are refused at once.
    pub queue: usize,
    /// When a component is not asked any more.
    pub breaker: BreakerSettings,
    /// Sees every call.
    pub watch: Arc<dyn Watch>,
    /// The way out of the host.
    pub door: Door,
    /// Whether calls count fuel, as only somebody who measures wants: it makes them slower.
    pub counts_fuel: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            step_limits: Limits::of_steps(),
            handler_limits: Limits::of_handlers(),
            slots: 64,
            patience: Duration::from_secs(1),
            lane: 32,
            queue: 64,
            breaker: BreakerSettings::default(),
            watch: Arc::new(Unwatched),
            door: Door::default(),
            counts_fuel: false,
        }
    }
}

/// The engine could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("the plugin engine cannot start: {0}; it reserves about 8 GiB of address space a slot")]
pub struct EngineError(String);

impl EngineError {
    pub(super) fn new(error: &wasmtime::Error) -> Self {
        Self(format!("{error:#}"))
    }
}

/// The engine with its slots.
pub(super) struct Engine {
    pub(super) wasmtime: wasmtime::Engine,
    pub(super) config: Config,
    pub(super) last_good: LastGood,
    pub(super) lanes: Lanes,
    slots: Slots,
}

impl Engine {
    pub(super) fn new(config: Config) -> Result<Self, EngineError> {
        let wasmtime = wasmtime::Engine::new(&tuned(&config)).map_err(|error| EngineError::new(&error))?;
        tick(wasmtime.weak()).map_err(|error| EngineError(error.to_string()))?;
        let slots = Slots::new(usize::try_from(config.slots).unwrap_or(usize::MAX));
        let lanes = Lanes::new(usize::try_from(config.lane).unwrap_or(usize::MAX));
        Ok(Self { wasmtime, config, last_good: LastGood::default(), lanes, slots })
    }

    /// A slot for one call.
    pub(super) fn slot(&self) -> Option<Slot<'_>> {
        self.slots.take(self.config.patience)
    }
}

/// The deadline in ticks. The first tick may be just about to happen, so it does not count.
pub(super) fn ticks(deadline: Duration) -> u64 {
    let ticks = deadline.as_nanos().div_ceil(TICK.as_nanos()) + 1;
    u64::try_from(ticks).unwrap_or(u64::MAX)
}

/// What serves: code in a pool.
fn tuned(config: &Config) -> wasmtime::Config {
    let mut tuned = code();
    tuned.consume_fuel(config.counts_fuel);
    tuned.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(config)));
    tuned
}

/// Everything that decides what components are compiled to.
pub(super) fn code() -> wasmtime::Config {
    let mut tuned = wasmtime::Config::new();
    tuned
        .memory_init_cow(true)
        .concurrency_support(false)
        .epoch_interruption(true)
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .wasm_threads(false)
        .parallel_compilation(true);
    tuned
}

fn pool(config: &Config) -> PoolingAllocationConfig {
    let slots = config.slots;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_core_instances(slots.saturating_mul(CORE_INSTANCES))
        .total_memories(slots.saturating_mul(MEMORIES))
        .total_tables(slots.saturating_mul(TABLES))
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_tables_per_module(TABLES)
        .table_elements(TABLE_ELEMENTS)
        .max_memory_size(config.limits.memory.max(config.step_limits.memory).max(config.handler_limits.memory))
        .max_unused_warm_slots(slots.saturating_mul(MEMORIES));
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        pool.pagemap_scan(Enabled::Yes).linear_memory_keep_resident(MEMORY_KEPT).table_keep_resident(TABLE_KEPT);
    } else {
        // Without the scan, keeping pages means clearing all of them after each call, which costs more than it saves.
        tracing::warn!("the kernel cannot scan page maps (Linux 6.7 can): plugin calls will be slower");
    }
    pool
}

/// Moves the clock that deadlines are measured by, until the engine is gone.
fn tick(engine: EngineWeak) -> std::io::Result<()> {
    let ticking = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    };
    thread::Builder::new().name("plugin-deadlines".to_owned()).spawn(ticking).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_never_shorter_than_it_says() {
        for (deadline, expected) in [(0, 1), (1, 2), (5, 2), (6, 3), (50, 11)] {
            assert_eq!(ticks(Duration::from_millis(deadline)), expected, "for {deadline} ms");
        }
    }

    #[test]
    fn the_clock_stops_with_the_engine() {
        let engine = Engine::new(Config { slots: 1, ..Config::default() }).unwrap();
        let weak = engine.wasmtime.weak();
        drop(engine);
        let gone = || weak.upgrade().is_none();
        assert!((0..1000).any(|_| gone() || {
            thread::sleep(TICK);
            false
        }));
    }
}
