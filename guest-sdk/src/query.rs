//! Questions for business records, with values escaped as `wit/records.wit` demands.
//!
//! A text from a session or from settings is a value and never a part of the question: it cannot end the text of the
//! question, and adds no option. Names of tables and attributes are the author's own. Text that is no name is refused
//! before the host is asked.

mod filter;
mod literal;

use crate::Refusal;

pub use filter::{Filter, Operator, TextOperator};
pub use literal::Literal;

/// A query for one record of a table.
///
/// ```
/// use loadout_sdk::{Filter, Query};
///
/// let query = Query::of("contact")
///     .filter(Filter::equals("emailaddress1", "o'brien+1@contoso.com").and(Filter::equals("statecode", 0)))
///     .newest_by("createdon");
/// assert_eq!(
///     query.options().unwrap(),
///     "$filter=emailaddress1 eq 'o''brien%2B1@contoso.com' and statecode eq 0&$orderby=createdon desc",
/// );
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    connector: Option<String>,
    table: String,
    filter: Option<Filter>,
    order: Vec<(String, bool)>,
}

impl Query {
    /// Asks for any record of a table, such as `contact`.
    ///
    /// ```
    /// assert_eq!(loadout_sdk::Query::of("contact").options().unwrap(), "");
    /// ```
    pub fn of(table: impl Into<String>) -> Self {
        Self { connector: None, table: table.into(), filter: None, order: Vec::new() }
    }

    /// Asks a connector by name. Needed if the plugin was granted more than one.
    ///
    /// ```
    /// assert_eq!(loadout_sdk::Query::of("contact").at("crm").entity().unwrap(), "crm:contact");
    /// ```
    #[must_use]
    pub fn at(self, connector: impl Into<String>) -> Self {
        Self { connector: Some(connector.into()), ..self }
    }

    /// Keeps only records for which this filter holds, besides the filters before.
    ///
    /// ```
    /// use loadout_sdk::{Filter, Query};
    /// let query = Query::of("contact").filter(Filter::equals("a", 1).or(Filter::equals("b", 2))).filter(Filter::is_set("c"));
    /// assert_eq!(query.options().unwrap(), "$filter=(a eq 1 or b eq 2) and c ne null");
    /// ```
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = Some(match self.filter.take() {
            Some(before) => before.and(filter),
            None => filter,
        });
        self
    }

    /// Puts the record with the least value of an attribute first.
    ///
    /// ```
    /// assert_eq!(loadout_sdk::Query::of("contact").oldest_by("createdon").options().unwrap(), "$orderby=createdon asc");
    /// ```
    #[must_use]
    pub fn oldest_by(mut self, attribute: impl Into<String>) -> Self {
        self.order.push((attribute.into(), false));
        self
    }

    /// Puts the record with the greatest value of an attribute first.
    ///
    /// ```
    /// assert_eq!(loadout_sdk::Query::of("contact").newest_by("createdon").options().unwrap(), "$orderby=createdon desc");
    /// ```
    #[must_use]
    pub fn newest_by(mut self, attribute: impl Into<String>) -> Self {
        self.order.push((attribute.into(), true));
        self
    }

    /// Returns the table after the name of the connector, as `records.look-up` takes it. Refuses a text that is no
    /// name, as `bad-query`.
    ///
    /// ```
    /// let refusal = loadout_sdk::Query::of("contact?x").entity().unwrap_err();
    /// assert_eq!(refusal.to_string(), "bad-query: `contact?x` is no name of a table or an attribute");
    /// ```
    pub fn entity(&self) -> Result<String, Refusal> {
        let table = name(&self.table)?;
        let Some(connector) = &self.connector else { return Ok(table.to_owned()) };
        let fits = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
        if connector.is_empty() || !connector.chars().all(fits) {
            return Err(bad_query(connector, "a connector"));
        }
        Ok(format!("{connector}:{table}"))
    }

    /// Returns the OData query options, escaped. Refuses a text that is no name, as `bad-query`.
    ///
    /// ```
    /// use loadout_sdk::{Filter, Query};
    /// assert_eq!(Query::of("contact").filter(Filter::equals("a&b", 1)).options().unwrap_err().code, "bad-query");
    /// ```
    pub fn options(&self) -> Result<String, Refusal> {
        let mut options = Vec::new();
        if let Some(filter) = &self.filter {
            options.push(format!("$filter={}", filter.written()?));
        }
        if !self.order.is_empty() {
            let order = self.order.iter().map(|(attribute, descending)| {
                Ok(format!("{} {}", path(attribute)?, if *descending { "desc" } else { "asc" }))
            });
            options.push(format!("$orderby={}", order.collect::<Result<Vec<_>, _>>()?.join(",")));
        }
        Ok(options.join("&"))
    }
}

/// A name of a table or an attribute, which stands in a question as it is.
pub(crate) fn name(text: &str) -> Result<&str, Refusal> {
    let fits = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let is_name = !text.is_empty() && text.chars().all(fits);
    if is_name { Ok(text) } else { Err(bad_query(text, "a table or an attribute")) }
}

/// The way to an attribute in a filter or an order, which may lead through another table, such as
/// `customerid_contact/fullname`.
fn path(text: &str) -> Result<&str, Refusal> {
    for part in text.split('/') {
        name(part).map_err(|_| bad_query(text, "a table or an attribute"))?;
    }
    Ok(text)
}

fn bad_query(text: &str, what: &str) -> Refusal {
    let message = format!("`{}` is no name of {what}", text.chars().take(100).collect::<String>());
    Refusal { code: "bad-query".to_owned(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stays_a_number_whatever_a_session_says() {
        for (text, expected) in [("1.5", "1.5"), ("inf", "INF"), ("-inf", "-INF"), ("nan", "NaN"), ("1e999", "INF")] {
            let query = Query::of("contact").filter(Filter::equals("creditlimit", text.parse::<f64>().unwrap()));
            assert_eq!(query.options().unwrap(), format!("$filter=creditlimit eq {expected}"), "{text}");
        }
    }

    #[test]
    fn a_value_stays_a_value_whatever_it_says() {
        for (value, expected) in [
            ("x' or '1' eq '1", "'x'' or ''1'' eq ''1'"),
            ("x'&$select=secret", "'x''%26$select=secret'"),
            ("100% C++ #1", "'100%25 C%2B%2B %231'"),
            ("%27 or true", "'%2527 or true'"),
            ("", "''"),
        ] {
            let query = Query::of("contact").filter(Filter::equals("name", value));
            assert_eq!(query.options().unwrap(), format!("$filter=name eq {expected}"));
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in ["", "a b", "a'", "a&b", "a)", "$select", "crm:contact"] {
            assert_eq!(name(text).unwrap_err().code, "bad-query", "{text}");
        }
        assert_eq!(path("customerid_contact/fullname"), Ok("customerid_contact/fullname"));
        for text in ["customerid_contact/fullname", "a b"] {
            assert_eq!(name(text).unwrap_err().code, "bad-query", "{text}");
        }
        for text in ["/a", "a/", "a//b", ""] {
            assert_eq!(path(text).unwrap_err().code, "bad-query", "{text}");
        }
        assert_eq!(
            Query::of("contact").at("a b").entity().unwrap_err().to_string(),
            "bad-query: `a b` is no name of a connector"
        );
    }
}
