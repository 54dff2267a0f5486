//! `loadout plugin export` and `import`: plugins of a data folder as an offline bundle, and back.

use std::path::PathBuf;

use crate::cli::failure::Failure;
use crate::cli::file::{self, replace};
use crate::cli::{Data, print};
use crate::domain::access::Caller;
use crate::domain::revision::Author;
use crate::service::{Activation, BundleOptions, InstalledBundle, InstalledComponent};

/// Write plugins with their components into one file, for an environment without a network.
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
    /// A plugin, as `publisher/name`; all that did not come with the product without it.
    #[arg(long = "plugin", value_name = "PLUGIN")]
    plugins: Vec<String>,
}

/// Install every plugin of a bundle, or none, and print what became of each.
#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// The zip file that `loadout plugin export` made.
    #[arg(value_name = "FILE.zip")]
    file: PathBuf,
    #[command(flatten)]
    data: Data,
    /// Only install: what served where the bundle comes from does not serve yet.
    #[arg(long)]
    no_activate: bool,
    /// Let versions serve that are of another major version than those that do.
    #[arg(long)]
    accept_major: bool,
    /// Accept versions that change what was recorded, though their plugins are gated.
    #[arg(long)]
    past_gate: bool,
    /// Let versions serve although settings that are there do not fit them.
    #[arg(long)]
    anyway: bool,
    /// Write nothing; only say what the bundle would do.
    #[arg(long)]
    dry_run: bool,
    /// Print the report as JSON, the same as over HTTP.
    #[arg(long)]
    json: bool,
}

impl Export {
    pub(super) fn run(self) -> Result<(), Failure> {
        let shown = self.output.display();
        // A path that cannot be looked at is written to for the error that says why.
        if !self.force && self.output.try_exists().unwrap_or(false) {
            let sentence = format!("`{shown}` is there already: name another file, or overwrite it with `--force`");
            return Err(Failure::usage(sentence));
        }
        let bundle = self.data.look()?.bundle(&self.plugins).map_err(Failure::of)?;
        replace(&self.output, &bundle)
            .map_err(|error| Failure::because(format!("`{shown}` cannot be written"), error))?;
        print(&format!("wrote {shown}"))
    }
}

impl Import {
    pub(super) fn run(self) -> Result<(), Failure> {
        let shown = self.file.display();
        let zip = file::read(&self.file)?;
        let author = Author::new("admin", format!("bundle {shown}"));
        let (accept_major, past_gate, anyway) = (self.accept_major, self.past_gate, self.anyway);
        let activation = Activation { activate: !self.no_activate, accept_major, past_gate, anyway };
        let options = BundleOptions { activation, dry_run: self.dry_run };
        let installed = self.data.open_existing()?.install_bundle(&Caller::admin(), &zip, options, &author);
        let installed = installed.map_err(|error| Failure::because(format!("`{shown}` is not installed"), error))?;
        if self.json {
            return print(&serde_json::to_string(&installed).map_err(Failure::of)?);
        }
        print(&table(&installed))
    }
}

/// The report for people: each plugin with what became of it, and the sum.
fn table(installed: &InstalledBundle) -> String {
    let line = |component: &InstalledComponent| {
        let InstalledComponent { plugin, version, installed, serves, signed_by, needs, steps, migrated, .. } =
            component;
        let done = if *installed { "installed" } else { "unchanged" };
        let serves = if *serves { "serves" } else { "does not serve" };
        let signers: Vec<String> = signed_by.iter().map(|signer| signer.key_id.to_string()).collect();
        let signers = if signers.is_empty() { "no key".to_owned() } else { signers.join(", ") };
        let steps = if steps.is_empty() { String::new() } else { format!("; decided about {}", steps.join(", ")) };
        let waits = needs.as_ref().map_or_else(String::new, |needs| format!("; waits for a grant of {needs}"));
        let migrated =
            if migrated.is_empty() { String::new() } else { format!("; settings migrated: {}", migrated.count) };
        format!("{done}  {plugin} {version}, {serves}, signed by {signers}{steps}{waits}{migrated}")
    };
    let lines: Vec<String> = installed.components.iter().map(line).collect();
    let done = if installed.dry_run { "nothing was written, this would be revision" } else { "now at revision" };
    format!("{}\n{done} {}", lines.join("\n"), installed.revision)
}
