//! A service for experience profiles: which experience does a person get, and why?
//!
//! Read in this order: [`domain`] holds the values, [`content`] holds what ships, [`store`] keeps them, [`resolve`]
//! computes answers from them. [`import`] brings configuration in from other environments, [`export`] takes it there,
//! and [`upgrade`] migrates old environments. [`plugin`] runs the rules and steps of plugins, [`outbound`] sends their
//! requests, [`bundle`] takes plugins to other environments, and the [`workbench`] tries them. [`service`] joins all of
//! these; [`http`] and [`cli`] are its interfaces.

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
