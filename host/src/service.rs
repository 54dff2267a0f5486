//! The service: joins the store, the rules and the plugins. The HTTP API and the command line are thin layers over it.
//!
//! Every function is synchronous: a caller that serves many requests at once decides on which thread it runs.

mod audit;
mod changes;
mod plugins;
mod recording;
mod runtime;
mod upgrades;

pub use changes::outbox::Delivered;
pub use plugins::bundles::{BundleOptions, InstalledBundle, InstalledComponent};
pub use plugins::comparison::{Comparison, SettingsOutlook};
pub use plugins::connectors::ConnectorView;
pub use plugins::gate::Gatekeeping;
pub use plugins::grants::{Grant, GrantView};
pub use plugins::kinds::ToolWithoutRule;
pub use plugins::rollout::RolloutView;
pub use plugins::steps::StepView;
pub use plugins::trust::{KeyView, PublisherView, SignerView, Standing};
pub use plugins::{
    ActivatedPlugin, Activation, Decided, Installed, Migrated, MigratedSettings, PluginError, PluginView,
    RolledBackPlugin, ServingState, SettingsChange, SettingsPlace, SettingsProblem, Settling, UnfitSettings,
    VersionView,
};
pub use recording::recordings::{RecordingView, ReplayView};
pub use runtime::platform::PlatformOptions;
pub use upgrades::{ENDED_BY_ROLL_BACK, PlanOptions, UpgradeStatus};

use std::cell::Cell;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use crate::bundle;
use crate::content;
use crate::domain::access::Caller;
use crate::domain::experience::{Experience, ExplainLevel};
use crate::domain::plugin::Skipped;
use crate::domain::revision::Author;
use crate::domain::trace::{Unwatched, Watch};
use crate::domain::{AnyItem, Kind, Name, Plugin, Profile, Revision, User};
use crate::export::{self, Assignments, Export};
use crate::import::{self, OnConflict, Plan, Report};
use crate::pipeline;
use crate::plugin::{Config, EngineError, Gateway, Manifest};
use crate::resolve::{self, Asker, SessionInput, Subject, ToolRules, resolve};
use crate::store::{self, Authority, Change, ChangeSet, Committed, Expect, Person, Snapshot, Store, TraceLog};
use crate::upgrade::{self, Steps};

use changes::commit::Origin;
use recording::observer::{Observer, Observing};
use runtime::platform::Platform;
use runtime::plugin_source::PluginSource;

/// The service of one environment.
pub struct Service {
    store: Store,
    machinery: PluginSource,
    traces: Option<Arc<TraceLog>>,
    observer: Observer,
    /// Held while versions are compared, which keeps a thread busy for up to a minute.
    comparing: Mutex<()>,
    stopping: AtomicBool,
    turns: runtime::turn::Turns,
    /// The plugin to which an event of the outbox was dispatched last. The next event is another plugin's, if one is
    /// due.
    served: Mutex<String>,
}

/// Whose experience a question is about.
#[derive(Debug, Clone)]
pub enum Who {
    /// A user of the environment.
    Login(Name<User>),
    /// A user who is not in the environment, described in full.
    Hypothetical(User),
}

/// A question about an experience.
#[derive(Debug, Clone)]
pub struct Question {
    /// The person whose experience is asked.
    pub who: Who,
    /// The profile to answer with, instead of the one in force.
    pub profile: Option<Name<Profile>>,
    /// The app that asks.
    pub app: String,
    /// The session that starts; nothing for Home.
    pub session: Option<SessionInput>,
    /// How deep the answer explains itself.
    pub explain: ExplainLevel,
    /// The revision to answer from; nothing for the newest.
    pub as_of: Option<Revision>,
}

/// How to import.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// Only says what the import would do.
    pub dry_run: bool,
    /// Which version stays of an item that there can be only one of.
    pub on_conflict: OnConflict,
}

/// What an import did, or would do.
#[derive(Debug, Clone, PartialEq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Imported {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// The newest revision; of a dry run, the one that it would be.
    pub revision: Revision,
    /// What was read, and the outcome for each item.
    #[serde(flatten)]
    pub report: Report,
    /// Steps that broke and were passed over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<Skipped>,
}

