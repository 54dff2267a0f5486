//! A service for experience profiles: what does this person get, and why?
//!
//! Read in this order: [`domain`] holds the values, [`store`] keeps them, [`resolve`] computes answers from them.

pub mod domain;
pub mod import;
pub mod resolve;
pub mod store;
