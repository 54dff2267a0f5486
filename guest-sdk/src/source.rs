//! The source of what a plugin reads: the host, or in tests a fixture.

use crate::{Article, HttpRequest, HttpResponse, Refusal};

/// Answers the reads of a plugin.
///
/// The source is chosen when the plugin is compiled, so that a component imports only what it reads.
pub(crate) trait Reads {
    fn get(&self, key: &str) -> Option<String>;
    fn has_role(&self, role: &str) -> bool;
    fn has_licence(&self, licence: &str) -> bool;
    fn channel(&self) -> Option<String>;
    fn workstream(&self) -> Option<String>;
    fn entity(&self) -> Option<String>;
    fn session_template(&self) -> Option<String>;
    fn profile(&self) -> String;
    fn language(&self) -> u32;
    fn base_language(&self) -> u32;
    fn app(&self) -> String;
    fn render(&self, template: &str) -> Rendered;
    fn item(&self, kind: &str, unique_name: &str) -> Option<String>;
    fn links(&self, kind: &str, unique_name: &str, attribute: &str) -> Vec<String>;
    fn names(&self, kind: &str) -> Vec<String>;
    fn look_up(&self, entity: &str, attribute: &str, options: &str) -> Result<Option<String>, Refusal>;
    fn search(&self, source: &str, text: &str, limit: u32) -> Result<Vec<Article>, Refusal>;
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, Refusal>;
    fn log(&self, level: Level, message: &str);
}

#[cfg(target_arch = "wasm32")]
pub(crate) type Source = crate::bindings::Imports;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) type Source = crate::testing::Fixture;

/// A text after its slugs were replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The text. A slug without a value is replaced by nothing.
    pub text: String,
    /// The slugs without a value, as they were spelt, each once.
    pub unresolved: Vec<String>,
}

/// The level of a line of the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For the author.
    Debug,
    /// Worth knowing.
    Info,
    /// Something to look into.
    Warning,
}
