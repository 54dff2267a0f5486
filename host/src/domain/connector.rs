//! Connectors: the systems in which plugins look up records and search for articles, and the secret that the host sends
//! to them.
//!
//! Refuses an address that is not `https`, and one with a query, a fragment or a slash at the end.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::item::item_basics;
use super::name::NAME_MAX;
use super::*;

/// Longest display name, in characters.
const LONGEST_NAME: usize = 200;

/// A connector. Plugins name it by its unique name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ConnectorSettings)]
pub struct Connector {
    /// The display name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(max_length = 200)]
    pub name: String,
    /// The kind of requests that the connector answers.
    pub kind: ConnectorKind,
    /// The base address, such as `https://contoso.crm.dynamics.com/api/data/v9.2`.
    pub url: ConnectorUrl,
    /// The secret that the host sends as `Authorization: Bearer …`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretName>,
    /// The entity sets of tables, such as `incidents` for `incident`. A table that is not listed is requested by its
    /// own name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub entity_sets: BTreeMap<String, String>,
}

/// The kind of requests that a connector answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ConnectorKind {
    /// Business records, by OData version 4.
    Odata,
    /// Articles, by `GET <url>?search=…&limit=…`, which answers `{"items": [{"id", "title", "url", "excerpt"}]}`.
    Knowledge,
}

/// A base address.
///
/// Invariant: `https://`, a [`HttpHost`], and a path without a slash at its end, without a query and without a
/// fragment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ConnectorUrl {
    host: HttpHost,
    path: String,
}

/// A text that is not a base address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no address of a connector: write it as `https://host/path`, with a host by name and neither query nor slash at the end"
)]
pub struct InvalidConnectorUrl(String);

impl ConnectorUrl {
    const LONGEST: usize = 1000;

    /// The host.
    pub fn host(&self) -> &HttpHost {
        &self.host
    }
}

impl FromStr for ConnectorUrl {
    type Err = InvalidConnectorUrl;

    fn from_str(typed: &str) -> Result<Self, InvalidConnectorUrl> {
        let invalid = || InvalidConnectorUrl(typed.chars().take(100).collect());
        let rest = typed.strip_prefix("https://").filter(|_| typed.len() <= Self::LONGEST).ok_or_else(invalid)?;
        let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let host = host.parse().map_err(|_| invalid())?;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:@".contains(&byte);
        let climbs = path.split('/').any(|step| matches!(step, "." | ".."));
        if path.ends_with('/') || climbs || !path.bytes().all(fits) {
            return Err(invalid());
        }
        Ok(Self { host, path: path.to_owned() })
    }
}

impl fmt::Display for ConnectorUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}{}", self.host, self.path)
    }
}

impl TryFrom<String> for ConnectorUrl {
    type Error = InvalidConnectorUrl;

    fn try_from(text: String) -> Result<Self, InvalidConnectorUrl> {
        text.parse()
    }
}

impl From<ConnectorUrl> for String {
    fn from(url: ConnectorUrl) -> Self {
        url.to_string()
    }
}

impl Item for Connector {
    item_basics!(Connector);

    fn display_name(&self) -> &str {
        &self.name
    }

    fn check(&self, problems: &mut Problems) {
        if self.name.chars().count() > LONGEST_NAME {
            problems.refuse("name", format!("{LONGEST_NAME} characters are the most"));
        }
        if self.kind == ConnectorKind::Knowledge && !self.entity_sets.is_empty() {
            problems.refuse("entitySets", "only a connector of the kind `odata` has entity sets: leave them out");
        }
        for (table, set) in &self.entity_sets {
            for name in [table, set].into_iter().filter(|name| !is_entity(name)) {
                problems.refuse(
                    format!("entitySets.{table}"),
                    format!("`{name}` is no name of a table or entity set: use letters, digits and `_`"),
                );
            }
        }
    }
}

/// Tells whether `text` can name a table or an entity set, and so be a segment of a path.
pub fn is_entity(text: &str) -> bool {
    (1..=NAME_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl utoipa::PartialSchema for ConnectorUrl {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        super::text::plain(
            "A base address, without a slash at its end.",
            "^https://([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?[.])*[a-z]([a-z0-9-]{0,61}[a-z0-9])?(:[1-9][0-9]{0,4})?(/[A-Za-z0-9._~%!$&'()*+,;=:@-]+)*$",
            9,
            Self::LONGEST,
        )
    }
}

impl utoipa::ToSchema for ConnectorUrl {
    fn name() -> std::borrow::Cow<'static, str> {
        "ConnectorUrl".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_address_is_https_and_nothing_more() {
        for typed in ["https://crm.contoso.com", "https://crm.contoso.com:8443/api/data/v9.2"] {
            assert_eq!(typed.parse::<ConnectorUrl>().unwrap().to_string(), typed);
        }
        for typed in [
            "",
            "http://crm.contoso.com",
            "https://",
            "https://127.0.0.1/",
            "https://crm.contoso.com/",
            "https://crm.contoso.com/api?x=1",
            "https://crm.contoso.com/api#x",
            "https://crm.contoso.com/../x",
            "https://me:secret@crm.contoso.com",
            "https://crm.contoso.com/ä",
            "https://crm.contoso.com/a b",
        ] {
            assert!(typed.parse::<ConnectorUrl>().is_err(), "{typed:?}");
        }
    }

    #[test]
    fn entity_sets_are_for_records() {
        let problems = |kind, sets: &[(&str, &str)]| {
            let entity_sets = sets.iter().map(|(table, set)| ((*table).to_owned(), (*set).to_owned())).collect();
            let url = "https://crm.contoso.com".parse().unwrap();
            let mut problems = Problems::default();
            Connector { name: String::new(), kind, url, secret: None, entity_sets }.check(&mut problems);
            problems.0.len()
        };
        assert_eq!(problems(ConnectorKind::Odata, &[("incident", "incidents")]), 0);
        assert_eq!(problems(ConnectorKind::Odata, &[("incident", "../incidents")]), 1);
        assert_eq!(problems(ConnectorKind::Knowledge, &[("incident", "incidents")]), 1);
    }
}
