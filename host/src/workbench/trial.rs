//! The workbench of one component, and the outcome of each case.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::domain::Digest;
use crate::domain::message::Stage;
use crate::pipeline::{Mode, Outcome};
use crate::plugin::{
    Compiler, Config, EngineError, Examined, Inquiry, LoadError, Loader, Manifest, Provides, Ready, Reply,
};
use crate::resolve::{Facts, Reads};
use crate::upgrade::{Page, StepInfo, believe};

use super::case::{Case, CaseError, CaseFile};
use super::outcome::outcome;
use super::rejection::Disbelief;

/// A component that can be called with the questions of cases.
pub struct Workbench {
    loader: Arc<Loader>,
    ready: Arc<Ready>,
}

/// The outcome of a case, and the call that led to it.
#[derive(Debug)]
pub struct Found {
    /// The outcome, in the words of the case.
    pub outcome: Value,
    /// Why the answer would be rejected, if it would.
    pub(super) disbelief: Option<Disbelief>,
    /// The call, and how it went.
    pub call: Examined,
}

/// The error of a workbench that cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
#[expect(missing_docs, reason = "the sentences say all there is to say")]
pub enum WorkbenchError {
    Engine(#[from] EngineError),
    Component(#[from] LoadError),
}

impl Workbench {
    /// Makes a component ready as a host would. Compiles it in this process, because its author asks. Keeps compiled
    /// code in the folder `cache`, if one is given.
    pub fn open(component: &[u8], cache: Option<&Path>) -> Result<Self, WorkbenchError> {
        Self::open_with(component, cache, Config::default())
    }

    /// Does the same with a given `config`.
    pub fn open_with(component: &[u8], cache: Option<&Path>, config: Config) -> Result<Self, WorkbenchError> {
        let loader = Loader::open(cache, config)?;
        let ready = loader.prepare(component, &Compiler::Here)?;
        loader.fits(&ready)?;
        Ok(Self { loader: Arc::new(loader), ready })
    }

    /// Makes another component ready in the same engine.
    pub fn beside(&self, component: &[u8]) -> Result<Self, WorkbenchError> {
        let ready = self.loader.prepare(component, &Compiler::Here)?;
        Ok(Self { loader: Arc::clone(&self.loader), ready })
    }

    /// Returns the manifest of the component.
    pub fn manifest(&self) -> &Manifest {
        self.ready.manifest()
    }

    /// Returns the digest of the component.
    pub fn digest(&self) -> &Digest {
        self.ready.digest()
    }

    /// Returns the tool kinds that the component decides about.
    pub fn kinds(&self) -> &[String] {
        self.manifest().tool_kinds()
    }

    /// Asks about a case of a file, in a fresh instance. Refuses a case of a plugin for another world, and a
    /// question that no host would ask.
    pub fn ask(&self, file: &CaseFile, case: &Case) -> Result<Found, CaseError> {
        let manifest = self.manifest();
        case.suits(manifest)?;
        let library = Arc::new(case.snapshot(&file.library)?);
        let reads = |facts| Reads::new(Arc::clone(&library), Arc::new(facts));
        let (call, disbelief) = match (&manifest.provides, case) {
            (Provides::ConfigurationSteps { steps }, Case { event: Some(event), .. }) => {
                let (asked, step) = event.asked(steps).map_err(CaseError::Never)?;
                let inquiry = Inquiry { tool: &event.message, settings: "{}", step: Some(&asked) };
                let call = self.loader.examine(&self.ready, inquiry, reads(Facts::default()));
                let is_made = step.stage == Stage::PostOperation && step.mode == Mode::Sync;
                let disbelief = call.as_ref().and_then(|call| disbelieved(call, is_made, event.targets.len()));
                (call, disbelief)
            }
            (Provides::ToolSteps { steps }, Case { question: Some(question), .. }) => {
                let asked = question.asked(steps).map_err(CaseError::Never)?;
                let settings = Value::Object(question.settings.clone()).to_string();
                let inquiry = Inquiry { tool: &question.tool, settings: &settings, step: Some(&asked) };
                (self.loader.examine(&self.ready, inquiry, reads(case.facts()?)), None)
            }
            (Provides::UpgradeStep(step), Case { page: Some(page), .. }) => {
                let page = page.page(step).map_err(CaseError::Never)?;
                let call = self.loader.examine_page(&self.ready, &page, reads(Facts::default()));
                let disbelief = call.as_ref().and_then(|call| self.unbelievable(call, &page));
                (call, disbelief)
            }
            _ => {
                let settings = Value::Object(case.settings.clone()).to_string();
                let tool = self.kinds().first().map_or("", String::as_str);
                let inquiry = Inquiry { tool, settings: &settings, step: None };
                (self.loader.examine(&self.ready, inquiry, reads(case.facts()?)), None)
            }
        };
        // A case that suits the manifest always has a call.
        let call = call.ok_or_else(|| CaseError::Never("the component has nothing of the kind".to_owned()))?;
        Ok(Found { outcome: outcome(&call, disbelief.as_ref()), disbelief, call })
    }

    /// Returns why an upgrade would reject the answer of a step to a page, if it would.
    fn unbelievable(&self, call: &Examined, page: &Page) -> Option<Disbelief> {
        let Ok(Reply::Migration(migration)) = &call.answer else { return None };
        let Manifest { version, .. } = self.manifest();
        let info = StepInfo { name: self.manifest().full_name(), version: version.to_string(), ..StepInfo::default() };
        let fault = believe(&info, page, migration).err()?;
        Some(Disbelief { code: fault.code, sentence: fault.message })
    }
}

impl Found {
    /// Returns why the call failed or its answer would be rejected, as a sentence.
    pub fn problem(&self) -> Option<String> {
        match (&self.disbelief, &self.call.answer) {
            (Some(disbelief), _) => Some(disbelief.sentence.clone()),
            (None, Err(error)) => Some(error.to_string()),
            (None, Ok(_)) => None,
        }
    }
}

/// Returns why a change would reject the proposal of a step, if it would.
fn disbelieved(call: &Examined, is_made: bool, targets: usize) -> Option<Disbelief> {
    let Ok(Reply::Outcome(Outcome::Proceed(proposal))) = &call.answer else { return None };
    let fault = proposal.check(is_made, targets).err()?;
    Some(Disbelief { code: fault.code, sentence: fault.message })
}
