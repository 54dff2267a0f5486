//! What a step in changes may ask its host: all that a rule may, but for the person and the session, of whom there are none.

use crate::session::{Level, Reads, Source};
use crate::{HttpRequest, HttpResponse, Knowledge, Library, Records, Refusal};

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

    /// Business records.
    pub fn records(&self) -> Records<'a> {
        Records::new(self.source)
    }

    /// Articles.
    pub fn knowledge(&self) -> Knowledge<'a> {
        Knowledge::new(self.source)
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
