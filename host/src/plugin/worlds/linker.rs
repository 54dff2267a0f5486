//! Links what plugins of every world may import: the contract, and the part of WASI that standard libraries pull in.

use wasmtime::component::Linker;

use super::v0_1;
use crate::plugin::sandbox::state::State;
use crate::plugin::sandbox::wasi;

/// Links what plugins of every world may import.
pub(in crate::plugin) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasi::link(&mut linker)?;
    v0_1::link(&mut linker)?;
    Ok(linker)
}
