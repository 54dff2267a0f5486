//! Projects in other languages than Rust: what they are made of.
//!
//! They are plugins like any other, of the same contract; the component holds the runtime of the language besides.

use super::sdk;

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

const PYTHON: &[(&str, &str)] = &[
    ("requirements.txt", include_str!("python/tool/requirements.txt.in")),
    ("plugin.toml", include_str!("rust/tool/plugin.toml.in")),
    ("src/plugin.py", include_str!("python/tool/plugin.py.in")),
    ("tests/__init__.py", include_str!("python/tool/init.py.in")),
    ("tests/test_plugin.py", include_str!("python/tool/test_plugin.py.in")),
    ("cases/first.yaml", include_str!("rust/tool/first.yaml.in")),
    ("question.yaml", include_str!("rust/tool/question.yaml.in")),
    ("README.md", include_str!("python/tool/README.md.in")),
    (".gitignore", "/.venv\n/target\n__pycache__\n"),
    ("bindings/componentize_py_types.py", include_str!("python/tool/bindings/componentize_py_types.py")),
    ("bindings/wit_world/__init__.py", include_str!("python/tool/bindings/wit_world/__init__.py")),
    ("bindings/wit_world/exports/__init__.py", include_str!("python/tool/bindings/wit_world/exports/__init__.py")),
    ("bindings/wit_world/exports/tool_rule.py", include_str!("python/tool/bindings/wit_world/exports/tool_rule.py")),
    ("bindings/wit_world/imports/__init__.py", include_str!("python/tool/bindings/wit_world/imports/__init__.py")),
    ("bindings/wit_world/imports/context.py", include_str!("python/tool/bindings/wit_world/imports/context.py")),
    ("bindings/wit_world/imports/http.py", include_str!("python/tool/bindings/wit_world/imports/http.py")),
    ("bindings/wit_world/imports/knowledge.py", include_str!("python/tool/bindings/wit_world/imports/knowledge.py")),
    ("bindings/wit_world/imports/library.py", include_str!("python/tool/bindings/wit_world/imports/library.py")),
    ("bindings/wit_world/imports/records.py", include_str!("python/tool/bindings/wit_world/imports/records.py")),
    ("bindings/wit_world/imports/trace.py", include_str!("python/tool/bindings/wit_world/imports/trace.py")),
];

const JAVASCRIPT: &[(&str, &str)] = &[
    ("package.json", include_str!("javascript/tool/package.json.in")),
    ("package-lock.json", include_str!("javascript/tool/package-lock.json.in")),
    ("plugin.toml", include_str!("rust/tool/plugin.toml.in")),
    ("src/plugin.js", include_str!("javascript/tool/plugin.js.in")),
    ("src/rule.js", include_str!("javascript/tool/rule.js.in")),
    ("test/rule.test.js", include_str!("javascript/tool/rule.test.js.in")),
    ("types/loadout.d.ts", include_str!("javascript/tool/loadout.d.ts.in")),
    ("cases/first.yaml", include_str!("rust/tool/first.yaml.in")),
    ("question.yaml", include_str!("rust/tool/question.yaml.in")),
    ("README.md", include_str!("javascript/tool/README.md.in")),
    (".gitignore", "/node_modules\n/target\n"),
];

impl Language {
    /// What a project with the rule of a tool is made of; nothing for Rust, which has templates of its own.
    pub(super) fn tool(self) -> Option<&'static [(&'static str, &'static str)]> {
        match self {
            Self::Rust => None,
            Self::Python => Some(PYTHON),
            Self::JavaScript => Some(JAVASCRIPT),
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

    use super::*;

    /// The names of all functions that a world `tool` imports and exports, in the words of a language.
    fn functions(named: impl Fn(&str) -> String) -> BTreeSet<String> {
        let interfaces = ["context", "library", "records", "knowledge", "http", "trace", "tool-rule"];
        let files = sdk::files().unwrap();
        let text = |name: &str| files.iter().find(|(path, _)| *path == format!("wit/{name}.wit")).unwrap().1.clone();
        let function = |line: &str| line.trim().split_once(": func(").map(|(name, _)| named(name));
        interfaces.into_iter().flat_map(|name| text(name).lines().filter_map(function).collect::<Vec<_>>()).collect()
    }

    fn camel(name: &str) -> String {
        let mut words = name.split('-');
        let first = words.next().unwrap_or_default().to_owned();
        words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..])
    }

    #[test]
    fn the_types_of_each_language_have_the_functions_of_the_contract() {
        let text = |files: &[(&str, &str)], place: &str| {
            files.iter().filter(|(path, _)| path.starts_with(place)).map(|(_, text)| *text).collect::<String>()
        };
        let declared = text(JAVASCRIPT, "types/");
        let found = declared.lines().filter_map(|line| line.trim().strip_prefix("export function ")?.split_once('('));
        assert_eq!(found.map(|(name, _)| name.to_owned()).collect::<BTreeSet<_>>(), functions(camel));
        let bound = text(PYTHON, "bindings/wit_world/");
        let found = bound.lines().filter_map(|line| line.trim().strip_prefix("def ")?.split_once('('));
        let snake = |name: &str| name.replace('-', "_");
        assert_eq!(found.map(|(name, _)| name.to_owned()).collect::<BTreeSet<_>>(), functions(snake));
    }
}
