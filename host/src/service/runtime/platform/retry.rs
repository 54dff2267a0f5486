//! Components that are not ready for the time being: a compiler that cannot be started, a component that is lost, or so
//! many to compile that a question does not wait for all of them.
//!
//! A question goes on with a catalog that lacks them. A background task tries again with [`Platform::retry`].

use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crate::domain::{Digest, Item, Kind, Plugin};
use crate::plugin::LoadError;
use crate::store;
use crate::store::{Snapshot, Store};

use super::{Found, Platform, Serving, key, lock};

/// The first pause before a component is tried again; each next pause is twice as long.
pub(super) const PAUSE: Duration = Duration::from_secs(2);

/// The longest pause.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// How long a question waits for components that have to be compiled. After an upgrade of the program, all have to be.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Most components that one call of [`Platform::retry`] tries again.
const AT_ONCE: usize = 2;

/// The reason given for a component that is still to be compiled when [`PATIENCE`] is over.
const NOT_COMPILED: &str = "it is not compiled yet, which goes on in the background: try again in a while";

/// A component that could not be made ready for the time being.
pub(super) struct Unavailable {
    reason: String,
    /// When it is tried again.
    again: Instant,
    /// The last pause; zero once the component can be made ready or never will be.
    pause: Duration,
}

impl Unavailable {
    fn is_over(&self) -> bool {
        self.pause.is_zero()
    }
}

impl Found {
    /// Returns why it is not ready, if that may pass by itself.
    fn passing(&self) -> Option<String> {
        match self {
            Self::Unusable { reason: LoadError::Unavailable(reason), .. } => Some(reason.clone()),
            Self::Lost(lost) => Some(lost.to_string()),
            Self::Ready(_) | Self::Unusable { .. } => None,
        }
    }
}

impl Platform {
    /// Tries again to make components ready whose pause is over at `now`, two of them at most. Returns whether there is
    /// a new catalog.
    ///
    /// Questions go on with the current catalog meanwhile.
    pub(in crate::service) fn retry(&self, store: &Store, now: Instant) -> Result<bool, store::Error> {
        if lock(&self.unavailable).is_empty() {
            return Ok(false);
        }
        let due: Vec<Digest> = {
            // A thread that makes a catalog holds this lock while it notes what the catalog lacks.
            let _making = lock(&self.making);
            let wanted = wanted(&*store.snapshot()?);
            let mut unavailable = lock(&self.unavailable);
            unavailable.retain(|digest, _| wanted.contains(digest));
            let due = unavailable.iter().filter(|(_, it)| it.again <= now);
            let mut due: Vec<_> = due.map(|(digest, it)| (it.again, digest.clone())).collect();
            due.sort_unstable();
            due.into_iter().take(AT_ONCE).map(|(_, digest)| digest).collect()
        };
        // Keeps the components in memory until the new catalog holds them.
        let tried = due.iter().map(|digest| self.ready(store, digest)).collect::<Result<Vec<_>, _>>()?;
        if tried.iter().all(|found| found.passing().is_some()) {
            return Ok(false);
        }
        let _making = lock(&self.making);
        let snapshot = store.snapshot()?;
        let catalog = Arc::new(self.make(store, &snapshot)?);
        self.keep(Serving { key: key(store, &snapshot)?, revision: snapshot.revision(), catalog });
        lock(&self.unavailable).retain(|digest, it| !it.is_over() || !due.contains(digest));
        Ok(true)
    }

    /// Notes that a component can be made ready or never will be, so the next catalog is made soon. Only
    /// [`Platform::retry`] forgets the component, once there is such a catalog.
    pub(super) fn settle(&self, digest: &Digest) {
        if let Some(unavailable) = lock(&self.unavailable).get_mut(digest) {
            (unavailable.again, unavailable.pause) = (Instant::now(), Duration::ZERO);
        }
    }

    /// Returns the component of `digest`, and makes it ready if it is not. [`Platform::retry`] tries a component again
    /// that cannot be made ready for the time being.
    pub(in crate::service) fn ready(&self, store: &Store, digest: &Digest) -> Result<Found, store::Error> {
        let found = self.find(store, digest)?;
        let Some(reason) = found.passing() else {
            self.settle(digest);
            return Ok(found);
        };
        let mut unavailable = lock(&self.unavailable);
        let before = unavailable.get(digest).map_or(Duration::ZERO, |before| before.pause);
        let pause = (before * 2).clamp(PAUSE, LONGEST_PAUSE);
        unavailable.insert(digest.clone(), Unavailable { reason, again: Instant::now() + pause, pause });
        Ok(found)
    }

    /// As [`Platform::ready`], for a catalog: does not wait for a component whose last attempt failed a moment ago, and
    /// from `until` on for none that has to be compiled.
    pub(super) fn ready_now(&self, store: &Store, digest: &Digest, until: Instant) -> Result<Found, store::Error> {
        if Instant::now() >= until && self.has_to_be_compiled(digest) {
            let (reason, again) = (NOT_COMPILED.to_owned(), Instant::now());
            let waits = Unavailable { reason, again, pause: PAUSE };
            lock(&self.unavailable).entry(digest.clone()).or_insert(waits);
        }
        let waits = lock(&self.unavailable).get(digest).filter(|it| !it.is_over()).map(|it| it.reason.clone());
        let Some(reason) = waits else { return self.ready(store, digest) };
        let held = lock(&self.known).get(digest).and_then(Weak::upgrade);
        Ok(match (held, store.component(digest)?) {
            (Some(ready), _) => Found::Ready(ready),
            (None, Ok(bytes)) => Found::Unusable { bytes, reason: LoadError::Unavailable(reason) },
            (None, Err(lost)) => Found::Lost(lost),
        })
    }
}

impl Platform {
    fn has_to_be_compiled(&self, digest: &Digest) -> bool {
        let is_known = || lock(&self.known).get(digest).is_some_and(|held| held.strong_count() > 0);
        let is_settled = || lock(&self.unusable).contains_key(digest);
        !self.is_bundled(digest) && !is_known() && !is_settled() && self.loader.kept_code(digest) == 0
    }
}

/// Returns the digests of the components that a catalog of `snapshot` holds.
pub(super) fn wanted(snapshot: &Snapshot) -> HashSet<Digest> {
    let plugins = snapshot.entries(Kind::Plugin).filter_map(|(_, entry)| Plugin::from_any(&entry.item));
    let digests = plugins.flat_map(|plugin| {
        plugin.serving().into_iter().map(|(_, digest)| digest).chain(plugin.trying().map(|(_, digest)| digest))
    });
    digests.cloned().collect()
}
