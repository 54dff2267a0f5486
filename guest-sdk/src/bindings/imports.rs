//! What plugins of every world read, asked of the host.

use super::tool::loadout::plugin::{context, http, knowledge, library, records, trace};
use crate::source::{Level, Reads, Rendered};
use crate::{Article, HeaderValue, HttpRequest, HttpResponse, Refusal};

/// Reads through the host.
#[derive(Debug)]
pub struct Imports;

impl Reads for Imports {
    fn get(&self, key: &str) -> Option<String> {
        context::get(key)
    }

    fn has_role(&self, role: &str) -> bool {
        context::has_role(role)
    }

    fn has_licence(&self, licence: &str) -> bool {
        context::has_licence(licence)
    }

    fn channel(&self) -> Option<String> {
        context::channel()
    }

    fn workstream(&self) -> Option<String> {
        context::workstream()
    }

    fn entity(&self) -> Option<String> {
        context::entity()
    }

    fn session_template(&self) -> Option<String> {
        context::session_template()
    }

    fn profile(&self) -> String {
        context::profile()
    }

    fn language(&self) -> u32 {
        context::language()
    }

    fn base_language(&self) -> u32 {
        context::base_language()
    }

    fn app(&self) -> String {
        context::app()
    }

    fn render(&self, template: &str) -> Rendered {
        let context::Rendered { text, unresolved } = context::render(template);
        Rendered { text, unresolved }
    }

    fn item(&self, kind: &str, unique_name: &str) -> Option<String> {
        library::item(kind, unique_name)
    }

    fn links(&self, kind: &str, unique_name: &str, attribute: &str) -> Vec<String> {
        library::links(kind, unique_name, attribute)
    }

    fn names(&self, kind: &str) -> Vec<String> {
        library::names(kind)
    }

    fn look_up(&self, entity: &str, attribute: &str, options: &str) -> Result<Option<String>, Refusal> {
        let answer = records::look_up(entity, attribute, options);
        answer.map_err(|records::Refusal { code, message }| Refusal { code, message })
    }

    fn search(&self, source: &str, text: &str, limit: u32) -> Result<Vec<Article>, Refusal> {
        let article = |knowledge::Article { id, title, url, excerpt }| Article { id, title, url, excerpt };
        let answer = knowledge::search(source, text, limit);
        answer
            .map(|found| found.into_iter().map(article).collect())
            .map_err(|knowledge::Refusal { code, message }| Refusal { code, message })
    }

    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, Refusal> {
        let HttpRequest { method, url, headers, body } = request.clone();
        let header = |(name, value): (String, HeaderValue)| {
            let value = match value {
                HeaderValue::Text(text) => http::HeaderValue::Text(text),
                HeaderValue::Secret(name) => http::HeaderValue::Secret(name),
                HeaderValue::Bearer(name) => http::HeaderValue::Bearer(name),
            };
            (name, value)
        };
        let headers = headers.into_iter().map(header).collect();
        let answer = http::send(&http::Request { method, url, headers, body });
        answer
            .map(|http::Response { status, headers, body }| HttpResponse { status, headers, body })
            .map_err(|http::Refusal { code, message }| Refusal { code, message })
    }

    fn log(&self, level: Level, message: &str) {
        let level = match level {
            Level::Debug => trace::Level::Debug,
            Level::Info => trace::Level::Info,
            Level::Warning => trace::Level::Warning,
        };
        trace::log(level, message);
    }
}
