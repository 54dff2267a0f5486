//! Pages whose commands run, in the order in which they are read, and print what stands there.
//!
//! Knows blocks of shell, files and what is printed. A block of anything else is a mistake in the page.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use loadout_tests::Done;
use loadout_tests::host::{Failure, TOKEN, data_home};
use loadout_tests::program;

use super::projects::shared_target;

/// What stands for whatever is printed.
const ANYTHING: &str = "…";

/// A block of a page: what it is, and its text.
struct Block {
    info: String,
    text: String,
}

/// Something to do, and what the page says it prints.
pub(crate) struct Act {
    /// Page and line of the page.
    place: String,
    script: String,
    prints: Option<String>,
}

fn blocks(page: &str) -> Vec<(usize, Block)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let text: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
        blocks.push((at + 1, Block { info: info.to_owned(), text: text.join("\n") + "\n" }));
    }
    blocks
}

pub(crate) fn acts(name: &str, page: &str) -> Vec<Act> {
    let mut acts: Vec<Act> = Vec::new();
    for (line, Block { info, text }) in blocks(page) {
        let place = format!("{name}:{line}");
        if info == "sh" {
            acts.push(Act { place, script: text, prints: None });
        } else if info == "sh role=watch" {
            // A command that goes on until it is interrupted is run once.
            acts.push(Act { place, script: format!("{} --once\n", text.trim_end()), prints: None });
        } else if info == "text" {
            let act = acts.last_mut().filter(|act| act.prints.is_none());
            act.unwrap_or_else(|| panic!("{place}: nothing prints this")).prints = Some(text);
        } else if let Some((_, file)) = info.split_once(" file=") {
            let script = format!("cat > '{file}' <<'END OF FILE'\n{text}END OF FILE\n");
            acts.push(Act { place, script, prints: None });
        } else {
            assert!(info == "sh role=host", "{place}: a block of `{info}` is neither run nor written");
        }
    }
    acts
}

/// Whether something printed is what a page says. A line of `…` is any lines, and within a line it is any text.
fn suits(printed: &[&str], said: &[&str]) -> bool {
    match said.split_first() {
        None => printed.is_empty(),
        Some((&ANYTHING, rest)) => (0..=printed.len()).any(|from| suits(&printed[from..], rest)),
        Some((said, rest)) => {
            printed.split_first().is_some_and(|(line, more)| line_suits(line, said) && suits(more, rest))
        }
    }
}

fn line_suits(line: &str, said: &str) -> bool {
    let mut parts = said.split(ANYTHING);
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else { return rest.is_empty() };
    for part in between {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

/// Whether cargo says what it is doing, which no page repeats.
fn is_progress(line: &str) -> bool {
    let verb = line.trim_start().split(' ').next().unwrap_or_default();
    let verbs =
        ["Compiling", "Finished", "Updating", "Locking", "Adding", "Downloading", "Downloaded", "Running", "Blocking"];
    line.starts_with("  ") && verbs.contains(&verb)
}

/// A folder with the program on the path of its scripts, and a token.
pub(crate) fn workplace() -> Result<tempfile::TempDir, Failure> {
    let folder = tempfile::tempdir()?;
    fs::create_dir(folder.path().join("bin"))?;
    symlink(program::path(), folder.path().join("bin/loadout"))?;
    fs::create_dir(folder.path().join("data"))?;
    fs::write(folder.path().join("data/admin.token"), TOKEN)?;
    Ok(folder)
}

/// Does one act after the other in one shell, and holds what they print against what is said.
pub(crate) fn follow(folder: &Path, address: &str, acts: &[Act]) -> Done {
    let mut script = "set -euo pipefail\n".to_owned();
    for (at, act) in acts.iter().enumerate() {
        let text = act.script.replace("http://127.0.0.1:8080", address);
        writeln!(script, "echo {at} > '{0}/at'\n{{\n{text}}} > '{0}/printed-{at}' 2>&1", folder.display())?;
        // What one project was compiled with serves the next.
        for name in text.lines().filter_map(|line| line.strip_prefix("loadout plugin new ")?.split(' ').next()) {
            writeln!(script, "ln -s '{}' '{}/{name}/target'", shared_target()?.display(), folder.display())?;
        }
    }
    let mut command = Command::new("bash");
    let path = std::env::var("PATH").unwrap_or_default();
    command.current_dir(folder).env("PATH", format!("{}/bin:{path}", folder.display()));
    command
        .env("LOADOUT_HOST", address)
        .env("XDG_DATA_HOME", data_home()?)
        .env_remove("LOADOUT_TOKEN")
        .env_remove("RUST_LOG")
        .env_remove("CARGO_TARGET_DIR");
    let done = command.arg("-c").arg(&script).output()?;
    let printed = |at: usize| fs::read_to_string(folder.join(format!("printed-{at}"))).unwrap_or_default();
    if !done.status.success() {
        let at: usize = fs::read_to_string(folder.join("at"))?.trim().parse()?;
        let said = String::from_utf8_lossy(&done.stderr);
        return Err(format!("{} fails:\n{}\n{}{said}", acts[at].place, acts[at].script, printed(at)).into());
    }
    let mut others = Vec::new();
    for (at, act) in acts.iter().enumerate() {
        let Some(said) = &act.prints else { continue };
        let printed = printed(at);
        let lines: Vec<&str> = printed.lines().filter(|line| !is_progress(line)).collect();
        let said: Vec<&str> = said.lines().collect();
        if !suits(&lines, &said) {
            others.push(format!("{} prints\n{}\nand not\n{}", act.place, lines.join("\n"), said.join("\n")));
        }
    }
    if others.is_empty() { Ok(()) } else { Err(others.join("\n\n").into()) }
}

#[test]
fn what_is_printed_is_held_against_what_is_said() {
    for (printed, said, expected) in [
        ("a\nb", "a\nb", true),
        ("a\nb", "a", false),
        ("a", "a\nb", false),
        ("a\nb\nc", "a\n…", true),
        ("a\nb\nc", "…\nc", true),
        ("a\nb\nc", "…\nb", false),
        ("size 12 KiB", "size … KiB", true),
        ("size 12 MiB", "size … KiB", false),
        ("size 12 KiB more", "size … KiB", false),
        ("one two three", "…two…", true),
    ] {
        let [printed, said] = [printed, said].map(|text| text.lines().collect::<Vec<_>>());
        assert_eq!(suits(&printed, &said), expected, "{printed:?} and {said:?}");
    }
}
