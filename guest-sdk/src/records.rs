//! Business records, through connectors an administrator configured and granted.

use crate::found::Found;
use crate::query::name;
use crate::source::{Reads, Source};
use crate::{Query, Refusal};

/// Business records. Refused until an administrator grants a connector.
#[derive(Debug, Clone, Copy)]
pub struct Records<'a> {
    source: &'a Source,
}

impl<'a> Records<'a> {
    pub(crate) fn new(source: &'a Source) -> Self {
        Self { source }
    }

    /// Returns one attribute of the first record that a query finds. It has no value if there is no such record, or if
    /// the record has none.
    ///
    /// ```
    /// use loadout_sdk::testing::Fixture;
    /// use loadout_sdk::{Filter, Query};
    ///
    /// let query = Query::of("contact").filter(Filter::equals("contactid", "7"));
    /// let fixture = Fixture::new().record("contact", "creditlimit", "$filter=contactid eq '7'", "500");
    /// assert_eq!(fixture.session().records().find(&query, "creditlimit")?.number::<u32>()?, Some(500));
    ///
    /// let refusal = Fixture::new().session().records().find(&query, "creditlimit").unwrap_err();
    /// assert_eq!(refusal.code, "not-granted");
    /// # Ok::<(), loadout_sdk::Fault>(())
    /// ```
    pub fn find(&self, query: &Query, attribute: &str) -> Result<Found, Refusal> {
        let text = self.source.look_up(&query.entity()?, name(attribute)?, &query.options()?)?;
        Ok(Found::new(attribute, text))
    }
}
