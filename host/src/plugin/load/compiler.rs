//! Who compiles a component that is not in the cache.
//!
//! A component that did not come with the program is tried and compiled by two processes of this program, one after the
//! other. The one that tries makes code of its own, starts it under fuel, asks it once, and says in a sentence how that
//! went. The one that compiles runs nothing of the component; the code that serves comes from there. Each sets itself
//! limits of memory and processor time, works at low priority, and gives up files, network and everything else that its
//! kernel lets it give up before it reads the component ([`confine`]). Where a kernel lets it give up less, the log
//! says so once. Whatever that costs or breaks, requests go on.

mod child;
mod confine;
mod talk;

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Once;
use std::time::{Duration, Instant};

use crate::plugin::inspect::error::LoadError;
use crate::plugin::limits::slots::Slots;
use crate::plugin::limits::weight::Weight;

pub use child::work_as_child;
pub use confine::Confinement;

use talk::{Answer, Process, Silence};

/// The sub-command by which the program compiles for another process of itself.
pub const COMPILE_COMMAND: &str = "compile-component";

/// The sub-command by which the program tries a component for another process of itself.
pub const TRY_COMMAND: &str = "try-component";

/// Most bytes of a refusal, which may quote the component.
const LONGEST_REFUSAL: usize = 2 << 10;

/// Word of an answer: it went well, and the code follows where there is any.
const READY: u8 = b'+';
/// Word of an answer: why there is no code follows.
const INVALID: u8 = b'!';
/// Word of an answer: why it does not start follows.
const REFUSED: u8 = b'-';
/// Word of an answer: what does not fit the contract follows.
const UNFIT: u8 = b'?';

/// What a process does with a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Makes the code that serves, and runs nothing of it.
    Compile,
    /// Starts it and asks it once, with code that is thrown away.
    Try,
}

/// Who compiles.
#[derive(Debug)]
pub enum Compiler {
    /// This process: the component is our own.
    Here,
    /// A process for each component.
    Child(ChildCompiler),
}

/// Compiles in processes of their own, one at a time.
#[derive(Debug)]
pub struct ChildCompiler {
    program: PathBuf,
    limits: CompileLimits,
    turn: Slots,
    /// Whether it was said what the system does not offer.
    said: Once,
}

/// What trying and compiling one component may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompileLimits {
    /// Longest time until both processes have ended. A process that takes longer, with so little processor
    /// time, waited for others.
    pub time: Duration,
    /// Processor time of each process, in seconds.
    pub processor_seconds: u64,
    /// Bytes of memory of each process.
    pub memory: u64,
    /// Longest wait for one's turn.
    pub slot_timeout: Duration,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(120),
            processor_seconds: 60,
            memory: 1 << 30,
            slot_timeout: Duration::from_secs(20),
        }
    }
}

impl CompileLimits {
    /// What compiling a component of this weight may cost: there is ten times as much code in a runtime as in the
    /// largest rule.
    fn of(self, weight: Weight) -> Self {
        match weight {
            Weight::Light => self,
            Weight::Heavy => Self {
                time: self.time * 3,
                processor_seconds: self.processor_seconds.saturating_mul(3),
                memory: self.memory.saturating_mul(2),
                slot_timeout: self.slot_timeout,
            },
        }
    }
}

impl ChildCompiler {
    /// Compiles by `program`, which knows the sub-commands [`COMPILE_COMMAND`] and [`TRY_COMMAND`].
    pub fn new(program: impl Into<PathBuf>, limits: CompileLimits) -> Self {
        Self { program: program.into(), limits, turn: Slots::new(1), said: Once::new() }
    }

    /// Compiles by the program that is running, even if its file was replaced since it started.
    pub fn of_this_program() -> Self {
        let running = Path::new("/proc/self/exe");
        let program = if running.exists() { running.to_owned() } else { std::env::current_exe().unwrap_or_default() };
        Self::new(program, CompileLimits::default())
    }

    /// Tries to start one component, and compiles it: what does not start costs no more, and no code is held meanwhile.
    pub(in crate::plugin) fn compile(&self, component: &[u8]) -> Result<Vec<u8>, LoadError> {
        let busy = || LoadError::Unavailable("other components are being compiled: try again in a minute".to_owned());
        let _turn = self.turn.take(self.limits.slot_timeout).ok_or_else(busy)?;
        let most = self.limits.of(Weight::of(component));
        let ends = Instant::now() + most.time;
        self.have_done(Work::Try, component, most, ends)?;
        self.have_done(Work::Compile, component, most, ends)
    }

    /// What a process of its own makes of a component: code, or nothing if it was only to be tried.
    fn have_done(
        &self,
        work: Work,
        component: &[u8],
        most: CompileLimits,
        ends: Instant,
    ) -> Result<Vec<u8>, LoadError> {
        let arguments = [work.command().to_owned(), most.processor_seconds.to_string(), most.memory.to_string()];
        let mut process = Process::start(&self.program, &arguments, ends)
            .map_err(|error| LoadError::Unavailable(format!("the compiler cannot be started: {error}")))?;
        let answer = process.ask(component, |word| work.longest(word, Weight::of(component)));
        // What has to be stopped is stopped; how that ends says nothing.
        let answer = match answer {
            Ok(answer) => Some(answer),
            Err(Silence::Broken) => None,
            Err(silence) => return Err(work.unanswered(silence, most)),
        };
        let status = process.end().map_err(|silence| work.unanswered(silence, most))?;
        if let Some(answer) = &answer {
            self.tell(answer.confinement);
        }
        work.understand(answer, status, most)
    }

