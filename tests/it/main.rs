//! Promises made to people, kept or broken.

mod access;
mod api;
mod bombs;
mod bundles;
mod changes;
mod cli;
mod components;
mod crash;
mod databases;
mod errors;
mod experience;
mod export;
mod hostile;
mod import;
mod layering;
mod load;
mod openapi;
mod otlp;
mod platform_process;
mod plugins;
mod server;
mod signatures;
mod traces;
mod upgrade;
mod upgrade_process;
