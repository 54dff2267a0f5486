//! A component on the bench, and what it comes to.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::domain::Digest;
use crate::plugin::{Compiler, Config, EngineError, Examined, Inquiry, LoadError, Manifest, Provides, Ready, Workshop};
use crate::resolve::Reads;

use super::case::{Case, CaseError, CaseFile};
use super::outcome::outcome;

/// A component that can be asked.
pub struct Workbench {
    workshop: Workshop,
    ready: Arc<Ready>,
}

/// What came of a case.
#[derive(Debug)]
pub struct Found {
    /// The outcome, in the words of the case.
    pub outcome: Value,
    /// The call, and how it went.
    pub call: Examined,
}

/// Why there is no workbench.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
#[expect(missing_docs, reason = "the sentences say all there is to say")]
pub enum WorkbenchError {
    Engine(#[from] EngineError),
    Component(#[from] LoadError),
}

impl Workbench {
    /// Makes a component ready as a host would. It is compiled in this process: whoever asks made it. Compiled code is kept in the
    /// folder `cache`, if one is given.
    pub fn open(component: &[u8], cache: Option<&Path>) -> Result<Self, WorkbenchError> {
        let workshop = Workshop::open(cache, Config::default())?;
        let ready = workshop.prepare(component, &Compiler::Here)?;
        Ok(Self { workshop, ready })
    }

    /// What the component says about itself.
    pub fn manifest(&self) -> &Manifest {
        self.ready.manifest()
    }

    /// The identity of the component.
    pub fn digest(&self) -> &Digest {
        self.ready.digest()
    }

    /// The tool kinds it decides about.
    pub fn kinds(&self) -> &[String] {
        match &self.manifest().provides {
            Provides::Tool { kinds, .. } => kinds,
            Provides::Step(_) | Provides::Handler { .. } | Provides::ToolSteps { .. } => &[],
        }
    }

    /// Asks about a case of a file, in a fresh instance. Nothing if the component decides about no tool.
    pub fn ask(&self, file: &CaseFile, case: &Case) -> Result<Option<Found>, CaseError> {
        let reads = Reads::new(Arc::new(case.snapshot(&file.library)?), Arc::new(case.facts()?));
        let settings = Value::Object(case.settings.clone()).to_string();
        let tool = self.kinds().first().map_or("", String::as_str);
        let examined = self.workshop.examine(&self.ready, Inquiry { tool, settings: &settings, step: None }, reads);
        Ok(examined.map(|call| Found { outcome: outcome(&call.answer, &call.text), call }))
    }
}
