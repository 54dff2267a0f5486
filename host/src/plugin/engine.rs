//! The engine all plugins run in: a pool of slots for light components, and a small one for heavy ones.
//!
//! Tuned so that a call makes no memory-management system call: those take a lock of the whole process, and with them a
//! second thread makes calls slower instead of faster.

pub(in crate::plugin) mod cache;
pub(in crate::plugin) mod last_good;

use std::thread;
use std::time::Duration;

use wasmtime::{Enabled, EngineWeak, InstanceAllocationStrategy, PoolingAllocationConfig};

use self::last_good::LastGood;
use super::config::Config;
use super::guard::concurrency::Bulkheads;
use super::limits::meter::TABLE_ELEMENTS;
use super::limits::slots::{Slot, Slots};
use super::limits::weight::Weight;

/// How often deadlines are looked at.
const TICK: Duration = Duration::from_millis(5);

/// Bytes of a memory that stay mapped for the next call.
const MEMORY_KEPT: usize = 1 << 20;

/// Bytes of a table that stay mapped for the next call.
const TABLE_KEPT: usize = 64 << 10;

/// Up to how many bytes a memory is kept as an image of what it begins with, however much of that is empty. Larger
/// images are at least half full, so that a small component does not become many megabytes of code.
const IMAGE: u64 = 1 << 20;

pub(super) const MEMORIES: u32 = 2;
pub(super) const TABLES: u32 = 8;

/// The engine could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("the plugin engine cannot start: {0}; it reserves about 8 GiB of address space a slot")]
pub struct EngineError(String);

impl EngineError {
    pub(super) fn new(error: &wasmtime::Error) -> Self {
        Self(format!("{error:#}"))
    }
}

/// The engine with its pools.
pub(super) struct Engine {
    pub(super) config: Config,
    pub(super) last_good: LastGood,
    pub(super) bulkheads: Bulkheads,
    light: Pool,
    heavy: Pool,
}

/// Where components of one weight run.
struct Pool {
    wasmtime: wasmtime::Engine,
    slots: Slots,
    /// For calls that are made once more, by which no person is answered.
    aside: Slots,
}

impl Engine {
    pub(super) fn new(config: Config) -> Result<Self, EngineError> {
        let pool = |weight| Pool::new(&config, weight).map_err(|error| EngineError::new(&error));
        let (light, heavy) = (pool(Weight::Light)?, pool(Weight::Heavy)?);
        tick([light.wasmtime.weak(), heavy.wasmtime.weak()]).map_err(|error| EngineError(error.to_string()))?;
        Ok(Self { last_good: LastGood::default(), bulkheads: Bulkheads::new(&config), config, light, heavy })
    }

    /// A slot for one call of a component.
    pub(super) fn slot(&self, weight: Weight) -> Option<Slot<'_>> {
        self.pool(weight).slots.take(self.config.slot_timeout)
    }

    /// A turn to make a call once more, beside those that people wait for. The call takes a slot, too.
    pub(super) fn turn_aside(&self, weight: Weight) -> Option<Slot<'_>> {
        self.pool(weight).aside.take(self.config.slot_timeout)
    }

    /// What runs components.
    pub(super) fn wasmtime(&self, weight: Weight) -> &wasmtime::Engine {
        &self.pool(weight).wasmtime
    }

    fn pool(&self, weight: Weight) -> &Pool {
        match weight {
            Weight::Light => &self.light,
            Weight::Heavy => &self.heavy,
        }
    }
}

impl Pool {
    fn new(config: &Config, weight: Weight) -> wasmtime::Result<Self> {
        let slots = |count: u32| Slots::new(usize::try_from(count).unwrap_or(usize::MAX));
        let wasmtime = wasmtime::Engine::new(&tuned(config, weight))?;
        Ok(Self { wasmtime, slots: slots(config.slots_for(weight)), aside: slots(config.slots_aside(weight)) })
    }
}

/// The deadline in ticks. The first tick may be just about to happen, so it does not count.
pub(super) fn ticks(deadline: Duration) -> u64 {
    let ticks = deadline.as_nanos().div_ceil(TICK.as_nanos()) + 1;
    u64::try_from(ticks).unwrap_or(u64::MAX)
}

