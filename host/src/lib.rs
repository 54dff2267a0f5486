//! A service for experience profiles: what does this person get, and why?
//!
//! Read in this order: [`domain`] holds the values, [`content`] what ships, [`store`] keeps them, [`resolve`] computes
//! answers from them, [`import`] brings them from elsewhere, [`export`] takes them there, [`upgrade`] brings them from the
//! past, [`plugin`] runs the rules and steps they ask, [`outbound`] is their way out, [`bundle`] takes those elsewhere, on the
//! [`workbench`] they are tried, [`service`] joins them, [`http`] and [`cli`] are how it is asked.

pub mod domain;

pub mod content;

pub mod store;

pub mod resolve;

pub mod import;

pub mod export;

pub mod upgrade;

pub mod outbound;

pub mod pipeline;
pub mod plugin;

pub mod bundle;

pub mod workbench;

pub mod service;

pub mod http;

#[doc(hidden)]
pub mod readers;

pub mod cli;
