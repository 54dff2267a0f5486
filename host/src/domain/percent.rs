//! The characters of values that are percent-encoded: all but those that mean the same encoded or not, anywhere in an
//! address.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

/// All but letters, digits, `-`, `.`, `_` and `~`.
pub(super) const EVERYTHING_ELSE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
