//! What is percent-encoded of values: all but what means the same everywhere in an address, encoded or not.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

/// All but letters, digits, `-`, `.`, `_` and `~`.
pub(super) const EVERYTHING_ELSE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
