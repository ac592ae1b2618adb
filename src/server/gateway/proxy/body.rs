//! Bodies on their way through: passed on frame by frame, never gathered, and given up when
//! nothing moves.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep};

/// A body that stopped half-way.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    /// Nothing came for too long.
    #[error("no byte of the body came for {} s", .0.as_secs())]
    Stalled(Duration),
    /// The side that sends it failed.
    #[error("the body broke off: {0}")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// How far an upload has come, for those who wait for the answer to it.
#[derive(Debug)]
pub(super) struct Progress {
    start: Instant,
    /// Milliseconds after the start at which the last part went on.
    moved: AtomicU64,
    stalled: AtomicBool,
}

impl Progress {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            moved: AtomicU64::new(0),
            stalled: AtomicBool::new(false),
        })
    }

    /// When the last part went on.
    pub(super) fn last(&self) -> Instant {
        self.start + Duration::from_millis(self.moved.load(Ordering::Relaxed))
    }

    /// Whether the client stopped sending.
    pub(super) fn stalled(&self) -> bool {
        self.stalled.load(Ordering::Relaxed)
    }

    fn moved(&self) {
        let elapsed = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved.store(elapsed, Ordering::Relaxed);
    }
}

/// A body as it goes on to the other side, without trailers: what they would say was announced
/// to one hop only, and nothing that MLflow serves has any.
pub(super) struct Through<B> {
    inner: B,
    idle: Duration,
    /// Made when the body first has to be waited for.
    timer: Option<Pin<Box<Sleep>>>,
    progress: Option<Arc<Progress>>,
    ended: bool,
}

impl<B> Through<B> {
    /// Gives up when no part of `inner` comes for `idle`.
    pub(super) fn new(inner: B, idle: Duration) -> Self {
        Self { inner, idle, timer: None, progress: None, ended: false }
    }

    /// Tells `progress` of every part.
    pub(super) fn with_progress(self, progress: Arc<Progress>) -> Self {
        Self { progress: Some(progress), ..self }
    }
}

impl<B> HttpBody for Through<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(None);
        }
        if let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(cx) {
            this.timer = None;
            if let Some(progress) = &this.progress {
                progress.moved();
            }
            return Poll::Ready(match frame {
                Some(Ok(frame)) if frame.is_data() => Some(Ok(frame)),
                Some(Err(error)) => Some(Err(BodyError::Broken(error.into()))),
                Some(Ok(_)) | None => {
                    this.ended = true;
                    None
                }
            });
        }
        let idle = this.idle;
        let timer = this.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(idle)));
        ready!(timer.as_mut().poll(cx));
        this.ended = true;
        if let Some(progress) = &this.progress {
            progress.stalled.store(true, Ordering::Relaxed);
        }
        Poll::Ready(Some(Err(BodyError::Stalled(idle))))
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
