//! Tests of a whole solution, end to end. Each case changes one file of it.

mod add_on;
mod archive;
mod assignment;
mod document;
mod expected;
pub(crate) mod fixture;
mod here;
mod notification;
mod profile;
mod report;
mod script;
mod session_template;

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use self::fixture::{Files, STOCK, STOCK_TWIN, applied, base, base_and};
use super::*;
use crate::domain::Kind;
use crate::store::{Change, Expect, Tolerated};

fn planned(files: &Files) -> Plan {
    plan(&files.zip(), &base()).unwrap()
}

/// The JSON of a planned item.
fn item(plan: &Plan, collection: &str, name: &str) -> Value {
    let wanted: Kind = collection.parse().unwrap();
    let found = plan.changes.changes.iter().find_map(|change| match change {
        Change::Put { name: planned, item, .. } if item.kind() == wanted && planned.as_ref() == name => Some(item),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("{collection}/{name} is not planned")).to_json()
}

/// The outcome and the notes of one component.
fn account(plan: &Plan, table: &str, source: &str) -> String {
    let all = plan.report.components.iter().filter(|it| it.table == table && it.source_name == source);
    let lines = all.map(|it| format!("{}: {}", json!(it.outcome).as_str().unwrap(), it.notes.join("; ")));
    lines.collect::<Vec<_>>().join(" | ")
}

fn warnings(plan: &Plan, code: &str) -> Vec<String> {
    let of_code = plan.report.warnings.iter().filter(|it| it.code == code);
    of_code.map(|it| format!("{}: {}", it.place, it.message)).collect()
}
