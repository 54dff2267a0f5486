//! `loadout export`: the custom configuration of a data folder into a zip file.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::export::{self, Options};

use super::failure::Failure;
use super::log::{self, LogFormat};
use super::{Data, print};

/// Export the custom configuration as a solution that `loadout import` reads.
#[derive(Debug, clap::Args)]
pub(super) struct Export {
    #[command(flatten)]
    data: Data,
    /// The zip file to write.
    #[arg(short, long, value_name = "FILE.zip")]
    output: PathBuf,
    /// Overwrite the file if it is there.
    #[arg(long)]
    force: bool,
    /// The unique name of the solution.
    #[arg(long, default_value = Options::NAME)]
    name: String,
    /// The version of the solution.
    #[arg(long, value_name = "VERSION", default_value = Options::VERSION)]
    solution_version: String,
    /// Let direct assignments travel, too, by login.
    #[arg(long)]
    with_assignments: bool,
}

impl Export {
    pub(super) fn run(self) -> Result<(), Failure> {
        log::start(LogFormat::Text, tracing::Level::WARN);
        let options = Options::new(&self.name, &self.solution_version);
        let mut options = options.map_err(|error| Failure::usage(error.to_string()))?;
        options.with_assignments = self.with_assignments;
        let shown = self.output.display();
        // A path that cannot be looked at is written to for the error that says why.
        if !self.force && self.output.try_exists().unwrap_or(false) {
            let sentence = format!("`{shown}` is there already: name another file, or overwrite it with `--force`");
            return Err(Failure::usage(sentence));
        }
        let exported = self.data.open_existing()?.export(&options).map_err(Failure::of)?;
        replace(&self.output, &exported.zip)
            .map_err(|error| Failure::because(format!("`{shown}` cannot be written"), error))?;
        print(&format!("wrote {shown} at revision {}: {}", exported.revision, counted(&exported)))
    }
}

/// Writes a file whole or not at all: whoever reads it meanwhile sees the old one.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?.to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let mut file = File::create_new(&part)?;
    let written = file.write_all(content).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        // The first error says what is wrong; a part that stays behind is only litter.
        let _ = fs::remove_file(&part);
    }
    written
}

fn counted(exported: &export::Export) -> String {
    let counts = exported.counts.iter().map(|(kind, count)| match count {
        1 => format!("1 {kind}"),
        count => format!("{count} {}", kind.plural()),
    });
    let counts: Vec<String> = counts.collect();
    if counts.is_empty() { "nothing custom is there".to_owned() } else { counts.join(", ") }
}
