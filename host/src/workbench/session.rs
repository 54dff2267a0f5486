//! A session as a file: what a workspace would ask a host about, as the body of a question has it.

use std::path::Path;

use serde_json::{Map, Value};

use super::case::{CaseError, read};

/// Reads a session, YAML or JSON by its name. What may be in it is for the host to say.
pub fn session(path: &Path) -> Result<Map<String, Value>, CaseError> {
    read(path)
}
