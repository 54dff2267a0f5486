//! Counts the entries of an archive before memory is reserved for them.
//!
//! The zip reader reserves memory for as many entries as the end of an archive claims, and reads as many as exist. Both
//! are found here by their signatures, anywhere in the file, so it does not matter which end the reader takes for the
//! real one.

use std::io::{self, Read};

/// The header of an entry in the central directory.
const HEADER: &[u8] = b"PK\x01\x02";
/// The end of the central directory, and its form for large archives.
const END: &[u8] = b"PK\x05\x06";
const LARGE_END: &[u8] = b"PK\x06\x06";
/// The most bytes that are needed after the beginning of a signature.
const AHEAD: usize = 40;
/// The number of bytes that are read at once.
const CHUNK: usize = 64 << 10;

/// The most entries that the archive in `input` of `length` bytes has or claims to have. Passes all its bytes to
/// `also`.
pub(crate) fn count(mut input: impl Read, length: u64, also: &mut dyn FnMut(&[u8])) -> io::Result<u64> {
    let (mut count, mut claimed) = (0_u64, 0_u64);
    let (mut window, mut chunk) = (Vec::with_capacity(CHUNK + AHEAD), vec![0; CHUNK]);
    loop {
        let read = input.read(&mut chunk)?;
        also(&chunk[..read]);
        window.extend_from_slice(&chunk[..read]);
        // The fields after a signature may be in the next chunk.
        let known = if read == 0 { window.len() } else { window.len().saturating_sub(AHEAD) };
        let mut at = 0;
        while let Some(next) = window[at..known].iter().position(|byte| *byte == b'P') {
            let found = &window[at + next..];
            if found.starts_with(HEADER) {
                count += 1;
            } else if found.starts_with(END) {
                claimed = claimed.max(number(found, 8, 2)).max(number(found, 10, 2));
            } else if found.starts_with(LARGE_END) && (44..=length).contains(&number(found, 4, 8)) {
                claimed = claimed.max(number(found, 24, 8)).max(number(found, 32, 8));
            }
            at += next + 1;
        }
        window.drain(..known);
        if read == 0 {
            return Ok(count.max(claimed));
        }
    }
}

/// A little-endian number; 0 if the archive ends before the number does. In two bytes, 65,535 means that the number is
/// elsewhere, and counts as 0.
fn number(bytes: &[u8], at: usize, size: usize) -> u64 {
    let Some(bytes) = bytes.get(at..at + size) else { return 0 };
    let number = bytes.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte));
    if size == 2 && number == 0xffff { 0 } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out a few bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let size = self.1.min(self.0.len()).min(buffer.len());
            let (now, later) = self.0.split_at(size);
            buffer[..size].copy_from_slice(now);
            self.0 = later;
            Ok(size)
        }
    }

    #[test]
    fn entries_are_counted_and_claims_are_believed_wherever_pieces_end() {
        let claim = |count: u64| {
            let mut end = LARGE_END.to_vec();
            end.extend(44_u64.to_le_bytes());
            end.extend([0; 12]);
            end.extend(count.to_le_bytes());
            end.extend(count.to_le_bytes());
            end.extend([0; 16]);
            end
        };
        let small = |count: u16| [END, &[0; 4], &count.to_le_bytes(), &count.to_le_bytes(), &[0; 10]].concat();
        let lying = |size: u64| [LARGE_END, &size.to_le_bytes(), &[1; 40]].concat();
        for (archive, expected) in [
            (vec![], 0),
            (HEADER.repeat(7), 7),
            ([HEADER.repeat(7), small(3)].concat(), 7),
            ([HEADER, &small(12)].concat(), 12),
            (small(0xffff), 0),
            (claim(60_000_000), 60_000_000),
            ([claim(5), HEADER.repeat(6), b"PK".to_vec()].concat(), 6),
            // No reader accepts an end that claims to be larger than the archive, and such bytes occur by chance.
            (lying(u64::MAX), 0),
            (lying(3), 0),
            (b"PPK\x01\x02K".to_vec(), 1),
        ] {
            for step in [1, 3, 39, 1 << 20] {
                let mut seen = Vec::new();
                let found =
                    count(Slow(&archive, step), archive.len() as u64, &mut |bytes| seen.extend_from_slice(bytes));
                assert_eq!((found.unwrap(), &seen), (expected, &archive), "{step} bytes at a time");
            }
        }
    }
}
