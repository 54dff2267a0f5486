//! What a step in changes may ask its host: all that a rule may, but for the person and the session, of whom there are none.

use crate::session::{Level, Reads, Source};
use crate::{Article, HttpRequest, HttpResponse, Library, Refusal};

/// The host, as a step in changes of configuration sees it. Every read is recorded, and answers the same however often it is asked.
#[derive(Debug, Clone, Copy)]
pub struct Host<'a> {
    source: &'a Source,
}

impl<'a> Host<'a> {
    pub(crate) fn new(source: &'a Source) -> Self {
        Self { source }
    }

    /// The configuration as it is before the change.
    pub fn library(&self) -> Library<'a> {
        Library::new(self.source)
    }

    /// One attribute of the first business record a query finds. Refused until an administrator grants a connector.
    ///
    /// `options` are OData query options, with values that the plugin escaped, as `wit/records.wit` says how.
    pub fn look_up(&self, entity: &str, attribute: &str, options: &str) -> Result<Option<String>, Refusal> {
        self.source.look_up(entity, attribute, options)
    }

    /// The articles that suit a text best, at most `limit`. Refused until an administrator grants a connector.
    ///
    /// `source` names a connector; if it is empty, the only one the plugin was granted.
    pub fn search(&self, source: &str, text: &str, limit: u32) -> Result<Vec<Article>, Refusal> {
        self.source.search(source, text, limit)
    }

    /// Sends a request by https. Refused until an administrator grants its host and the secrets in it.
    pub fn send(&self, request: &HttpRequest) -> Result<HttpResponse, Refusal> {
        self.source.send(request)
    }

    /// Writes one line for whoever looks after the plugin. Lines are counted and capped.
    pub fn log(&self, level: Level, message: impl AsRef<str>) {
        self.source.log(level, message.as_ref());
    }

    /// Writes one line about something to look into.
    pub fn warn(&self, message: impl AsRef<str>) {
        self.log(Level::Warning, message);
    }
}
