//! Articles, through connectors an administrator configured and granted.

use crate::source::{Reads, Source};
use crate::{Article, Refusal};

/// Articles. Refused until an administrator grants a connector.
#[derive(Debug, Clone, Copy)]
pub struct Knowledge<'a> {
    source: &'a Source,
    connector: &'a str,
}

impl<'a> Knowledge<'a> {
    pub(crate) fn new(source: &'a Source) -> Self {
        Self { source, connector: "" }
    }

    /// Searches through the connector of this name. Needed if the plugin was granted more than one.
    ///
    /// ```
    /// # use loadout_sdk::Article;
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().article("wiki", Article { title: "Refunds".to_owned(), ..Article::default() });
    /// assert_eq!(fixture.session().knowledge().of("wiki").search("refund", 3)?[0].title, "Refunds");
    /// assert!(fixture.session().knowledge().of("other").search("refund", 3).is_err());
    /// # Ok::<(), loadout_sdk::Refusal>(())
    /// ```
    #[must_use]
    pub fn of<'b>(self, connector: &'b str) -> Knowledge<'b>
    where
        'a: 'b,
    {
        Knowledge { source: self.source, connector }
    }

    /// Returns the articles that suit a text best, the best first, at most `limit`.
    ///
    /// ```
    /// # use loadout_sdk::Article;
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().article("wiki", Article::default());
    /// assert_eq!(fixture.session().knowledge().search("refund", 3)?.len(), 1);
    /// assert_eq!(Fixture::new().session().knowledge().search("refund", 3).unwrap_err().code, "not-granted");
    /// # Ok::<(), loadout_sdk::Refusal>(())
    /// ```
    pub fn search(&self, text: &str, limit: u32) -> Result<Vec<Article>, Refusal> {
        self.source.search(self.connector, text, limit)
    }
}
