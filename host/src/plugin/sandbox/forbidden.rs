//! What a plugin must not do: a host function that is called for it ends the call with one of these.

/// Something a plugin must not do, noticed by the host function it did it with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(in crate::plugin) struct Forbidden(&'static str);

impl Forbidden {
    pub(in crate::plugin) const WAITING: Self = Self("it tried to wait; a rule cannot sleep");
    pub(in crate::plugin) const EXIT: Self = Self("it tried to exit; a rule answers instead");
    pub(in crate::plugin) const SO_MUCH_RANDOMNESS: Self =
        Self("it asked for more than 64 KiB of random numbers at once");
    pub(in crate::plugin) const NO_NETWORK: Self =
        Self("it opened a socket; `http`, `records` and `knowledge` are the ways out");
    pub(in crate::plugin) const NOTHING_THERE: Self = Self("it used a file or stream that does not exist");
}
