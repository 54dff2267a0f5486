//! `loadout plugin new`: a project that builds, with a rule, a test and cases that pass.
//!
//! Writes into a folder that is not there yet, and nowhere else. The SDK comes along, so nothing but the language's
//! registry is needed.

mod javascript;
mod language;
mod python;
mod rust;
mod sdk;

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::failure::Failure;
use crate::cli::print;

use language::Language;

/// What a new project is made of, by its place in the folder.
type Template = &'static [(&'static str, &'static str)];

/// Make a new plugin's project.
#[derive(Debug, clap::Args)]
pub(super) struct New {
    /// What it is called: `a` to `z`, `0` to `9` and `-`, a letter first. Also the folder that is made.
    #[arg(value_name = "NAME")]
    name: PathBuf,
    /// What it does.
    #[arg(long, value_enum, default_value = "tool")]
    kind: Kind,
    /// What it is written in.
    #[arg(long, value_enum, default_value = "rust")]
    lang: Language,
    /// Who publishes it.
    #[arg(long, default_value = "example")]
    publisher: String,
    /// The kind of tool it decides about, or has a step around. Without it, a tool has its own name and a step is
    /// around `macros`.
    #[arg(long, value_name = "KIND")]
    tool: Option<String>,
}

/// What a plugin does.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Kind {
    /// It decides about a kind of productivity tool.
    Tool,
    /// It takes part in changes of configuration.
    Step,
    /// It has a step around the rule of a kind of productivity tool.
    ToolStep,
    /// It upgrades old environments.
    Upgrade,
}

impl New {
    pub(super) fn run(self) -> Result<(), Failure> {
        let Self { name: folder, kind, lang, publisher, tool } = self;
        let name = folder.file_name().and_then(|it| it.to_str()).unwrap_or_default().to_owned();
        let tool = match (kind, tool) {
            (Kind::Tool, tool) => tool.unwrap_or_else(|| name.clone()),
            (Kind::ToolStep, tool) => tool.unwrap_or_else(|| "macros".to_owned()),
            (Kind::Step | Kind::Upgrade, None) => String::from("none"),
            (Kind::Step | Kind::Upgrade, Some(tool)) => {
                return Err(Failure::usage(format!(
                    "`--tool {tool}` means nothing for a plugin that is about no tool: leave it out"
                )));
            }
        };
        for (what, typed) in [("name", &name), ("publisher", &publisher), ("tool", &tool)] {
            if !is_name(typed) {
                return Err(Failure::usage(format!(
                    "`{typed}` cannot be the {what} of a plugin: use `a` to `z`, `0` to `9` and `-`, a letter first"
                )));
            }
        }
        if folder.exists() {
            return Err(Failure::usage(format!("`{}` is there already: choose another name", folder.display())));
        }
        let title = name.split('-').map(capitalised).collect::<String>();
        let filled = |text: &str| {
            [("@NAME@", &name), ("@PUBLISHER@", &publisher), ("@TOOL@", &tool), ("@TITLE@", &title)]
                .iter()
                .fold(text.to_owned(), |text, (key, value)| text.replace(key, value))
        };
        for (path, text) in lang.template(kind) {
            write(&folder.join(path), &filled(text))?;
        }
        for (path, text) in sdk::files()?.into_iter().filter(|(path, _)| lang.takes(path)) {
            write(&folder.join("vendor/loadout").join(path), &text)?;
        }
        let shown = folder.display();
        print(&format!("made `{shown}`; next:\n  cd {shown}\n  {}\n  loadout plugin test", lang.test()))
    }
}

fn is_name(text: &str) -> bool {
    let fits = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-';
    text.len() <= 64 && text.starts_with(|first: char| first.is_ascii_lowercase()) && text.chars().all(fits)
}

fn capitalised(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let unwritable = |error| Failure::because(format!("`{}` cannot be written", path.display()), error);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(unwritable)?;
    }
    fs::write(path, text).map_err(unwritable)
}
