//! Reads one row of one table, column by column.
//!
//! Reading a column takes it out of the row. So the columns that are left at the end have no meaning here, and can be
//! kept for an export. Values are never trimmed or cut: a text that is too long, an unknown code, or a malformed number
//! makes the row unreadable, and the reason names the value.

use std::collections::BTreeMap;

use crate::domain::source::guid;
use crate::domain::{Language, Localized, RowKey, Source, State, Text};

use super::source_row::source_row;
use super::unreadable::Unreadable;
use super::xml::Element;

/// One row of one table.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) table: String,
    /// The file it was read from.
    pub(super) file: String,
    /// The unique name of the row.
    pub(super) name: String,
    element: Element,
    /// Whether the row only exists because the format needs one, so that its name and GUID are made up: see
    /// [`Row::of_whole`].
    made_up: bool,
    /// Columns whose values were left out because they are secrets.
    pub(super) secrets: Vec<String>,
    /// Columns whose text has stray characters.
    pub(super) stray: Vec<String>,
}

type Read<T> = Result<T, Unreadable>;

impl Row {
    /// The row in `file`, in the folder `folder`. Its name is the attribute, else the column, else the folder, which is
    /// a copy.
    pub(super) fn new(file: &str, folder: &str, mut element: Element) -> Self {
        let named = element.attributes.iter().position(|(key, _)| key == "msdyn_uniquename");
        let name = named.map(|at| element.attributes.remove(at).1);
        let column = || element.child_text("msdyn_uniquename").map(str::to_owned);
        let name = name.or_else(column).filter(|it| !it.is_empty()).unwrap_or_else(|| folder.to_owned());
        element.children.retain(|child| child.name != "msdyn_uniquename");
        let secrets = element.leave_secrets();
        let table = element.name.clone();
        Self { table, file: file.to_owned(), name, element, made_up: false, secrets, stray: Vec::new() }
    }

    /// The row as one of a complete archive. Every row from another environment has the column `iscustomizable`. A row
    /// without it was written for a part that never was a row, so its name, its GUID and the columns without a meaning
    /// here are made up, and not kept.
    pub(super) fn of_whole(mut self) -> Self {
        let says = |child: &Element| child.name.eq_ignore_ascii_case("iscustomizable");
        self.made_up = !self.element.children.iter().any(says);
        self
    }

    /// Whether the row was written for a part that never was a row.
    pub(super) fn is_made_up(&self) -> bool {
        self.made_up
    }

    /// The unique name, unless it is made up.
    pub(super) fn own_name(&self) -> Read<Option<Text<128>>> {
        let name = Text::new(self.name.as_str()).map_err(|error| Unreadable(format!("unique name: {error}")))?;
        Ok(Some(name).filter(|_| !self.made_up))
    }

    /// The row as it is, for an upgrade that migrates it instead of importing it.
    pub(super) fn into_source(self) -> crate::domain::Row {
        source_row(RowKey::new(self.table, self.name), self.element)
    }

    fn take(&mut self, column: &str) -> Option<Element> {
        let at = self.element.children.iter().position(|child| child.name == column)?;
        Some(self.element.children.remove(at)).filter(|child| !child.is_nil())
    }

    /// Takes an attribute of the row itself.
    pub(super) fn attribute(&mut self, name: &str) -> Option<String> {
        let at = self.element.attributes.iter().position(|(key, _)| key == name)?;
        Some(self.element.attributes.remove(at).1)
    }

    /// The wordings that a process lists in `column`, by language. `default` is the wording beside the list.
    pub(super) fn wordings<const MAX: usize>(&mut self, column: &str, default: String) -> Read<Option<Localized<MAX>>> {
        let mut labels = BTreeMap::new();
        for wording in self.take(column).into_iter().flat_map(|list| list.children) {
            let code = wording.attribute("languagecode").unwrap_or_default();
            let language = code.parse().map_err(|_| unreadable(column, format!("`{code}` is no language code")))?;
            let text = wording.attribute("description").unwrap_or_default();
            labels.insert(language, Text::new(text).map_err(|error| unreadable(column, error))?);
        }
        if default.is_empty() {
            return Ok(None);
        }
        self.lint(column, &default);
        let default = Text::new(default).map_err(|error| unreadable(column, error))?;
        Ok(Some(Localized::with_labels(default, labels)))
    }

