//! How plugins are written, tried and measured.

mod bench;
mod dev;
mod guide;
mod harness;
mod languages;
mod mutation;
mod page;
mod projects;
mod quick_start;
mod remote;
