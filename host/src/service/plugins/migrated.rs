//! Settings that were changed with a version: which, and how.

use serde::Serialize;
use serde_json::{Map, Value};

use super::fit::SettingsPlace;
use crate::plugin::escaped;

/// Settings of a tool, or the configuration of a step.
pub(super) type Settings = Map<String, Value>;

/// Most settings that are listed; the others are counted.
const LISTED: usize = 20;

/// Most attributes that are named of the changed settings in one place.
const CHANGED: usize = 20;

/// How settings were changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SettingsChange {
    /// By the migrations of the version.
    Migrated,
    /// Back to their values before a migration, because a version serves again that served then.
    PutBack,
}

/// Settings that were changed with a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MigratedSettings)]
pub struct MigratedSettings {
    /// Where the settings are.
    #[serde(flatten)]
    pub place: SettingsPlace,
    /// How they were changed.
    pub how: SettingsChange,
    /// The attributes that changed, as JSON pointers, 20 at most. The revision has the values.
    pub changed: Vec<String>,
}

/// All settings that were changed with a version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MigratedSettingsList)]
pub struct Migrated {
    /// The number of settings that were changed.
    pub count: usize,
    /// The settings, 20 at most.
    pub settings: Vec<MigratedSettings>,
}

impl Migrated {
    /// Returns whether nothing was changed.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn add(&mut self, place: &SettingsPlace, how: SettingsChange, before: &Settings, after: &Settings) {
        self.count += 1;
        if self.settings.len() < LISTED {
            let keys = before.keys().chain(after.keys().filter(|key| !before.contains_key(*key)));
            let differs = keys.filter(|key| before.get(*key) != after.get(*key));
            let changed = differs.take(CHANGED).map(|key| format!("/{}", escaped(key))).collect();
            self.settings.push(MigratedSettings { place: place.clone(), how, changed });
        }
    }
}
