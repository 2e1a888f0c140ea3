//! Requests on their way over one link, polled in the order they were asked, so that they are sent in that order. Never
//! outlives its link.

use exam_link::{Link, LinkError};
use exam_protocol::tag::{Down, Up};
use exam_session::AskId;
use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
};

type Reply = Pin<Box<dyn Future<Output = Result<Down, LinkError>> + Send>>;

/// The requests. Bounded by the session: 32 answers, 5 heartbeats and a few more.
#[derive(Default)]
pub(crate) struct Replies {
    waiting: Vec<(AskId, Reply)>,
}

impl Replies {
    pub(crate) fn ask(&mut self, link: &Link, ask: AskId, up: Up) {
        let link = link.clone();
        self.waiting.push((ask, Box::pin(async move { link.request(up).await })));
    }

    /// The link is gone: nothing will be answered.
    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }

    /// The next answer; waits for ever while nothing was asked.
    pub(crate) async fn next(&mut self) -> (AskId, Result<Down, LinkError>) {
        poll_fn(|context| {
            let mut ready = None;
            for (place, (_, reply)) in self.waiting.iter_mut().enumerate() {
                if let Poll::Ready(result) = reply.as_mut().poll(context) {
                    ready = Some((place, result));
                    break;
                }
            }
            match ready {
                Some((place, result)) => Poll::Ready((self.waiting.remove(place).0, result)),
                None => Poll::Pending,
            }
        })
        .await
    }
}
