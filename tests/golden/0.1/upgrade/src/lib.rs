//! Turns the desks of an old environment into queues, and says of each what it was told.

wit_bindgen::generate!({ path: "../wit", world: "upgrade" });

use exports::loadout::plugin::upgrade_step::{
    Fault, Guest, Migration, Note, Page, Quarantined, Row, RowReference, Upsert,
};
use loadout::plugin::{library, trace};

struct Golden;

impl Guest for Golden {
    fn check(page: Page) -> Result<Vec<Note>, Fault> {
        let note = |row: &Row| Note { code: "seen".into(), message: "It was seen.".into(), row: Some(of(row)) };
        Ok(page.rows.iter().map(note).collect())
    }

    fn migrate(page: Page) -> Result<Migration, Fault> {
        trace::log(trace::Level::Info, &format!("{} rows", page.rows.len()));
        let mut migration = Migration { upserts: Vec::new(), quarantine: Vec::new(), notes: Vec::new() };
        for row in &page.rows {
            let value = |wanted: &str| row.values.iter().find(|(column, _)| column == wanted).map(|(_, it)| it.clone());
            if value("fail").is_some() {
                return Err(Fault { code: "on-purpose".into(), message: "It was told to.".into() });
            }
            let Some(name) = value("name") else {
                let (code, reason) = ("no-name".into(), "It has no name.".into());
                migration.quarantine.push(Quarantined { row: of(row), code, reason });
                continue;
            };
            let look_ups: Vec<_> =
                row.look_ups.iter().map(|it| format!("{} {} {} {}", it.column, it.table, it.id, it.label)).collect();
            let links: Vec<_> = row.links.iter().map(|it| format!("{} {} {}", it.relationship, it.table, it.id)).collect();
            let known = format!(
                "{:?} {} {:?}",
                library::names("queues"),
                library::item("queues", "contoso_vip").is_some(),
                library::links("workstreams", "contoso_chat", "queues")
            );
            let description = format!("{look_ups:?} {links:?} {known} {}", page.related.len());
            migration.notes.push(Note { code: "moved".into(), message: "It is a queue now.".into(), row: Some(of(row)) });
            migration.upserts.push(Upsert {
                kind: "queues".into(),
                unique_name: format!("contoso_{name}"),
                aliases: vec![row.id.clone()],
                merges: false,
                attributes: format!("{{\"name\":{name:?},\"description\":{description:?}}}"),
                sources: vec![of(row)],
            });
        }
        Ok(migration)
    }
}

fn of(row: &Row) -> RowReference {
    RowReference { table: row.table.clone(), id: row.id.clone() }
}

export!(Golden);
