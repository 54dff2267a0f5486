//! Writes `customizations.xml`: macros, and the many-to-many links at its end.

use std::collections::BTreeMap;

use super::tables::{Link, Tables};
use super::xml::Element;

/// The document `customizations.xml`.
pub(super) fn document(tables: &Tables<'_>) -> String {
    let workflows = tables.workflows.values().map(|workflow| workflow.element.clone());
    let mut sections = vec![
        Element::empty("Entities"),
        Element::empty("Roles"),
        Element::of("Workflows", workflows),
        Element::empty("FieldSecurityProfiles"),
        Element::empty("Templates"),
        Element::empty("EntityMaps"),
        Element::empty("EntityRelationships"),
        Element::empty("OrganizationSettings"),
        Element::empty("optionsets"),
        Element::empty("CustomControls"),
        Element::empty("EntityDataProviders"),
    ];
    let mut sets: BTreeMap<&str, Vec<Element>> = BTreeMap::new();
    for link in &tables.links {
        sets.entry(link.table).or_default().push(row(link));
    }
    sections.extend(sets.into_iter().map(|(table, rows)| Element::of(format!("{table}set"), rows)));
    sections.push(Element::of("Languages", [Element::text("Language", tables.language.to_string())]));
    let namespace = "http://www.w3.org/2001/XMLSchema-instance";
    Element::of("ImportExportXml", sections).with("xmlns:xsi", namespace).document()
}

/// The row of a many-to-many link.
pub(super) fn row(Link { table, ends: [one, other] }: &Link) -> Element {
    Element::of(*table, [Element::text("iscustomizable", "1")])
        .with(format!("{}.msdyn_uniquename", one.0), &one.1)
        .with(format!("{}.msdyn_uniquename", other.0), &other.1)
}
