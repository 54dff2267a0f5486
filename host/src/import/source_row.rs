//! A row of a solution as an upgrade reads it: every column with a text, and every look-up.

use crate::domain::row::LookUp;
use crate::domain::{Row, RowKey};

use super::xml::Element;

/// A row unchanged: every column with a text, and every look-up.
pub(super) fn source_row(key: RowKey, element: Element) -> Row {
    let mut row = Row { key, ..Row::default() };
    row.values.extend(element.attributes);
    for child in element.children.into_iter().filter(|child| !child.is_nil()) {
        let named = child.child_text("msdyn_uniquename").map(|name| name.trim().to_owned());
        if let Some(id) = named.filter(|id| !id.is_empty()) {
            row.look_ups.push(LookUp { column: child.name, id, ..LookUp::default() });
            continue;
        }
        let text = child.attribute("default").map_or(child.text.clone(), str::to_owned);
        if !text.is_empty() {
            row.values.push((child.name, text));
        }
    }
    row
}
