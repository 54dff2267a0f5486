//! Archives made for tests: folders packed the way an export packs them, and old environments of any size.

use std::fmt::Write as _;
use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;

use crate::host::Failure;

/// The root of the project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A folder as the zip file an export makes of it.
pub fn pack(folder: &Path) -> Result<Vec<u8>, Failure> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder)?.to_string_lossy().replace('\\', "/");
                files.push((name, fs::read(&path)?));
            }
        }
    }
    let files: Vec<(&str, Vec<u8>)> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    entries(&files)
}

/// A zip file with these entries.
pub fn entries(files: &[(&str, Vec<u8>)]) -> Result<Vec<u8>, Failure> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default())?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// An exported solution of the publisher `adat`. Each row is a table, a unique name and the columns; `links` stand at
/// the end of `customizations.xml`.
pub fn solution(name: &str, managed: bool, rows: &[(&str, &str, &str)], links: &str) -> Result<Vec<u8>, Failure> {
    let manifest = format!(
        "<ImportExportXml><SolutionManifest><UniqueName>{name}</UniqueName><Version>1.0.0.0</Version><Managed>{}</Managed>\
         <Publisher><CustomizationPrefix>adat</CustomizationPrefix></Publisher></SolutionManifest></ImportExportXml>",
        u8::from(managed)
    );
    let links = format!("<ImportExportXml>{links}</ImportExportXml>");
    let mut files =
        vec![("solution.xml".to_owned(), manifest.into_bytes()), ("customizations.xml".to_owned(), links.into_bytes())];
    for (table, name, columns) in rows {
        let row = format!(
            "<{table} msdyn_uniquename=\"{name}\"><iscustomizable>1</iscustomizable>{columns}\
             <statecode>0</statecode><statuscode>1</statuscode></{table}>"
        );
        files.push((format!("{table}s/{name}/{table}.xml"), row.into_bytes()));
    }
    let files: Vec<(&str, Vec<u8>)> = files.iter().map(|(path, bytes)| (path.as_str(), bytes.clone())).collect();
    entries(&files)
}

/// The columns of a row with their values.
pub type Columns<'a> = Vec<(&'a str, String)>;

/// A Configuration Migration package with the rows of one table, each a list of column and value.
pub fn package(table: &str, rows: &[Columns<'_>]) -> Result<Vec<u8>, Failure> {
    package_of(&[(table, rows)])
}

/// The same with the rows of several tables. The id of a row is [`guid`] of its place among the rows of its table.
pub fn package_of(tables: &[(&str, &[Columns<'_>])]) -> Result<Vec<u8>, Failure> {
    let mut data = String::from("<entities>\n");
    for (table, rows) in tables {
        write!(data, "<entity name=\"{table}\"><records>")?;
        for (at, row) in rows.iter().enumerate() {
            write!(data, "<record id=\"{}\">", guid(at + 1))?;
            for (column, value) in row {
                write!(data, "<field name=\"{column}\" value=\"{value}\" />")?;
            }
            data.push_str("</record>");
        }
        data.push_str("</records></entity>");
    }
    data.push_str("</entities>");
    let named: Vec<&str> = tables.iter().map(|(table, _)| *table).collect();
    entries(&[("data.xml", data.into_bytes()), ("data_schema.xml", schema(&named))])
}

fn schema(tables: &[&str]) -> Vec<u8> {
    let described: String = tables.iter().map(|table| format!("<entity name=\"{table}\" />")).collect();
    format!("<entities>{described}</entities>").into_bytes()
}

/// The GUID of the row at a place, from 1.
pub fn guid(at: usize) -> String {
    format!("{at:08x}-0000-4000-8000-{at:012x}")
}

/// The old console tables with about `rows` rows: tabs with ten parameters each, sessions, and rows of an unknown
/// table.
pub fn console(rows: usize) -> Result<Vec<u8>, Failure> {
    const TAB: &str = "msdyn_consoleapplicationtemplate";
    const PARAMETER: &str = "msdyn_consoleapplicationtemplateparameter";
    const SESSION: &str = "msdyn_consoleapplicationsessiontemplate";
    // One tab, ten parameters, one session and a row of an unknown table.
    let groups = rows.div_ceil(13);
    let (mut tabs, mut links, mut parameters) = (String::new(), String::new(), String::new());
    let (mut sessions, mut others) = (String::new(), String::new());
    for at in 0..groups {
        let (tab, session, other) = (guid(at * 13 + 1), guid(at * 13 + 2), guid(at * 13 + 3));
        writeln!(
            tabs,
            "<record id=\"{tab}\"><field name=\"msdyn_name\" value=\"Tab {at}\" /><field name=\"msdyn_title\" value=\"Tab {at} of {{customerName}}\" />\
             <field name=\"msdyn_pagetype\" value=\"{tab}\" lookupentity=\"msdyn_consoleapplicationtype\" lookupentityname=\"ThirdPartyWebsite\" />\
             <field name=\"msdyn_templateparameters\" value=\"{{&amp;quot;copied&amp;quot;:{{&amp;quot;value&amp;quot;:&amp;quot;{at}&amp;quot;}}}}\" /></record>"
        )?;
        let mut targets = String::new();
        for number in 0..10 {
            let (id, key) =
                (guid(at * 13 + 4 + number), if number == 0 { "url".to_owned() } else { format!("p{number}") });
            write!(targets, "<targetid>{id}</targetid>")?;
            writeln!(
                parameters,
                "<record id=\"{id}\"><field name=\"msdyn_name\" value=\"{at}_{key}\" /><field name=\"msdyn_parametername\" value=\"{key}\" />\
                 <field name=\"msdyn_value\" value=\"https://tabs.example/{at}/{number}?q={{searchQ}}\" /><field name=\"msdyn_isruntime\" value=\"True\" /></record>"
            )?;
        }
        writeln!(
            links,
            "<m2mrelationship sourceid=\"{tab}\" targetentityname=\"{PARAMETER}\" m2mrelationshipname=\"cut\"><targetids>{targets}</targetids></m2mrelationship>"
        )?;
        writeln!(
            sessions,
            "<record id=\"{session}\"><field name=\"msdyn_name\" value=\"Session {at}\" /><field name=\"msdyn_title\" value=\"Session {at}\" />\
             <field name=\"msdyn_anchortab\" value=\"{tab}\" lookupentity=\"{TAB}\" lookupentityname=\"Tab {at}\" /></record>"
        )?;
        writeln!(others, "<record id=\"{other}\"><field name=\"name\" value=\"Other {at}\" /></record>")?;
    }
    let data = format!(
        "<entities>\n<entity name=\"{TAB}\"><records>{tabs}</records><m2mrelationships>{links}</m2mrelationships></entity>\n\
         <entity name=\"{PARAMETER}\"><records>{parameters}</records></entity>\n<entity name=\"{SESSION}\"><records>{sessions}</records></entity>\n\
         <entity name=\"somebodys_table\"><records>{others}</records></entity>\n</entities>"
    );
    let schema = schema(&[TAB, PARAMETER, SESSION, "somebodys_table"]);
    entries(&[("data.xml", data.into_bytes()), ("data_schema.xml", schema)])
}
