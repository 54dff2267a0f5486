//! Capabilities: the outside systems and secrets that a plugin may use. A manifest asks for them, an administrator
//! grants them, and the plugin has those that are in both.
//!
//! Refuses wildcards: every connector, host and secret is named.

mod host;
mod name;

pub use host::{HttpHost, InvalidHost};
pub use name::{ConnectorName, InvalidHandle, SecretName};

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The capabilities that a plugin has, or asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Capabilities {
    /// Connectors through which it looks up business records.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub records: BTreeSet<ConnectorName>,
    /// Connectors through which it searches for articles.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub knowledge: BTreeSet<ConnectorName>,
    /// Hosts it sends requests to, such as `api.contoso.com` or `api.contoso.com:8443`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub http: BTreeSet<HttpHost>,
    /// Secrets that it puts into those requests by name. The plugin never sees the value of one.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub secrets: BTreeSet<SecretName>,
}

impl Capabilities {
    /// Most names of each kind.
    pub const MAX: usize = 32;

    /// Tells whether there is no capability.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the capabilities that are in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            records: &self.records & &other.records,
            knowledge: &self.knowledge & &other.knowledge,
            http: &self.http & &other.http,
            secrets: &self.secrets & &other.secrets,
        }
    }

    /// Returns the capabilities that are not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self {
            records: &self.records - &other.records,
            knowledge: &self.knowledge - &other.knowledge,
            http: &self.http - &other.http,
            secrets: &self.secrets - &other.secrets,
        }
    }
}

/// Such as ``records `crm`, http `api.contoso.com` ``.
impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn named<T: fmt::Display>(kind: &str, names: &BTreeSet<T>) -> Vec<String> {
            names.iter().map(|name| format!("{kind} `{name}`")).collect()
        }
        let Self { records, knowledge, http, secrets } = self;
        let all =
            [named("records", records), named("knowledge", knowledge), named("http", http), named("secrets", secrets)];
        let all = all.concat();
        if all.is_empty() { f.write_str("nothing") } else { f.write_str(&all.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn some() -> impl Strategy<Value = Capabilities> {
        let connectors = || proptest::sample::subsequence(vec!["crm", "erp", "wiki"], 0..=3);
        let hosts = proptest::sample::subsequence(vec!["a.example", "b.example:8443"], 0..=2);
        (connectors(), connectors(), hosts, connectors()).prop_map(|(records, knowledge, http, secrets)| Capabilities {
            records: records.into_iter().map(|it| it.parse().unwrap()).collect(),
            knowledge: knowledge.into_iter().map(|it| it.parse().unwrap()).collect(),
            http: http.into_iter().map(|it| it.parse().unwrap()).collect(),
            secrets: secrets.into_iter().map(|it| it.parse().unwrap()).collect(),
        })
    }

    proptest! {
        #[test]
        fn what_is_had_was_asked_for_and_granted(asked in some(), granted in some()) {
            let had = asked.and(&granted);
            prop_assert!(had.without(&asked).is_empty() && had.without(&granted).is_empty());
            let missing = asked.without(&granted);
            prop_assert!(missing.and(&granted).is_empty());
            for name in asked.http.union(&granted.http) {
                let both = asked.http.contains(name) && granted.http.contains(name);
                prop_assert_eq!(had.http.contains(name), both);
                prop_assert_eq!(missing.http.contains(name), asked.http.contains(name) && !both);
            }
            prop_assert_eq!(asked.and(&asked), asked.clone());
            prop_assert!(asked.and(&Capabilities::default()).is_empty());
            let json = serde_json::to_value(&asked).unwrap();
            prop_assert_eq!(serde_json::from_value::<Capabilities>(json).unwrap(), asked);
        }
    }

    #[test]
    fn capabilities_are_named_in_sentences() {
        let some: Capabilities =
            serde_json::from_str(r#"{"records":["crm"],"http":["b.example","a.example:8443"],"secrets":["token"]}"#)
                .unwrap();
        insta::assert_snapshot!(some, @"records `crm`, http `a.example:8443`, http `b.example`, secrets `token`");
        insta::assert_snapshot!(Capabilities::default(), @"nothing");
    }
}
