//! Does what the column `sin` of its rows says, instead of what a step should. Without one it is good.

use loadout_test_guests::upgrade::{Fault, Migration, Quarantined, Row, RowReference, Upsert};
use loadout_test_guests::{library, step};

step!(|page| {
    let mut migration = Migration { upserts: Vec::new(), quarantine: Vec::new(), notes: Vec::new() };
    for row in &page.rows {
        let sin = row.values.iter().find(|(column, _)| column == "sin").map_or("", |(_, sin)| sin.as_str());
        let name = format!("desk {}", row.id);
        let good = Upsert {
            kind: "queues".to_owned(),
            unique_name: name.clone(),
            aliases: Vec::new(),
            merges: false,
            attributes: format!(r#"{{"name":"{name}"}}"#),
            sources: vec![of(row)],
        };
        match sin {
            "loops" => loop {
                std::hint::black_box(sin);
            },
            "eats" => drop(std::hint::black_box(vec![1_u8; 64 << 20])),
            "panics" => panic!("the desk fell over"),
            "faults" => {
                return Err(Fault { code: "no-desk".to_owned(), message: "this is\nno desk".to_owned() });
            }
            "loses" => {}
            "lies" => migration.upserts.push(Upsert { sources: vec![other("old_desk", "nowhere")], ..good }),
            "no-kind" => migration.upserts.push(Upsert { kind: "desks".to_owned(), ..good }),
            "people" => migration.upserts.push(Upsert { kind: "users".to_owned(), ..good }),
            "no-json" => migration.upserts.push(Upsert { attributes: "{".to_owned(), ..good }),
            "no-item" => migration.upserts.push(Upsert { attributes: r#"{"nom":"x"}"#.to_owned(), ..good }),
            "no-reason" => migration.quarantine.push(quarantined(row, " ")),
            "both" => {
                migration.quarantine.push(quarantined(row, "it is used, too"));
                migration.upserts.push(good);
            }
            "floods" => {
                migration.upserts.extend((0..20_000).map(|at| Upsert { unique_name: at.to_string(), ..good.clone() }))
            }
            // Says something else once what it said is there.
            "creeps" => {
                let before = library::item("queues", &name).map_or(0, |item| item.len());
                let attributes = format!(r#"{{"name":"{name}","description":"{}"}}"#, "x".repeat(before));
                migration.upserts.push(Upsert { attributes, ..good });
            }
            "refused" => migration.quarantine.push(quarantined(row, "nobody sits there")),
            _ => migration.upserts.push(good),
        }
    }
    Ok(migration)
});

fn of(row: &Row) -> RowReference {
    other(&row.table, &row.id)
}

fn other(table: &str, id: &str) -> RowReference {
    RowReference { table: table.to_owned(), id: id.to_owned() }
}

fn quarantined(row: &Row, reason: &str) -> Quarantined {
    Quarantined { row: of(row), code: "refused".to_owned(), reason: reason.to_owned() }
}