/// A question that was not answered, or a change that was not made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Another archive is being read, and only one is read at a time.
    #[error(
        "another import or plan of an upgrade is being worked out, and this server works out one at a time: try again in some seconds"
    )]
    Occupied,
    /// There is no such sample.
    #[error("there is no sample `{name}`: known are {}", content::SAMPLES.join(", "))]
    UnknownSample {
        /// The requested name.
        name: String,
    },
    /// The environment is not exported.
    #[error(transparent)]
    Export(#[from] export::Error),
    /// The archive is not imported.
    #[error(transparent)]
    Import(#[from] import::Error),
    /// There is no such step.
    #[error("there is no step `{name}`: known are {known}")]
    UnknownStep {
        /// The requested name.
        name: String,
        /// The steps there are.
        known: String,
    },
    /// The upgrade did not go on.
    #[error(transparent)]
    Upgrade(upgrade::Error),
    /// A step does not agree.
    #[error(transparent)]
    Step(#[from] pipeline::Refusal),
    /// Something about a plugin is not done.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// A bundle of plugins is not made or not read.
    #[error(transparent)]
    Bundle(#[from] bundle::Error),
    /// The sandbox did not start.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The question has no answer.
    #[error(transparent)]
    Resolve(#[from] resolve::Error),
}

impl Error {
    /// Returns whether another revision was written while the change was worked out.
    fn is_moved(&self) -> bool {
        matches!(self, Self::Store(store::Error::Moved { .. }))
    }
}

impl From<upgrade::Error> for Error {
    fn from(error: upgrade::Error) -> Self {
        match error {
            upgrade::Error::Store(error) => Self::Store(error),
            upgrade::Error::Import(error) => Self::Import(error),
            other => Self::Upgrade(other),
        }
    }
}

/// Returns the content that ships with the program, over an environment as `here` shows it: values that an
/// administrator set stay.
fn shipped_over(here: &Snapshot) -> Vec<Change> {
    let changes = content::shipped().items.into_iter().map(|(name, item)| match here.entry(item.kind(), &name) {
        Some(entry) => {
            let item = upgrade::keep(&item, &entry.item, &name);
            Change::Put { name, item, expect: Expect::Revision(entry.revision) }
        }
        None => Change::Put { name, item, expect: Expect::Absent },
    });
    changes.collect()
}

/// Keeps the settings that the environment decides for itself.
fn keep_own_settings(changes: &mut ChangeSet, here: &Snapshot) {
    for change in &mut changes.changes {
        if let Change::Put { item: AnyItem::Environment(environment), .. } = change {
            environment.keep_own(&here.environment());
        }
    }
}

/// Opens the log of plugin calls in `folder`. The service runs without the log if it cannot be opened.
fn trace_log(folder: &Path) -> Option<Arc<TraceLog>> {
    let opened = TraceLog::open(folder);
    opened.map(Arc::new).map_err(|error| tracing::warn!(%error, "calls of plugins are not recorded")).ok()
}

impl Service {
    /// Opens the service of the data folder `folder`, which is made if it is not there. Puts shipped content and the
    /// built-in plugins in place; the installed plugins decide about tools.
    pub fn start(folder: &Path) -> Result<Self, Error> {
        Self::start_with(folder, PlatformOptions::of_this_program())
    }

    /// Opens the service as [`Service::start`], with plugins run as `options` say.
    pub fn start_with(folder: &Path, options: PlatformOptions) -> Result<Self, Error> {
        let store = Store::open(folder)?;
        let traces = trace_log(folder);
        let watch = traces.clone().map_or_else(|| Arc::new(Unwatched) as _, |traces| traces as Arc<dyn Watch>);
        let gateway = Gateway { secrets: Some(Arc::clone(store.secrets()?)), ..options.config.gateway };
        let config = Config { watch, gateway, ..options.config };
        let platform = Platform::open(folder, PlatformOptions { config, ..options })?;
        platform.declare_kinds(&store)?;
        let service =
            Self { traces, ..Self::with(store, PluginSource::Installed(Box::new(platform))) }.with_shipped()?;
        if let PluginSource::Installed(platform) = &service.machinery {
            platform.keep_manifests(&service.store)?;
        }
        service.forget_uploads();
        service.tidy_plugins();
        service.follow(&*service.store.snapshot()?);
        Ok(service)
    }

    /// Opens the service of an existing data folder, to look at and to plan with: its database is not changed.
    pub fn look(folder: &Path) -> Result<Self, Error> {
        let platform = Platform::open(folder, PlatformOptions::of_this_program())?;
        Ok(Self::with(Store::look(folder)?, PluginSource::Installed(Box::new(platform))))
    }

    /// Opens the service of `folder` as [`Service::start`] does, with tools decided by `rules` and without plugins.
    pub fn open(folder: &Path, rules: Arc<dyn ToolRules>) -> Result<Self, Error> {
        Self::new(Store::open(folder)?, rules).with_shipped()
    }

    /// Opens the service as [`Service::open`], with old environments upgraded by `steps`.
    pub fn open_with(folder: &Path, rules: Arc<dyn ToolRules>, steps: Arc<dyn Steps>) -> Result<Self, Error> {
        Self::with(Store::open(folder)?, PluginSource::Given { rules, steps }).with_shipped()
    }

    /// Returns a service over `store` whose tools are decided by `rules`.
    pub fn new(store: Store, rules: Arc<dyn ToolRules>) -> Self {
        Self::with(store, PluginSource::of_rules(rules))
    }

    fn with(store: Store, machinery: PluginSource) -> Self {
        Self {
            store,
            machinery,
            traces: None,
            observer: Observer::default(),
            comparing: Mutex::default(),
            stopping: AtomicBool::new(false),
            turns: runtime::turn::Turns::default(),
            served: Mutex::default(),
        }
    }

    /// Writes the content and the plugins that ship with the program to the environment, and returns the service.
    fn with_shipped(self) -> Result<Self, Error> {
        let why = "content that shipped with this version".to_owned();
        let author = Author::new("loadout", why);
        let lost = Cell::new(false);
        self.store.racing(
            |_| lost.take(),
            || {
                let here = self.store.snapshot()?;
                let mut changes = shipped_over(&here);
                let mut components = Vec::new();
                if let PluginSource::Installed(platform) = &self.machinery {
                    let fits = |name: &str, plugin: &Plugin, manifest: &Manifest| {
                        self.shipped_fits(&here, name, plugin, manifest)
                    };
                    let (plugins, their_components) = platform.shipped_over(&here, fits)?;
                    changes.extend(plugins);
                    components = their_components;
                }
                let changes = ChangeSet { authority: Authority::Product, ..ChangeSet::new(changes) };
                let done = self.store.install(&components, changes, &author);
                // The values to keep are read again if another process wrote in between.
                lost.set(done.is_err() && self.store.newest()? != here.revision());
                Ok::<_, Error>(done?)
            },
        )?;
        self.migrate_to_shipped()?;
        Ok(self)
    }

    /// Returns the service with the log that records the calls of its plugins.
    #[must_use]
    pub fn with_traces(self, traces: Arc<TraceLog>) -> Self {
        Self { traces: Some(traces), ..self }
    }

    /// Returns the log of plugin calls; nothing for a service that only looks, or whose log cannot be written.
    pub fn traces(&self) -> Option<&Arc<TraceLog>> {
        self.traces.as_ref()
    }

    /// Applies the trace settings of a snapshot to the log.
    fn follow(&self, snapshot: &Snapshot) {
        if let Some(traces) = &self.traces {
            traces.follow(snapshot);
        }
    }

    /// Returns the store of the configuration.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Puts the sample `name` into the environment. Nothing changes if it is there already.
    pub fn add_sample(&self, name: &str) -> Result<Committed, Error> {
        let sample = content::sample(name).ok_or_else(|| Error::UnknownSample { name: name.to_owned() })?;
        let items = sample.items.into_iter().map(|(name, item)| Change::put(name, item));
        let assignments = sample.assignments.into_iter().map(|(login, profile)| Change::Assign { profile, login });
        let author = Author::new("loadout", format!("sample `{name}`"));
        Ok(self.store.commit(ChangeSet::new(items.chain(assignments)), &author)?)
    }

    /// Imports the solution in `zip` as one revision, or only says what that would do.
    ///
    /// A second import of the same solution changes nothing. A change that is written at the same time is not
    /// overwritten: the import is planned anew, and refused only after losing many times.
    pub fn import(&self, zip: &[u8], dry_run: bool, author: &Author) -> Result<Imported, Error> {
        self.import_as(&Caller::admin(), zip, &ImportOptions { dry_run, ..ImportOptions::default() }, author)
    }

    /// Imports as [`Service::import`] does, for `caller`. Refuses the whole import if it would change something that
    /// the caller may not write.
    pub fn import_as(
        &self,
        caller: &Caller,
        zip: &[u8],
        options: &ImportOptions,
        author: &Author,
    ) -> Result<Imported, Error> {
        let _turn = self.turns.take()?;
        let lost = Cell::new(false);
        self.store.racing(
            |_| lost.take(),
            || {
                let base = self.store.snapshot()?;
                let done = self.import_over(&base, caller, zip, options, author);
                lost.set(matches!(done, Err(Error::Store(_))) && self.store.newest()? != base.revision());
                done
            },
        )
    }

    fn import_over(
        &self,
        base: &Snapshot,
        caller: &Caller,
        zip: &[u8],
        options: &ImportOptions,
        author: &Author,
    ) -> Result<Imported, Error> {
        let ImportOptions { dry_run, on_conflict } = *options;
        let mut plan = import::plan_with(zip, base, on_conflict)?;
        plan.assign(base.environment().second_assignment, |login| {
            let person = self.store.person(login, base.revision())?;
            Ok::<_, Error>(person.map(|person| person.direct))
        })?;
        let expects = plan.expect_plugins(base);
        self.may_expect(caller, &expects, &plan.changes, base)?;
        let Plan { mut changes, mut report, .. } = plan;
        keep_own_settings(&mut changes, base);
        for ToolWithoutRule { tool, reason, .. } in self.written_without_rule(&changes, base)? {
            report.without_rule(&tool, &reason);
        }
        let unfit = self.settings_refused(&changes, base)?;
        let origin = Origin { is_import: true, dry_run, ..Origin::default() };
        let changes = ChangeSet { caller: Some(caller.clone()), expects, ..changes };
        let (committed, held_back) = self.attempt_holding_back(changes, base, author, origin)?;
        for (profile, reason) in &held_back {
            report.downgrade(Kind::Profile, profile, reason);
        }
        for (profile, refused) in unfit.iter().filter(|(profile, _)| !held_back.contains_key(&**profile)) {
            report.unfit_settings(profile, &refused.to_string());
        }
        report.tolerate(&committed.tolerated);
        report.displaced(&committed.displaced);
        Ok(Imported { dry_run, revision: committed.revision, report, skipped: committed.skipped })
    }

    /// Exports the custom configuration at the newest revision as a solution.
    pub fn export(&self, options: &export::Options) -> Result<Export, Error> {
        let snapshot = self.store.snapshot()?;
        let mut assignments = Assignments::new();
        if options.with_assignments {
            for (login, profile) in self.store.assignments(snapshot.revision())? {
                assignments.entry(login).or_default().insert(profile);
            }
        }
        let duties = self.exported_duties(&snapshot)?;
        Ok(export::archive(&snapshot, &assignments, &duties, options)?)
    }

    /// Answers a question about an experience.
    pub fn experience(&self, question: &Question) -> Result<Experience, Error> {
        self.experience_for(&Asker::default(), question)
    }

    /// Answers a question that `asker` waits for.
    pub fn experience_for(&self, asker: &Asker, question: &Question) -> Result<Experience, Error> {
        let (snapshot, mut subject) = match (&question.who, question.as_of) {
            (Who::Login(login), as_of) => {
                let (snapshot, person) = match as_of {
                    Some(revision) => (self.store.past_snapshot(revision)?, self.store.person(login, revision)?),
                    None => self.store.newest_with(login)?,
                };
                let gone = || store::Error::NotFound { kind: Kind::User, name: login.to_string() };
                let Person { login, user, direct } = person.ok_or_else(gone)?;
                (snapshot, Subject { login: Some(login.to_string()), user, direct, hypothetical_profile: None })
            }
            (Who::Hypothetical(user), as_of) => {
                let snapshot =
                    as_of.map_or_else(|| self.store.snapshot(), |revision| self.store.past_snapshot(revision))?;
                (snapshot, Subject { login: None, user: user.clone(), direct: Vec::new(), hypothetical_profile: None })
            }
        };
        subject.hypothetical_profile = question.profile.clone();
        if question.as_of.is_none() {
            self.follow(&snapshot);
        }
        // A hypothetical question, or one about the past, is no real experience, so its calls are not observed.
        let is_real = question.as_of.is_none() && subject.login.is_some() && subject.hypothetical_profile.is_none();
        let session = question.session.as_ref();
        let ask = |rules: &dyn ToolRules| {
            Ok(resolve(&snapshot, &subject, &question.app, session, question.explain, rules, asker)?)
        };
        match &self.machinery {
            PluginSource::Installed(platform) if is_real => {
                let catalog = platform.catalog(&self.store, &snapshot)?;
                ask(&Observing { catalog, observer: &self.observer })
            }
            machinery => ask(&*machinery.rules(&self.store, &snapshot)?),
        }
    }
}
