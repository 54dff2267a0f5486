//! The log, on standard error. `RUST_LOG` says how much of it.
//!
//! A server writes it by a thread of its own. A reader that pauses costs lines, never an answer.

use std::io;

use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::otlp::Spans;

/// The variable that says how much is logged: a level, or a list such as `info,loadout::http=debug`.
const VARIABLE: &str = "RUST_LOG";

/// Most lines that wait for a reader of the log. Beyond them, lines are lost.
const WAITING_MAX: usize = 16_384;

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// The thread that writes the log of a server. Dropping it ends the thread, and warns if lines were lost.
#[must_use]
pub(super) struct Writer {
    lines: NonBlocking,
    _guard: WorkerGuard,
}

impl Drop for Writer {
    fn drop(&mut self) {
        let lost = self.lines.error_counter().dropped_lines();
        if lost > 0 {
            tracing::warn!(lost, "lines of the log were lost, because it was not read");
        }
    }
}

/// Starts the log of this process; without a `RUST_LOG` that can be read, `level` says how much of it.
pub(super) fn start(format: LogFormat, level: tracing::Level) {
    start_to(io::stderr, format, level, None);
}

/// The same for a server, with spans collected by `spans`.
pub(super) fn start_for_server(format: LogFormat, level: tracing::Level, spans: Option<&Spans>) -> Writer {
    let (lines, guard) = NonBlockingBuilder::default().buffered_lines_limit(WAITING_MAX).finish(io::stderr());
    start_to(lines.clone(), format, level, spans);
    Writer { lines, _guard: guard }
}

fn start_to<W>(writer: W, format: LogFormat, level: tracing::Level, spans: Option<&Spans>)
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let asked = std::env::var(VARIABLE).ok().map(|asked| tidy(&asked)).filter(|asked| !asked.is_empty());
    let (targets, misread) = match asked.map(|asked| asked.parse::<Targets>()) {
        None => (Targets::new().with_default(level), None),
        Some(Ok(targets)) => (targets, None),
        Some(Err(error)) => (Targets::new().with_default(level), Some(error)),
    };
    let log = tracing_subscriber::fmt::layer().with_writer(writer);
    let log = match format {
        LogFormat::Text => log.with_ansi(false).with_filter(targets).boxed(),
        LogFormat::Json => log.json().with_filter(targets).boxed(),
    };
    let layers: Vec<_> = [log].into_iter().chain(spans.map(Spans::layer)).collect();
    // The first log of a process stays; a second start is a test in the same process.
    let _ = tracing_subscriber::registry().with(layers).try_init();
    if let Some(error) = misread {
        tracing::warn!(
            "`{VARIABLE}` is not understood ({error}): write a level, or a list such as `info,loadout=debug`"
        );
    }
}

/// A list without blanks and empty entries, each of which the parser would take for the name of a module or for a
/// level.
fn tidy(list: &str) -> String {
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_and_empty_entries_say_nothing() {
        for (typed, expected) in [
            (" info", "info"),
            ("info,", "info"),
            ("info, loadout::http=debug", "info,loadout::http=debug"),
            (" , ", ""),
        ] {
            assert_eq!(tidy(typed), expected, "for {typed:?}");
        }
    }
}
