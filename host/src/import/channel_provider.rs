//! Channel providers.

use crate::domain::ChannelProvider;

use super::row::{Row, Unreadable};
use super::rows::Rows;
use super::work::Work;

pub(crate) const TABLE: &str = "msdyn_channelprovider";
/// The only version there is, by its code and by its label.
pub(crate) const API_VERSIONS: &[(i64, u8)] = &[(162_450_000, 2), (2, 2)];

/// Plans every provider. The address of a widget is kept and never called.
pub(super) fn read(work: &mut Work<'_>, rows: &mut Rows) {
    for row in rows.take(TABLE) {
        let Some((component, row, mut provider)) = work.read(row, provider) else { continue };
        let name = row.name.clone();
        provider.source = row.source(work.solution.summary.managed, &[]);
        work.put(component, &name, provider);
    }
}

fn provider(row: &mut Row) -> Result<ChannelProvider, Unreadable> {
    let sort_order = row.number("msdyn_sortorder")?;
    Ok(ChannelProvider {
        name: row.required("msdyn_name")?,
        state: row.state()?,
        label: row.required("msdyn_label")?,
        channel_url: row.required_text("msdyn_channelurl")?,
        sort_order: sort_order
            .ok_or_else(|| Unreadable("`msdyn_sortorder` is missing, and it is required".to_owned()))?,
        outbound: row.switch("msdyn_enableoutbound")?.unwrap_or(false),
        api_version: row.choice("msdyn_apiversion", API_VERSIONS)?.unwrap_or(2),
        trusted_domain: row.text("msdyn_trusteddomain")?,
        custom_parameters: row.text("msdyn_customparams")?,
        sandbox: row.text("msdyn_sandboxconfiguration")?,
        analytics: row.switch("msdyn_enableanalytics")?.unwrap_or(false),
        source: None,
    })
}
