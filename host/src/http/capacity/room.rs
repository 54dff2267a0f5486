//! How much memory the bodies of requests take together.
//!
//! A package is given the room that its sender announces before it is read, and after the guard knows who sends it.
//! Everything else takes room piece by piece as it comes, so that announcing much and sending little takes nothing from
//! others. Where there is no room the request is told when to come again, and the server does not grow. Beyond its
//! first body, one caller has half of a room, and as many bodies as leave connections to others.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http::problem::Refusal;
use crate::http::telemetry::load_metrics::LoadMetrics;

/// Seconds after which a refused body may come again.
const COME_AGAIN: u32 = 2;

/// Most bodies of one caller at once: each keeps the place of its connection for as long as it comes.
const BODIES_MAX: usize = 256;

/// Most bytes that the bodies of requests may take at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// JSON documents, with what is made of them.
    pub documents: u32,
    /// Packages and components.
    pub packages: u32,
}

impl Default for Room {
    /// A quarter of a gigabyte each.
    fn default() -> Self {
        Self { documents: 256 << 20, packages: 256 << 20 }
    }
}

/// What a body is, which decides whose room it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Content {
    /// JSON.
    Document,
    /// A zip file or a component.
    Package,
}

/// The rooms of one server. A copy is the same rooms.
#[derive(Clone)]
pub(in crate::http) struct Rooms {
    documents: Arc<Hall>,
    packages: Arc<Hall>,
    metrics: LoadMetrics,
}

/// One room, and how much of it each caller has.
struct Hall {
    free: Arc<Semaphore>,
    /// Most bytes of one caller who has more than one body in it.
    most: usize,
    callers: Mutex<HashMap<Arc<str>, Taken>>,
}

/// What one caller has.
#[derive(Debug, Clone, Copy, Default)]
struct Taken {
    bytes: usize,
    /// Bodies with bytes.
    bodies: usize,
}

impl Hall {
    fn new(bytes: u32) -> Arc<Self> {
        let bytes = usize::try_from(bytes).unwrap_or(Semaphore::MAX_PERMITS);
        Arc::new(Self { free: Arc::new(Semaphore::new(bytes)), most: bytes / 2, callers: Mutex::default() })
    }

    fn callers(&self) -> MutexGuard<'_, HashMap<Arc<str>, Taken>> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes so many bytes more for a body of `by` that has `held`, if there are as many for it.
    fn take(&self, by: &Arc<str>, held: usize, more: usize) -> Option<OwnedSemaphorePermit> {
        let mut callers = self.callers();
        let Taken { bytes, bodies } = callers.get(by).copied().unwrap_or_default();
        if bytes > held && bytes + more > self.most || held == 0 && bodies >= BODIES_MAX {
            return None;
        }
        let taken = Arc::clone(&self.free).try_acquire_many_owned(u32::try_from(more).ok()?).ok()?;
        if more > 0 {
            let bodies = bodies + usize::from(held == 0);
            callers.insert(Arc::clone(by), Taken { bytes: bytes + more, bodies });
        }
        Some(taken)
    }

    /// A body of `by` gives so many bytes back.
    fn give_back(&self, by: &Arc<str>, bytes: usize) {
        let mut callers = self.callers();
        let Some(all) = callers.get_mut(by).filter(|_| bytes > 0) else { return };
        *all = Taken { bytes: all.bytes.saturating_sub(bytes), bodies: all.bodies.saturating_sub(1) };
        if all.bodies == 0 {
            callers.remove(by);
        }
    }
}

impl Rooms {
    /// As much room as `room` says. What does not fit is counted in `metrics`.
    pub(in crate::http) fn new(room: Room, metrics: LoadMetrics) -> Self {
        Self { documents: Hall::new(room.documents), packages: Hall::new(room.packages), metrics }
    }

    /// A share of the room for `content` of the caller `by`, with nothing in it yet.
    pub(in crate::http) fn share(&self, content: Content, by: Arc<str>) -> Share {
        let hall = match content {
            Content::Document => &self.documents,
            Content::Package => &self.packages,
        };
        Share { hall: Arc::clone(hall), by, held: None, metrics: self.metrics.clone() }
    }
}

