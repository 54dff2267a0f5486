//! A request is in flight from the end of its header until its answer is handed over.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::service::TowerToHyperService;

use super::activity::Activity;

/// The routes, for one connection.
pub(super) struct Answering {
    routes: TowerToHyperService<Router>,
    activity: Arc<Activity>,
}

impl Answering {
    /// Answers with `router`, and tells `activity` of it.
    pub(super) fn new(router: Router, activity: Arc<Activity>) -> Self {
        Self { routes: TowerToHyperService::new(router), activity }
    }
}

impl Service<Request<Incoming>> for Answering {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let flight = Flight::of(Arc::clone(&self.activity));
        let answering = self.routes.call(request);
        Box::pin(async move { Ok(answering.await?.map(|body| Answer { body, _flight: flight })) })
    }
}

/// A request in flight, until it is dropped.
struct Flight(Arc<Activity>);

impl Flight {
    fn of(activity: Arc<Activity>) -> Self {
        activity.begins();
        Self(activity)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.ends();
    }
}

/// The body of an answer.
pub(super) struct Answer {
    body: Body,
    _flight: Flight,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
