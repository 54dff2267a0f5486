//! Exports smart assist configurations.

use crate::domain::SmartAssistConfiguration;
use crate::import::smart_assist::{ADAPTIVE_CARD, TABLE, TYPES};

use super::tables::Tables;

/// Writes every configuration.
pub(super) fn write(tables: &mut Tables<'_>) {
    let configurations: Vec<_> = tables.custom::<SmartAssistConfiguration>().collect();
    for (name, it) in configurations {
        tables.item(TABLE, &name, it.source.as_ref(), |row| {
            row.text("msdyn_iconurl", it.icon.as_ref());
            row.switch("msdyn_isdefault", it.default);
            if let Some(max) = it.max_suggestions {
                row.number("msdyn_maxsuggestioncount", max);
            }
            row.localized("msdyn_name", Some(&it.name));
            row.number("msdyn_order", it.order);
            row.text("msdyn_sourceentityname", Some(&it.source_entity));
            row.localized("msdyn_suggestioncontainertitle", it.group_title.as_ref());
            row.text("msdyn_suggestioncontrolconfiguniquename", Some(&it.card));
            row.choice("msdyn_suggestioncontroltype", ADAPTIVE_CARD, &());
            row.text("msdyn_suggestionprovider", it.provider.as_ref());
            row.choice("msdyn_suggestiontype", TYPES, &it.suggestion_type);
            row.text("msdyn_suggestionwebresourceurl", it.web_resource.as_ref());
            row.state(it.state);
        });
    }
}
