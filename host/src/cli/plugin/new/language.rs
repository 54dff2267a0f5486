//! The languages that plugins are written in: what a project of each kind is made of, and how its rule is asked
//! natively.
//!
//! Plugins in other languages than Rust are plugins like any other, of the same contract; the component holds the
//! runtime of the language besides.

use super::{Kind, Template, javascript, python, rust, sdk};

/// The language a plugin is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Language {
    /// Small and fast, with an SDK.
    Rust,
    /// With `componentize-py`.
    Python,
    /// With `componentize-js`.
    #[value(name = "javascript")]
    JavaScript,
}

impl Language {
    /// What a project is made of.
    pub(super) fn template(self, kind: Kind) -> Template {
        match self {
            Self::Rust => rust::template(kind),
            Self::Python => python::template(kind),
            Self::JavaScript => javascript::template(kind),
        }
    }

    /// The files of `sdk::files` that come along: the contract for all, the SDK for Rust.
    pub(super) fn takes(self, path: &str) -> bool {
        self == Self::Rust || path.starts_with(sdk::CONTRACT)
    }

    /// What asks the rule natively.
    pub(super) fn test(self) -> &'static str {
        match self {
            Self::Rust => "cargo test",
            Self::Python => "python3 -m unittest",
            Self::JavaScript => "npm test",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::ValueEnum as _;

    use super::*;

    /// What the world of a manifest imports and exports, in the order of the contract.
    fn interfaces(worlds: &str, manifest: &str) -> Vec<String> {
        let (_, world) = manifest.split_once("world = \"loadout:plugin/").unwrap();
        let (world, _) = world.split_once('@').unwrap();
        let (_, body) = worlds.split_once(&format!("\nworld {world} {{\n")).unwrap();
        let lines = body.lines().map_while(|line| line.trim().strip_suffix(';'));
        lines.map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
    }

    /// The names of the functions of an interface, in the words of a language.
    fn functions(interface: &str, named: fn(&str) -> String) -> BTreeSet<String> {
        let function = |line: &str| line.trim().split_once(": func(").map(|(name, _)| named(name));
        interface.lines().filter_map(function).collect()
    }

    /// The names that come after a word and before a bracket.
    fn declared(text: &str, word: &str) -> BTreeSet<String> {
        let declared = text.lines().filter_map(|line| line.trim().strip_prefix(word)?.split_once('('));
        declared.map(|(name, _)| name.to_owned()).collect()
    }

    fn camel(name: &str) -> String {
        let mut words = name.split('-');
        let first = words.next().unwrap_or_default().to_owned();
        words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..])
    }

    fn snake(name: &str) -> String {
        name.replace('-', "_")
    }

    #[test]
    fn the_types_of_each_language_have_the_functions_of_each_world() {
        let sdk = sdk::files().unwrap();
        let wit = |name: &str| &sdk.iter().find(|(path, _)| *path == format!("wit/{name}.wit")).unwrap().1;
        for kind in Kind::value_variants() {
            let (python, javascript) = (Language::Python.template(*kind), Language::JavaScript.template(*kind));
            let text = |template: Template, place: &str| -> String {
                template.iter().filter(|(path, _)| path.starts_with(place)).map(|(_, text)| *text).collect()
            };
            let interfaces = interfaces(wit("worlds"), &text(python, "plugin.toml"));
            let of_contract = |named: fn(&str) -> String| -> BTreeSet<String> {
                interfaces.iter().flat_map(|name| functions(wit(name), named)).collect()
            };
            assert_eq!(declared(&text(python, "bindings/wit_world/"), "def "), of_contract(snake), "{kind:?}");
            assert_eq!(declared(&text(javascript, "types/"), "export function "), of_contract(camel), "{kind:?}");
            let paths = |template: Template, place: &str| -> BTreeSet<String> {
                let inside = template.iter().filter_map(|(path, _)| path.strip_prefix(place));
                inside.map(str::to_owned).collect()
            };
            let types: BTreeSet<String> = interfaces.iter().map(|name| format!("{name}.d.ts")).collect();
            assert_eq!(paths(javascript, "types/"), types, "{kind:?}");
        }
    }

    #[test]
    fn a_kind_has_the_same_manifest_and_cases_in_each_language() {
        for kind in Kind::value_variants() {
            let shared = |language: Language| {
                let same = |path: &str| ["plugin.toml", "cases/first.yaml", "question.yaml"].contains(&path);
                let template = language.template(*kind).iter();
                template.copied().filter(|(path, _)| same(path)).collect::<BTreeSet<_>>()
            };
            assert_eq!(shared(Language::Rust).len(), 3, "{kind:?}");
            for language in Language::value_variants() {
                assert_eq!(shared(*language), shared(Language::Rust), "{kind:?} in {language:?}");
            }
        }
    }
}
