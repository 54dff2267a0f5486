//! The log, on standard error. `RUST_LOG` says how much of it.

use std::io;

use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::otlp::Spans;

/// What says how much is logged: a level, or a list such as `info,loadout::http=debug`.
const VARIABLE: &str = "RUST_LOG";

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Starts the log of this process; without a `RUST_LOG` that can be read, `level` says how much of it.
pub(super) fn start(format: LogFormat, level: tracing::Level) {
    start_with(format, level, None);
}

/// The same, with spans collected by `spans`.
pub(super) fn start_with(format: LogFormat, level: tracing::Level, spans: Option<&Spans>) {
    let asked = std::env::var(VARIABLE).ok().map(|asked| tidy(&asked)).filter(|asked| !asked.is_empty());
    let (targets, misread) = match asked.map(|asked| asked.parse::<Targets>()) {
        None => (Targets::new().with_default(level), None),
        Some(Ok(targets)) => (targets, None),
        Some(Err(error)) => (Targets::new().with_default(level), Some(error)),
    };
    let log = tracing_subscriber::fmt::layer().with_writer(io::stderr);
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

/// A list without blanks and empty entries, each of which the parser would take for the name of a module or for a level.
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
