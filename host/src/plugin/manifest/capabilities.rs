//! The part of a manifest that asks for capabilities.
//!
//! Refuses what is asked for twice, and worlds that are given none. An empty list stands for nothing, as it did before
//! there were any.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::Capabilities;

use super::error::{ManifestError, check, one_line, refused};

/// What a plugin would like to reach outside. Nothing of it is there until an administrator grants it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CapabilitiesPart)]
pub(super) struct Part {
    /// Connectors that `records.look-up` asks.
    #[serde(default)]
    records: Vec<String>,
    /// Connectors that `knowledge.search` asks.
    #[serde(default)]
    knowledge: Vec<String>,
    /// Hosts that `http.send` asks, by exact name, with a port if it is not 443.
    #[serde(default)]
    http: Vec<String>,
    /// Secrets that `http.send` puts into headers.
    #[serde(default)]
    secrets: Vec<String>,
}

/// What a manifest asks for, if that can be asked for.
pub(super) fn checked(part: Option<toml::Value>) -> Result<Capabilities, ManifestError> {
    let part = match part {
        None => return Ok(Capabilities::default()),
        Some(toml::Value::Array(list)) if list.is_empty() => return Ok(Capabilities::default()),
        Some(toml::Value::Array(list)) => {
            let first = list.first().and_then(toml::Value::as_str).unwrap_or("…");
            let rule = "name what it needs in a table, such as `[capabilities]` with `http = [\"api.contoso.com\"]`";
            return Err(refused("capabilities", first, rule));
        }
        Some(part) => Part::deserialize(part).map_err(|error| ManifestError::Toml(one_line(&error)))?,
    };
    let Part { records, knowledge, http, secrets } = part;
    Ok(Capabilities {
        records: names("capabilities.records", records)?,
        knowledge: names("capabilities.knowledge", knowledge)?,
        http: names("capabilities.http", http)?,
        secrets: names("capabilities.secrets", secrets)?,
    })
}

fn names<T: FromStr<Err: Display> + Ord>(key: &'static str, typed: Vec<String>) -> Result<BTreeSet<T>, ManifestError> {
    let (count, most) = (typed.len(), Capabilities::MAX);
    check(key, &format!("{count} names"), count <= most, &format!("{most} names are the most"))?;
    let mut names = BTreeSet::new();
    for text in typed {
        let name = text.parse::<T>().map_err(|error| refused(key, &text, &error.to_string()))?;
        check(key, &text, names.insert(name), "each is named once")?;
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> String {
        let part = toml::from_str::<toml::Table>(text).unwrap().remove("capabilities");
        checked(part).map_or_else(|error| error.to_string(), |asked| asked.to_string())
    }

    #[test]
    fn what_is_asked_for_is_named() {
        for (text, expected) in [
            ("", "nothing"),
            ("capabilities = []", "nothing"),
            ("[capabilities]", "nothing"),
            (
                "[capabilities]\nrecords = [\"crm\"]\nknowledge = [\"articles\"]\nhttp = [\"b.example:8443\", \"a.example\"]\nsecrets = [\"token\"]",
                "records `crm`, knowledge `articles`, http `a.example`, http `b.example:8443`, secrets `token`",
            ),
        ] {
            assert_eq!(asked(text), expected, "{text}");
        }
        for (text, expected) in [
            (
                "capabilities = [\"records\"]",
                "its manifest says `capabilities = records`; name what it needs in a table",
            ),
            ("capabilities = 1", "its manifest cannot be read: invalid type: integer `1`"),
            ("[capabilities]\nfiles = []", "its manifest cannot be read: unknown field `files`"),
            (
                "[capabilities]\nhttp = [\"*.a.example\"]",
                "its manifest says `capabilities.http = *.a.example`; `*.a.example` is no host",
            ),
            (
                "[capabilities]\nhttp = [\"a.example\", \"a.example\"]",
                "its manifest says `capabilities.http = a.example`; each is named once",
            ),
            (
                "[capabilities]\nrecords = [\"CRM\"]",
                "its manifest says `capabilities.records = CRM`; `CRM` cannot name a connector",
            ),
        ] {
            let found = asked(text);
            assert!(found.starts_with(expected), "{text}: {found}");
        }
        let many: Vec<String> = (0..33).map(|at| format!("\"s{at}\"")).collect();
        let found = asked(&format!("[capabilities]\nsecrets = [{}]", many.join(",")));
        assert_eq!(found, "its manifest says `capabilities.secrets = 33 names`; 32 names are the most");
    }
}
