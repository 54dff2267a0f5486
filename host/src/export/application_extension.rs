//! Exports application extensions.

use crate::domain::ApplicationExtension;
use crate::import::application_extension::{CARDINALITIES, OWNERS, TABLE};

use super::tables::Tables;

/// Writes every extension.
pub(super) fn write(tables: &mut Tables<'_>) {
    let extensions: Vec<_> = tables.custom::<ApplicationExtension>().collect();
    for (name, extension) in extensions {
        tables.item(TABLE, &name, extension.source.as_ref(), |row| {
            row.text("msdyn_appconfig_relationshipname", extension.relationship.as_ref());
            row.localized("msdyn_name", Some(&extension.name));
            row.choice("msdyn_relationship_cardinality", CARDINALITIES, &extension.cardinality);
            row.choice("msdyn_type", OWNERS, &extension.system);
            row.text("msdyn_webresource_url", Some(&extension.web_resource));
            row.state(extension.state);
        });
    }
}
