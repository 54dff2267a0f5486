//! Copies an old environment without its secrets. The plan keeps the copy, so that the data folder holds no secret.
//!
//! The copy reads like the original, notes included; [`LEFT_BEHIND`] stands in place of a secret. Refuses nothing that
//! could be read before. A document that is no XML is copied up to the mistake, and files of a package that are not
//! read are empty in the copy. Holds no more of a document in memory than a reader of it does.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use quick_xml::Writer;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, BytesText, Event};
use quick_xml::reader::Reader;
use serde_json::Value;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::domain::secret_column::{LEFT_BEHIND, is_secret, is_secret_column, strip};
use crate::import::{ENTRY_MAX, Metered, is_about_people, json};

use super::{ReadError, not_a_zip, package};

/// Copies the archive at `from` to `to` without its secrets. Returns whether there were any.
pub fn copy_without_secrets(from: &Path, to: &Path) -> Result<bool, ReadError> {
    let mut found = false;
    let mut zip = ZipArchive::new(BufReader::new(File::open(from)?)).map_err(not_a_zip)?;
    let mut copy = ZipWriter::new(BufWriter::new(File::create(to)?));
    let is_package = zip.index_for_name(package::DATA).is_some();
    for index in 0..zip.len() {
        let entry = zip.by_index(index).map_err(not_a_zip)?;
        let name = entry.name().map_err(not_a_zip)?.into_owned();
        let (is_xml, is_json) = (name.ends_with(".xml"), name.ends_with(".json"));
        let is_read = !is_package || [package::DATA, package::SCHEMA].contains(&name.as_str());
        let is_looked_into = (is_xml || is_json) && !is_about_people(&name);
        if !entry.is_file() || is_read && !is_looked_into {
            copy.raw_copy_file(entry).map_err(not_a_zip)?;
            continue;
        }
        // A fixed time, so that each copy has the same bytes.
        let options = SimpleFileOptions::default().last_modified_time(zip::DateTime::default()).large_file(true);
        copy.start_file(name, options).map_err(not_a_zip)?;
        if !is_read {
            continue;
        }
        if is_xml {
            found |= xml(entry, &mut copy)?;
        } else {
            found |= json(entry, &mut copy)?;
        }
    }
    copy.finish().map_err(not_a_zip)?.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    Ok(found)
}

fn xml(input: impl Read, output: &mut impl Write) -> io::Result<bool> {
    let mut found = false;
    let (input, taken) = Metered::new(input);
    let mut reader = Reader::from_reader(BufReader::with_capacity(64 << 10, input));
    let (mut writer, mut buffer) = (Writer::new(output), Vec::new());
    loop {
        buffer.clear();
        taken.set(0);
        let Ok(event) = reader.read_event_into(&mut buffer) else { return Ok(found) };
        match event {
            Event::Eof => return Ok(found),
            Event::Empty(start) => writer.write_event(Event::Empty(without_secrets(&start, &mut found)))?,
            Event::Start(start) if is_secret_column(start.name().as_ref()) => {
                let start = start.into_owned();
                let Some(text) = text_within(&mut reader, &taken) else { return Ok(found) };
                let holds = is_secret(start.name().as_ref(), &text) || start.attributes().count() > 0;
                found |= holds;
                let text = if holds { LEFT_BEHIND } else { &text };
                writer.write_event(Event::Start(BytesStart::new(start.name().as_ref())))?;
                writer.write_event(Event::Text(BytesText::new(text)))?;
                writer.write_event(Event::End(start.to_end()))?;
            }
            Event::Start(start) => writer.write_event(Event::Start(without_secrets(&start, &mut found)))?,
            other => writer.write_event(other)?,
        }
    }
}

/// The text up to the end of the current element; `None` if it never ends.
fn text_within(reader: &mut Reader<impl io::BufRead>, taken: &Cell<u64>) -> Option<String> {
    let (mut text, mut depth, mut buffer) = (String::new(), 1_usize, Vec::new());
    while depth > 0 {
        buffer.clear();
        taken.set(0);
        match reader.read_event_into(&mut buffer).ok()? {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth -= 1,
            Event::Text(piece) => text.push_str(&piece.xml10_content()),
            Event::CData(piece) => text.push_str(&piece.xml10_content()),
            // An unknown reference or an element is more than a Boolean.
            Event::GeneralRef(_) | Event::Empty(_) => text.push('&'),
            Event::Eof => return None,
            _ => {}
        }
    }
    Some(text)
}

