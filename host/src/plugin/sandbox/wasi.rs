//! The part of WASI 0.2 that standard libraries pull in, and nothing behind it.
//!
//! Clocks stand still, random numbers are the same in every call, there are no arguments, variables or files, standard
//! output is dropped and standard error kept up to the log cap. Setting an alarm ends the call: a deadline does not
//! interrupt the host, so the host never waits.
//!
//! The environment and the wall clock come from `wasmtime-wasi`, with a context that holds nothing and that most calls
//! never need. Streams, polling, the monotonic clock and files are linked by hand: the usual implementation may block
//! the thread, and a call must never reach it.

use wasmtime::StoreContextMut;
use wasmtime::component::{
    ComponentNamedList, ComponentType, Lift, Linker, LinkerInstance, Lower, Resource, ResourceType,
};
use wasmtime_wasi::cli::{WasiCli, WasiCliCtxView};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksCtxView};
use wasmtime_wasi::p2::bindings;

use super::forbidden::Forbidden;
use super::state::State;

mod sockets;

/// Streams are told apart by these numbers; nothing else is behind them.
const STDIN: u32 = 0;
const STDOUT: u32 = 1;
const STDERR: u32 = 2;

/// The one number of all pollables.
const READY: u32 = 0;

/// What a stream takes at once, and the most random bytes a plugin gets at once.
const CHUNK: u64 = 64 << 10;

struct InputStream;
struct OutputStream;
struct Pollable;
struct StreamFailure;
struct Terminal;
struct Descriptor;
struct Directory;

#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    LastOperationFailed(Resource<StreamFailure>),
    #[component(name = "closed")]
    Closed,
}

type Answer<T> = wasmtime::Result<(T,)>;
type Streamed<T> = Answer<Result<T, StreamError>>;

/// Links everything.
pub(in crate::plugin) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    link_io(linker)?;
    link_cli(linker)?;
    link_clocks(linker)?;
    link_random(linker)?;
    link_files(linker)?;
    sockets::link(linker)
}

fn link_io(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut error = linker.instance("wasi:io/error@0.2.12")?;
    resource::<StreamFailure>(&mut error, "error")?;
    refuse(&mut error, "[method]error.to-debug-string", Forbidden::NOTHING_THERE)?;

    let mut poll = linker.instance("wasi:io/poll@0.2.12")?;
    resource::<Pollable>(&mut poll, "pollable")?;
    counted(&mut poll, "[method]pollable.ready", |_, _: (Resource<Pollable>,)| Ok((true,)))?;
    counted(&mut poll, "[method]pollable.block", |_, _: (Resource<Pollable>,)| Ok(()))?;
    counted(&mut poll, "poll", all_ready)?;

    let mut streams = linker.instance("wasi:io/streams@0.2.12")?;
    resource::<InputStream>(&mut streams, "input-stream")?;
    resource::<OutputStream>(&mut streams, "output-stream")?;
    for name in ["read", "blocking-read"] {
        counted(&mut streams, &format!("[method]input-stream.{name}"), nothing_to_read)?;
    }
    for name in ["skip", "blocking-skip"] {
        counted(&mut streams, &format!("[method]input-stream.{name}"), nothing_to_skip)?;
    }
    counted(&mut streams, "[method]output-stream.check-write", room)?;
    for name in ["write", "blocking-write-and-flush"] {
        counted(&mut streams, &format!("[method]output-stream.{name}"), write)?;
    }
    for name in ["flush", "blocking-flush"] {
        counted(&mut streams, &format!("[method]output-stream.{name}"), flush)?;
    }
    for name in ["write-zeroes", "blocking-write-zeroes-and-flush", "splice", "blocking-splice"] {
        refuse(&mut streams, &format!("[method]output-stream.{name}"), Forbidden::NOTHING_THERE)?;
    }
    counted(&mut streams, "[method]input-stream.subscribe", |_, _: (Resource<InputStream>,)| Ok((ready(),)))?;
    counted(&mut streams, "[method]output-stream.subscribe", |_, _: (Resource<OutputStream>,)| Ok((ready(),)))
}

fn ready() -> Resource<Pollable> {
    Resource::new_own(READY)
}

