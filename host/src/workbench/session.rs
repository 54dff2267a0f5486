//! A session as a file, in the form of the body of a question to a host.

use std::path::Path;

use serde_json::{Map, Value};

use super::case::{CaseError, read};

/// Reads a session, YAML or JSON by its name. The host checks its keys.
pub fn session(path: &Path) -> Result<Map<String, Value>, CaseError> {
    read(path)
}
