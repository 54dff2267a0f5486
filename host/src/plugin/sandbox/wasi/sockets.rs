//! Sockets, for the names of them alone: the library of Python imports all of this, whether a rule uses it or not.
//!
//! Every function ends the call. Light components are refused for the import already (`inspect`).

use wasmtime::component::{Linker, LinkerInstance};

use crate::plugin::sandbox::forbidden::Forbidden;
use crate::plugin::sandbox::state::State;

use super::{refuse, resource};

struct Network;
struct Addresses;
struct TcpSocket;
struct UdpSocket;
struct Incoming;
struct Outgoing;

const TCP: [&str; 28] = [
    "start-bind",
    "finish-bind",
    "start-connect",
    "finish-connect",
    "start-listen",
    "finish-listen",
    "accept",
    "local-address",
    "remote-address",
    "is-listening",
    "address-family",
    "set-listen-backlog-size",
    "keep-alive-enabled",
    "set-keep-alive-enabled",
    "keep-alive-idle-time",
    "set-keep-alive-idle-time",
    "keep-alive-interval",
    "set-keep-alive-interval",
    "keep-alive-count",
    "set-keep-alive-count",
    "hop-limit",
    "set-hop-limit",
    "receive-buffer-size",
    "set-receive-buffer-size",
    "send-buffer-size",
    "set-send-buffer-size",
    "subscribe",
    "shutdown",
];

const UDP: [&str; 13] = [
    "start-bind",
    "finish-bind",
    "stream",
    "local-address",
    "remote-address",
    "address-family",
    "unicast-hop-limit",
    "set-unicast-hop-limit",
    "receive-buffer-size",
    "set-receive-buffer-size",
    "send-buffer-size",
    "set-send-buffer-size",
    "subscribe",
];

/// Links everything.
pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut network = instance(linker, "network")?;
    resource::<Network>(&mut network, "network")?;
    refuse(&mut network, "network-error-code", Forbidden::NO_NETWORK)?;
    refuse(&mut instance(linker, "instance-network")?, "instance-network", Forbidden::NO_NETWORK)?;
    refuse(&mut instance(linker, "tcp-create-socket")?, "create-tcp-socket", Forbidden::NO_NETWORK)?;
    refuse(&mut instance(linker, "udp-create-socket")?, "create-udp-socket", Forbidden::NO_NETWORK)?;
    let mut lookup = instance(linker, "ip-name-lookup")?;
    refuse(&mut lookup, "resolve-addresses", Forbidden::NO_NETWORK)?;
    methods::<Addresses>(&mut lookup, "resolve-address-stream", &["resolve-next-address", "subscribe"])?;
    methods::<TcpSocket>(&mut instance(linker, "tcp")?, "tcp-socket", &TCP)?;
    let mut udp = instance(linker, "udp")?;
    methods::<UdpSocket>(&mut udp, "udp-socket", &UDP)?;
    methods::<Incoming>(&mut udp, "incoming-datagram-stream", &["receive", "subscribe"])?;
    methods::<Outgoing>(&mut udp, "outgoing-datagram-stream", &["check-send", "send", "subscribe"])
}

fn instance<'a>(linker: &'a mut Linker<State>, name: &str) -> wasmtime::Result<LinkerInstance<'a, State>> {
    linker.instance(&format!("wasi:sockets/{name}@0.2.12"))
}

fn methods<T: 'static>(instance: &mut LinkerInstance<'_, State>, name: &str, methods: &[&str]) -> wasmtime::Result<()> {
    resource::<T>(instance, name)?;
    methods.iter().try_for_each(|method| refuse(instance, &format!("[method]{name}.{method}"), Forbidden::NO_NETWORK))
}
