//! The name of a request: in the log, in its answer, and in the records of the calls it causes.

use std::sync::Arc;

/// What a request is called: in the log, in its answer and in the records of the calls it causes.
#[derive(Debug, Clone)]
pub(super) struct RequestId(pub(super) Arc<str>);
