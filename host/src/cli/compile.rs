//! What another process of this program starts to have a component compiled. Not for people.

use std::io;

use crate::plugin::compile_as_child;

use super::failure::Failure;

/// Compile a component from standard input to standard output.
#[derive(Debug, clap::Args)]
pub(super) struct Compile {
    /// Most seconds of processor time.
    processor_seconds: u64,
    /// Most bytes of memory.
    memory: u64,
}

impl Compile {
    pub(super) fn run(self) -> Result<(), Failure> {
        let Self { processor_seconds, memory } = self;
        compile_as_child(processor_seconds, memory, &mut io::stdin().lock(), &mut io::stdout().lock())
            .map_err(|error| Failure::because("the component cannot be compiled", error))
    }
}
