//! `loadout plugin dev`: brings each change of a plugin to a running host, and prints what it changes for a person.
//!
//! A change that does not work prints a sentence, and the last version that worked stays. At the end, everything that
//! was brought is taken away from the host.

mod deployment;
mod effect;
mod interrupt;
mod sources;

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use loadout_plugin_build::{embed_manifest, manifest_of};
use serde_json::{Map, Value};
use toml::Table;

use crate::cli::failure::Failure;
use crate::cli::print;
use crate::domain::PluginVersion;
use crate::workbench::{Workbench, session};

use super::remote::{Remote, Session};
use super::subject::{Subject, ask};
use deployment::Deployment;
use effect::{Part, question};
use sources::Sources;

/// The pause between two looks at the sources.
const PAUSE: Duration = Duration::from_millis(300);

/// Watch a plugin's sources, and with each change build it, try its cases, bring it to a host and show what changes for
/// a person.
#[derive(Debug, clap::Args)]
pub(super) struct Dev {
    #[command(flatten)]
    subject: Subject,
    /// The person the plugin is tried for, by login.
    #[arg(long, value_name = "LOGIN")]
    user: String,
    /// The app the person is in.
    #[arg(long, default_value = "customer-service-workspace")]
    app: String,
    /// The session that starts, in YAML or JSON as the body of a question has it, such as `entity: incident`. Home
    /// without it.
    #[arg(long, value_name = "FILE.yaml")]
    session: Option<PathBuf>,
    /// Do it once and end, with exit code 1 if anything is wrong.
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    remote: Remote,
}

/// The state that is kept from one change to the next.
struct Rounds<'a> {
    dev: &'a Dev,
    host: &'a Session,
    session: Option<Map<String, Value>>,
    deployment: Option<Deployment<'a>>,
    component: Vec<u8>,
    before: Option<Part>,
}

impl Dev {
    pub(super) fn run(self) -> Result<(), Failure> {
        let host = self.remote.open()?;
        let session = self.session.as_deref().map(session).transpose().map_err(Failure::of)?;
        let mut rounds =
            Rounds { dev: &self, host: &host, session, deployment: None, component: Vec::new(), before: None };
        // Asks before the first build, so that a mistyped person or host fails at once.
        rounds.ask()?;
        let stopped = interrupt::listen()?;
        let told = if self.once { rounds.once() } else { rounds.watch(&stopped) };
        let left = rounds.deployment.as_mut().map_or(Ok(()), Deployment::take_away);
        let unclean = |failure| Failure::found(format!("the host still has what was tried: {failure}"));
        told.and(left.map_err(unclean))
    }
}

impl<'a> Rounds<'a> {
    /// Makes one round for each change, until a signal stops it.
    fn watch(&mut self, stopped: &Receiver<()>) -> Result<(), Failure> {
        let look = || Sources::now(self.dev.subject.folder(), self.dev.subject.file());
        loop {
            let mut seen = look();
            if let Err(failure) = self.round() {
                print(&format!("failed     {failure}"))?;
            }
            print("watching   change a file, or end with ctrl-c")?;
            let mut settled = true;
            loop {
                match stopped.recv_timeout(PAUSE) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
                }
                let now = look();
                // A file that is still being written is looked at again.
                let still = now == seen;
                if still && !settled {
                    break;
                }
                settled = still;
                seen = now;
            }
        }
    }

    /// One round, in which everything is as it should be.
    fn once(&mut self) -> Result<(), Failure> {
        match self.round()? {
            0 => Ok(()),
            otherwise => Err(Failure::found(format!("cases that have another outcome than they expect: {otherwise}"))),
        }
    }

    /// Builds, tries, brings and shows. Answers how many cases come out otherwise than they expect.
    fn round(&mut self) -> Result<usize, Failure> {
        let dev: &'a Dev = self.dev;
        let (bench, component) = dev.subject.open()?;
        let manifest = bench.manifest().clone();
        let otherwise = self.cases(&bench)?;
        let unchanged = self.component == component;
        if !unchanged {
            let begun = match &mut self.deployment {
                Some(begun) => begun,
                none => none.insert(Deployment::begin(self.host, &manifest, &dev.user)?),
            };
            let version = begun.number(manifest.version);
            if self.before.is_none() {
                self.before = Some(Part::of(&self.ask()?, bench.kinds()));
            }
            let packed = renumbered(&component, version)?;
            if let Some(deployment) = &mut self.deployment {
                let reach = deployment.bring(version, &packed)?;
                print(&format!("brought    {} {version}, {reach}", manifest.full_name()))?;
            }
            self.component = component;
        }
        let after = Part::of(&self.ask()?, bench.kinds());
        for line in after.since(self.before.as_ref().unwrap_or(&after)) {
            print(&line)?;
        }
        self.before = Some(after);
        Ok(otherwise)
    }

    /// Returns the number of cases with another outcome than they expect. A plugin may have no cases.
    fn cases(&self, bench: &Workbench) -> Result<usize, Failure> {
        if !self.dev.subject.folder().join("cases").is_dir() {
            print("cases      there are none")?;
            return Ok(0);
        }
        let (mut asked, mut otherwise) = (0, 0);
        for (path, file) in self.dev.subject.cases()? {
            for case in &file.cases {
                let found = ask(bench, &path, &file, case)?;
                asked += 1;
                if case.expect.as_ref() != Some(&found.outcome) {
                    otherwise += 1;
                    let why = found.problem().map_or_else(String::new, |problem| format!(", {problem}"));
                    print(&format!("otherwise  {}: found {}{why}", case.name, found.outcome))?;
                }
            }
        }
        print(&format!("cases      {} of {asked} as expected", asked - otherwise))?;
        Ok(otherwise)
    }

    /// Returns what the person gets now.
    fn ask(&self) -> Result<Value, Failure> {
        let Dev { user, app, .. } = self.dev;
        self.host.post("/api/v1/experience", &question(user, app, self.session.as_ref()))
    }
}

/// The component as another version of itself.
fn renumbered(component: &[u8], version: PluginVersion) -> Result<Vec<u8>, Failure> {
    let unreadable = |error| Failure::because("the manifest of the component", error);
    let text = manifest_of(component).map_err(Failure::of)?.unwrap_or_default();
    let mut manifest: Table = text.parse().map_err(unreadable)?;
    if let Some(plugin) = manifest.get_mut("plugin").and_then(toml::Value::as_table_mut) {
        plugin.insert("version".to_owned(), version.to_string().into());
    }
    embed_manifest(component, &manifest.to_string()).map_err(Failure::of)
}
