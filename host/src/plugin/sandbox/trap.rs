//! Why a call ended early, told from the engine's error.

use std::fmt::{self, Write as _};

use wasmtime::{FrameInfo, Trap, WasmBacktrace};

use super::state::{Ended, State};
use crate::plugin::limits::call_error::CallError;
use crate::plugin::limits::call_limits::Limits;
use crate::plugin::limits::exceeded::Exceeded;
use crate::plugin::limits::invalid::quote;

/// How much of a symbol is looked at, in bytes. Longer ones are no names.
const LONGEST_SYMBOL: usize = 8 << 10;

/// How long a name becomes, in bytes: more than is ever quoted.
const LONGEST_NAME: usize = 2 << 10;

/// Tells which of its limits or promises a call broke.
pub(in crate::plugin) fn explain(error: &wasmtime::Error, state: &State, limits: &Limits) -> CallError {
    if let Some(exceeded) = error.downcast_ref::<Exceeded>() {
        return (*exceeded).into();
    }
    if is_of_the_system(error) {
        return CallError::Short;
    }
    let (trap, backtrace) = (error.downcast_ref::<Trap>(), error.downcast_ref::<WasmBacktrace>());
    if trap == Some(&Trap::Interrupt) {
        return match state.ended {
            Some(Ended::Starved) => CallError::Starved(limits.deadline),
            Some(Ended::Spent(budget)) => CallError::Spent(budget),
            Some(Ended::GivenUp) => CallError::GivenUp,
            Some(Ended::Deadline) | None => CallError::Timeout(limits.deadline),
        };
    }
    let too_much = is_out_of_copies(error);
    if too_much && backtrace.is_none() {
        // No guest code was running any more: what was too much is the answer.
        return Exceeded::Output { limit: limits.output, found: None }.into();
    }
    let panicked = || panic_text(&state.stderr()).filter(|_| trap == Some(&Trap::UnreachableCodeReached));
    let (what, is_guest_text) = match trap {
        _ if too_much => (format!("it handed more than {} KiB to the host at once", limits.output >> 10), false),
        Some(trap) => panicked().map_or_else(|| (quote(&trap.to_string()), false), |what| (what, true)),
        None => (quote(&error.root_cause().to_string()), false),
    };
    CallError::Trapped {
        what,
        is_guest_text,
        place: backtrace.and_then(place),
        at_once: too_much.then_some(limits.output),
    }
}

/// Whether more was copied out of the guest than one call may. The engine has no type for this.
fn is_out_of_copies(error: &wasmtime::Error) -> bool {
    error.chain().any(|cause| cause.to_string().contains("fuel allocated for hostcalls has been exhausted"))
}

/// Whether the system had no memory, no file or no thread to give, which says nothing about the component. The engine
/// has no type for this, either.
pub(in crate::plugin) fn is_of_the_system(error: &wasmtime::Error) -> bool {
    /// EAGAIN, ENOMEM, ENFILE and EMFILE, as the system counts them.
    const SHORT: [&str; 4] = ["(os error 11)", "(os error 12)", "(os error 23)", "(os error 24)"];
    // What a guest says is no cause of the engine's errors, beside a trap.
    let by_guest = error.downcast_ref::<Trap>().is_some();
    !by_guest && error.chain().any(|cause| SHORT.iter().any(|code| cause.to_string().ends_with(code)))
}

/// Whether an export of it has other types than its world says, which shows when an instance is made. The engine has no
/// type for this.
pub(in crate::plugin) fn is_unfit(error: &wasmtime::Error) -> bool {
    error.chain().any(|cause| cause.to_string().starts_with("type mismatch with "))
}

/// The function of the plugin that was running, below what its language brought along. Nothing if names were stripped.
fn place(backtrace: &WasmBacktrace) -> Option<String> {
    const NOT_ITS_OWN: [&str; 8] = ["std::", "core::", "alloc::", "rust_", "__", "abort", "_R", "wasi"];
    let mut names = backtrace.frames().iter().filter_map(name);
    let own = names.find(|name| !NOT_ITS_OWN.iter().any(|start| name.trim_start_matches('<').starts_with(start)));
    own.as_deref().map(quote)
}

/// The functions that were running, the innermost first. Where names were stripped, a function is the number it has in
/// its module, such as `function 12 (the component has no names)`.
pub(in crate::plugin) fn backtrace(error: &wasmtime::Error) -> Vec<String> {
    let frames = error.downcast_ref::<WasmBacktrace>().map(WasmBacktrace::frames).unwrap_or_default();
    let nameless = |frame: &FrameInfo| format!("function {} (the component has no names)", frame.func_index());
    frames.iter().map(|frame| name(frame).map_or_else(|| nameless(frame), |name| quote(&name))).collect()
}

fn name(frame: &FrameInfo) -> Option<String> {
    let symbol = frame.symbols().first().and_then(|symbol| symbol.name());
    symbol.or(frame.func_name()).map(readable)
}

