//! Writes one row of one table, column by column. Columns are sorted by name, as in exports.

use std::collections::BTreeMap;
use std::fmt::Display;

use crate::domain::{Language, Localized, Source, State};

use super::xml::{Element, is_name};

/// One row of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) table: &'static str,
    /// The unique name of the row.
    pub(super) name: String,
    columns: BTreeMap<String, Element>,
    /// The language of texts that have no translation.
    language: Language,
}

/// The mark of a row that was one before it was exported; see the rows of the import.
const CUSTOMIZABLE: &str = "iscustomizable";

impl Row {
    pub(super) fn new(table: &'static str, name: impl Into<String>, language: Language) -> Self {
        Self { table, name: name.into(), columns: BTreeMap::new(), language }
    }

    /// The row as an element.
    pub(super) fn element(&self) -> Element {
        Element::of(self.table, self.columns.values().cloned()).with("msdyn_uniquename", &self.name)
    }

    fn put(&mut self, element: Element, column: &str) {
        self.columns.insert(column.to_owned(), element);
    }

    /// A text without translations.
    pub(super) fn text(&mut self, column: &str, text: Option<impl Display>) {
        if let Some(text) = text {
            self.put(Element::text(column, text.to_string()), column);
        }
    }

    /// A text with its translations. A text without any is in the base language.
    pub(super) fn localized<const MAX: usize>(&mut self, column: &str, text: Option<&Localized<MAX>>) {
        if let Some(text) = text {
            let labels = wordings(text, self.language).into_iter().map(|(language, wording)| {
                Element::empty("label").with("description", wording).with("languagecode", language.to_string())
            });
            self.put(Element::of(column, labels).with("default", text.default_text()), column);
        }
    }

    /// A number.
    pub(super) fn number(&mut self, column: &str, number: impl Into<i64>) {
        self.put(Element::text(column, number.into().to_string()), column);
    }

    /// A Boolean.
    pub(super) fn switch(&mut self, column: &str, on: bool) {
        self.put(Element::text(column, if on { "1" } else { "0" }), column);
    }

    /// A code for one of several values.
    pub(super) fn choice<T: PartialEq>(&mut self, column: &str, codes: &[(i64, T)], chosen: &T) {
        if let Some((code, _)) = codes.iter().find(|(_, known)| known == chosen) {
            self.number(column, *code);
        }
    }

    /// A reference to another row by `key`, such as its unique name.
    pub(super) fn lookup(&mut self, column: &str, key: &str, target: impl Display) {
        self.put(Element::of(column, [Element::text(key, target.to_string())]), column);
    }

    /// Whether the item is active.
    pub(super) fn state(&mut self, state: State) {
        let (state, status) = if state.is_active() { ("0", "1") } else { ("1", "2") };
        self.put(Element::text("statecode", state), "statecode");
        self.put(Element::text("statuscode", status), "statuscode");
    }

    /// A text in the shape of one with translations, with the base language alone.
    pub(super) fn labelled(&mut self, column: &str, text: &str) {
        let label = Element::empty("label").with("description", text).with("languagecode", self.language.to_string());
        self.put(Element::of(column, [label]).with("default", text), column);
    }

    /// Marks the row as one that was not made up.
    pub(super) fn own(&mut self) {
        let one = || Element::text(CUSTOMIZABLE, "1");
        self.columns.entry(CUSTOMIZABLE.to_owned()).or_insert_with(one);
    }

    /// Adds the columns that the row had when it was imported. Columns that the item sets itself stay.
    pub(super) fn source(&mut self, source: Option<&Source>) {
        let Some(source) = source else { return };
        let key = format!("{}id", self.table);
        self.text(&key, source.id.as_deref());
        self.keep(&source.attributes);
    }

    /// Adds columns that have no meaning here, such as those of a part of an item.
    pub(super) fn keep(&mut self, attributes: &BTreeMap<String, String>) {
        // The status is a detail of the state, so a status other than the two standard ones replaces that of the item.
        let status = attributes.get("statuscode");
        if let Some(status) = status.filter(|status| !matches!(status.as_str(), "1" | "2")) {
            self.columns.remove("statuscode");
            self.text("statuscode", Some(status));
        }
        for (column, value) in attributes {
            if is_name(column) && column != "msdyn_uniquename" && !self.columns.contains_key(column) {
                self.text(column, Some(value));
            }
        }
    }
}

/// The wordings of a text, by language.
pub(super) fn wordings<const MAX: usize>(text: &Localized<MAX>, base: Language) -> Vec<(Language, &str)> {
    let labels: Vec<_> = text.labels().collect();
    if labels.is_empty() { vec![(base, text.default_text())] } else { labels }
}