    /// Says once what the system does not let the processes give up.
    fn tell(&self, confinement: Confinement) {
        if !confinement.is_whole() {
            self.said.call_once(|| {
                tracing::warn!(
                    "this system offers no {confinement}: processes that compile and try components keep rights that they do not need, within their limits of memory and time"
                );
            });
        }
    }
}

impl Work {
    fn command(self) -> &'static str {
        match self {
            Self::Compile => COMPILE_COMMAND,
            Self::Try => TRY_COMMAND,
        }
    }

    /// How long an answer may be, in bytes.
    fn longest(self, word: u8, weight: Weight) -> u64 {
        match (self, word) {
            (Self::Compile, READY) => weight.code(),
            (Self::Try, READY) => 0,
            _ => LONGEST_REFUSAL as u64,
        }
    }

    /// What is said of a process that gave no answer, and was stopped.
    fn unanswered(self, silence: Silence, most: CompileLimits) -> LoadError {
        match silence {
            // What a component costs is processor time, which has a limit of its own. The rest was waiting.
            Silence::Late => {
                let seconds = most.time.as_secs_f64();
                let what = format!("compiling it was not done after {seconds} seconds, because the machine is busy");
                LoadError::Unavailable(format!("{what}: try again when it is not"))
            }
            Silence::TooLong { word: READY, found, limit } if self == Self::Compile => {
                LoadError::TooLarge { what: "bytes of compiled code", found, limit }
            }
            // It would break the process again.
            Silence::TooLong { .. } | Silence::Broken => {
                LoadError::Compile("the compiler broke over it: what it says is no answer".to_owned())
            }
            Silence::Failed(error) => LoadError::Unavailable(format!("the compiler cannot be asked: {error}")),
        }
    }

    /// What its answer says, or else how it ended.
    fn understand(self, answer: Option<Answer>, status: ExitStatus, most: CompileLimits) -> Result<Vec<u8>, LoadError> {
        let Some(Answer { word, body, .. }) = answer.filter(|_| status.success()) else {
            return Err(explain(status, most));
        };
        let why = || String::from_utf8_lossy(&body).into_owned();
        match word {
            READY => Ok(body),
            INVALID => Err(LoadError::Compile(why())),
            UNFIT => Err(LoadError::Misfit(why())),
            REFUSED => Err(LoadError::Trial(why())),
            _ => Err(self.unanswered(Silence::Broken, most)),
        }
    }
}

/// Why a process ended without an answer.
fn explain(status: ExitStatus, limits: CompileLimits) -> LoadError {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal = None;
    const KILLED: i32 = 9;
    const ABORTED: i32 = 6;
    const OUT_OF_PROCESSOR_TIME: i32 = 24;
    /// What Rust ends a process with that panicked.
    const PANICKED: i32 = 101;
    match signal {
        Some(OUT_OF_PROCESSOR_TIME) => {
            LoadError::TooCostly(format!("{} seconds of processor time", limits.processor_seconds))
        }
        // A kill says nothing about the component: a system that is short of memory ends any process.
        Some(KILLED) => LoadError::Unavailable(
            "the compiler was killed, perhaps because the machine is short of memory: try again when it is not"
                .to_owned(),
        ),
        // A process that gets no more memory aborts, and so does one that has no stack left.
        Some(ABORTED) => LoadError::TooCostly(format!("{} MiB of memory, or all of the stack", limits.memory >> 20)),
        // It would break the compiler again.
        Some(signal) => LoadError::Compile(format!("the compiler broke over it, with signal {signal}")),
        None if status.code() == Some(PANICKED) => LoadError::Compile("the compiler broke over it".to_owned()),
        None => LoadError::Unavailable(format!("the compiler broke off ({status})")),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn how_the_compiler_ends_says_whose_fault_it_is() {
        let ends = [
            ("killed", 9),
            ("out of processor time", 24),
            ("aborted", 6),
            ("broken", 11),
            ("panicked", 101 << 8),
            ("given up", 1 << 8),
        ];
        let told = ends.map(|(how, status)| {
            let status = ExitStatus::from_raw(status);
            let error = Work::Compile.understand(None, status, CompileLimits::default()).unwrap_err();
            let whose = if matches!(error, LoadError::Unavailable(_)) { "nobody's" } else { "the component's" };
            format!("{how}: {whose}: {error}")
        });
        insta::assert_snapshot!(told.join("\n"), @"
        killed: nobody's: it was not made ready: the compiler was killed, perhaps because the machine is short of memory: try again when it is not
        out of processor time: the component's: compiling it takes more than 60 seconds of processor time: split it, or leave out what it does not need
        aborted: the component's: compiling it takes more than 1024 MiB of memory, or all of the stack: split it, or leave out what it does not need
        broken: the component's: it cannot be made ready: the compiler broke over it, with signal 11
        panicked: the component's: it cannot be made ready: the compiler broke over it
        given up: nobody's: it was not made ready: the compiler broke off (exit status: 1)
        ");
    }
}
