//! The program as a process: killed, without room, beside many callers.

mod cli;
mod connections;
mod crash;
mod durability;
mod full_disk;
mod owner_only;
mod platform_process;
mod server;
