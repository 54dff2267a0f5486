//! Exports channel providers.

use crate::domain::ChannelProvider;
use crate::import::channel_provider::{API_VERSIONS, TABLE};

use super::tables::Tables;

/// Writes every provider.
pub(super) fn write(tables: &mut Tables<'_>) {
    let providers: Vec<_> = tables.custom::<ChannelProvider>().collect();
    for (name, provider) in providers {
        tables.item(TABLE, &name, provider.source.as_ref(), |row| {
            row.choice("msdyn_apiversion", API_VERSIONS, &provider.api_version);
            row.text("msdyn_channelurl", Some(&provider.channel_url));
            row.text("msdyn_customparams", provider.custom_parameters.as_ref());
            row.switch("msdyn_enableanalytics", provider.analytics);
            row.switch("msdyn_enableoutbound", provider.outbound);
            row.localized("msdyn_label", Some(&provider.label));
            row.localized("msdyn_name", Some(&provider.name));
            row.text("msdyn_sandboxconfiguration", provider.sandbox.as_ref());
            row.number("msdyn_sortorder", provider.sort_order);
            row.text("msdyn_trusteddomain", provider.trusted_domain.as_ref());
            row.state(provider.state);
        });
    }
}
