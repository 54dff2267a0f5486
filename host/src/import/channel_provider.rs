//! Imports channel providers.
//!
//! In real environments, built-in providers have no label, and work. Such a provider is labelled with its name, and the
//! report says so.

use crate::domain::{ChannelProvider, Localized};

use super::row::Row;
use super::rows::Rows;
use super::unreadable::Unreadable;
use super::work::Work;

pub(crate) const TABLE: &str = "msdyn_channelprovider";
/// The only version, by its code and by its label.
pub(crate) const API_VERSIONS: &[(i64, u8)] = &[(162_450_000, 2), (2, 2)];

/// Plans all providers. The address of a widget is kept and never called.
pub(super) fn read(work: &mut Work<'_>, rows: &mut Rows) {
    for row in rows.take(TABLE) {
        let Some((component, row, (mut provider, is_labelled))) = work.read(row, provider) else { continue };
        let name = row.name.clone();
        if !is_labelled {
            let message =
                format!("it has no `msdyn_label`: it is labelled by its name, `{}`", provider.label.default_text());
            work.note(component, message.as_str());
            work.report.warn("label-missing", format!("{TABLE}/{name}"), message);
        }
        provider.source = row.source(work.solution.summary.managed, &[]);
        work.put(component, &name, provider);
    }
}

/// A provider, and whether it has a label of its own.
fn provider(row: &mut Row) -> Result<(ChannelProvider, bool), Unreadable> {
    let sort_order = row.number("msdyn_sortorder")?;
    let name: Localized<100> = row.required("msdyn_name")?;
    let label = row.localized("msdyn_label")?;
    let is_labelled = label.is_some();
    let provider = ChannelProvider {
        label: label.unwrap_or_else(|| name.clone()),
        name,
        state: row.state()?,
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
    };
    Ok((provider, is_labelled))
}
