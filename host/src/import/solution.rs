//! Reads `solution.xml`: the name of the solution, and the items it requires its target to have.

use crate::domain::source::guid;

use super::report::SolutionSummary;
use super::xml::Element;

/// The prefix used when the publisher's own breaks the authoring rule.
const FALLBACK_PREFIX: &str = "new";
/// The component type of a process in `RootComponents`.
const PROCESS: &str = "29";

/// The content of `solution.xml`.
#[derive(Debug, Default)]
pub(super) struct Solution {
    pub(super) summary: SolutionSummary,
    /// The prefix for names made up here: the publisher's, or `new` if that breaks the authoring rule.
    pub(super) prefix: String,
    pub(super) dependencies: Vec<Required>,
    /// The GUIDs of the processes the solution claims to contain.
    pub(super) processes: Vec<String>,
}

/// One entry of `MissingDependencies`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Required {
    pub(super) table: String,
    pub(super) name: String,
    pub(super) solution: Option<String>,
    pub(super) dependent_table: String,
    pub(super) dependent_name: String,
}

impl Solution {
    /// Reads the root of `solution.xml`. Missing values are empty, because only the names of macros depend on them.
    pub(super) fn read(root: &Element) -> Option<Self> {
        let manifest = root.child("SolutionManifest")?;
        let text = |name: &str| manifest.child_text(name).unwrap_or_default().trim().to_owned();
        let publisher = manifest.child("Publisher");
        let publisher_prefix =
            publisher.and_then(|it| it.child_text("CustomizationPrefix")).unwrap_or_default().trim().to_owned();
        let well_formed =
            (3..=8).contains(&publisher_prefix.len()) && publisher_prefix.chars().all(|c| c.is_ascii_alphanumeric());
        let prefix = if well_formed { publisher_prefix.to_ascii_lowercase() } else { FALLBACK_PREFIX.to_owned() };
        let children = |name: &str| manifest.child(name).map_or(&[][..], |it| it.children.as_slice());
        Some(Self {
            summary: SolutionSummary {
                unique_name: text("UniqueName"),
                version: text("Version"),
                managed: matches!(text("Managed").as_str(), "1" | "true"),
                publisher_prefix,
            },
            prefix,
            dependencies: children("MissingDependencies").iter().filter_map(Required::read).collect(),
            processes: children("RootComponents")
                .iter()
                .filter(|it| it.attribute("type") == Some(PROCESS))
                .filter_map(|it| guid(it.attribute("id")?))
                .collect(),
        })
    }
}

impl Required {
    fn read(dependency: &Element) -> Option<Self> {
        let (required, dependent) = (dependency.child("Required")?, dependency.child("Dependent"));
        let of = |element: &Element, attribute: &str| element.attribute(attribute).unwrap_or_default().to_owned();
        Some(Self {
            table: of(required, "type"),
            name: name(required),
            solution: required.attribute("solution").map(str::to_owned),
            dependent_table: dependent.map(|it| of(it, "type")).unwrap_or_default(),
            dependent_name: dependent.map(name).unwrap_or_default(),
        })
    }
}

/// The name of a component of another product, which is in one of several attributes.
fn name(component: &Element) -> String {
    let known = ["id.msdyn_uniquename", "schemaName", "displayName", "id"];
    known.iter().find_map(|key| component.attribute(key)).unwrap_or_default().to_owned()
}