    /// A text without translations.
    pub(super) fn plain(&mut self, column: &str) -> Option<String> {
        let element = self.take(column)?;
        let text = element.attribute("default").map(str::to_owned).unwrap_or(element.text);
        self.lint(column, &text);
        Some(text)
    }

    /// A text without translations, which must fit its column.
    pub(super) fn text<const MAX: usize>(&mut self, column: &str) -> Read<Option<Text<MAX>>> {
        let text = self.plain(column).filter(|text| !text.is_empty());
        text.map(|text| Text::new(text).map_err(|error| unreadable(column, error))).transpose()
    }

    /// A text as [`Row::text`] reads it, which must not be missing.
    pub(super) fn required_text<const MAX: usize>(&mut self, column: &str) -> Read<Text<MAX>> {
        self.text(column)?.ok_or_else(|| missing(column))
    }

    /// A text with its translations: `default` and `<label>`s, or a plain text.
    pub(super) fn localized<const MAX: usize>(&mut self, column: &str) -> Read<Option<Localized<MAX>>> {
        let Some(element) = self.take(column) else { return Ok(None) };
        let text = |text: &str| Text::<MAX>::new(text).map_err(|error| unreadable(column, error));
        let mut labels: BTreeMap<Language, Text<MAX>> = BTreeMap::new();
        for label in element.children.iter().filter(|child| child.name == "label") {
            let code = label.attribute("languagecode").unwrap_or_default();
            let language = code.parse().map_err(|_| unreadable(column, format!("`{code}` is no language code")))?;
            labels.insert(language, text(label.attribute("description").unwrap_or_default())?);
        }
        let default = match element.attribute("default") {
            Some(default) => text(default)?,
            None if labels.is_empty() => text(&element.text)?,
            // Without a default, the wording with the smallest language code is used: the base language of most exports
            // is 1033.
            None => labels.values().next().cloned().unwrap_or(text("")?),
        };
        if default.as_str().is_empty() && labels.is_empty() {
            return Ok(None);
        }
        let localized = Localized::with_labels(default, labels);
        let wordings: Vec<String> = localized.wordings().map(str::to_owned).collect();
        wordings.iter().for_each(|wording| self.lint(column, wording));
        Ok(Some(localized))
    }

    /// A text as [`Row::localized`] reads it, which must not be missing.
    pub(super) fn required<const MAX: usize>(&mut self, column: &str) -> Read<Localized<MAX>> {
        self.localized(column)?.ok_or_else(|| missing(column))
    }

    /// A whole number.
    pub(super) fn number<N: TryFrom<i64>>(&mut self, column: &str) -> Read<Option<N>> {
        let Some(element) = self.take(column) else { return Ok(None) };
        let typed = element.text.trim();
        if typed.is_empty() {
            return Ok(None);
        }
        let number = typed.parse::<i64>().ok().and_then(|number| N::try_from(number).ok());
        number.map(Some).ok_or_else(|| unreadable(column, format!("`{typed}` is no number it can have")))
    }

    /// A Boolean.
    pub(super) fn switch(&mut self, column: &str) -> Read<Option<bool>> {
        let Some(element) = self.take(column) else { return Ok(None) };
        match element.text.trim() {
            "" => Ok(None),
            "1" | "true" | "True" => Ok(Some(true)),
            "0" | "false" | "False" => Ok(Some(false)),
            other => Err(unreadable(column, format!("`{other}` is neither 0 nor 1"))),
        }
    }

