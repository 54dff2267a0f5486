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
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().item("macros", "contoso_mail", serde_json::json!({}));
    /// assert_eq!(fixture.host().library().names("macros"), ["contoso_mail"]);
    /// ```
    pub fn library(&self) -> Library<'a> {
        Library::new(self.source)
    }

    /// Business records.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().record("contact", "fullname", "", "Ada");
    /// let query = loadout_sdk::Query::of("contact");
    /// assert_eq!(fixture.host().records().find(&query, "fullname").unwrap().text(), Some("Ada"));
    /// ```
    pub fn records(&self) -> Records<'a> {
        Records::new(self.source)
    }

    /// Articles.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new();
    /// assert_eq!(fixture.host().knowledge().search("refund", 3).unwrap_err().code, "not-granted");
    /// ```
    pub fn knowledge(&self) -> Knowledge<'a> {
        Knowledge::new(self.source)
    }

    /// Sends a request by https. Refused until an administrator grants its host and the secrets in it.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new();
    /// let request = loadout_sdk::HttpRequest::get("https://api.contoso.com/");
    /// assert_eq!(fixture.host().send(&request).unwrap_err().code, "not-granted");
    /// ```
    pub fn send(&self, request: &HttpRequest) -> Result<HttpResponse, Refusal> {
        self.source.send(request)
    }

    /// Writes one line for whoever looks after the plugin. Lines are counted and capped.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new();
    /// fixture.host().log(loadout_sdk::Level::Info, "looking");
    /// assert_eq!(fixture.lines()[0].1, "looking");
    /// ```
    pub fn log(&self, level: Level, message: impl AsRef<str>) {
        self.source.log(level, message.as_ref());
    }

    /// Writes one line about something to look into.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new();
    /// fixture.host().warn("no desk");
    /// assert_eq!(fixture.lines(), [(loadout_sdk::Level::Warning, "no desk".to_owned())]);
    /// ```
    pub fn warn(&self, message: impl AsRef<str>) {
        self.log(Level::Warning, message);
    }
}
