//! How much calls may take that were granted something outside of the host.

use std::time::Duration;

/// How much calls may take that were granted something outside of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitingShare {
    /// How many calls of one plugin may run at once.
    pub per_plugin: u32,
    /// How many calls of one plugin may wait for their turn; more are refused at once.
    pub queue: usize,
    /// How long a call waits for its turn. Short, because the thread of its request waits with it.
    pub slot_timeout: Duration,
    /// How many calls of all these plugins may be under way at once, those among them that wait for their turn: each
    /// holds a thread.
    pub threads: usize,
    /// Seconds that the calls of one plugin may wait outside in each second.
    pub per_second: u32,
    /// How much waiting a plugin may have used beyond that before its calls are refused.
    pub reserve: Duration,
}

impl Default for WaitingShare {
    /// A server works with 64 threads (`cli/serve.rs`). One plugin holds 16 of them at most, 8 running and 8 waiting
    /// for their turn; all plugins together half. A plugin whose hosts are slow for long holds 4 on average, because
    /// its budget gives it 4 seconds a second.
    fn default() -> Self {
        Self {
            per_plugin: 8,
            queue: 8,
            slot_timeout: Duration::from_millis(250),
            threads: 32,
            per_second: 4,
            reserve: Duration::from_secs(20),
        }
    }
}
