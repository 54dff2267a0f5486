//! What administrators decide about tools that a plugin decides about.

use crate::domain::revision::Author;
use crate::domain::{FaultPolicy, ToolOverride};
use crate::plugin::Provides;

use super::{Error, PluginError, PluginView, Service};

impl Service {
    /// Decides what happens when the rule of a tool kind breaks, instead of what was decided before.
    pub fn decide_about_tool(
        &self,
        plugin: &str,
        kind: &str,
        wanted: &ToolOverride,
        author: &Author,
    ) -> Result<PluginView, Error> {
        self.change_plugin(plugin, author, |service, _, item| {
            let missing = || PluginError::NoSuchTool { name: plugin.to_owned(), kind: kind.to_owned() };
            let version = item.active.ok_or_else(missing)?;
            let digest = item.versions.get(&version).cloned().ok_or_else(missing)?;
            let Provides::Tool { kinds, default, .. } = service.manifest(plugin, version, &digest)?.provides else {
                return Err(missing().into());
            };
            if !kinds.iter().any(|known| known == kind) {
                return Err(missing().into());
            }
            let has_default = wanted.default.is_some() || default.is_some();
            if wanted.on_fault == Some(FaultPolicy::UseDefault) && !has_default {
                return Err(PluginError::NoDefault { name: plugin.to_owned(), kind: kind.to_owned() }.into());
            }
            if *wanted == ToolOverride::default() {
                item.tools.remove(kind);
            } else {
                item.tools.insert(kind.to_owned(), wanted.clone());
            }
            Ok(())
        })
    }
}
