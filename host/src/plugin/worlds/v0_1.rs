//! The world `tool` of `loadout:plugin@0.1`: its imports, and the one question.
//!
//! Counts, forwards to [`Reads`](crate::resolve::Reads), and decides nothing. Generated types stop here.

use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::{Component, HasSelf, Linker};

use crate::domain::slug::{InvalidSlug, RENDERED_MAX, SLUGS_MAX, Template};
use crate::domain::trace::LogLevel;
use crate::resolve::ItemReference;

use crate::plugin::limits::exceeded::Exceeded;
use crate::plugin::sandbox::state::State;

pub(in crate::plugin) mod configuration;
pub(in crate::plugin) mod evaluation;
mod http;
mod knowledge;
mod records;
pub(in crate::plugin) mod upgrade;

mod generated {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "tool",
        imports: { default: trappable },
        additional_derives: [serde::Serialize, serde::Deserialize],
    });
}

use super::decision::Verdict;
use generated::exports::loadout::plugin::tool_rule;
use generated::loadout::plugin::{context, library, trace};

/// A component that is ready to be asked.
pub(in crate::plugin) struct PreparedToolRule(generated::ToolPre<State>);

/// An instance of it.
pub(in crate::plugin) struct Instance(generated::Tool);

/// Links the imports of the world.
pub(in crate::plugin) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    generated::Tool::add_to_linker::<State, HasSelf<State>>(linker, |state| state)
}

impl PreparedToolRule {
    /// Binds a component to its imports.
    pub(in crate::plugin) fn new(linker: &Linker<State>, component: &Component) -> wasmtime::Result<Self> {
        Ok(Self(generated::ToolPre::new(linker.instantiate_pre(component)?)?))
    }

    /// Makes an instance, which runs its start code.
    pub(in crate::plugin) fn instantiate(&self, store: &mut Store<State>) -> wasmtime::Result<Instance> {
        self.0.instantiate(store).map(Instance)
    }
}

impl Instance {
    /// Asks the question.
    pub(in crate::plugin) fn evaluate(&self, store: &mut Store<State>, settings: &str) -> wasmtime::Result<Verdict> {
        let answer = self.0.loadout_plugin_tool_rule().call_evaluate(store, settings)?;
        Ok(match answer {
            Ok(tool_rule::Decision::Shown(tool_rule::Presentation { payload, items })) => {
                let reference =
                    |item: tool_rule::ItemReference| ItemReference { kind: item.kind, name: item.unique_name };
                Verdict::Shown { payload, items: items.into_iter().map(reference).collect() }
            }
            Ok(tool_rule::Decision::Hidden(tool_rule::Reason { code, text })) => Verdict::Hidden { code, text },
            Err(tool_rule::Fault { code, message }) => Verdict::Fault { code, message },
        })
    }
}

impl context::Host for State {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        self.meter.host_call(key.len())?;
        Ok(self.reads.get(&key))
    }

    fn has_role(&mut self, role: String) -> wasmtime::Result<bool> {
        self.meter.host_call(role.len())?;
        Ok(self.reads.has_role(&role))
    }

    fn has_licence(&mut self, licence: String) -> wasmtime::Result<bool> {
        self.meter.host_call(licence.len())?;
        Ok(self.reads.has_licence(&licence))
    }

    fn channel(&mut self) -> wasmtime::Result<Option<String>> {
        self.meter.host_call(0)?;
        Ok(self.reads.channel().map(str::to_owned))
    }

    fn workstream(&mut self) -> wasmtime::Result<Option<String>> {
        self.meter.host_call(0)?;
        Ok(self.reads.workstream())
    }

    fn entity(&mut self) -> wasmtime::Result<Option<String>> {
        self.meter.host_call(0)?;
        Ok(self.reads.entity())
    }

    fn session_template(&mut self) -> wasmtime::Result<Option<String>> {
        self.meter.host_call(0)?;
        Ok(self.reads.session_template())
    }

    fn profile(&mut self) -> wasmtime::Result<String> {
        self.meter.host_call(0)?;
        Ok(self.reads.profile())
    }

    fn language(&mut self) -> wasmtime::Result<u32> {
        self.meter.host_call(0)?;
        Ok(self.reads.language())
    }

    fn base_language(&mut self) -> wasmtime::Result<u32> {
        self.meter.host_call(0)?;
        Ok(self.reads.base_language())
    }

    fn app(&mut self) -> wasmtime::Result<String> {
        self.meter.host_call(0)?;
        Ok(self.reads.app())
    }

    fn render(&mut self, template: String) -> wasmtime::Result<context::Rendered> {
        self.meter.host_call(template.len())?;
        match Template::parse(&template) {
            Err(InvalidSlug::TooMany) => return Err(Exceeded::Slugs { limit: SLUGS_MAX }.into()),
            Err(InvalidSlug::TooLong) => {
                return Err(Exceeded::Text { limit: RENDERED_MAX, found: template.len() }.into());
            }
            // Its slugs cannot be told from the rest: the rule hears that.
            Ok(_) | Err(InvalidSlug::Unclosed(_) | InvalidSlug::Nested(_)) => {}
        }
        let rendered = self.reads.render(&template);
        Ok(context::Rendered { text: rendered.text, unresolved: rendered.unresolved })
    }
}

impl library::Host for State {
    fn item(&mut self, kind: String, unique_name: String) -> wasmtime::Result<Option<String>> {
        self.meter.host_call(kind.len() + unique_name.len())?;
        Ok(self.reads.item(&kind, &unique_name).map(|json: Arc<str>| (*json).to_owned()))
    }

    fn links(&mut self, kind: String, unique_name: String, attribute: String) -> wasmtime::Result<Vec<String>> {
        self.meter.host_call(kind.len() + unique_name.len() + attribute.len())?;
        Ok(self.reads.links(&kind, &unique_name, &attribute))
    }

    fn names(&mut self, kind: String) -> wasmtime::Result<Vec<String>> {
        self.meter.host_call(kind.len())?;
        let (reads, mut in_time) = self.reads_in_time();
        match reads.names(&kind, &mut in_time) {
            Some(names) => Ok(names),
            None => Err(self.out_of_time()),
        }
    }
}

impl trace::Host for State {
    fn log(&mut self, level: trace::Level, message: String) -> wasmtime::Result<()> {
        self.meter.host_call(0)?;
        let level = match level {
            trace::Level::Debug => LogLevel::Debug,
            trace::Level::Info => LogLevel::Info,
            trace::Level::Warning => LogLevel::Warning,
        };
        Ok(self.trace(level, &message)?)
    }
}
