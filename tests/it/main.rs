//! Promises made to people, kept or broken.

mod answers;
mod api;
mod authoring;
mod plugins;
mod processes;
mod sandbox;
mod source;
mod steps;
mod transfer;
mod upgrades;
mod watching;
