//! How much memory the bodies of requests take together.
//!
//! A package is given the room that its sender announces before it is read, and after the guard knows who sends it. Everything else
//! takes room piece by piece as it comes, so that announcing much and sending little takes nothing from others. Where there is no
//! room the request is told when to come again, and the server does not grow.

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::load_metrics::LoadMetrics;
use super::problem::Refusal;

/// Seconds after which a refused body may come again.
const COME_AGAIN: u32 = 2;

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
pub(super) enum Content {
    /// JSON.
    Document,
    /// A zip file or a component.
    Package,
}

/// The rooms of one server. A copy is the same rooms.
#[derive(Clone)]
pub(super) struct Rooms {
    documents: Arc<Semaphore>,
    packages: Arc<Semaphore>,
    metrics: LoadMetrics,
}

impl Rooms {
    /// As much room as `room` says. What does not fit is counted in `metrics`.
    pub(super) fn new(room: Room, metrics: LoadMetrics) -> Self {
        let bytes = |bytes: u32| Arc::new(Semaphore::new(usize::try_from(bytes).unwrap_or(Semaphore::MAX_PERMITS)));
        Self { documents: bytes(room.documents), packages: bytes(room.packages), metrics }
    }

    /// A share of the room for `content`, with nothing in it yet.
    pub(super) fn share(&self, content: Content) -> Share {
        let room = match content {
            Content::Document => &self.documents,
            Content::Package => &self.packages,
        };
        Share { room: Arc::clone(room), held: None, metrics: self.metrics.clone() }
    }
}

/// What one body may take, until it is dropped.
pub(super) struct Share {
    room: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
    metrics: LoadMetrics,
}

impl Share {
    /// Takes room for so many bytes in all, if there is as much.
    pub(super) fn grow_to(&mut self, bytes: usize) -> Result<(), Refusal> {
        let held = self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = u32::try_from(bytes.saturating_sub(held)).unwrap_or(u32::MAX);
        let Ok(more) = Arc::clone(&self.room).try_acquire_many_owned(more) else {
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

/// A body, with the room it takes.
pub(super) struct Held {
    pub(super) bytes: Vec<u8>,
    pub(super) _share: Share,
}

impl Deref for Held {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Where a request keeps the room of what was made of its body, until it is answered.
#[derive(Clone, Default)]
pub(super) struct Kept(Arc<Mutex<Option<Share>>>);

impl Kept {
    /// Keeps `share` until the request is answered or given up.
    pub(super) fn keep(&self, share: Share) {
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
        let (mut one, mut other) = (rooms.share(Content::Package), rooms.share(Content::Package));
        one.grow_to(60).unwrap();
        one.grow_to(60).unwrap();
        assert_eq!(other.grow_to(41).unwrap_err().status(), StatusCode::SERVICE_UNAVAILABLE);
        other.grow_to(40).unwrap();
        drop(one);
        other.grow_to(100).unwrap();
    }

    #[test]
    fn documents_and_packages_have_a_room_each() {
        let rooms = rooms(160, 0);
        let mut document = rooms.share(Content::Document);
        document.grow_to(11).unwrap();
        document.grow_to(160).unwrap();
        assert!(document.grow_to(161).is_err());
        assert!(rooms.share(Content::Package).grow_to(1).is_err());
    }
}
