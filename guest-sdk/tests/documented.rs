//! Every function of an author's has an example, and examples are tests.

use std::path::Path;
use std::{fs, io};

/// Where authors find what they need in the documentation of a trait or a module instead.
const ELSEWHERE: [&str; 5] = ["check_upgrade_cases", "evaluate", "execute", "ask", "migrate"];

fn without_example(folder: &Path, found: &mut Vec<String>, seen: &mut usize) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            without_example(&path, found, seen)?;
            continue;
        }
        // Bindings are for the macros.
        if path.components().any(|part| part.as_os_str().to_string_lossy().starts_with("bindings")) {
            continue;
        }
        let text = fs::read_to_string(&path)?;
        let (text, _) = text.split_once("#[cfg(test)]\nmod tests").unwrap_or((&text, ""));
        let mut has_example = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with("///") {
                has_example |= line.contains("```");
            } else if !line.starts_with("#[") {
                if let Some(function) = line.strip_prefix("pub fn ") {
                    let name = function.split(['(', '<']).next().unwrap_or_default();
                    *seen += 1;
                    if !has_example && !ELSEWHERE.contains(&name) {
                        found.push(format!("{}: {name}", path.display()));
                    }
                }
                has_example = false;
            }
        }
    }
    Ok(())
}

#[test]
fn every_function_has_an_example() -> io::Result<()> {
    let (mut found, mut seen) = (Vec::new(), 0);
    without_example(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found, &mut seen)?;
    found.sort();
    assert!(seen > 100, "only {seen} functions: is the search still right?");
    assert_eq!(found, Vec::<String>::new());
    Ok(())
}
