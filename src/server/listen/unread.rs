//! What is left of a body once its request was answered: read on and thrown away for a while.
//!
//! Many clients look for an answer only once they have sent all of their request. If the rest of it
//! stayed unread, HTTP/1 would have to close the connection, and TCP would reset it, and HTTP/2
//! would reset the stream: the answer, which says what is wrong, would be lost on its way.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Request, Version, header};
use http_body_util::BodyExt as _;
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::runtime::Handle;

/// Bytes that are read on. Whoever sends more has to look for the answer while sending.
const MOST: usize = 64 << 20;
/// For how long they are read on.
const TIME: Duration = Duration::from_secs(10);

/// A body that is read on when it is dropped before its end. The answer does not wait for that.
pub(super) struct Unread {
    /// None once it has ended.
    body: Option<Incoming>,
    /// Whether the client sends it only once it is asked for, which the first read does.
    awaits: bool,
}

impl Unread {
    /// The body of a request, as its handler takes it.
    pub(super) fn of(request: Request<Incoming>) -> Request<Body> {
        let awaits =
            request.version() < Version::HTTP_2 && request.headers().contains_key(header::EXPECT);
        request.map(|body| Body::new(Self { body: Some(body), awaits }))
    }
}

impl HttpBody for Unread {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.awaits = false;
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            self.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        let Some(body) = self.body.take() else { return };
        if self.awaits || body.is_end_stream() {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(read_on(body));
        }
    }
}

async fn read_on(mut body: Incoming) {
    let mut left = MOST;
    let read = async {
        while let Some(Ok(frame)) = body.frame().await {
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            let Some(rest) = left.checked_sub(bytes) else { return };
            left = rest;
        }
    };
    // It is closed then, as whoever is too slow is.
    let _ = tokio::time::timeout(TIME, read).await;
}