/// The name that a symbol stands for, as far as a record has room for it. Without its hash, which changes with every
/// build and says nothing. A short symbol may stand for a very long name.
fn readable(symbol: &str) -> String {
    let known = &symbol[..symbol.floor_char_boundary(LONGEST_SYMBOL)];
    let mut name = Cut(String::new());
    // Writing ends with an error where there is no more room.
    let _ = write!(name, "{:#}", rustc_demangle::demangle(known));
    name.0
}

/// Text up to [`LONGEST_NAME`] bytes.
struct Cut(String);

impl fmt::Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = text.floor_char_boundary(LONGEST_NAME.saturating_sub(self.0.len()));
        self.0.push_str(&text[..room]);
        if room < text.len() { Err(fmt::Error) } else { Ok(()) }
    }
}

/// What an exception of Python or a panic said, or else the first line of standard error.
fn panic_text(stderr: &str) -> Option<String> {
    if let Some(exception) = exception_text(stderr) {
        return Some(quote(&exception));
    }
    let mut lines = stderr.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    let first = *lines.peek()?;
    let Some(panic) = lines.find(|line| line.contains("panicked at ")) else { return Some(quote(first)) };
    let panic = panic.find("panicked at ").map_or(panic, |at| &panic[at..]);
    match lines.next() {
        // The message stands on the line below the place.
        Some(message) if panic.ends_with(':') => Some(quote(&format!("{panic} {message}"))),
        _ => Some(quote(panic)),
    }
}

/// What the last exception of Python said, and where it was raised. The runtime panics over it and says nothing of its
/// own.
fn exception_text(stderr: &str) -> Option<String> {
    let (_, traceback) = stderr.rsplit_once("Traceback (most recent call last):\n")?;
    let said = traceback.lines().find(|line| !line.starts_with(' ')).filter(|line| !line.is_empty())?;
    let frames = traceback.lines().take_while(|line| line.starts_with(' ')).map(str::trim);
    let place = frames.filter(|line| line.starts_with("File ")).last();
    Some(place.map_or_else(|| said.to_owned(), |place| format!("{said} ({place})")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACEBACK: &str = "Traceback (most recent call last):
  File \"/0/plugin.py\", line 9, in execute
  File \"/0/plugin.py\", line 24, in shortest
    nothing[key]
    ~~~~~~~^^^^^
KeyError: 'customer'

thread '<unnamed>' (1) panicked at runtime/src/lib.rs:1293:29:
Python function threw an unexpected exception
";

    #[test]
    fn a_short_symbol_becomes_no_long_name() {
        assert_eq!(readable("_RNvC6plugin4main"), "plugin::main");
        // Each level is a tuple of the level below, twice: by a reference to where that stands.
        let number = |at: usize| {
            let digits = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
            let (mut at, mut text) = (at - 1, String::from("_"));
            loop {
                text.insert(0, char::from(digits[at % 62]));
                at /= 62;
                if at == 0 {
                    return text;
                }
            }
        };
        let levels = 20;
        let start = "IC1a".len();
        let mut symbol = format!("IC1a{}T{}E", "T".repeat(levels), "l".repeat(8));
        for level in (0..levels).rev() {
            symbol += &format!("B{}E", number(start + level + 1));
        }
        let name = readable(&format!("_R{symbol}E"));
        assert!(name.starts_with("a::<((((") || name.starts_with("a<(((("), "{}", &name[..40.min(name.len())]);
        assert_eq!((name.len(), readable(&"é".repeat(LONGEST_SYMBOL)).len()), (LONGEST_NAME, LONGEST_NAME));
    }

    #[test]
    fn a_system_that_is_short_of_something_is_told_from_a_component_that_breaks() {
        let no_memory = || std::io::Error::from_raw_os_error(12);
        let errors = [
            (wasmtime::Error::from(no_memory()).context("mmap failed to reserve 0x1000000 bytes"), true),
            (wasmtime::Error::from(std::io::Error::from_raw_os_error(24)), true),
            (wasmtime::Error::from(std::io::Error::from_raw_os_error(2)), false),
            (wasmtime::Error::msg("(os error 12) is what it says"), false),
            (wasmtime::Error::from(Trap::UnreachableCodeReached), false),
        ];
        for (error, expected) in errors {
            assert_eq!(is_of_the_system(&error), expected, "{error:#}");
        }
    }

    #[test]
    fn the_text_of_a_panic_is_found() {
        for (stderr, expected) in [
            ("", None),
            ("\n\n", None),
            (
                "hello\n\nthread 'main' (1) panicked at src/lib.rs:3:9:\nthe sky fell\nnote: run with …\n",
                Some("panicked at src/lib.rs:3:9: the sky fell"),
            ),
            ("thread '<unnamed>' panicked at src/lib.rs:3:9:", Some("panicked at src/lib.rs:3:9:")),
            ("memory allocation of 8 bytes failed\n", Some("memory allocation of 8 bytes failed")),
            (TRACEBACK, Some("KeyError: 'customer' (File \"/0/plugin.py\", line 24, in shortest)")),
            ("Traceback (most recent call last):\nMemoryError", Some("MemoryError")),
            ("Traceback (most recent call last):\n\na panicked at b\n", Some("panicked at b")),
        ] {
            assert_eq!(panic_text(stderr).as_deref(), expected, "for {stderr:?}");
        }
    }
}
