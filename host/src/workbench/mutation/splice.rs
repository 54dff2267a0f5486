//! Replaces bytes in the middle of a binary whose parts are preceded by their lengths, and corrects these lengths.
//!
//! Knows nothing else of the format: before each range stands its length, as an unsigned LEB128 number.

use std::ops::Range;

/// Returns the binary with `with` in place of `removed` bytes at `at`. `around` are the contents it lies in, the
/// outermost first; each begins behind its own length.
pub(super) fn spliced(bytes: &[u8], around: &[Range<usize>], at: usize, removed: usize, with: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + with.len() + around.len());
    out.extend(bytes);
    out.splice(at..at + removed, with.iter().copied());
    let mut grown = out.len().wrapping_sub(bytes.len());
    if grown == 0 {
        return out;
    }
    // From the inside out, so a change never moves a length that is still to be corrected.
    for range in around.iter().rev() {
        let length = written(range.len().wrapping_add(grown));
        let begins = begin(bytes, range.start);
        out.splice(begins..range.start, length.iter().copied());
        grown = out.len().wrapping_sub(bytes.len());
    }
    out
}

/// Returns the start of the number that stands before `end`. The byte before the number is never part of such a number.
fn begin(bytes: &[u8], end: usize) -> usize {
    let mut begins = end.saturating_sub(1);
    while begins > 0 && bytes.get(begins - 1).is_some_and(|byte| byte & 0x80 != 0) {
        begins -= 1;
    }
    begins
}

fn written(mut value: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(5);
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).unwrap_or_default() | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a section with its kind and length, the length in five bytes if it is padded.
    fn section(kind: u8, content: &[u8], padded: bool) -> Vec<u8> {
        let mut length = written(content.len());
        if padded {
            let last = length.len() - 1;
            length[last] |= 0x80;
            length.resize(4, 0x80);
            length.push(0);
        }
        [&[kind][..], &length, content].concat()
    }

    #[test]
    fn all_lengths_around_are_those_of_the_new_content() {
        for (inner, padded) in [(5, false), (5, true), (126, false), (127, false), (127, true), (20_000, false)] {
            let content = vec![7; inner];
            let whole = |content: &[u8], padded| {
                let inside = [&[1, 1, 0xff][..], &section(9, content, padded), &[2, 1, 0]].concat();
                [section(3, &[1], false), section(4, &inside, padded), section(5, &[], false)].concat()
            };
            let before = whole(&content, padded);
            let inside = [&[1, 1, 0xff][..], &section(9, &content, padded), &[2, 1, 0]].concat();
            let outer = 3 + 1 + if padded { 5 } else { written(inside.len()).len() };
            let inner_start = outer + 3 + section(9, &content, padded).len() - inner;
            let around = [outer..before.len() - 2, inner_start..inner_start + inner];
            assert_eq!(before[around[1].clone()], content, "the test looks in the right place");
            let after = spliced(&before, &around, inner_start + 2, 1, &[1, 2, 3]);
            let expected = [&content[..2], &[1, 2, 3], &content[3..]].concat();
            // Lengths are written anew, without the padding.
            assert_eq!(after, whole(&expected, false), "{inner} {padded}");
            let same = spliced(&before, &around, inner_start + 2, 1, &[8]);
            assert_eq!(same.len(), before.len());
        }
    }
}