/// A tag whose attributes hold no secret: neither an attribute with the name of one, nor the value of a field with such
/// a name.
fn without_secrets(start: &BytesStart<'_>, found: &mut bool) -> BytesStart<'static> {
    let values = || {
        start.attributes().flatten().filter_map(|attribute| {
            Some((
                attribute.key.as_ref().to_owned(),
                attribute.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned(),
            ))
        })
    };
    let field = values().find(|(key, _)| key == "name").filter(|_| start.name().as_ref() == "field");
    let column = |key: &str| match &field {
        Some((_, column)) if key == "value" => column.clone(),
        _ => key.to_owned(),
    };
    let holds = |key: &str, value: &str| key != "name" && is_secret(&column(key), value);
    if !values().any(|(key, value)| holds(&key, &value)) {
        return start.to_owned();
    }
    *found = true;
    let mut cleaned = BytesStart::new(start.name().as_ref().to_owned());
    for (key, value) in values() {
        let value = if holds(&key, &value) { LEFT_BEHIND } else { &value };
        cleaned.push_attribute((key.as_str(), value));
    }
    cleaned
}

fn json(input: impl Read, output: &mut impl Write) -> io::Result<bool> {
    let mut text = Vec::new();
    input.take(ENTRY_MAX).read_to_end(&mut text)?;
    let Ok(mut document) = json::read::<Value>(&text) else {
        return output.write_all(&text).map(|()| false);
    };
    let mut found = false;
    for part in ["item", "patch"] {
        if let Some(part) = document.get_mut(part) {
            for column in strip(part) {
                part["source"]["attributes"][column] = LEFT_BEHIND.into();
                found = true;
            }
        }
    }
    let text = if found { document.to_string().into_bytes() } else { text };
    output.write_all(&text).map(|()| found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(text: &str) -> String {
        let mut out = Vec::new();
        xml(text.as_bytes(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_document_keeps_all_but_its_secrets() {
        for (text, expected) in [
            ("<a b=\"&quot;c\">d &amp; e<!-- f --></a>", "<a b=\"&quot;c\">d &amp; e<!-- f --></a>"),
            (
                "<field name=\"msdyn_apikey\" value=\"k\" x=\"&lt;\"/>",
                "<field name=\"msdyn_apikey\" value=\"[left behind]\" x=\"&lt;\"/>",
            ),
            ("<field name=\"msdyn_hassecret\" value=\"True\"/>", "<field name=\"msdyn_hassecret\" value=\"True\"/>"),
            ("<r msdyn_apikey=\"k\"><b/></r>", "<r msdyn_apikey=\"[left behind]\"><b/></r>"),
            (
                "<r><msdyn_apikey>a<b>k</b></msdyn_apikey><c/></r>",
                "<r><msdyn_apikey>[left behind]</msdyn_apikey><c/></r>",
            ),
            ("<msdyn_apikey><![CDATA[k]]></msdyn_apikey>", "<msdyn_apikey>[left behind]</msdyn_apikey>"),
            ("<msdyn_apikey default=\"k\"></msdyn_apikey>", "<msdyn_apikey>[left behind]</msdyn_apikey>"),
            ("<msdyn_hassecret>1</msdyn_hassecret>", "<msdyn_hassecret>1</msdyn_hassecret>"),
            ("<r><msdyn_apikey>k", "<r>"),
        ] {
            assert_eq!(cleaned(text), expected, "{text}");
        }
        let mut out = Vec::new();
        json(&br#"{"item": {"source": {"attributes": {"msdyn_apikey": "k", "a": "b"}}}}"#[..], &mut out).unwrap();
        let found = String::from_utf8(out).unwrap();
        assert_eq!(found, r#"{"item":{"source":{"attributes":{"a":"b","msdyn_apikey":"[left behind]"}}}}"#);
    }

    /// Copies an archive of `files`. Returns the files of the copy, by name.
    fn copied(files: &[(&str, &str)]) -> Vec<(String, String)> {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from.zip"), folder.path().join("to.zip"));
        let mut zip = ZipWriter::new(File::create(&from).unwrap());
        for (name, content) in files {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(content.as_bytes()).unwrap();
        }
        zip.finish().unwrap();
        assert!(copy_without_secrets(&from, &to).unwrap());
        let mut zip = ZipArchive::new(File::open(&to).unwrap()).unwrap();
        let all = (0..zip.len()).map(|index| {
            let mut entry = zip.by_index(index).unwrap();
            let mut content = String::new();
            entry.read_to_string(&mut content).unwrap();
            (entry.name().unwrap().into_owned(), content)
        });
        all.collect()
    }

    #[test]
    fn of_a_package_only_what_is_read_is_copied() {
        let secret = "<r msdyn_apikey=\"k\"/>";
        let left = "<r msdyn_apikey=\"[left behind]\"/>".to_owned();
        let files =
            [("data.xml", secret), ("data_schema.xml", "<e/>"), ("other.xml", secret), ("o.json", "[[[[[]]]]]")];
        let [data, schema, other, json] = copied(&files).try_into().unwrap();
        assert_eq!((data.1, schema.1.as_str()), (left.clone(), "<e/>"));
        assert_eq!((other, json), (("other.xml".to_owned(), String::new()), ("o.json".to_owned(), String::new())));
        // All files of a solution are read.
        let [solution, other] = copied(&[("solution.xml", "<e/>"), ("other.xml", secret)]).try_into().unwrap();
        assert_eq!((solution.1.as_str(), other.1), ("<e/>", left));
    }

    #[test]
    fn a_tag_that_is_longer_than_any_is_where_the_copy_of_a_document_ends() {
        let flood = format!("<r msdyn_apikey=\"k\"/><r {}/>", "a=\"\" ".repeat(2 << 20));
        assert_eq!(cleaned(&flood), "<r msdyn_apikey=\"[left behind]\"/>");
        let many = format!("{{\"item\": [{}[]]}}", "[],".repeat(200_000));
        let [_, (_, json)] = copied(&[("a.xml", "<r msdyn_apikey=\"k\"/>"), ("b.json", &many)]).try_into().unwrap();
        assert_eq!(json, many, "what is more than is looked into stays as it is");
    }
}
