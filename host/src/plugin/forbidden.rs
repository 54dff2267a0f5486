//! What a plugin must not do: a host function that is called for it ends the call with one of these.

/// Something a plugin must not do, noticed by the host function it did it with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Forbidden(&'static str);

impl Forbidden {
    pub(super) const WAITING: Self = Self("it tried to wait; a rule cannot sleep");
    pub(super) const EXIT: Self = Self("it tried to exit; a rule answers instead");
    pub(super) const SO_MUCH_RANDOMNESS: Self = Self("it asked for more than 64 KiB of random numbers at once");
    pub(super) const NO_NETWORK: Self = Self("it opened a socket; `http`, `records` and `knowledge` are the ways out");
    pub(super) const NOTHING_THERE: Self = Self("it used a file or stream that does not exist");
}
