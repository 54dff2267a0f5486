//! One question to a process: a component goes in, what it says comes out, both within bounds.
//!
//! The host waits until a moment that was agreed on and no longer, whether the process reads, writes, or holds its
//! pipes open. Of what it writes, the host keeps no more than its kind of answer may have.

use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionbio};

use super::confine::Confinement;

/// What comes before the answer itself: which nets are around the process, one word, and how long the rest is.
const HEAD: usize = 2 + size_of::<u64>();

/// How much is read at once: what a pipe holds.
const PIECE: usize = 64 << 10;

/// How long a process that said everything is left alone before the host looks again whether it ended.
const ENDING: Duration = Duration::from_millis(1);

/// A process that is asked once. It is gone when this is.
pub(super) struct Process {
    child: Child,
    to: Option<ChildStdin>,
    from: ChildStdout,
    /// When it must have ended.
    ends: Instant,
}

/// What a process said.
pub(super) struct Answer {
    /// Which nets it had around itself before it read anything.
    pub(super) confinement: Confinement,
    /// Which kind of answer it is.
    pub(super) word: u8,
    /// The answer.
    pub(super) body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Silence {
    /// It took too long.
    Late,
    /// It ended, or closed its output, before it said everything.
    Broken,
    /// It wanted to say more than that kind of answer may have.
    TooLong {
        /// Which kind.
        word: u8,
        /// How much, in bytes.
        found: u64,
        /// How much would be allowed.
        limit: u64,
    },
    /// The system failed.
    Failed(io::Error),
}

impl From<io::Error> for Silence {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl Process {
    /// Starts `program` with nothing but pipes to it and these arguments.
    pub(super) fn start(program: &Path, arguments: &[String], ends: Instant) -> io::Result<Self> {
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (to, from) = (child.stdin.take(), child.stdout.take());
        let from = from.ok_or_else(|| io::Error::other("it has no output"))?;
        let process = Self { child, to, from, ends };
        if let Some(to) = &process.to {
            ioctl_fionbio(to, true)?;
        }
        ioctl_fionbio(&process.from, true)?;
        Ok(process)
    }

