//! How far an upgrade is, on standard error: a bar where a person looks, a line per phase where a file does.

use std::cell::{Cell, RefCell};
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::store::journal::Phase;
use crate::upgrade::{Error, Progress};

/// Characters of the bar itself.
const WIDTH: u64 = 30;
/// How often the bar is drawn.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) struct Bar {
    is_terminal: bool,
    begun: Instant,
    drawn: Cell<Option<Instant>>,
    last: RefCell<Option<(Phase, Option<String>)>>,
}

impl Bar {
    pub(super) fn new() -> Self {
        Self {
            is_terminal: io::stderr().is_terminal(),
            begun: Instant::now(),
            drawn: Cell::new(None),
            last: RefCell::new(None),
        }
    }

    /// Shows progress. Never fails: a closed terminal is no reason to stop an upgrade.
    pub(super) fn show(&self, progress: &Progress) -> Result<(), Error> {
        let is_new = self.last.replace(Some((progress.phase, progress.step.clone())))
            != Some((progress.phase, progress.step.clone()));
        if self.is_terminal {
            let is_due = self.drawn.get().is_none_or(|drawn| drawn.elapsed() >= PAUSE);
            if is_due || is_new {
                self.drawn.set(Some(Instant::now()));
                let _ = write!(io::stderr(), "\r\x1b[K{}", line(progress));
            }
        } else if is_new {
            let step = progress.step.as_deref().unwrap_or("rows");
            let _ = writeln!(io::stderr(), "{} {step}", progress.phase.as_str());
        }
        Ok(())
    }

    /// Prints the time and the rows a second, from which the time for a larger environment can be estimated.
    pub(super) fn say_speed(&self, rows: u64) {
        let took = self.begun.elapsed();
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
        let _ = writeln!(io::stderr(), "{rows} rows in {took:.1?}, {} a second", rows.saturating_mul(1000) / millis);
    }

    pub(super) fn end(&self) {
        if self.is_terminal && self.drawn.get().is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

fn line(progress: &Progress) -> String {
    let Progress { phase, step, done, of } = progress;
    let what = format!("{} {}", phase.as_str(), step.as_deref().unwrap_or("rows"));
    match of.filter(|of| *of > 0) {
        None => format!("{what}: {done}"),
        Some(of) => {
            let full = (done * WIDTH / of).min(WIDTH);
            let bar: String = (0..WIDTH).map(|at| if at < full { '#' } else { '.' }).collect();
            format!("[{bar}] {:3}% {what}: {done} of {of}", (done * 100 / of).min(100))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills() {
        let progress = |done, of| Progress { phase: Phase::Migrating, step: Some("a/b".to_owned()), done, of };
        assert_eq!(line(&progress(0, Some(9))), "[..............................]   0% migrating a/b: 0 of 9");
        assert_eq!(line(&progress(5, Some(10))), "[###############...............]  50% migrating a/b: 5 of 10");
        assert_eq!(line(&progress(12, Some(10))), "[##############################] 100% migrating a/b: 12 of 10");
        assert_eq!(line(&progress(7, None)), "migrating a/b: 7");
    }
}
