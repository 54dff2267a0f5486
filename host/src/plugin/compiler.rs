//! Who compiles a component that is not in the cache.
//!
//! A component of somebody else is compiled by a process of its own, which sets itself limits of memory and processor time, works
//! at low priority and has nothing but the component: whatever that costs or breaks, requests go on. Its start code runs there
//! for the first time, too, under fuel.

mod child;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::inspect::LoadError;
use super::slots::Slots;
use super::weight::Weight;

pub use child::compile_as_child;

/// The sub-command by which the program compiles for another process of itself.
pub const COMPILE_COMMAND: &str = "compile-component";

/// Most bytes of compiled code.
const LARGEST_CODE: u64 = 512 << 20;

/// Most bytes of a refusal, which may quote the component.
const LONGEST_REFUSAL: usize = 2 << 10;

/// First word of an answer: the code follows.
const READY: u8 = b'+';
/// First word of an answer: why there is none follows.
const INVALID: u8 = b'!';
/// First word of an answer: why it does not start follows.
const REFUSED: u8 = b'-';
/// First word of an answer: what does not fit the contract follows.
const UNFIT: u8 = b'?';

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
}

/// What compiling one component may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompileLimits {
    /// Longest time from start to end of the process. Who takes longer, with so little processor time, waited for others.
    pub time: Duration,
    /// Processor time, in seconds.
    pub processor_seconds: u64,
    /// Bytes of memory.
    pub memory: u64,
    /// Longest wait for one's turn.
    pub patience: Duration,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(120),
            processor_seconds: 60,
            memory: 1 << 30,
            patience: Duration::from_secs(20),
        }
    }
}

impl CompileLimits {
    /// What compiling a component of this weight may cost: there is ten times as much code in a runtime as in the largest rule.
    fn of(self, weight: Weight) -> Self {
        match weight {
            Weight::Light => self,
            Weight::Heavy => Self {
                time: self.time * 3,
                processor_seconds: self.processor_seconds.saturating_mul(3),
                memory: self.memory.saturating_mul(2),
                patience: self.patience,
            },
        }
    }
}

impl ChildCompiler {
    /// Compiles by `program`, which knows the sub-command [`COMPILE_COMMAND`].
    pub fn new(program: impl Into<PathBuf>, limits: CompileLimits) -> Self {
        Self { program: program.into(), limits, turn: Slots::new(1) }
    }

    /// Compiles by the program that is running, even if its file was replaced since it started.
    pub fn of_this_program() -> Self {
        let running = Path::new("/proc/self/exe");
        let program = if running.exists() { running.to_owned() } else { std::env::current_exe().unwrap_or_default() };
        Self::new(program, CompileLimits::default())
    }

    /// Compiles one component and tries to start it.
    pub(super) fn compile(&self, component: &[u8]) -> Result<Vec<u8>, LoadError> {
        let busy = || LoadError::Unavailable("other components are being compiled: try again in a minute".to_owned());
        let _turn = self.turn.take(self.limits.patience).ok_or_else(busy)?;
        let most = self.limits.of(Weight::of(component));
        let limits = [most.processor_seconds.to_string(), most.memory.to_string()];
        let mut child = Command::new(&self.program)
            .arg(COMPILE_COMMAND)
            .args(limits)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| LoadError::Unavailable(format!("the compiler cannot be started: {error}")))?;
        let answer = answer(&mut child, component, most.time);
        let ended = child.wait();
        match (answer, ended) {
            // What a component costs is processor time, which has a limit of its own. The rest was waiting.
            (None, _) => {
                let seconds = most.time.as_secs_f64();
                let what = format!("compiling it was not done after {seconds} seconds, because the machine is busy");
                Err(LoadError::Unavailable(format!("{what}: try again when it is not")))
            }
            (Some(answer), Ok(status)) => understand(answer, status, most),
            (Some(_), Err(error)) => Err(LoadError::Unavailable(format!("the compiler cannot be waited for: {error}"))),
        }
    }
}

/// What the process writes until it ends; nothing if it takes too long and has to be ended.
fn answer(child: &mut Child, component: &[u8], time: Duration) -> Option<Vec<u8>> {
    let (mut to, from) = (child.stdin.take(), child.stdout.take());
    thread::scope(|scope| {
        let (tell, told) = mpsc::channel();
        // A process that ends before it has read everything says so by how it ends.
        scope.spawn(move || to.as_mut().map(|to| to.write_all(component)));
        scope.spawn(move || {
            let mut answer = Vec::new();
            let read = from.map(|from| from.take(LARGEST_CODE).read_to_end(&mut answer));
            // Nobody listens any more if it took too long. A broken pipe shows in what is missing.
            let _ = (read, tell.send(answer));
        });
        match told.recv_timeout(time) {
            Ok(answer) => Some(answer),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                // It may have ended by itself just now.
                let _ = child.kill();
                None
            }
        }
    })
}

/// What its answer says, or else how it ended.
fn understand(answer: Vec<u8>, status: ExitStatus, limits: CompileLimits) -> Result<Vec<u8>, LoadError> {
    match answer.split_first() {
        Some((&READY, code)) if status.success() => Ok(code.to_vec()),
        Some((&INVALID, why)) if status.success() => Err(LoadError::Compile(refusal(why))),
        Some((&UNFIT, why)) if status.success() => Err(LoadError::Misfit(refusal(why))),
        Some((&REFUSED, why)) if status.success() => Err(LoadError::Trial(refusal(why))),
        _ => Err(explain(status, limits)),
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
        // Whoever did that, it says nothing about the component: a system that is short of memory ends any process.
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

/// A refusal in words, of which the end may be left out.
fn refusal(why: &[u8]) -> String {
    String::from_utf8_lossy(why.get(..LONGEST_REFUSAL).unwrap_or(why)).into_owned()
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
            let error = understand(Vec::new(), ExitStatus::from_raw(status), CompileLimits::default()).unwrap_err();
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
