//! Prints what a change of the contract means: `loadout-contract OLD NEW`, both folders of WIT files. Ends with 1 if it
//! breaks plugins.

use std::path::Path;
use std::process::ExitCode;

use loadout_contract::{Class, Contract, compare, difference, report};

fn main() -> ExitCode {
    let folders: Vec<String> = std::env::args().skip(1).collect();
    let [old, new] = folders.as_slice() else {
        return told(2, "name two folders of WIT files: the contract as it was, and as it is");
    };
    match told_of(Path::new(old), Path::new(new)) {
        Ok((text, breaks)) => told(u8::from(breaks), &text),
        Err(error) => told(2, &format!("error: {error}")),
    }
}

/// What there is to say, and whether a world is broken.
fn told_of(old: &Path, new: &Path) -> Result<(String, bool), String> {
    let [old, new] = [old, new].map(|folder| Contract::read(folder).map_err(|error| error.to_string()));
    let (old, new) = (old?, new?);
    let worlds = compare(&old, &new)?;
    let breaks = worlds.iter().any(|world| world.class() == Class::Breaking);
    Ok((format!("{}\n\n{}", report(&worlds), difference(&old, &new)?), breaks))
}

#[expect(clippy::print_stdout, reason = "this is what the program is for")]
fn told(code: u8, text: &str) -> ExitCode {
    println!("{}", text.trim_end());
    ExitCode::from(code)
}
