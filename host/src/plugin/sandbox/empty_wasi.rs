//! The context that stands behind `wasmtime-wasi` in a call: no arguments, no variables, and a clock that stands still.

use std::time::Duration;

use wasmtime_wasi::{HostWallClock, WasiCtx, WasiCtxBuilder};

/// What stands behind the library's part: no arguments, no variables, and a clock that stands still at `time`.
pub(in crate::plugin) fn nothing(time: Duration) -> WasiCtx {
    WasiCtxBuilder::new().wall_clock(Frozen(time)).build()
}

/// A clock that stands still.
struct Frozen(Duration);

impl HostWallClock for Frozen {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        self.0
    }
}
