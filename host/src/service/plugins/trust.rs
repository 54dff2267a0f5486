//! Trusted publishers, whose plugins must be signed, and the signatures of installed components.
//!
//! Signatures are checked when a version is installed, activated, tried, switched on or rolled back to. A version that
//! serves goes on serving when a key is withdrawn, and its page says so. Plugins that came with this program need no
//! signature: who can change them can change the program.

use serde::Serialize;

use crate::domain::plugin::is_plugin_name;
use crate::domain::{Digest, Item, KeyId, Kind, PluginVersion, PublicKey, Revision, TrustedPublisher};
use crate::plugin::{SignatureError, Signatures};
use crate::store::{Lost, Snapshot};

use super::without_component;
use crate::service::{Error, PluginError, Service};

/// A publisher whose plugins must be signed.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TrustedPublisherEntry)]
pub struct PublisherView {
    /// The name that its plugins begin with.
    pub publisher: String,
    /// The display name of the publisher.
    pub name: String,
    /// The keys, in the order in which they were given.
    pub keys: Vec<KeyView>,
    /// The revision that wrote it.
    pub revision: Revision,
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TrustedKey)]
pub struct KeyView {
    /// Its short name, which signatures and error messages use: 16 hexadecimal digits.
    pub id: KeyId,
    /// The base64 of its 32 bytes.
    pub key: PublicKey,
}

/// A signature of a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PluginSigner)]
pub struct SignerView {
    /// The short name of the key: 16 hexadecimal digits.
    pub key_id: KeyId,
    /// The standing of the signature in this environment.
    pub standing: Standing,
}

/// The standing of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = SignatureStanding)]
pub enum Standing {
    /// It is by a key of the plugin's publisher, and holds.
    Trusted,
    /// It names a key of the plugin's publisher, and does not hold.
    Broken,
    /// It names a key that the publisher does not have in this environment, so it cannot be checked.
    Unknown,
}

impl Service {
    /// Returns the publishers whose plugins must be signed, by name.
    pub fn trusted_publishers(&self) -> Result<Vec<PublisherView>, Error> {
        let snapshot = self.store.snapshot()?;
        let views = snapshot.entries(Kind::TrustedPublisher).filter_map(|(publisher, entry)| {
            let TrustedPublisher { name, keys } = TrustedPublisher::from_any(&entry.item)?.clone();
            let keys = keys.into_iter().map(|key| KeyView { id: key.id(), key }).collect();
            Some(PublisherView { publisher: publisher.to_string(), name, keys, revision: entry.revision })
        });
        Ok(views.collect())
    }

    /// Refuses a name that no publisher of a plugin can have.
    pub fn check_publisher(name: &str) -> Result<(), PluginError> {
        if is_plugin_name(name) { Ok(()) } else { Err(PluginError::PublisherName(name.to_owned())) }
    }

    /// Refuses to install a component that the environment does not take from its publisher. The name of a publisher
    /// whose plugins came with this program is for those plugins alone, unless the environment trusts keys for it.
    pub(in crate::service) fn may_be_brought(
        &self,
        snapshot: &Snapshot,
        publisher: &str,
        digest: &Digest,
        signatures: &Signatures,
    ) -> Result<(), SignatureError> {
        let platform = self.platform().ok();
        let is_own = platform.is_some_and(|platform| platform.brings(publisher) && !platform.is_bundled(digest));
        if is_own && trusted(snapshot, publisher).is_none() {
            let (publisher, found) = (publisher.to_owned(), signatures.key_ids().collect());
            return Err(SignatureError::OwnPublisher { publisher, found });
        }
        self.is_trusted(snapshot, publisher, digest, signatures)
    }

    /// Refuses a component that the environment does not take from its publisher.
    pub(in crate::service) fn is_trusted(
        &self,
        snapshot: &Snapshot,
        publisher: &str,
        digest: &Digest,
        signatures: &Signatures,
    ) -> Result<(), SignatureError> {
        if self.platform().is_ok_and(|platform| platform.is_bundled(digest)) {
            return Ok(());
        }
        let unsigned = snapshot.environment().plugins.unsigned;
        signatures.check(publisher, trusted(snapshot, publisher), unsigned)
    }

    /// Refuses an installed version that the environment does not take any more.
    pub(in crate::service) fn must_be_trusted(
        &self,
        snapshot: &Snapshot,
        name: &str,
        version: PluginVersion,
        digest: &Digest,
    ) -> Result<(), Error> {
        let platform = self.platform()?;
        if platform.is_bundled(digest) {
            return Ok(());
        }
        let Some(signatures) = platform.signatures(&self.store, digest)? else {
            let lost = self.store.component(digest)?.err().unwrap_or(Lost::Gone);
            return Err(without_component(name, version, lost).into());
        };
        self.is_trusted(snapshot, publisher_of(name), digest, &signatures).map_err(|error| {
            PluginError::RefusedVersion { name: name.to_owned(), version, reason: error.into() }.into()
        })
    }

    /// Returns whether one key of the publisher of `name` signed both components, and is trusted now. A component that
    /// came with this program has no signature, so it inherits nothing and leaves nothing. The signatures are those of
    /// `after`, or are looked up.
    pub(in crate::service) fn has_common_signer(
        &self,
        snapshot: &Snapshot,
        name: &str,
        before: &Digest,
        (after, signatures): (&Digest, Option<&Signatures>),
    ) -> Result<bool, Error> {
        let Some(trusted) = trusted(snapshot, publisher_of(name)) else { return Ok(false) };
        let platform = self.platform()?;
        let Some(of_before) = platform.signatures(&self.store, before)? else { return Ok(false) };
        let found = if signatures.is_none() { platform.signatures(&self.store, after)? } else { None };
        let Some(of_after) = signatures.or(found.as_deref()) else { return Ok(false) };
        let signed = |by: &Signatures, key: &PublicKey| by.by(key) == Some(true);
        Ok(trusted.keys.iter().any(|key| signed(&of_before, key) && signed(of_after, key)))
    }

    /// Returns the signatures of a component of the plugin `name`.
    pub(in crate::service) fn signers(
        &self,
        snapshot: &Snapshot,
        name: &str,
        digest: &Digest,
    ) -> Result<Vec<SignerView>, Error> {
        let signatures = self.platform()?.signatures(&self.store, digest)?;
        Ok(signatures.map_or_else(Vec::new, |signatures| Self::standings(snapshot, name, &signatures)))
    }

    /// Returns the standing of each signature of a component of the plugin `name`.
    pub(in crate::service) fn standings(snapshot: &Snapshot, name: &str, signatures: &Signatures) -> Vec<SignerView> {
        let trusted = trusted(snapshot, publisher_of(name));
        let standing = |id: KeyId| {
            let key = trusted.and_then(|it| it.keys.iter().find(|key| key.id() == id));
            match key.and_then(|key| signatures.by(key)) {
                Some(true) => Standing::Trusted,
                Some(false) => Standing::Broken,
                None => Standing::Unknown,
            }
        };
        signatures.key_ids().map(|key_id| SignerView { key_id, standing: standing(key_id) }).collect()
    }
}

fn publisher_of(plugin: &str) -> &str {
    plugin.split_once('/').map_or(plugin, |(publisher, _)| publisher)
}

fn trusted<'a>(snapshot: &'a Snapshot, publisher: &str) -> Option<&'a TrustedPublisher> {
    TrustedPublisher::from_any(&snapshot.entry(Kind::TrustedPublisher, publisher)?.item)
}
