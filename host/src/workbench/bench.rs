//! The cost of answers: exact figures that are the same on every machine, and times that are not.
//!
//! Measures only. A [`Budget`](super::Budget) says how much a case may cost.

use serde::Serialize;
use serde_json::Value;

use crate::plugin::Config;

use super::trial::{Found, Workbench, WorkbenchError};

/// A component that is called with the same question again and again, in a fresh instance each time.
pub struct Bench {
    /// Called to measure times.
    real: Workbench,
    /// Called to measure fuel, which the code has to count.
    counting: Workbench,
    calls: usize,
}

/// The cost of one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    /// The work of the component: instructions, roughly.
    pub fuel: u64,
    /// Bytes of all its memories and tables at their largest.
    pub peak_memory: u64,
    /// Calls to the host.
    pub host_calls: u32,
    /// Bytes handed to the host in all these calls.
    pub handed_over: u64,
    /// Bytes of the answer as JSON; 0 for a call that broke.
    pub answer_bytes: usize,
    /// Microseconds from before the instance is made to the answer, of the call in the middle.
    pub median_micros: u64,
    /// The same, of the slowest but one in a hundred.
    pub p99_micros: u64,
}

impl Bench {
    /// Makes a component ready for `calls` calls for each cost, but at least one.
    pub fn open(component: &[u8], calls: u16) -> Result<Self, WorkbenchError> {
        let counting = Config { counts_fuel: true, ..Config::default() };
        Ok(Self {
            real: Workbench::open(component, None)?,
            counting: Workbench::open_with(component, None, counting)?,
            calls: usize::from(calls.max(1)),
        })
    }

    /// Measures the cost of the question that `ask` asks.
    pub fn cost<E>(&self, ask: impl Fn(&Workbench) -> Result<Found, E>) -> Result<Cost, E> {
        let Found { outcome, call, .. } = ask(&self.counting)?;
        let answer = call.answer.is_ok().then(|| said(outcome));
        let mut times = Vec::with_capacity(self.calls);
        for _ in 0..self.calls {
            times.push(ask(&self.real)?.call.usage.micros());
        }
        times.sort_unstable();
        Ok(Cost {
            fuel: call.fuel.unwrap_or_default(),
            peak_memory: call.usage.peak_memory,
            host_calls: call.usage.host_calls,
            handed_over: call.usage.handed_over,
            answer_bytes: answer.map_or(0, |answer| answer.to_string().len()),
            median_micros: at(&times, 50),
            p99_micros: at(&times, 99),
        })
    }
}

/// Returns the answer of a component: its outcome without the lines it wrote.
fn said(mut outcome: Value) -> Value {
    if let Some(outcome) = outcome.as_object_mut() {
        outcome.shift_remove("warnings");
    }
    outcome
}

/// Returns the smallest of sorted `times` that `percent` percent of them do not exceed.
fn at(times: &[u64], percent: usize) -> u64 {
    let place = (times.len() * percent).div_ceil(100).saturating_sub(1);
    times.get(place).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_times() {
        let hundred: Vec<u64> = (1..=100).collect();
        for (times, percent, expected) in [
            (&hundred[..], 50, 50),
            (&hundred, 99, 99),
            (&[3, 7], 50, 3),
            (&[3, 7], 99, 7),
            (&[5], 50, 5),
            (&[], 99, 0),
        ] {
            assert_eq!(at(times, percent), expected, "{percent} percent of {times:?}");
        }
    }
}