/// What one body may take, until it is dropped.
pub(in crate::http) struct Share {
    hall: Arc<Hall>,
    by: Arc<str>,
    held: Option<OwnedSemaphorePermit>,
    metrics: LoadMetrics,
}

impl Share {
    fn bytes(&self) -> usize {
        self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }

    /// Takes room for so many bytes in all, if there is as much.
    pub(in crate::http) fn grow_to(&mut self, bytes: usize) -> Result<(), Refusal> {
        let held = self.bytes();
        let Some(more) = self.hall.take(&self.by, held, bytes.saturating_sub(held)) else {
            self.metrics.body_refused();
            let detail = "there is no room for the body, because others send much at this moment, and nothing was done: send it again after the seconds of `Retry-After`";
            return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "server.busy", detail).retry_after(COME_AGAIN));
        };
        match &mut self.held {
            Some(held) => held.merge(more),
            None => self.held = Some(more),
        }
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.hall.give_back(&self.by, self.bytes());
    }
}

/// A body, with the room it takes.
pub(in crate::http) struct Held {
    pub(in crate::http) bytes: Vec<u8>,
    pub(in crate::http) _share: Share,
}

impl Deref for Held {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Where a request keeps the room of what was made of its body, until it is answered.
#[derive(Clone, Default)]
pub(in crate::http) struct Kept(Arc<Mutex<Option<Share>>>);

impl Kept {
    /// Keeps `share` until the request is answered or given up.
    pub(in crate::http) fn keep(&self, share: Share) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(share);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rooms(documents: u32, packages: u32) -> Rooms {
        Rooms::new(Room { documents, packages }, LoadMetrics::default())
    }

    #[test]
    fn packages_take_what_they_are_and_give_it_back() {
        let rooms = rooms(0, 100);
        let share = |by: &str| rooms.share(Content::Package, by.into());
        let (mut one, mut other) = (share("one"), share("other"));
        one.grow_to(60).unwrap();
        one.grow_to(60).unwrap();
        assert_eq!(other.grow_to(41).unwrap_err().status(), StatusCode::SERVICE_UNAVAILABLE);
        other.grow_to(40).unwrap();
        drop(one);
        other.grow_to(100).unwrap();
    }

    #[test]
    fn a_caller_with_many_bodies_leaves_half_of_the_room_to_others() {
        let rooms = rooms(0, 100);
        let share = |by: &str| rooms.share(Content::Package, by.into());
        let mut many: Vec<_> = (0..10).map(|_| share("many")).collect();
        let fit = many.iter_mut().filter_map(|body| body.grow_to(10).ok()).count();
        assert_eq!(fit, 5);
        let mut other = share("other");
        other.grow_to(50).unwrap();
        drop(other);
        many.clear();
        assert!(rooms.packages.callers().is_empty());
        // One large body is no reason to refuse it.
        let mut large = share("many");
        large.grow_to(90).unwrap();
        assert!(share("many").grow_to(1).is_err());
    }

    #[test]
    fn a_caller_has_so_many_bodies_at_once_and_no_more() {
        let rooms = rooms(100_000, 0);
        let share = |by: &str| rooms.share(Content::Document, by.into());
        let mut many: Vec<_> = (0..BODIES_MAX).map(|_| share("many")).collect();
        for body in &mut many {
            body.grow_to(1).unwrap();
            body.grow_to(2).unwrap();
        }
        assert!(share("many").grow_to(1).is_err());
        share("other").grow_to(1).unwrap();
        many.pop();
        share("many").grow_to(1).unwrap();
        many.clear();
        assert!(rooms.documents.callers().is_empty());
    }

    #[test]
    fn documents_and_packages_have_a_room_each() {
        let rooms = rooms(160, 0);
        let mut document = rooms.share(Content::Document, "desk".into());
        document.grow_to(11).unwrap();
        document.grow_to(160).unwrap();
        assert!(document.grow_to(161).is_err());
        assert!(rooms.share(Content::Package, "desk".into()).grow_to(1).is_err());
    }
}
