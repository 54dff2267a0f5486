//! Connectors: where plugins with the grant look up records, and search for articles.

use serde::Serialize;

use crate::domain::{Connector, Item, Kind, Revision};

use crate::service::{Error, Service};

/// A connector, as administrators see it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ConnectorEntry)]
pub struct ConnectorView {
    /// The name by which plugins ask for it.
    pub connector: String,
    /// The connector itself.
    #[serde(flatten)]
    pub item: Connector,
    /// The revision that wrote it.
    pub revision: Revision,
}

impl Service {
    /// Returns the connectors, by name.
    pub fn connectors(&self) -> Result<Vec<ConnectorView>, Error> {
        let snapshot = self.store.snapshot()?;
        let views = snapshot.entries(Kind::Connector).filter_map(|(name, entry)| {
            let item = Connector::from_any(&entry.item)?.clone();
            Some(ConnectorView { connector: name.to_string(), item, revision: entry.revision })
        });
        Ok(views.collect())
    }
}
