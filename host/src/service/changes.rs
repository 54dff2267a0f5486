//! Changes through the pipeline of steps, and the outbox of asynchronous steps.

pub(in crate::service) mod commit;
pub(in crate::service) mod held_back;
pub(in crate::service) mod outbox;
