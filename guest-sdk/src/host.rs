//! The reads that need no session. They are all that a step in changes has, because it runs without a session.

use crate::source::Source;

/// The methods that a [`Host`] and a session have alike. Their examples ask a fixture for its `$view`.
macro_rules! asked_of_any_host {
    ($view:literal) => {
        /// Returns the configuration: of the revision an answer is made from, or as it was before a change.
        ///
        /// ```
        /// # use loadout_sdk::testing::Fixture;
        /// let fixture = Fixture::new().item("macros", "contoso_mail", serde_json::json!({}));
        #[doc = concat!("assert_eq!(fixture.", $view, "().library().names(\"macros\"), [\"contoso_mail\"]);")]
        /// ```
        pub fn library(&self) -> $crate::Library<'a> {
            $crate::Library::new(self.source)
        }

        /// Returns access to business records.
        ///
        /// ```
        /// # use loadout_sdk::testing::Fixture;
        /// let fixture = Fixture::new().record("contact", "fullname", "", "Ada");
        /// let query = loadout_sdk::Query::of("contact");
        #[doc = concat!("let found = fixture.", $view, "().records().find(&query, \"fullname\");")]
        /// assert_eq!(found.unwrap().text(), Some("Ada"));
        /// ```
        pub fn records(&self) -> $crate::Records<'a> {
            $crate::Records::new(self.source)
        }

        /// Returns access to articles.
        ///
        /// ```
        /// # use loadout_sdk::testing::Fixture;
        /// let fixture = Fixture::new();
        #[doc = concat!("let found = fixture.", $view, "().knowledge().search(\"refund\", 3);")]
        /// assert_eq!(found.unwrap_err().code, "not-granted");
        /// ```
        pub fn knowledge(&self) -> $crate::Knowledge<'a> {
            $crate::Knowledge::new(self.source)
        }

        /// Sends a request by https. The host refuses it until an administrator grants its address and the secrets in
        /// it.
        ///
        /// ```
        /// # use loadout_sdk::testing::Fixture;
        /// let fixture = Fixture::new();
        /// let request = loadout_sdk::HttpRequest::get("https://api.contoso.com/");
        #[doc = concat!("assert_eq!(fixture.", $view, "().send(&request).unwrap_err().code, \"not-granted\");")]
        /// ```
        pub fn send(&self, request: &$crate::HttpRequest) -> Result<$crate::HttpResponse, $crate::Refusal> {
            $crate::source::Reads::send(self.source, request)
        }

        /// Writes one line to the trace of the call, for the administrator. Lines are counted and capped.
        ///
        /// ```
        /// # use loadout_sdk::testing::Fixture;
        /// let fixture = Fixture::new();
        #[doc = concat!("fixture.", $view, "().log(loadout_sdk::Level::Info, \"looking\");")]
        /// assert_eq!(fixture.lines()[0].1, "looking");
        /// ```
        pub fn log(&self, level: $crate::Level, message: impl AsRef<str>) {
            $crate::source::Reads::log(self.source, level, message.as_ref());
        }

        /// Writes one line with the level of a warning.
        ///
        /// ```
        /// # use loadout_sdk::testing::Fixture;
        /// let fixture = Fixture::new();
        #[doc = concat!("fixture.", $view, "().warn(\"no desk\");")]
        /// assert_eq!(fixture.lines(), [(loadout_sdk::Level::Warning, "no desk".to_owned())]);
        /// ```
        pub fn warn(&self, message: impl AsRef<str>) {
            self.log($crate::Level::Warning, message);
        }
    };
}
pub(crate) use asked_of_any_host;

/// The host, as a step in changes of configuration sees it. Every read is recorded. Within a call the library gives
/// equal answers to equal reads; records, knowledge and requests go outside each time.
#[derive(Debug, Clone, Copy)]
pub struct Host<'a> {
    source: &'a Source,
}

impl<'a> Host<'a> {
    pub(crate) fn new(source: &'a Source) -> Self {
        Self { source }
    }

    asked_of_any_host!("host");
}
