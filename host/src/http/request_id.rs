//! The id of a request: in the log, in its answer, and in the records of the calls it causes.

use std::sync::Arc;

/// The id of a request.
#[derive(Debug, Clone)]
pub(super) struct RequestId(pub(super) Arc<str>);
