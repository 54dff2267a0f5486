//! How a host runs plugins: the limits of calls, how many run at once, and what plugins find around them.

pub(in crate::plugin) mod breaker_settings;
pub(in crate::plugin) mod waiting_share;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::trace::{Unwatched, Watch};

use self::breaker_settings::BreakerSettings;
use self::waiting_share::WaitingShare;
use super::limits::call_limits::Limits;
use super::limits::fixed_inputs::FixedInputs;
use super::limits::weight::Weight;
use super::outbound_access::gateway::Gateway;

/// How plugins are run.
#[derive(Debug, Clone)]
pub struct Config {
    /// What a call may use at most. A manifest may ask for less.
    pub limits: Limits,
    /// What a call of an upgrade's step may use at most. A manifest may ask for less.
    pub upgrade_step_limits: Limits,
    /// What a call of a step in a change of configuration may use at most. A manifest may ask for less.
    pub configuration_step_limits: Limits,
    /// Processor time that all plugins together may take for one answer; steps around rules may take half of it. One
    /// call may always take what it may take alone.
    pub answer: Duration,
    /// Processor time that all plugins together may take for one change.
    pub change: Duration,
    /// How long the queries of slugs may wait outside, those of one answer together.
    pub queries: Duration,
    /// How many calls of light components may run at once.
    pub slots: u32,
    /// How many calls of heavy components may run at once.
    pub heavy_slots: u32,
    /// How long a call waits for a slot.
    pub slot_timeout: Duration,
    /// How many calls of one plugin may run at once, those of all its versions together; half of the slots at most, if
    /// they are heavy.
    pub per_plugin: u32,
    /// How many calls may wait for their turn with one plugin; more are refused at once.
    pub queue: usize,
    /// How much of all this calls may take that were granted something outside of the host.
    pub waiting: WaitingShare,
    /// When a component is not asked any more.
    pub breaker: BreakerSettings,
    /// Sees every call.
    pub watch: Arc<dyn Watch>,
    /// The way out of the host.
    pub gateway: Gateway,
    /// The folder with the key by which compiled code is known to be this program's own; that of the code without it,
    /// which then no other user may write to.
    pub keys: Option<PathBuf>,
    /// What calls find around them.
    pub fixed_inputs: FixedInputs,
    /// Whether calls count fuel. Only measurements need it: it makes calls slower.
    pub counts_fuel: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            upgrade_step_limits: Limits::of_upgrade_steps(),
            configuration_step_limits: Limits::of_configuration_steps(),
            answer: Duration::from_millis(500),
            change: Duration::from_secs(5),
            queries: Duration::from_secs(2),
            slots: 64,
            heavy_slots: 8,
            slot_timeout: Duration::from_secs(1),
            per_plugin: 32,
            queue: 64,
            waiting: WaitingShare::default(),
            breaker: BreakerSettings::default(),
            watch: Arc::new(Unwatched),
            gateway: Gateway::default(),
            keys: None,
            fixed_inputs: FixedInputs::USUAL,
            counts_fuel: false,
        }
    }
}

impl Config {
    /// How many calls of components may run at once.
    pub(super) fn slots_for(&self, weight: Weight) -> u32 {
        match weight {
            Weight::Light => self.slots,
            Weight::Heavy => self.heavy_slots,
        }
    }

    /// How many calls may be made once more at once: recordings are asked again, and versions are compared, beside
    /// those that people wait for.
    pub(super) fn slots_aside(&self, weight: Weight) -> u32 {
        (self.slots_for(weight) / 8).max(1)
    }

    /// How many calls of one plugin's components may run at once.
    pub(super) fn calls_per_plugin(&self, weight: Weight) -> u32 {
        match weight {
            Weight::Light => self.per_plugin,
            // There are few slots, and no plugin takes all of them.
            Weight::Heavy => self.per_plugin.min(self.heavy_slots / 2).max(1),
        }
    }
}

impl Config {
    /// How many calls of components of one weight may run at once that may wait outside: of light ones a quarter of all
    /// that run, of heavy ones, of which few run anyway, half.
    pub(super) fn waiting_slots_for(&self, weight: Weight) -> u32 {
        match weight {
            Weight::Light => self.slots / 4,
            Weight::Heavy => self.heavy_slots / 2,
        }
        .max(1)
    }

    /// The same of one plugin: half of these at most, and no more than it may run of other calls.
    pub(super) fn waiting_calls_per_plugin(&self, weight: Weight) -> u32 {
        let half = (self.waiting_slots_for(weight) / 2).max(1);
        self.waiting.per_plugin.min(half).min(self.calls_per_plugin(weight))
    }
}
