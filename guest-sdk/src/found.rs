//! A text from a record or from a session, read as a number, a switch, a day or another type.

use std::fmt;
use std::str::FromStr;

use crate::{Date, Fault};

/// A value that was asked for by name: an attribute of a record, or a key of the session's context. It may be empty.
///
/// A text that does not fit the type is a fault that names the value: `no-number`, `no-switch` or `no-date`.
///
/// ```
/// use loadout_sdk::testing::Fixture;
///
/// let fixture = Fixture::new().context("visits", "3").context("vip", "True").context("since", "2026-03-01T08:00:00Z");
/// let session = fixture.session();
/// assert_eq!(session.read("visits").number::<u32>()?, Some(3));
/// assert_eq!(session.read("vip").switch()?, Some(true));
/// assert_eq!(session.read("since").date()?.map(|day| day.year()), Some(2026));
/// assert_eq!(session.read("nothing").number::<u32>()?, None);
/// assert_eq!(session.read("vip").number::<u32>().unwrap_err().to_string(), "no-number: `vip`: `True` is no number it can have");
/// # Ok::<(), loadout_sdk::Fault>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    name: String,
    text: Option<String>,
}

impl Found {
    pub(crate) fn new(name: &str, text: Option<String>) -> Self {
        Self { name: name.to_owned(), text }
    }

    /// Returns the text as it is.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().context("name", "Ada");
    /// assert_eq!(fixture.session().read("name").text(), Some("Ada"));
    /// ```
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// Returns the text. Without a value, it is the fault `value-missing`.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fault = Fixture::new().session().read("customerName").required().unwrap_err();
    /// assert_eq!(fault.to_string(), "value-missing: `customerName` has no value, and it is required");
    /// ```
    pub fn required(self) -> Result<String, Fault> {
        let Self { name, text } = self;
        text.ok_or_else(|| Fault::new("value-missing", format!("`{name}` has no value, and it is required")))
    }

    /// Reads a number. One that does not fit into `N` is the fault `no-number`.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().context("visits", " 3 ");
    /// assert_eq!(fixture.session().read("visits").number::<u8>()?, Some(3));
    /// # Ok::<(), loadout_sdk::Fault>(())
    /// ```
    pub fn number<N: FromStr>(&self) -> Result<Option<N>, Fault> {
        self.meaning("no-number", |text| text.parse().map_err(|_| "is no number it can have".to_owned()))
    }

    /// Reads a switch: `True`, `1` or `false` in any case. Anything else is the fault `no-switch`.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().context("vip", "0");
    /// assert_eq!(fixture.session().read("vip").switch()?, Some(false));
    /// # Ok::<(), loadout_sdk::Fault>(())
    /// ```
    pub fn switch(&self) -> Result<Option<bool>, Fault> {
        self.meaning("no-switch", |text| match text {
            "1" => Ok(true),
            "0" => Ok(false),
            text if text.eq_ignore_ascii_case("true") => Ok(true),
            text if text.eq_ignore_ascii_case("false") => Ok(false),
            _ => Err("is neither true nor false".to_owned()),
        })
    }

    /// Reads a day, alone or before the time of a timestamp. Anything else is the fault `no-date`.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().context("since", "2026-03-01");
    /// assert_eq!(fixture.session().read("since").date()?.unwrap().to_string(), "2026-03-01");
    /// # Ok::<(), loadout_sdk::Fault>(())
    /// ```
    pub fn date(&self) -> Result<Option<Date>, Fault> {
        self.meaning("no-date", |text| text.parse().map_err(|_| "is no day such as `2026-11-22`".to_owned()))
    }

    /// Reads any type that is parsed from a text, such as a timestamp of a date crate. A text it refuses is the fault
    /// `code`.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new().context("address", "no address");
    /// let fault = fixture.session().read("address").parse::<std::net::IpAddr>("no-address").unwrap_err();
    /// assert_eq!(fault.to_string(), "no-address: `address`: `no address`: invalid IP address syntax");
    /// ```
    pub fn parse<T: FromStr<Err: fmt::Display>>(&self, code: &str) -> Result<Option<T>, Fault> {
        let Some(text) = &self.text else { return Ok(None) };
        let unfit = |error: T::Err| Fault::new(code, format!("`{}`: `{text}`: {error}", self.name));
        text.parse().map(Some).map_err(unfit)
    }

    /// Reads the text without blanks around it. None if there is no value or only blanks.
    fn meaning<T>(&self, code: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Result<Option<T>, Fault> {
        let Some(text) = self.text.as_deref().map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
        read(text).map(Some).map_err(|why| Fault::new(code, format!("`{}`: `{text}` {why}", self.name)))
    }
}
