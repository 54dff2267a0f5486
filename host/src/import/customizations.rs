//! Reads `customizations.xml`: macros, and the many-to-many links at its end.
//!
//! The table name of a link varies (names are cut, two spellings exist), so links are told apart by the columns they
//! join.

use std::collections::BTreeMap;

use crate::domain::source::guid;

use super::xml::Element;

/// The content of `customizations.xml`.
#[derive(Debug, Default)]
pub(super) struct Customizations {
    pub(super) workflows: Vec<Workflow>,
    pub(super) links: Links,
    /// Names of roles by GUID.
    pub(super) roles: BTreeMap<String, String>,
    /// Sections with content that this import does not read, with the number of elements in each.
    pub(super) unread: Vec<(String, usize)>,
}

/// One process. Processes of one category are macros.
#[derive(Debug)]
pub(super) struct Workflow {
    /// The GUID in lower case, without braces; any other text unchanged.
    pub(super) id: String,
    pub(super) element: Element,
}

/// The many-to-many links that were not taken yet.
#[derive(Debug, Default)]
pub(super) struct Links(Vec<Ends>);

/// One link: the unique names that it joins, by column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ends {
    pub(super) table: String,
    pub(super) ends: BTreeMap<String, String>,
}

/// Sections that hold no configuration.
const WITHOUT_MEANING: &[&str] = &["Languages"];

impl Customizations {
    /// Reads the root of `customizations.xml`.
    pub(super) fn read(root: Element) -> Self {
        let mut read = Self::default();
        for section in root.children {
            match section.name.as_str() {
                "Workflows" => read.workflows.extend(section.children.into_iter().map(Workflow::read)),
                "Roles" => {
                    let named =
                        |role: &Element| Some((guid(role.attribute("id")?)?, role.attribute("name")?.to_owned()));
                    read.roles.extend(section.children.iter().filter_map(named));
                    if !section.children.is_empty() {
                        read.unread.push((section.name, section.children.len()));
                    }
                }
                name if WITHOUT_MEANING.contains(&name) => {}
                name if name.ends_with("set") && section.children.iter().all(is_link) => {
                    read.links.0.extend(section.children.iter().map(Ends::read));
                }
                _ if section.children.is_empty() => {}
                _ => read.unread.push((section.name, section.children.len())),
            }
        }
        // Files list rows in any order; the result must not depend on it.
        read.workflows.sort_by(|a, b| a.id.cmp(&b.id));
        read.links.0.sort();
        read
    }
}

impl Workflow {
    fn read(element: Element) -> Self {
        let id = element.attribute("WorkflowId").unwrap_or_default();
        Self { id: guid(id).unwrap_or_else(|| id.to_owned()), element }
    }

    pub(super) fn text(&self, column: &str) -> Option<&str> {
        self.element.child_text(column)
    }
}

/// Whether a row is a link: it names two ends by attributes such as `msdyn_sessiontemplateid.msdyn_uniquename`.
fn is_link(row: &Element) -> bool {
    row.attributes.iter().filter(|(key, _)| key.contains('.')).count() == 2
}

impl Ends {
    fn read(row: &Element) -> Self {
        let ends = row.attributes.iter().filter_map(|(key, value)| {
            let (column, _) = key.split_once('.')?;
            Some((column.to_owned(), value.clone()))
        });
        Self { table: row.name.clone(), ends: ends.collect() }
    }

    /// The unique name at the end `column`.
    pub(super) fn end(&self, column: &str) -> &str {
        self.ends.get(column).map_or("", String::as_str)
    }
}

impl Links {
    /// Takes the links between two columns, in the order of the names they join.
    pub(super) fn take(&mut self, one: &str, other: &str) -> Vec<Ends> {
        let joins = |link: &Ends| link.ends.contains_key(one) && link.ends.contains_key(other);
        self.0.extract_if(.., |link| joins(link)).collect()
    }

    /// Takes all links that are left.
    pub(super) fn rest(&mut self) -> Vec<Ends> {
        std::mem::take(&mut self.0)
    }
}