    /// A value by its code.
    pub(super) fn choice<T: Clone>(&mut self, column: &str, codes: &[(i64, T)]) -> Read<Option<T>> {
        let Some(code) = self.number::<i64>(column)? else { return Ok(None) };
        let known = codes.iter().find(|(known, _)| *known == code).map(|(_, value)| value.clone());
        known.map(Some).ok_or_else(|| unreadable(column, format!("`{code}` is not a code it can have")))
    }

    /// A value as [`Row::choice`] reads it, which must not be missing.
    pub(super) fn required_choice<T: Clone>(&mut self, column: &str, codes: &[(i64, T)]) -> Read<T> {
        self.choice(column, codes)?.ok_or_else(|| missing(column))
    }

    /// The target of a look-up: a unique name, a name, or a GUID.
    pub(super) fn lookup(&mut self, column: &str) -> Option<String> {
        let element = self.take(column)?;
        let nested = element.children.iter().map(|child| child.text.as_str());
        nested.chain([element.text.as_str()]).map(str::trim).find(|text| !text.is_empty()).map(str::to_owned)
    }

    /// The state of the row. The status beside it is dropped if it agrees, because it then says nothing more.
    pub(super) fn state(&mut self) -> Read<State> {
        let state = self.choice("statecode", &[(0, State::Active), (1, State::Inactive)])?.unwrap_or_default();
        let agreeing = if state == State::Active { "1" } else { "2" };
        if self.element.child_text("statuscode").is_some_and(|status| status.trim() == agreeing) {
            self.take("statuscode");
        }
        Ok(state)
    }

    /// The columns and attributes that are left of the row.
    pub(super) fn rest(self) -> BTreeMap<String, String> {
        let mut kept = BTreeMap::new();
        for (key, value) in self.element.attributes {
            kept.insert(key, value);
        }
        for child in self.element.children.iter().filter(|child| !child.is_nil()) {
            let nested = child.children.iter().map(|it| it.text.as_str()).find(|text| !text.trim().is_empty());
            let value = child.attribute("default").or(nested).unwrap_or(&child.text);
            if !value.is_empty() {
                kept.insert(child.name.clone(), value.to_owned());
            }
        }
        kept
    }

    /// The origin of the row: its GUID if it has one, and the columns that are left, together with `also`. `None` if
    /// the row is made up.
    pub(super) fn source(mut self, managed: bool, also: &[(&str, String)]) -> Option<Source> {
        if self.made_up {
            return None;
        }
        let key = format!("{}id", self.table);
        let own_id = self.take(&key).map(|id| id.text).and_then(|id| guid(&id));
        let mut attributes = self.rest();
        attributes.extend(also.iter().map(|(column, value)| ((*column).to_owned(), value.clone())));
        Some(Source { id: own_id, managed, attributes, ..Source::default() })
    }

    /// The columns that are left of the row, in the form in which the item keeps them. Empty if the row is made up or
    /// has none.
    pub(super) fn kept(self) -> BTreeMap<String, String> {
        if self.made_up {
            return BTreeMap::new();
        }
        let (table, name) = (self.table.clone(), self.name.clone());
        let telling = self.rest().into_iter().filter(|(column, value)| !(column == "iscustomizable" && value == "1"));
        telling.map(|(column, value)| (format!("{table}/{name}/{column}"), value)).collect()
    }

    /// Keeps the columns that are left of the row in the item of which it is a part.
    pub(super) fn keep_in(self, source: &mut Option<Source>) {
        let kept = self.kept();
        if !kept.is_empty() {
            source.get_or_insert_default().attributes.extend(kept);
        }
    }

    fn lint(&mut self, column: &str, text: &str) {
        let at = || column.to_owned();
        if is_stray(text) && !self.stray.contains(&at()) {
            self.stray.push(at());
        }
    }
}