    /// Hands over a component and takes the answer, of which `most` says how long it may be for each word.
    pub(super) fn ask(&mut self, component: &[u8], most: impl Fn(u8) -> u64) -> Result<Answer, Silence> {
        let length = (component.len() as u64).to_le_bytes();
        let mut unsent = Unsent([&length, component]);
        let mut piece = vec![0; PIECE];
        let mut heard = Heard::default();
        loop {
            self.wait(&mut unsent)?;
            match self.from.read(&mut piece) {
                Ok(0) => return heard.answer(),
                Ok(read) => heard.take(piece.get(..read).unwrap_or_default(), &most)?,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Sends what it takes, until there is something to be read.
    fn wait(&mut self, unsent: &mut Unsent<'_>) -> Result<(), Silence> {
        loop {
            let left = self.ends.checked_duration_since(Instant::now()).ok_or(Silence::Late)?;
            let left = Timespec::try_from(left).map_err(io::Error::other)?;
            let mut waited = vec![PollFd::new(&self.from, PollFlags::IN)];
            waited.extend(self.to.as_ref().map(|to| PollFd::new(to, PollFlags::OUT)));
            match poll(&mut waited, Some(&left)) {
                Err(Errno::INTR) => continue,
                polled => polled.map_err(io::Error::from)?,
            };
            let [is_heard, is_free] = [0, 1].map(|at| waited.get(at).is_some_and(|it| !it.revents().is_empty()));
            if is_free && let Some(to) = &mut self.to {
                // A process that ends before it has read everything says so by how it ends.
                if unsent.send(to).unwrap_or(true) {
                    self.to = None;
                }
            }
            if is_heard {
                return Ok(());
            }
        }
    }

    /// Waits for its end.
    pub(super) fn end(mut self) -> Result<ExitStatus, Silence> {
        self.to = None;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > self.ends {
                return Err(Silence::Late);
            }
            thread::sleep(ENDING);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; where it has not, what it does is not needed any more.
        let _ = (self.child.kill(), self.child.wait());
    }
}

/// What is still to be sent.
struct Unsent<'a>([&'a [u8]; 2]);

impl Unsent<'_> {
    /// Sends what the pipe takes. Whether that was all.
    fn send(&mut self, to: &mut ChildStdin) -> io::Result<bool> {
        for part in &mut self.0 {
            while !part.is_empty() {
                match to.write(part) {
                    Ok(0) => return Err(ErrorKind::WriteZero.into()),
                    Ok(sent) => *part = part.get(sent..).unwrap_or_default(),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(true)
    }
}

/// What was heard so far.
#[derive(Default)]
struct Heard {
    head: Vec<u8>,
    body: Vec<u8>,
    /// How long the body is to be.
    length: u64,
}

impl Heard {
    fn take(&mut self, mut piece: &[u8], most: &impl Fn(u8) -> u64) -> Result<(), Silence> {
        if self.head.len() < HEAD {
            let (head, rest) = piece.split_at(piece.len().min(HEAD - self.head.len()));
            self.head.extend_from_slice(head);
            piece = rest;
            let Some((word, length)) = self.said() else { return Ok(()) };
            let limit = most(word);
            if length > limit {
                return Err(Silence::TooLong { word, found: length, limit });
            }
            self.length = length;
            let length = usize::try_from(length).map_err(io::Error::other)?;
            self.body.try_reserve_exact(length).map_err(io::Error::other)?;
        }
        let there = (self.body.len() + piece.len()) as u64;
        if there > self.length {
            let word = self.said().map_or(0, |(word, _)| word);
            return Err(Silence::TooLong { word, found: there, limit: self.length });
        }
        self.body.extend_from_slice(piece);
        Ok(())
    }

    /// The word and the length, once both are there.
    fn said(&self) -> Option<(u8, u64)> {
        let [_, word, length @ ..] = &*self.head else { return None };
        Some((*word, u64::from_le_bytes(length.try_into().ok()?)))
    }

    fn answer(self) -> Result<Answer, Silence> {
        let confinement = self.head.first().copied().and_then(Confinement::from_byte);
        match (confinement, self.said()) {
            (Some(confinement), Some((word, _))) if self.body.len() as u64 == self.length => {
                Ok(Answer { confinement, word, body: self.body })
            }
            _ => Err(Silence::Broken),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// What a shell with this script answers to a component that no pipe holds, in a word.
    fn said(script: &str, time: Duration) -> String {
        let arguments = ["-c".to_owned(), script.to_owned()];
        let mut process =
            Process::start(Path::new("/bin/sh"), &arguments, Instant::now() + time).expect("the shell starts");
        let answer = process.ask(&vec![7; 1 << 20], |word| if word == b'+' { 4 } else { 2 });
        match answer {
            Ok(Answer { word, body, .. }) => {
                let ended = process.end().map(|status| status.success());
                format!("{}{} {ended:?}", char::from(word), String::from_utf8_lossy(&body))
            }
            Err(silence) => format!("{silence:?}"),
        }
    }

    #[test]
    fn what_a_process_does_with_its_pipes_costs_neither_memory_nor_more_than_the_time_agreed_on() {
        /// What the host must not wait for.
        const LONG: Duration = Duration::from_secs(60);
        let (some, little) = (LONG, Duration::from_millis(300));
        let begun = Instant::now();
        let all = [
            ("answers", r"cat >/dev/null; printf '3+\2\0\0\0\0\0\0\0ab'", some),
            ("answers without reading", r"printf '3+\2\0\0\0\0\0\0\0ab'", some),
            (
                "refuses in pieces",
                r"cat >/dev/null; printf '0'; printf '!\2'; printf '\0\0\0\0\0\0\0'; printf 'no'",
                some,
            ),
            ("says nothing", "cat >/dev/null", some),
            ("says what no process says first", r"printf 'x+\0\0\0\0\0\0\0\0'", some),
            ("says less than it said", r"printf '3+\2\0\0\0\0\0\0\0a'", some),
            ("says more than it said", r"printf '3+\1\0\0\0\0\0\0\0ab'", some),
            ("wants to say a lot", r"printf '3+\377\377\377\377\377\377\377\177'; exec sleep 60", some),
            ("wants to refuse at length", r"printf '3!\3\0\0\0\0\0\0\0no!'; exec sleep 60", some),
            ("neither reads nor writes", "exec sleep 60", little),
            ("goes on after its answer", r"printf '3+\0\0\0\0\0\0\0\0'; exec >&-; exec sleep 60", little),
            ("leaves its pipes to another", "sleep 10 & exit 0", little),
        ];
        let said = all.map(|(what, script, time)| format!("{what}: {}", said(script, time)));
        assert!(begun.elapsed() < LONG, "the host waited for a process");
        insta::assert_snapshot!(said.join("\n"), @r"
        answers: +ab Ok(true)
        answers without reading: +ab Ok(true)
        refuses in pieces: !no Ok(true)
        says nothing: Broken
        says what no process says first: Broken
        says less than it said: Broken
        says more than it said: TooLong { word: 43, found: 2, limit: 1 }
        wants to say a lot: TooLong { word: 43, found: 9223372036854775807, limit: 4 }
        wants to refuse at length: TooLong { word: 33, found: 3, limit: 2 }
        neither reads nor writes: Late
        goes on after its answer: + Err(Late)
        leaves its pipes to another: Late
        ");
    }
}
