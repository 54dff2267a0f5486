//! Snapshots of what a component decides and why, one file for each file of cases.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use super::super::cases::{CaseFile, files_of};
use super::super::update::{UPDATE, is_updating};
use super::{Component, within};

impl Component {
    /// Compares the decision about every case of a folder, and its reads, with the snapshots in another folder. With
    /// `LOADOUT_UPDATE=1` it writes the snapshots instead: read them before you commit them.
    ///
    /// # Panics
    ///
    /// If something differs from its snapshot or has none, a case cannot be asked, a file cannot be read or written, or
    /// there are no cases.
    ///
    /// ```no_run
    /// use loadout_sdk::testing::Component;
    /// # fn main() -> Result<(), loadout_sdk::testing::HarnessError> {
    /// Component::open("target/greeter.wasm")?.check_snapshots("cases", "snapshots");
    /// # Ok(())
    /// # }
    /// ```
    pub fn check_snapshots(&self, cases: impl AsRef<Path>, snapshots: impl AsRef<Path>) {
        let (mut count, mut differences) = (0, Vec::new());
        for (path, file) in files_of(cases.as_ref()) {
            count += file.cases.len();
            let found = self.shown(&path, &file);
            let name = path.file_name().unwrap_or_default().display().to_string();
            let snapshot = snapshots.as_ref().join(format!("{name}.snap"));
            if is_updating() {
                let written = fs::create_dir_all(snapshots.as_ref()).and_then(|()| fs::write(&snapshot, &found));
                if let Err(error) = written {
                    panic!("`{}` cannot be written: {error}", snapshot.display());
                }
                continue;
            }
            let difference = match fs::read_to_string(&snapshot) {
                Ok(kept) => difference(&kept, &found),
                Err(error) => Some(format!("  it cannot be read: {error}")),
            };
            differences.extend(difference.map(|it| format!("{}\n{it}", snapshot.display())));
        }
        assert!(count > 0, "there are no cases in `{}`", cases.as_ref().display());
        let next = format!("if that is right, run this once more with {UPDATE}=1");
        assert!(differences.is_empty(), "{}\n{next}", differences.join("\n"));
    }

    fn shown(&self, path: &Path, file: &CaseFile<Map<String, Value>>) -> String {
        let mut text = String::new();
        for case in &file.cases {
            let name = case.get("name").and_then(|name| name.as_str()).unwrap_or_default();
            let snapshot = match self.ask_about(&within(&file.library, case)) {
                Ok(outcome) => outcome.snapshot(),
                Err(error) => panic!("{}: {name}: {error}", path.display()),
            };
            // Writing into a string cannot fail.
            let _ = write!(text, "# {name}\n{snapshot}\n");
        }
        text
    }
}

/// The first lines in which two texts differ, below the case they belong to.
fn difference(kept: &str, found: &str) -> Option<String> {
    if kept == found {
        return None;
    }
    let (mut kept, mut found) = (kept.lines(), found.lines());
    let mut case = "at its beginning";
    loop {
        let (old, new) = (kept.next(), found.next());
        if old != new || old.is_none() {
            let shown = |line: Option<&str>| line.unwrap_or("the end").to_owned();
            return Some(format!("  {case}\n  kept   {}\n  found  {}", shown(old), shown(new)));
        }
        case = new.filter(|line| line.starts_with("# ")).unwrap_or(case);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_differs_is_named_with_its_case() {
        let kept = "# one\n{}\nread a = 1\n\n# two\n{}\n";
        assert_eq!(difference(kept, kept), None);
        for (found, expected) in [
            ("# one\n{}\nread a = 2\n\n# two\n{}\n", "  # one\n  kept   read a = 1\n  found  read a = 2"),
            ("# one\n{}\nread a = 1\n\n# two\n", "  # two\n  kept   {}\n  found  the end"),
            ("", "  at its beginning\n  kept   # one\n  found  the end"),
        ] {
            assert_eq!(difference(kept, found).as_deref(), Some(expected));
        }
    }
}
