//! How heavy a component is: whether it holds a rule, or a rule and the runtime of its language.
//!
//! A host counts and chooses; no manifest can ask for more room. Each weight has a pool of its own, so that what a
//! runtime needs is taken from no rule that gets along without one.

const MIB: usize = 1 << 20;

/// A component of more bytes is a heavy one. Rules of Rust have some hundred thousand, runtimes of Python or JavaScript
/// ten million and more.
const LIGHTEST_RUNTIME: usize = 4 * MIB;

/// How heavy a component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Weight {
    /// It holds what it does, and the little its language needs.
    Light,
    /// It holds the runtime of its language, too.
    Heavy,
}

impl Weight {
    /// How heavy a component is.
    pub(in crate::plugin) fn of(component: &[u8]) -> Self {
        Self::of_size(component.len() as u64)
    }

    /// How heavy a component of so many bytes is.
    pub(in crate::plugin) fn of_size(bytes: u64) -> Self {
        if bytes > LIGHTEST_RUNTIME as u64 { Self::Heavy } else { Self::Light }
    }

    /// Core modules a component may instantiate. One made by a Rust toolchain has three or four, one of Python has
    /// forty.
    pub(in crate::plugin) const fn core_instances(self) -> u32 {
        match self {
            Self::Light => 16,
            Self::Heavy => 96,
        }
    }

    /// Most bytes of the code a component is compiled to.
    pub(in crate::plugin) const fn code(self) -> u64 {
        match self {
            Self::Light => 64 << 20,
            Self::Heavy => 512 << 20,
        }
    }

    /// Bytes of memory that a call may use by default.
    pub(in crate::plugin) const fn memory(self) -> usize {
        match self {
            Self::Light => 32 * MIB,
            Self::Heavy => 128 * MIB,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_larger_than_a_rule_is_heavy() {
        assert_eq!(Weight::of(&vec![0; LIGHTEST_RUNTIME]), Weight::Light);
        assert_eq!(Weight::of(&vec![0; LIGHTEST_RUNTIME + 1]), Weight::Heavy);
    }
}
