//! How the sources are written: comments that fit the width of the code, sentences whose subject has a name, one word
//! for one thing.

use std::fs;
use std::path::{Path, PathBuf};

use super::layering::root;

/// The width of `.rustfmt.toml`, in characters. The formatter does not wrap comments.
const WIDTH: usize = 120;

/// Persons without a name: who acts is the very thing to be told.
const UNNAMED: &[&str] = &["whoever", "somebody", "nobody", "anybody", "everybody", "someone", "anyone", "everyone"];

/// Words that were given up for those of `host/ARCHITECTURE.md`, and where they must not come back as names.
const GIVEN_UP: &[(&str, &str)] = &[
    ("Workshop", "host/src"),
    ("Modesty", "host/src"),
    ("Wish", "host/src"),
    ("Circumstances", "host/src"),
    ("Testimony", "host/src"),
    ("Witness", "host/src"),
    ("Beside", "host/src"),
    ("Machinery", "host/src"),
    ("Door", "host/src/plugin"),
    ("Handler", "host/src/plugin"),
    ("Remains", "host/src/plugin"),
    ("Means", "host/src/plugin"),
    ("Leave", "host/src/plugin"),
    ("Lane", "host/src/plugin"),
    ("Course", "host/src/plugin"),
];

fn sources(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("a folder can be listed").path();
        let skipped = ["target", "golden", "node_modules", "vendor"].iter().any(|name| path.ends_with(name));
        if path.is_dir() && !skipped {
            sources(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            let text = fs::read_to_string(&path).expect("a source file");
            found.push((path.strip_prefix(root()).unwrap_or(&path).to_owned(), text));
        }
    }
}

fn all() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for folder in ["host", "guest-sdk", "plugins", "tests"] {
        sources(&root().join(folder), &mut found);
    }
    assert!(found.len() > 600, "only {} files: is the search still right?", found.len());
    found
}

/// The comments of a file without the code in them, with the numbers of their lines.
fn comments(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
    let mut is_code = false;
    lines.filter(|(_, line)| line.trim_start().starts_with("//")).filter(move |(_, line)| {
        let is_fence = line.trim_start_matches(['/', '!', ' ']).starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
}

#[test]
fn comments_are_no_wider_than_the_code() {
    let mut wide = Vec::new();
    for (file, text) in all() {
        let found = comments(&text).filter(|(_, line)| line.chars().count() > WIDTH);
        wide.extend(found.map(|(line, _)| format!("{}:{line}", file.display())));
    }
    assert_eq!(wide, [""; 0]);
}

#[test]
fn the_subject_of_a_sentence_has_a_name() {
    let mut unnamed = Vec::new();
    for (file, text) in all().into_iter().filter(|(file, _)| !file.ends_with("tests/it/source/tidy.rs")) {
        for (line, comment) in comments(&text) {
            // What stands in quotes is data, such as a login.
            let said: String = comment.split(['`', '"']).step_by(2).collect();
            if words(&said).any(|word| UNNAMED.iter().any(|it| word.eq_ignore_ascii_case(it))) {
                unnamed.push(format!("{}:{line}: {}", file.display(), comment.trim()));
            }
        }
    }
    assert_eq!(unnamed, [""; 0]);
}

#[test]
fn a_word_that_was_given_up_stays_away() {
    let mut back = Vec::new();
    for (file, text) in all() {
        for (word, _) in GIVEN_UP.iter().filter(|(_, folder)| file.starts_with(folder)) {
            if words(&text).any(|it| it == *word) {
                back.push(format!("{}: {word}", file.display()));
            }
        }
    }
    assert_eq!(back, [""; 0]);
}

#[test]
fn pages_for_developers_name_files_that_are_there() {
    let mut missing = Vec::new();
    for page in ["host/ARCHITECTURE.md", "host/RULINGS.md", "CONTRIBUTING.md", "tests/README.md"] {
        let text = fs::read_to_string(root().join(page)).expect("a page");
        let named = text.split('`').skip(1).step_by(2).filter(|it| it.ends_with(".rs") && it.contains('/'));
        // `does_it.rs` stands for a guest that is still to be written.
        for file in named.filter(|it| !it.contains(['<', '…', ' ', '{']) && !it.ends_with("does_it.rs")) {
            let homes = [
                "",
                "host",
                "host/src",
                "host/src/plugin",
                "host/src/plugin/load",
                "host/src/store",
                "tests",
                "tests/it",
            ];
            if !homes.iter().any(|home| root().join(home).join(file).exists()) {
                missing.push(format!("{page}: {file}"));
            }
        }
    }
    assert_eq!(missing, [""; 0]);
}
