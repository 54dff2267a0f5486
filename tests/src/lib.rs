//! What the tests of promises share.
//!
//! The tests themselves are in `it/`, one folder for each part of the product.

pub mod archive;
pub mod attempts;
pub mod bombs;
pub mod components;
pub mod guests;
pub mod host;
pub mod outside;
pub mod process;
pub mod program;
pub mod roles;
pub mod schemas;
pub mod skipped;
pub mod trial;

/// What a test comes to: nothing, or why it could not be carried out.
pub type Done = Result<(), host::Failure>;
