//! The console tables of 2019 and 2020 as tab, notification and session templates.
//!
//! The rules in plain words are the README beside this file.

mod notification;
mod session;
mod tab;

use loadout_sdk::upgrade::{Migration, Page, UpgradeStep};
use loadout_sdk::{Fault, Library, export_upgrade};

pub(crate) struct LegacyConsole;

impl UpgradeStep for LegacyConsole {
    fn migrate(page: &Page, _: &Library<'_>) -> Result<Migration, Fault> {
        let mut migration = Migration::default();
        for row in &page.rows {
            match row.table.as_str() {
                tab::TABLE => tab::migrate(page, row, &mut migration),
                notification::TABLE => notification::migrate(page, row, &mut migration),
                _ => session::migrate(row, &mut migration),
            }
        }
        Ok(migration)
    }
}

export_upgrade!(LegacyConsole);

#[cfg(test)]
#[test]
fn cases() {
    loadout_sdk::testing::check_upgrade_cases::<LegacyConsole>(concat!(env!("CARGO_MANIFEST_DIR"), "/cases"));
}
