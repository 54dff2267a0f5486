//! What a guest writes: the first part and the last part of it, and how much is missing between.
//!
//! The beginning says what a call was about, the end why it broke; what a flood repeats lies in the middle. Never keeps
//! more than its cap.

use std::collections::VecDeque;

use crate::domain::trace::{Dropped, LogLevel, LogLine, LogText};

/// Longest part of a line that is dropped or kept as one.
const PIECE: usize = 4 << 10;

/// What one call wrote.
#[derive(Debug)]
pub(in crate::plugin) struct Log {
    /// Bytes of each part.
    half: usize,
    head: Vec<Piece>,
    head_bytes: usize,
    head_is_full: bool,
    tail: VecDeque<Piece>,
    tail_bytes: usize,
    dropped_lines: u32,
    dropped_bytes: u64,
}

#[derive(Debug)]
struct Piece {
    level: LogLevel,
    bytes: Vec<u8>,
    /// Whether its line goes on in what is written next.
    is_open: bool,
}

impl Log {
    /// A log that keeps `cap` bytes.
    pub(in crate::plugin) fn new(cap: usize) -> Self {
        Self {
            half: cap / 2,
            head: Vec::new(),
            head_bytes: 0,
            head_is_full: false,
            tail: VecDeque::new(),
            tail_bytes: 0,
            dropped_lines: 0,
            dropped_bytes: 0,
        }
    }

    /// Adds one line.
    pub(in crate::plugin) fn line(&mut self, level: LogLevel, line: &str) {
        self.append(level, line.as_bytes(), false);
    }

    /// Adds a piece of standard error, which need not end where a line does.
    pub(in crate::plugin) fn stderr(&mut self, bytes: &[u8]) {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (line, is_open) = line.strip_suffix(b"\n").map_or((line, true), |line| (line, false));
            self.append(LogLevel::Stderr, line, is_open);
        }
    }

    fn append(&mut self, level: LogLevel, line: &[u8], is_open: bool) {
        let (mut rest, mut last) = (line, false);
        while !last {
            let (piece, behind) = rest.split_at(rest.len().min(PIECE));
            last = behind.is_empty();
            self.push(level, piece, is_open || !last);
            rest = behind;
        }
    }

    fn push(&mut self, level: LogLevel, bytes: &[u8], is_open: bool) {
        self.head_is_full |= self.head_bytes + bytes.len() >= self.half;
        let (last, size) = if self.head_is_full {
            (self.tail.back_mut(), &mut self.tail_bytes)
        } else {
            (self.head.last_mut(), &mut self.head_bytes)
        };
        match last.filter(|last| last.is_open && last.level == level && last.bytes.len() + bytes.len() <= PIECE) {
            Some(last) => {
                *size += bytes.len();
                last.bytes.extend_from_slice(bytes);
                last.is_open = is_open;
            }
            None => {
                let piece = Piece { level, bytes: bytes.to_vec(), is_open };
                *size += piece.weight();
                if self.head_is_full { self.tail.push_back(piece) } else { self.head.push(piece) }
            }
        }
        while self.tail_bytes > self.half {
            let Some(oldest) = self.tail.pop_front() else { return };
            self.tail_bytes -= oldest.weight();
            self.dropped_bytes += oldest.bytes.len() as u64;
            self.dropped_lines += u32::from(!oldest.is_open);
        }
    }

    /// What is kept of standard error.
    pub(in crate::plugin) fn kept_stderr(&self) -> String {
        let mut bytes = Vec::new();
        for piece in self.head.iter().chain(&self.tail).filter(|piece| piece.level == LogLevel::Stderr) {
            bytes.extend_from_slice(&piece.bytes);
            if !piece.is_open {
                bytes.push(b'\n');
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// What is kept, line by line.
    pub(in crate::plugin) fn into_text(self) -> LogText {
        let mut lines = Vec::new();
        let is_open = join(self.head, &mut lines, false);
        let behind = u32::try_from(lines.len()).unwrap_or(u32::MAX);
        let is_whole = self.dropped_bytes == 0 && self.dropped_lines == 0;
        // A line that stands on both sides of the middle is one as long as nothing is missing there.
        join(self.tail, &mut lines, is_open && is_whole);
        let lines = lines.into_iter().map(|(level, bytes)| LogLine { level, text: text(bytes) });
        let dropped = Dropped { behind, lines: self.dropped_lines, bytes: self.dropped_bytes };
        LogText { lines: lines.collect(), dropped: (!is_whole).then_some(dropped) }
    }
}

impl Piece {
    /// What it counts: a line costs something even if it is empty.
    fn weight(&self) -> usize {
        self.bytes.len() + 1
    }
}

/// Adds lines made of pieces; the first goes on with the line before it if `goes_on`. Answers whether the last may go
/// on.
fn join(pieces: impl IntoIterator<Item = Piece>, lines: &mut Vec<(LogLevel, Vec<u8>)>, mut goes_on: bool) -> bool {
    for Piece { level, bytes, is_open } in pieces {
        match lines.last_mut().filter(|last| goes_on && last.0 == level) {
            Some((_, line)) => line.extend_from_slice(&bytes),
            None => lines.push((level, bytes)),
        }
        goes_on = is_open;
    }
    goes_on
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(log: Log) -> String {
        let LogText { lines, dropped } = log.into_text();
        let mut shown: Vec<String> = lines.into_iter().map(|line| format!("{:?} {}", line.level, line.text)).collect();
        if let Some(Dropped { behind, lines, bytes }) = dropped {
            shown.insert(usize::try_from(behind).unwrap(), format!("({lines} lines, {bytes} bytes)"));
        }
        shown.join("|")
    }

    #[test]
    fn lines_come_out_as_they_went_in() {
        let mut log = Log::new(1000);
        log.line(LogLevel::Info, "one");
        for piece in ["two ", "and\nthree", "\n\n", "four"] {
            log.stderr(piece.as_bytes());
        }
        log.line(LogLevel::Warning, "five\nstill five");
        assert_eq!(log.kept_stderr(), "two and\nthree\n\nfour");
        assert_eq!(shown(log), "Info one|Stderr two and|Stderr three|Stderr |Stderr four|Warning five\nstill five");
    }

    #[test]
    fn of_a_flood_the_beginning_and_the_end_are_kept() {
        let mut log = Log::new(20);
        for at in 0..10 {
            log.line(LogLevel::Info, &format!("n {at}"));
        }
        assert_eq!(shown(log), "Info n 0|Info n 1|(6 lines, 18 bytes)|Info n 8|Info n 9");
    }

    #[test]
    fn one_line_that_never_ends_is_cut_in_the_middle() {
        let mut log = Log::new(4 * PIECE);
        log.stderr("a".repeat(PIECE).as_bytes());
        log.stderr("b".repeat(6 * PIECE).as_bytes());
        log.stderr(b"c");
        let text = log.into_text();
        assert_eq!(text.dropped, Some(Dropped { behind: 1, lines: 0, bytes: 5 * PIECE as u64 }));
        assert_eq!(text.lines.len(), 2);
        assert!(text.lines[0].text.starts_with('a') && text.lines[1].text.ends_with("bc"));
    }

    #[test]
    fn what_fits_is_whole_even_across_the_middle() {
        let mut log = Log::new(30);
        for _ in 0..20 {
            log.stderr(b"x");
        }
        assert_eq!(shown(log), format!("Stderr {}", "x".repeat(20)));
    }
}
