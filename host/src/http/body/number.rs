//! Numbers that callers send. No number that the store hands out is larger than the largest of 64 bits with a sign, and
//! a larger one is refused where it comes in.

use serde::de::{Deserialize, Deserializer, Error, Unexpected};

/// A number of something that is kept, or of how many there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct Number(pub(in crate::http) u64);

impl Number {
    /// The largest.
    pub(in crate::http) const MAX: u64 = i64::MAX as u64;
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(deserializer)?;
        if number > Self::MAX {
            return Err(D::Error::invalid_value(
                Unexpected::Unsigned(number),
                &"a number of at most 9223372036854775807",
            ));
        }
        Ok(Self(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_nothing_can_have_is_refused() {
        for (text, expected) in
            [("0", Some(0)), ("9223372036854775807", Some(Number::MAX)), ("9223372036854775808", None)]
        {
            assert_eq!(serde_json::from_str(text).ok().map(|Number(number)| number), expected, "{text}");
        }
    }
}
