//! The conditions of a component as its author sees them: by the line they stand in.
//!
//! Leaves out generated conditions: those of a derive or a macro of the SDK, and of the end of a block, where values
//! are dropped.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::mutation::{Mutated, Mutation, Unreadable};

/// Folders among the sources that hold code of other authors.
const NOT_ONES_OWN: [&str; 3] = ["vendor", "target", "node_modules"];

/// A condition of the sources. Code that is compiled for several types has it several times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The file, below the folder of the sources.
    pub file: String,
    /// The line, counted from one.
    pub line: u32,
    /// The column, counted from one.
    pub column: u32,
    /// The text of the line.
    pub text: String,
    /// The change that is made to it.
    pub change: Mutated,
    /// Its places in the code of the component.
    pub mutations: Vec<Mutation>,
}

impl Condition {
    /// Returns the conditions in the sources below a folder, sorted by file and line.
    pub fn all(component: &[u8], sources: &Path) -> Result<Vec<Self>, Unreadable> {
        // A folder that is not there has no files.
        let sources = sources.canonicalize().unwrap_or_else(|_| sources.to_owned());
        let mut files = BTreeMap::<String, Option<(String, Vec<String>)>>::new();
        let mut found = BTreeMap::<_, Self>::new();
        for mutation in Mutation::all(component)? {
            let read = files.entry(mutation.file.to_string()).or_insert_with(|| read(&mutation.file, &sources));
            let Some((file, lines)) = read else { continue };
            let line = usize::try_from(mutation.line).unwrap_or_default();
            let Some(text) = line.checked_sub(1).and_then(|at| lines.get(at)) else { continue };
            if !is_written(text, mutation.column) {
                continue;
            }
            let key = (file.clone(), mutation.line, mutation.column, mutation.change);
            let condition = found.entry(key).or_insert_with(|| Self {
                file: file.clone(),
                line: mutation.line,
                column: mutation.column,
                text: text.trim().to_owned(),
                change: mutation.change,
                mutations: Vec::new(),
            });
            condition.mutations.push(mutation);
        }
        Ok(found.into_values().collect())
    }
}

/// Reads a file of the sources: its path below their folder, and its lines. None for files of other authors.
fn read(file: &str, sources: &Path) -> Option<(String, Vec<String>)> {
    let path = PathBuf::from(file);
    let below = path.canonicalize().ok()?.strip_prefix(sources).ok()?.to_owned();
    let is_others = |part: Component<'_>| NOT_ONES_OWN.iter().any(|folder| part.as_os_str() == *folder);
    if below.components().any(is_others) {
        return None;
    }
    let text = std::fs::read_to_string(path).ok()?;
    Some((below.display().to_string(), text.lines().map(str::to_owned).collect()))
}

/// Returns whether the author wrote a condition in this column: not the end of a block, a macro of items or a derive.
fn is_written(line: &str, column: u32) -> bool {
    let at = usize::try_from(column).unwrap_or_default().saturating_sub(1);
    let rest: String = line.chars().skip(at).collect();
    let is_end = rest.starts_with(['}', ';', ')']);
    // A macro that makes items has its code where it begins.
    let is_macro =
        column == 1 && rest.trim_start_matches(|it: char| it.is_alphanumeric() || "_:".contains(it)).starts_with('!');
    !is_end && !is_macro && !line.trim_start().starts_with("#[")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_wrote_is_no_condition() {
        for (line, column, expected) in [
            ("    if !session.is_open() {", 8, true),
            ("    if !session.is_open() {", 0, true),
            ("    }", 5, false),
            ("    let a = b?;", 15, false),
            ("#[derive(Deserialize)]", 10, false),
            ("export_tool!(Greeter);", 1, false),
            ("wit_bindgen::generate!({", 1, false),
            ("    if matches!(a, Some(_)) {", 8, true),
        ] {
            assert_eq!(is_written(line, column), expected, "{line:?} {column}");
        }
    }
}