/// Only streams can be polled, and they are always ready: what would have to wait is refused when it is made.
fn all_ready(_: &mut State, (pollables,): (Vec<Resource<Pollable>>,)) -> Answer<Vec<u32>> {
    Ok(((0..u32::try_from(pollables.len())?).collect(),))
}

fn nothing_to_read(_: &mut State, _: (Resource<InputStream>, u64)) -> Streamed<Vec<u8>> {
    Ok((Err(StreamError::Closed),))
}

fn nothing_to_skip(_: &mut State, _: (Resource<InputStream>, u64)) -> Streamed<u64> {
    Ok((Err(StreamError::Closed),))
}

fn room(_: &mut State, _: (Resource<OutputStream>,)) -> Streamed<u64> {
    Ok((Ok(CHUNK),))
}

fn write(state: &mut State, (stream, bytes): (Resource<OutputStream>, Vec<u8>)) -> Streamed<()> {
    if stream.rep() == STDERR {
        state.write_stderr(&bytes)?;
    }
    Ok((Ok(()),))
}

fn flush(_: &mut State, _: (Resource<OutputStream>,)) -> Streamed<()> {
    Ok((Ok(()),))
}

fn link_cli(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    bindings::cli::environment::add_to_linker::<_, WasiCli>(linker, |state: &mut State| {
        let (ctx, table) = state.wasi();
        WasiCliCtxView { ctx: ctx.cli(), table }
    })?;

    let mut exit = linker.instance("wasi:cli/exit@0.2.12")?;
    refuse(&mut exit, "exit", Forbidden::EXIT)?;
    refuse(&mut exit, "exit-with-code", Forbidden::EXIT)?;

    let mut stdin = linker.instance("wasi:cli/stdin@0.2.12")?;
    counted(&mut stdin, "get-stdin", |_, ()| Ok((Resource::<InputStream>::new_own(STDIN),)))?;
    let mut stdout = linker.instance("wasi:cli/stdout@0.2.12")?;
    counted(&mut stdout, "get-stdout", |_, ()| Ok((Resource::<OutputStream>::new_own(STDOUT),)))?;
    let mut stderr = linker.instance("wasi:cli/stderr@0.2.12")?;
    counted(&mut stderr, "get-stderr", |_, ()| Ok((Resource::<OutputStream>::new_own(STDERR),)))?;

    for direction in ["input", "output"] {
        let name = format!("terminal-{direction}");
        resource::<Terminal>(&mut linker.instance(&format!("wasi:cli/{name}@0.2.12"))?, &name)?;
    }
    for stream in ["stdin", "stdout", "stderr"] {
        let mut terminal = linker.instance(&format!("wasi:cli/terminal-{stream}@0.2.12"))?;
        counted(&mut terminal, &format!("get-terminal-{stream}"), |_, ()| Ok((None::<Resource<Terminal>>,)))?;
    }
    Ok(())
}

fn link_clocks(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut monotonic = linker.instance("wasi:clocks/monotonic-clock@0.2.12")?;
    counted(&mut monotonic, "now", |state, ()| Ok((u64::try_from(state.fixed_inputs().time.as_nanos())?,)))?;
    counted(&mut monotonic, "resolution", |_, ()| Ok((1_u64,)))?;
    refuse(&mut monotonic, "subscribe-instant", Forbidden::WAITING)?;
    refuse(&mut monotonic, "subscribe-duration", Forbidden::WAITING)?;

    bindings::clocks::wall_clock::add_to_linker::<_, WasiClocks>(linker, |state: &mut State| {
        let (ctx, table) = state.wasi();
        WasiClocksCtxView { ctx: ctx.clocks(), table }
    })
}

/// Every hash map of a Rust plugin asks for a seed, so this is by hand: the library's context would be made for each
/// call, with generators, sockets and folders that no plugin gets.
fn link_random(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    for (interface, prefix) in [("random", "get-random"), ("insecure", "get-insecure-random")] {
        let mut instance = linker.instance(&format!("wasi:random/{interface}@0.2.12"))?;
        counted(&mut instance, &format!("{prefix}-bytes"), random_bytes)?;
        counted(&mut instance, &format!("{prefix}-u64"), |state, ()| Ok((u64::from_le_bytes(state.random()),)))?;
    }
    let mut seed = linker.instance("wasi:random/insecure-seed@0.2.12")?;
    counted(&mut seed, "insecure-seed", |state, ()| Ok(((SEED.0 ^ state.fixed_inputs().seed, SEED.1),)))
}

