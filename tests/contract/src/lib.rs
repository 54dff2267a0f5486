//! Holds one version of the contract against another: which guests run on which host, and what exactly differs.
//!
//! A guest is tried that imports and exports all its world has, so a change that some plugin might get away with is
//! still a breaking one. Nothing is run: whether a guest fits a host is settled by their types. Says nothing about what
//! functions mean.

mod contract;
mod difference;
mod reference;
mod trial;

pub use contract::{Contract, ReadError};
pub use difference::difference;
pub use reference::reference;
pub use trial::{Class, WorldChange, compare, report};