/// What serves: code in a pool.
fn tuned(config: &Config, weight: Weight) -> wasmtime::Config {
    let mut tuned = code();
    tuned.consume_fuel(config.counts_fuel);
    tuned.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(config, weight)));
    tuned
}

/// Everything that decides what components are compiled to.
pub(super) fn code() -> wasmtime::Config {
    let mut tuned = wasmtime::Config::new();
    tuned
        .memory_init_cow(true)
        .memory_guaranteed_dense_image_size(IMAGE)
        .concurrency_support(false)
        .epoch_interruption(true)
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .wasm_threads(false)
        .parallel_compilation(true);
    tuned
}

fn pool(config: &Config, weight: Weight) -> PoolingAllocationConfig {
    let (slots, core_instances) = (config.slots_for(weight), weight.core_instances());
    let most = [config.limits, config.upgrade_step_limits, config.configuration_step_limits]
        .map(|limits| limits.for_weight(weight).memory);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_core_instances(slots.saturating_mul(core_instances))
        .total_memories(slots.saturating_mul(MEMORIES))
        .total_tables(slots.saturating_mul(TABLES))
        .max_core_instances_per_component(core_instances)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_tables_per_module(TABLES)
        .table_elements(TABLE_ELEMENTS)
        .max_memory_size(most.into_iter().max().unwrap_or_default())
        .max_unused_warm_slots(slots.saturating_mul(MEMORIES));
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        pool.pagemap_scan(Enabled::Yes).linear_memory_keep_resident(MEMORY_KEPT).table_keep_resident(TABLE_KEPT);
    } else {
        // Without the scan, keeping pages means clearing all of them after each call, which costs more than it saves.
        tracing::warn!("the kernel cannot scan page maps (Linux 6.7 can): plugin calls will be slower");
    }
    pool
}

/// Moves the clock that deadlines are measured by, until the engines are gone.
fn tick(engines: [EngineWeak; 2]) -> std::io::Result<()> {
    let ticking = move || {
        let moved = |engine: &EngineWeak| engine.upgrade().map(|engine| engine.increment_epoch()).is_some();
        while engines.iter().filter(|engine| moved(engine)).count() > 0 {
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
    fn no_plugin_takes_all_the_room_of_its_weight() {
        let config = Config::default();
        let room =
            [Weight::Light, Weight::Heavy].map(|weight| (config.calls_per_plugin(weight), config.slots_for(weight)));
        assert_eq!(room, [(32, 64), (4, 8)]);
        assert_eq!(Config { heavy_slots: 1, ..config }.calls_per_plugin(Weight::Heavy), 1);
    }

    #[test]
    fn code_for_one_pool_is_code_for_the_other_and_for_the_compiler() {
        let hash = |config: &wasmtime::Config| {
            let mut hasher = std::hash::DefaultHasher::new();
            let engine = wasmtime::Engine::new(config).unwrap();
            std::hash::Hash::hash(&engine.precompile_compatibility_hash(), &mut hasher);
            std::hash::Hasher::finish(&hasher)
        };
        let config = Config { slots: 1, heavy_slots: 1, ..Config::default() };
        let [light, heavy] = [Weight::Light, Weight::Heavy].map(|weight| hash(&tuned(&config, weight)));
        assert_eq!((light, heavy), (hash(&code()), light));
    }

    #[test]
    fn a_memory_that_is_nearly_empty_is_no_large_image() {
        // A module with a memory of 15 MiB, whose first and last byte are set.
        const SPARSE: &[u8] = b"\0asm\x01\0\0\0\
            \x05\x04\x01\x00\xf0\x01\
            \x0b\x10\x02\x00\x41\x00\x0b\x01x\x00\x41\xff\xff\xbf\x07\x0b\x01x";
        let code = wasmtime::Engine::new(&code()).unwrap().precompile_module(SPARSE).unwrap();
        assert!(code.len() < 2 << 20, "{} bytes", code.len());
    }

    #[test]
    fn the_clock_stops_with_the_engine() {
        let engine = Engine::new(Config { slots: 1, heavy_slots: 1, ..Config::default() }).unwrap();
        let weak = [Weight::Light, Weight::Heavy].map(|weight| engine.wasmtime(weight).weak());
        drop(engine);
        let gone = || weak.iter().all(|engine| engine.upgrade().is_none());
        assert!((0..1000).any(|_| gone() || {
            thread::sleep(TICK);
            false
        }));
    }
}
