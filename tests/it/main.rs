//! Promises made to people, kept or broken.

mod access;
mod api;
mod bundles;
mod capabilities;
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
mod openapi;
mod otlp;
mod plugins;
mod signatures;
mod traces;
mod upgrade;
mod upgrade_process;
