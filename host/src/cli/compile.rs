//! The hidden sub-commands by which a process of this program has a child process try or compile a component.

use std::io;

use crate::plugin::{Work, work_as_child};

use super::failure::Failure;

/// Take a component from standard input, and answer on standard output.
#[derive(Debug, clap::Args)]
pub(super) struct Child {
    /// Most seconds of processor time.
    processor_seconds: u64,
    /// Most bytes of memory.
    memory: u64,
}

impl Child {
    pub(super) fn run(self, work: Work) -> Result<(), Failure> {
        let Self { processor_seconds, memory } = self;
        work_as_child(work, processor_seconds, memory, &mut io::stdin().lock(), &mut io::stdout().lock())
            .map_err(|error| Failure::because("the component cannot be compiled", error))
    }
}
