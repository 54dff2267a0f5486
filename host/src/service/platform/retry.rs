//! Components that could not be made ready for the time being: a compiler that cannot be started, a component that is
//! lost.
//!
//! No question waits for them: it goes on with a catalog that lacks them. Whoever tries again does so beside the questions.

use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crate::domain::{Digest, Item, Kind, Plugin};
use crate::plugin::LoadError;
use crate::store::{self, Snapshot, Store};

use super::{Found, Platform, Serving, key, lock};

/// How long a component is left alone that could not be made ready for the time being; each next pause is twice as long.
pub(super) const PAUSE: Duration = Duration::from_secs(2);

/// The longest pause.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// A component that could not be made ready for the time being.
pub(super) struct Unavailable {
    reason: String,
    /// When it is tried again.
    again: Instant,
    /// How long it was left alone; zero once that is over.
    pause: Duration,
}

impl Unavailable {
    fn is_over(&self) -> bool {
        self.pause.is_zero()
    }
}

impl Found {
    /// Why it is not ready, if that may pass by itself.
    fn passing(&self) -> Option<String> {
        match self {
            Self::Unusable { reason: LoadError::Unavailable(reason), .. } => Some(reason.clone()),
            Self::Lost(lost) => Some(lost.to_string()),
            Self::Ready(_) | Self::Unusable { .. } => None,
        }
    }
}

impl Platform {
    /// Tries again to make ready what could not be for the time being, as far as it is time to at `now`. Whether there is a new catalog.
    ///
    /// Nobody waits for that: questions go on with the catalog that is there.
    pub(in crate::service) fn retry(&self, store: &Store, now: Instant) -> Result<bool, store::Error> {
        if lock(&self.unavailable).is_empty() {
            return Ok(false);
        }
        let due: Vec<Digest> = {
            // Whoever makes a catalog holds this while they note what it lacks.
            let _making = lock(&self.making);
            let wanted = wanted(&*store.snapshot()?);
            let mut unavailable = lock(&self.unavailable);
            unavailable.retain(|digest, _| wanted.contains(digest));
            unavailable.iter().filter(|(_, it)| it.again <= now).map(|(digest, _)| digest.clone()).collect()
        };
        // Held until a catalog holds them.
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

    /// Notes that a component can be made ready or never will be: what a catalog lacks it has soon. Only [`Platform::retry`] forgets it, when
    /// there is such a catalog.
    pub(super) fn settle(&self, digest: &Digest) {
        if let Some(unavailable) = lock(&self.unavailable).get_mut(digest) {
            (unavailable.again, unavailable.pause) = (Instant::now(), Duration::ZERO);
        }
    }

    /// The component of `digest`, made ready if it is not. One that cannot be for the time being is tried again by [`Platform::retry`].
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

    /// As [`Platform::ready`], for a catalog: waits for nothing that could not be made ready a moment ago.
    pub(super) fn ready_now(&self, store: &Store, digest: &Digest) -> Result<Found, store::Error> {
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

/// The components that a catalog of `snapshot` holds.
pub(super) fn wanted(snapshot: &Snapshot) -> HashSet<Digest> {
    let plugins = snapshot.entries(Kind::Plugin).filter_map(|(_, entry)| Plugin::from_any(&entry.item));
    let digests = plugins.flat_map(|plugin| {
        plugin.serving().into_iter().map(|(_, digest)| digest).chain(plugin.trying().map(|(_, digest)| digest))
    });
    digests.cloned().collect()
}
