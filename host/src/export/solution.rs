//! Writes `solution.xml`: the name of the solution, and the items its target must have.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{AnyItem, Kind};
use crate::import::dependencies::KINDS;
use crate::import::rank::MAPPING;
use crate::store::{Layer, Snapshot};

use super::Options;
use super::profile::elsewhere;
use super::tables::Tables;
use super::xml::Element;

/// The prefix if no item of the environment has one.
const FALLBACK_PREFIX: &str = "loadout";

/// The most frequent prefix of macros, or else of the other items. With it, most macros need no `UniqueName`.
pub(super) fn prefix(snapshot: &Snapshot) -> String {
    let of = |kinds: &[Kind]| {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let entries = kinds.iter().filter(|kind| kind.is_prefixed()).flat_map(|kind| snapshot.entries(*kind));
        for (name, _) in entries.filter(|(_, entry)| entry.layer == Layer::Custom) {
            let prefix = name.split_once('_').map(|(prefix, _)| prefix).filter(|prefix| is_prefix(prefix));
            if let Some(prefix) = prefix {
                *counts.entry(prefix).or_default() += 1;
            }
        }
        // Of equally frequent prefixes, the first.
        counts.into_iter().rev().max_by_key(|(_, count)| *count).map(|(prefix, _)| prefix.to_owned())
    };
    of(&[Kind::Macro]).or_else(|| of(Kind::ALL)).unwrap_or_else(|| FALLBACK_PREFIX.to_owned())
}

/// Whether a publisher can have this prefix and the import leaves it unchanged.
fn is_prefix(text: &str) -> bool {
    (3..=8).contains(&text.len()) && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
}

/// The document `solution.xml`.
pub(super) fn document(tables: &Tables<'_>, options: &Options) -> String {
    let language = tables.language.to_string();
    let named = |name: &str| {
        let name = Element::empty("LocalizedName").with("description", name).with("languagecode", &language);
        Element::of("LocalizedNames", [name])
    };
    let publisher = [
        Element::text("UniqueName", tables.prefix),
        named(tables.prefix),
        Element::empty("Descriptions"),
        Element::text("CustomizationPrefix", tables.prefix),
    ];
    let macros = tables.workflows.keys().map(|id| {
        Element::empty("RootComponent").with("type", "29").with("id", format!("{{{id}}}")).with("behavior", "0")
    });
    let manifest = [
        Element::text("UniqueName", &options.name),
        named(&options.name),
        Element::empty("Descriptions"),
        Element::text("Version", &options.version),
        Element::text("Managed", "0"),
        Element::of("Publisher", publisher),
        Element::of("RootComponents", macros),
        Element::of("MissingDependencies", required(tables.snapshot)),
    ];
    Element::of("ImportExportXml", [Element::of("SolutionManifest", manifest)])
        .with("version", "9.2")
        .with("SolutionPackageVersion", "9.2")
        .with("languagecode", &language)
        .with("generatedBy", "Loadout")
        .document()
}

/// The most dependencies that are written. Every environment has the out-of-the-box items, so nothing is lost without
/// the others.
const REQUIRED_MAX: usize = 5_000;

/// The out-of-the-box items to which custom items refer.
fn required(snapshot: &Snapshot) -> Vec<Element> {
    let mut required = BTreeSet::new();
    for kind in Kind::ALL {
        for (name, entry) in snapshot.entries(*kind).filter(|(_, entry)| entry.layer == Layer::Custom) {
            let mut item: AnyItem = entry.item.clone();
            item.references(&mut |reference| {
                let target = snapshot.entry(reference.kind, reference.name);
                let is_shipped = target.is_some_and(|target| target.layer == Layer::OutOfTheBox);
                if let Some(table) = table(reference.kind).filter(|_| is_shipped) {
                    let dependent = table_or_collection(*kind);
                    let required_name = match reference.kind {
                        Kind::App => elsewhere(snapshot, reference.name),
                        _ => reference.name.to_string(),
                    };
                    required.insert((table, required_name, dependent, name.to_string()));
                }
            });
        }
    }
    let of = |element: &str, table: &str, name: &str| {
        Element::empty(element).with("type", table).with("displayName", name).with("id.msdyn_uniquename", name)
    };
    let row = |(table, name, dependent, of_dependent): (&str, String, &str, String)| {
        Element::of("MissingDependency", [of("Required", table, &name), of("Dependent", dependent, &of_dependent)])
    };
    required.into_iter().take(REQUIRED_MAX).map(row).collect()
}

fn table(kind: Kind) -> Option<&'static str> {
    KINDS.iter().find(|(_, known)| *known == kind).map(|(table, _)| *table)
}

fn table_or_collection(kind: Kind) -> &'static str {
    if kind == Kind::RankAndRoles { MAPPING } else { table(kind).unwrap_or_else(|| kind.collection()) }
}
