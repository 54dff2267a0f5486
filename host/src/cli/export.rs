//! `loadout export`: the custom configuration of a data folder into a zip file.

use std::path::PathBuf;

use crate::export::{self, Options};

use super::failure::Failure;
use super::file::replace;
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

fn counted(exported: &export::Export) -> String {
    let counts = exported.counts.iter().map(|(kind, count)| match count {
        1 => format!("1 {kind}"),
        count => format!("{count} {}", kind.plural()),
    });
    let counts: Vec<String> = counts.collect();
    if counts.is_empty() { "nothing custom is there".to_owned() } else { counts.join(", ") }
}
