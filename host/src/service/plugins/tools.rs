//! Decisions of administrators about the tools of a plugin.

use std::collections::BTreeSet;

use crate::domain::revision::Author;
use crate::domain::{FaultPolicy, Plugin, ToolOverride};
use crate::plugin::Provides;
use crate::store::Expect;

use super::settings;
use crate::service::{Error, PluginError, PluginView, Service};

impl Service {
    /// Replaces the decision about a tool kind: what happens when its rule breaks. Works before the version that has
    /// the rule serves.
    pub fn decide_about_tool(
        &self,
        plugin: &str,
        expect: Expect,
        kind: &str,
        wanted: &ToolOverride,
        author: &Author,
    ) -> Result<PluginView, Error> {
        self.change_plugin(plugin, expect, author, |service, _, item| {
            if let Some(default) = &wanted.default {
                settings::check("default", None, default)?;
            }
            let has_default = wanted.default.is_some() || service.declares_default(plugin, item, kind)?;
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

    /// Returns whether the version of a plugin that decides about a tool kind, the one that was activated or else the
    /// newest, declares a default.
    fn declares_default(&self, name: &str, plugin: &Plugin, kind: &str) -> Result<bool, Error> {
        let mut known = BTreeSet::new();
        for found in self.manifests(plugin) {
            let (_, _, manifest) = found?;
            if manifest.decides_about(kind) {
                return Ok(matches!(manifest.provides, Provides::ToolRule { default: Some(_), .. }));
            }
            known.extend(manifest.tool_kinds().iter().cloned());
        }
        let known = known.into_iter().collect();
        Err(PluginError::NoSuchTool { name: name.to_owned(), kind: kind.to_owned(), known }.into())
    }
}
