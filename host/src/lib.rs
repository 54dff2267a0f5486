//! A service for experience profiles: what does this person get, and why?
//!
//! Read in this order: [`domain`] holds the values, [`content`] ships some of them, [`store`] keeps them, [`resolve`]
//! computes answers from them.

pub mod content;
pub mod domain;
pub mod resolve;
pub mod store;
