//! No circle: within each folder of the host, files and sub-folders name each other in one direction.
//!
//! A file and the files below it belong together and may name each other. What a file re-exports is followed to where
//! it stands.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::layering::{host, production};

type Module = Vec<String>;

/// The modules of the host, with their code.
struct Tree {
    code: BTreeMap<Module, String>,
    /// By module and name: what the name stands for.
    exported: BTreeMap<(Module, String), Module>,
}

impl Tree {
    fn read() -> Self {
        let mut code = BTreeMap::new();
        collect(&host(), &mut Vec::new(), &mut code);
        let mut tree = Self { code, exported: BTreeMap::new() };
        let mut exported = BTreeMap::new();
        for (module, text) in &tree.code {
            for path in uses(text) {
                if let (Some(name), Some(whole)) = (path.last(), tree.absolute(module, &path)) {
                    exported.insert((module.clone(), name.clone()), whole);
                }
            }
        }
        tree.exported = exported;
        tree
    }

    /// A path from the root, if it begins in this crate.
    fn absolute(&self, module: &Module, path: &[String]) -> Option<Module> {
        let first = path.first()?.as_str();
        let ups = path.iter().take_while(|part| *part == "super").count();
        match first {
            "crate" => Some(path[1..].to_vec()),
            "self" => Some([module.as_slice(), &path[1..]].concat()),
            "super" => Some([&module[..module.len().checked_sub(ups)?], &path[ups..]].concat()),
            _ => {
                let child = [module.as_slice(), &path[..1]].concat();
                self.code.contains_key(&child).then(|| [module.as_slice(), path].concat())
            }
        }
    }

    /// The file in which what `path` names stands.
    fn home(&self, path: &Module) -> Option<Module> {
        let mut path = path.clone();
        for _ in 0..8 {
            let known = (1..=path.len()).rev().find(|end| self.code.contains_key(&path[..*end]))?;
            let (owner, rest) = (path[..known].to_vec(), &path[known..]);
            let Some(name) = rest.first() else { return Some(owner) };
            match self.exported.get(&(owner.clone(), name.clone())) {
                Some(target) if *target != path => path = [target.as_slice(), &rest[1..]].concat(),
                _ => return Some(owner),
            }
        }
        None
    }

    /// Which child of a folder names which other, by folder.
    fn edges(&self) -> BTreeMap<Module, BTreeMap<String, BTreeSet<String>>> {
        let mut edges: BTreeMap<Module, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
        for (module, text) in &self.code {
            let named = uses(text).into_iter().chain(mentions(text));
            for home in named.filter_map(|path| self.home(&self.absolute(module, &path)?)) {
                let common = module.iter().zip(&home).take_while(|(one, other)| one == other).count();
                if common < module.len() && common < home.len() {
                    let folder = edges.entry(module[..common].to_vec()).or_default();
                    folder.entry(module[common].clone()).or_default().insert(home[common].clone());
                }
            }
        }
        edges
    }
}

fn collect(folder: &Path, module: &mut Module, code: &mut BTreeMap<Module, String>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("a folder can be listed").path();
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if path.is_dir() {
            module.push(name);
            collect(&path, module, code);
            module.pop();
        } else if path.extension().is_some_and(|it| it == "rs")
            && !["tests", "fixture", "lib", "main"].contains(&&*name)
        {
            let text = production(&fs::read_to_string(&path).expect("a source file"));
            let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            code.insert([module.as_slice(), &[name]].concat(), lines.collect::<Vec<_>>().join("\n"));
        }
    }
}

/// The paths that `use` names, groups taken apart, aliases left out.
fn uses(text: &str) -> Vec<Module> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("use ") {
        let begins =
            text[..at].chars().next_back().is_none_or(|before| before == '\n' || before == ' ' || before == ')');
        let Some(end) = text[at..].find(';').filter(|_| begins) else { continue };
        expand(&text[at + 4..at + end], &[], &mut found);
    }
    found
}

/// Takes a tree of paths apart.
fn expand(tree: &str, before: &[String], found: &mut Vec<Module>) {
    let tree = tree.trim();
    let (head, group) = tree.split_once('{').map_or((tree, None), |(head, group)| (head, Some(group)));
    let parts = head.split("::").map(|part| part.split(" as ").next().unwrap_or_default().trim());
    let path: Module = before.iter().cloned().chain(parts.filter(|it| !it.is_empty()).map(str::to_owned)).collect();
    let Some(group) = group else {
        let path: Module =
            path.into_iter().enumerate().filter(|(at, it)| *at == 0 || it != "self").map(|(_, it)| it).collect();
        return found.push(path);
    };
    let (mut depth, mut from) = (0_i32, 0);
    let group = group.trim_end().strip_suffix('}').unwrap_or(group);
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                expand(&group[from..at], &path, found);
                from = at + 1;
            }
            _ => {}
        }
    }
    if !group[from..].trim().is_empty() {
        expand(&group[from..], &path, found);
    }
}

/// The paths that stand in the code itself.
fn mentions(text: &str) -> Vec<Module> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for start in ["crate::", "super::"] {
        for (at, _) in text.match_indices(start) {
            if text[..at].chars().next_back().is_some_and(|before| word(before) || before == ':') {
                continue;
            }
            let path = text[at..].split(|c: char| !word(c) && c != ':').next().unwrap_or_default();
            found.push(path.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect());
        }
    }
    found
}

/// Everything that can be reached from `start`, not `start` itself unless a circle leads back to it.
fn reached<'a>(start: &'a str, edges: &'a BTreeMap<String, BTreeSet<String>>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut next = vec![start];
    while let Some(at) = next.pop() {
        for to in edges.get(at).into_iter().flatten() {
            if seen.insert(to.as_str()) {
                next.push(to);
            }
        }
    }
    seen
}

#[test]
fn no_files_of_a_folder_name_each_other_in_a_circle() {
    let edges = Tree::read().edges();
    assert!(edges.len() > 40, "only {} folders: is the search still right?", edges.len());
    let mut circles = Vec::new();
    for (folder, edges) in &edges {
        let on: Vec<&str> = edges.keys().map(String::as_str).filter(|it| reached(it, edges).contains(it)).collect();
        if !on.is_empty() {
            circles.push(format!("{}: {}", folder.join("/"), on.join(", ")));
        }
    }
    assert_eq!(circles, [""; 0]);
}

#[test]
fn paths_are_found_however_they_are_written() {
    let text = "pub(super) use crate::a::{b::{C, d::E}, f as G, self};\nuse super::h;\nlet x = crate::i::J::new(super::super::k());";
    let show = |paths: Vec<Module>| paths.iter().map(|path| path.join("/")).collect::<Vec<_>>();
    assert_eq!(show(uses(text)), ["crate/a/b/C", "crate/a/b/d/E", "crate/a/f", "crate/a", "super/h"]);
    assert!(show(mentions(text)).ends_with(&[
        "crate/i/J/new".to_owned(),
        "super/h".to_owned(),
        "super/super/k".to_owned()
    ]));
}
