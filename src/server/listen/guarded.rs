//! A connection that does not wait for ever: neither for its first bytes, before the protocol is
//! known and with it the time that headers may take, nor for a peer that takes nothing.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// Bytes after which it is known which HTTP is spoken: the preface of HTTP/2. No request is
/// shorter.
const PREFACE: usize = 24;

pub(super) struct Guarded<S> {
    stream: S,
    /// Bytes missing until the protocol is known.
    missing: usize,
    first: Option<Pin<Box<Sleep>>>,
    stalled: Duration,
    stall: Option<Pin<Box<Sleep>>>,
    /// Whether writing waits for the peer.
    waits: bool,
}

impl<S> Guarded<S> {
    pub(super) fn new(stream: S, first: Duration, stalled: Duration) -> Self {
        let first = Some(Box::pin(sleep(first)));
        Self { stream, missing: PREFACE, first, stalled, stall: None, waits: false }
    }

    /// Counts the time for which the peer takes nothing.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let stall = self.stall.get_or_insert_with(|| Box::pin(sleep(self.stalled)));
        if !self.waits {
            self.waits = true;
            stall.as_mut().reset(Instant::now() + self.stalled);
        }
        stall.as_mut().poll(context).map(|()| io::ErrorKind::TimedOut.into())
    }

    fn written<T>(
        &mut self,
        context: &mut Context<'_>,
        poll: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match poll {
            Poll::Pending => self.wait(context).map(Err),
            ready => {
                self.waits = false;
                ready
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let poll = Pin::new(&mut self.stream).poll_read(context, buffer);
        let Some(first) = &mut self.first else { return poll };
        match poll {
            Poll::Pending => {
                first.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
            }
            ready => {
                let read = buffer.filled().len().saturating_sub(before);
                self.missing = self.missing.saturating_sub(read);
                if self.missing == 0 {
                    self.first = None;
                }
                ready
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.written(context, poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_flush(context);
        self.written(context, poll)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_shutdown(context);
        self.written(context, poll)
    }
}
