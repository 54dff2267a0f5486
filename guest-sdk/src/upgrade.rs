//! Plugins that upgrade old environments.
//!
//! A step is a type that implements [`UpgradeStep`], handed to [`export_upgrade!`](crate::export_upgrade). It is given
//! pages of rows, and proposes items. It quarantines a row that it cannot use, with a reason. It cannot write, and has
//! no clock.
//!
//! ```
//! use loadout_sdk::upgrade::{Migration, Page, Upsert, UpgradeStep};
//! use loadout_sdk::{Fault, Library, export_upgrade};
//!
//! struct Desks;
//!
//! impl UpgradeStep for Desks {
//!     fn migrate(page: &Page, _: &Library<'_>) -> Result<Migration, Fault> {
//!         let mut migration = Migration::default();
//!         for row in &page.rows {
//!             migration.add(row, row.required("old_name", 100).map(|name| {
//!                 Upsert::item("queues", name, serde_json::json!({ "name": name })).from(row)
//!             }));
//!         }
//!         Ok(migration)
//!     }
//! }
//!
//! export_upgrade!(Desks);
//!
//! // And its test, which needs neither a component nor a host:
//! let page = serde_json::json!({ "rows": [
//!     { "table": "old_desk", "id": "1", "values": { "old_name": "Night desk" } },
//!     { "table": "old_desk", "id": "2", "values": {} },
//! ] });
//! let migration = loadout_sdk::testing::Fixture::new().migrate::<Desks>(page).unwrap();
//! assert_eq!(migration.upserts[0].unique_name, "Night desk");
//! assert_eq!(migration.quarantine[0].code, "value-missing");
//! ```

mod migration;
mod page;
mod row;

pub use migration::{Migration, Note, Quarantined, Unusable, Upsert};
pub use page::Page;
pub use row::{Link, LookUp, Row, RowReference};

use crate::{Fault, Library};

/// A step that turns rows of an old environment into configuration.
///
/// Equal pages over an equal library must give equal answers, and carrying out the same proposals twice must change
/// nothing: the host tries both.
pub trait UpgradeStep {
    /// Checks a page without migrating it, while the upgrade is planned. A fault ends the upgrade before anything is
    /// written.
    fn check(page: &Page, library: &Library<'_>) -> Result<Vec<Note>, Fault> {
        let _ = (page, library);
        Ok(Vec::new())
    }

    /// Migrates a page. Every one of `page.rows` must become a source of an upsert or be quarantined.
    fn migrate(page: &Page, library: &Library<'_>) -> Result<Migration, Fault>;
}

/// Makes a type that implements [`UpgradeStep`] the step of the component. Use it once per plugin.
///
/// Outside of a component, as in tests, it only checks that the type implements [`UpgradeStep`].
#[macro_export]
macro_rules! export_upgrade {
    ($step:ty) => {
        #[cfg(not(target_arch = "wasm32"))]
        const _: () = {
            let _ = <$step as $crate::upgrade::UpgradeStep>::migrate;
        };
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Step = $crate::bindings::upgrade::Exported<$step>;
    $crate::bindings::upgrade::export_upgrade_step!(Step with_types_in $crate::bindings::upgrade);
        };
    };
}
