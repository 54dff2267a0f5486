//! Grants: the capabilities outside the host that a component may use, of those its manifest asks for.
//!
//! Refuses to grant a capability that a component does not ask for. A grant names a digest, so another build has none.
//! A new version inherits the grant of the one that serves only if it asks for no more, and if one key that is trusted
//! now signed both. The right to install code is no right to the grants of other code.

use std::sync::Arc;

use serde::Serialize;

use crate::domain::revision::Author;
use crate::domain::{Capabilities, Digest, Plugin, PluginVersion, Revision};
use crate::plugin::Signatures;
use crate::store::{Expect, Snapshot};

use super::{Decided, PluginError, item, version_of, written};
use crate::service::{Error, Service};

/// The capabilities that a version of a plugin asks for, and those it was granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PluginGrant)]
pub struct GrantView {
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// The version.
    pub version: PluginVersion,
    /// The SHA-256 of its component, in hexadecimal. The grant is for this component alone.
    pub digest: Digest,
    /// Whether an administrator decided about it. Until then a version that asks for anything cannot be activated.
    pub decided: bool,
    /// The capabilities it asks for.
    pub asks: Capabilities,
    /// The capabilities it was granted.
    pub granted: Capabilities,
    /// The capabilities it asks for and does not have.
    pub missing: Capabilities,
    /// The newest revision.
    pub revision: Revision,
}

/// The capabilities to grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// All that the component asks for.
    All,
    /// These and no others.
    Only(Capabilities),
}

impl Service {
    /// Returns the grant of a version.
    pub fn grant(&self, name: &str, version: PluginVersion) -> Result<GrantView, Error> {
        self.grant_of(&*self.store.snapshot()?, name, version)
    }

    fn grant_of(&self, snapshot: &Snapshot, name: &str, version: PluginVersion) -> Result<GrantView, Error> {
        let plugin = item(snapshot, name)?;
        let digest = version_of(name, plugin, version)?;
        let (asks, decision) = (self.asked_of(digest)?, plugin.grants.get(digest));
        let granted = decision.map(|granted| granted.and(&asks)).unwrap_or_default();
        Ok(GrantView {
            plugin: name.to_owned(),
            version,
            digest: digest.clone(),
            decided: decision.is_some(),
            missing: asks.without(&granted),
            asks: (*asks).clone(),
            granted,
            revision: snapshot.revision(),
        })
    }

    /// Grants a version some of the capabilities it asks for, in place of its former grant.
    pub fn grant_plugin(
        &self,
        name: &str,
        expect: Expect,
        version: PluginVersion,
        grant: &Grant,
        author: &Author,
    ) -> Result<Decided<GrantView>, Error> {
        self.change_plugin(name, expect, author, |service, _, plugin| {
            let digest = version_of(name, plugin, version)?.clone();
            let asked = service.asked_of(&digest)?;
            let granted = match grant {
                Grant::All => (*asked).clone(),
                Grant::Only(granted) => granted.clone(),
            };
            let unasked = granted.without(&asked);
            if !unasked.is_empty() {
                let (unasked, asked) = (unasked.into(), Box::new((*asked).clone()));
                return Err(PluginError::NotAsked { name: name.to_owned(), version, unasked, asked }.into());
            }
            plugin.grants.insert(digest, granted);
            Ok(())
        })?;
        self.decided_grant(name, version)
    }

    /// Takes the grant of a version back. If the version serves, it goes on, and every call outside the host is
    /// refused.
    pub fn take_grant(
        &self,
        name: &str,
        expect: Expect,
        version: PluginVersion,
        author: &Author,
    ) -> Result<Decided<GrantView>, Error> {
        self.change_plugin(name, expect, author, |_, _, plugin| {
            let digest = version_of(name, plugin, version)?.clone();
            plugin.grants.remove(&digest);
            Ok(())
        })?;
        self.decided_grant(name, version)
    }

    fn decided_grant(&self, name: &str, version: PluginVersion) -> Result<Decided<GrantView>, Error> {
        let snapshot = self.store.snapshot()?;
        Ok(Decided { view: self.grant_of(&snapshot, name, version)?, revision: written(&snapshot, name)? })
    }

    /// Returns the capabilities that a component asks for.
    pub(in crate::service) fn asked_of(&self, digest: &Digest) -> Result<Arc<Capabilities>, Error> {
        Ok(self.platform()?.asked(&self.store, digest)?)
    }

    /// Passes the grant of the version that serves on to the component `digest` of the plugin `name`, if a trusted key
    /// signed both, and `digest` asks for no more. Returns the capabilities that an administrator has to decide about
    /// first.
    ///
    /// The signatures are those of `digest`; without them they are read from the store, which has the component.
    pub(in crate::service) fn settle_grant(
        &self,
        snapshot: &Snapshot,
        name: &str,
        plugin: &mut Plugin,
        (digest, signatures): (&Digest, Option<&Signatures>),
        asked: &Capabilities,
    ) -> Result<Option<Capabilities>, Error> {
        let serving = plugin.active.and_then(|version| plugin.versions.get(&version)).cloned();
        let granted = serving.filter(|serving| plugin.grants.contains_key(serving));
        let heir_of = match granted {
            Some(serving) if self.has_common_signer(snapshot, name, &serving, (digest, signatures))? => Some(serving),
            _ => None,
        };
        let asked_before = heir_of.as_ref().map(|serving| self.asked_of(serving)).transpose()?;
        Ok(plugin.settle_grant(digest, asked, heir_of.as_ref().zip(asked_before.as_deref())))
    }
}