/// Whether a text has a blank at an end, a carriage return, or a line break within a slug, which are most likely slips.
pub(super) fn is_stray(text: &str) -> bool {
    let mut slugs = text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(slug, _)| slug);
    let is_slug = |slug: &str| slug.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$');
    text.trim() != text || text.contains('\r') || slugs.any(|slug| is_slug(slug) && slug.contains('\n'))
}

fn unreadable(column: &str, reason: impl ToString) -> Unreadable {
    Unreadable(format!("`{column}`: {}", reason.to_string()))
}

fn missing(column: &str) -> Unreadable {
    Unreadable(format!("`{column}` is missing, and it is required"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::xml;

    fn row(columns: &str) -> Row {
        let text = format!("<t msdyn_uniquename=\"fab_x\">{columns}</t>");
        Row::new("ts/f/t.xml", "f", xml::parse("t.xml", text.as_bytes()).unwrap())
    }

    #[test]
    fn stray_characters_are_noticed_where_nobody_types_them() {
        for (text, expected) in [
            ("{anchor.title}", false),
            ("two\nlines {x}", false),
            ("{ \"id\":\n\"x\" }", false),
            (" x", true),
            ("x\n", true),
            ("a\rb", true),
            ("${anchor.ti\ntle}", true),
        ] {
            assert_eq!(is_stray(text), expected, "{text:?}");
        }
    }

    #[test]
    fn localizable_text_comes_in_three_shapes() {
        for (column, expected) in [
            (r#"<n default="A"><label description="A" languagecode="1033" /></n>"#, r#"Some("A")"#),
            (
                r#"<n default="A"><label languagecode="1036" description="B"/></n>"#,
                r#"Some({"default": "A", 1036: "B"})"#,
            ),
            (r#"<n><label languagecode="1036" description="B"/></n>"#, r#"Some("B")"#),
            ("<n> plain&#13;</n>", r#"Some(" plain\r")"#),
            ("<n></n>", "None"),
            ("", "None"),
        ] {
            assert_eq!(format!("{:?}", row(column).localized::<9>("n").unwrap()), expected, "{column}");
        }
        let error = row("<n>0123456789</n>").localized::<9>("n").unwrap_err();
        assert_eq!(error.to_string(), "`n`: the text has 10 characters, 9 are allowed: shorten it");
        let error = row(r#"<n default="A"><label languagecode="de" description="B"/></n>"#).localized::<9>("n");
        assert_eq!(error.unwrap_err().to_string(), "`n`: `de` is no language code");
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_value() {
        for (columns, expected) in [
            ("<c>7</c>", "`c`: `7` is not a code it can have"),
            ("<c>seven</c>", "`c`: `seven` is no number it can have"),
            ("", "`c` is missing, and it is required"),
        ] {
            assert_eq!(row(columns).required_choice("c", &[(1, ())]).unwrap_err().to_string(), expected);
        }
        assert_eq!(row("<c>-1</c>").number::<u32>("c").unwrap_err().0, "`c`: `-1` is no number it can have");
        assert_eq!(row("<c>2</c>").switch("c").unwrap_err().0, "`c`: `2` is neither 0 nor 1");
    }

    #[test]
    fn what_nobody_read_is_kept() {
        let mut row =
            row("<tid>{AAAAAAAA-0F47-EE11-BE6E-000D3A314234}</tid><a>1</a><b default=\"x\"/><statecode>1</statecode>\
             <statuscode>2</statuscode><l><msdyn_uniquename>y</msdyn_uniquename></l><e></e>");
        assert_eq!(row.state().unwrap(), State::Inactive);
        assert_eq!(row.switch("a").unwrap(), Some(true));
        let source = row.source(true, &[("k", "v".to_owned())]).unwrap();
        assert_eq!(source.id.as_deref(), Some("aaaaaaaa-0f47-ee11-be6e-000d3a314234"));
        let kept: Vec<_> = source.attributes.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!((kept.join(" ").as_str(), source.managed), ("b=x k=v l=y", true));
    }
}
