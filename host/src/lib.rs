//! A service for experience profiles: what does this person get, and why?
//!
//! Read in this order: [`domain`] holds the values, [`store`] keeps them, [`resolve`] computes answers from them,
//! [`service`] joins them.

pub mod domain;
pub mod resolve;
pub mod service;
pub mod store;
