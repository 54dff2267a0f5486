//! What is known of calls afterwards.

mod otlp;
mod recordings;
mod traces;
