//! Imports application extensions.

use crate::domain::{ApplicationExtension, Cardinality};

use super::row::Row;
use super::rows::Rows;
use super::unreadable::Unreadable;
use super::work::Work;

pub(crate) const TABLE: &str = "msdyn_applicationextension";
pub(crate) const CARDINALITIES: &[(i64, Cardinality)] =
    &[(387_300_000, Cardinality::One), (387_300_001, Cardinality::Many)];
/// Whether the extension came with the product.
pub(crate) const OWNERS: &[(i64, bool)] = &[(387_300_000, true), (387_300_001, false)];

/// Plans every extension.
pub(super) fn read(work: &mut Work<'_>, rows: &mut Rows) {
    for row in rows.take(TABLE) {
        let Some((component, row, mut extension)) = work.read(row, extension) else { continue };
        let name = row.name.clone();
        extension.source = row.source(work.solution.summary.managed, &[]);
        work.put(component, &name, extension);
    }
}

fn extension(row: &mut Row) -> Result<ApplicationExtension, Unreadable> {
    Ok(ApplicationExtension {
        name: row.required("msdyn_name")?,
        state: row.state()?,
        relationship: row.text("msdyn_appconfig_relationshipname")?,
        cardinality: row.choice("msdyn_relationship_cardinality", CARDINALITIES)?.unwrap_or_default(),
        system: row.choice("msdyn_type", OWNERS)?.unwrap_or(false),
        web_resource: row.required_text("msdyn_webresource_url")?,
        source: None,
    })
}
