//! The HTTP API, its description, and who may do what.

mod access;
mod assignments;
mod bounds;
mod errors;
mod headers;
mod items;
mod links;
mod openapi;
mod published;
