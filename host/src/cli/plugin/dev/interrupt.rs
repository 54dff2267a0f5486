//! Signals that end `loadout plugin dev`, which has left a version on a host.
//!
//! The first signal asks for an end, which takes that version away. The second ends the process at once, and says what
//! that leaves behind.

use std::process;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use crate::cli::failure::Failure;
use crate::cli::stop;

/// The exit code of an interrupted process.
const INTERRUPTED: i32 = 130;

/// Listens from now on, and tells the receiver of the first signal: ctrl-c, SIGTERM, or a closed terminal.
pub(super) fn listen() -> Result<Receiver<()>, Failure> {
    let cannot = |error| Failure::because("signals cannot be received", error);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot)?;
    let first = runtime.block_on(async { stop::signal_or_hangup() }).map_err(cannot)?;
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        runtime.block_on(first);
        say("ending: what was tried is taken away; once more ends at once");
        // The receiver is gone if the command ended by itself.
        let _ = tell.send(());
        // Listens only now: a listener from before would have received the first signal.
        let Ok(second) = runtime.block_on(async { stop::signal_or_hangup() }) else { return };
        runtime.block_on(second);
        say(
            "ended at once: the host may still have what was tried; the next `loadout plugin dev` takes that away when it begins",
        );
        process::exit(INTERRUPTED);
    });
    Ok(told)
}

#[expect(clippy::print_stderr, reason = "standard output has what came of the rounds")]
fn say(text: &str) {
    eprintln!("{text}");
}
