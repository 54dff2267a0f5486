//! Promises made to people, kept or broken.

mod api;
mod cli;
mod errors;
mod hostile;
mod layering;
mod openapi;