fn random_bytes(state: &mut State, (count,): (u64,)) -> Answer<Vec<u8>> {
    if count > CHUNK {
        return Err(Forbidden::SO_MUCH_RANDOMNESS.into());
    }
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < count {
        bytes.extend(state.random());
    }
    bytes.truncate(usize::try_from(count)?);
    Ok((bytes,))
}

/// The seed of hash maps. Any numbers do; these are of the golden ratio.
const SEED: (u64, u64) = (0x9e37_79b9_7f4a_7c15, 0x34c8_ed5c_60cc_39f4);

/// What can be done with an open file or folder. No plugin ever gets hold of one.
const DESCRIPTOR: [&str; 27] = [
    "read-via-stream",
    "write-via-stream",
    "append-via-stream",
    "advise",
    "sync-data",
    "get-flags",
    "get-type",
    "set-size",
    "set-times",
    "read",
    "write",
    "read-directory",
    "sync",
    "create-directory-at",
    "stat",
    "stat-at",
    "set-times-at",
    "link-at",
    "open-at",
    "readlink-at",
    "remove-directory-at",
    "rename-at",
    "symlink-at",
    "unlink-file-at",
    "is-same-object",
    "metadata-hash",
    "metadata-hash-at",
];

fn link_files(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut types = linker.instance("wasi:filesystem/types@0.2.12")?;
    resource::<Descriptor>(&mut types, "descriptor")?;
    resource::<Directory>(&mut types, "directory-entry-stream")?;
    for name in DESCRIPTOR {
        refuse(&mut types, &format!("[method]descriptor.{name}"), Forbidden::NOTHING_THERE)?;
    }
    refuse(&mut types, "[method]directory-entry-stream.read-directory-entry", Forbidden::NOTHING_THERE)?;
    refuse(&mut types, "filesystem-error-code", Forbidden::NOTHING_THERE)?;
    let mut preopens = linker.instance("wasi:filesystem/preopens@0.2.12")?;
    counted(&mut preopens, "get-directories", |_, ()| Ok((Vec::<(Resource<Descriptor>, String)>::new(),)))
}

/// Links a function whose calls are counted.
fn counted<P, R>(
    instance: &mut LinkerInstance<'_, State>,
    name: &str,
    answer: fn(&mut State, P) -> wasmtime::Result<R>,
) -> wasmtime::Result<()>
where
    P: ComponentNamedList + Lift + 'static,
    R: ComponentNamedList + Lower + 'static,
{
    instance.func_wrap(name, move |mut store: StoreContextMut<'_, State>, given: P| {
        let state = store.data_mut();
        state.meter.host_call(0)?;
        answer(state, given)
    })
}

/// Links a function that ends the call.
fn refuse(instance: &mut LinkerInstance<'_, State>, name: &str, why: Forbidden) -> wasmtime::Result<()> {
    let refused = name.to_owned();
    instance.func_new(name, move |mut store, _, _, _| {
        store.data_mut().refuse(&refused);
        Err(why.into())
    })
}

/// Links a resource with nothing behind it, so that dropping it does nothing.
fn resource<T: 'static>(instance: &mut LinkerInstance<'_, State>, name: &str) -> wasmtime::Result<()> {
    instance.resource(name, ResourceType::host::<T>(), |_, _| Ok(()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::resolve::Reads;

    use super::*;
    use crate::plugin::limits::call_limits::Limits;

    #[test]
    fn random_numbers_are_the_same_in_every_call_and_never_too_many() {
        let call = || State::new(Arc::default(), Limits::default(), Reads::new(Arc::default(), Arc::default()));
        let drawn = |state: &mut State, count| random_bytes(state, (count,)).map(|(bytes,)| bytes);
        let (mut one, mut other) = (call(), call());
        for count in [0, 1, 8, 9, CHUNK] {
            let bytes = drawn(&mut one, count).unwrap();
            assert_eq!(bytes.len() as u64, count);
            assert_eq!(bytes, drawn(&mut other, count).unwrap(), "for {count}");
        }
        assert_ne!(one.random(), one.random(), "within a call they differ");
        let refused = drawn(&mut one, CHUNK + 1).unwrap_err();
        assert_eq!(refused.to_string(), "it asked for more than 64 KiB of random numbers at once");
    }
}
