//! When nothing has been asked on a connection for a while. HTTP/1 closes such a connection itself;
//! one of HTTP/2 would be kept for as long as the peer answers pings.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::Version;
use tokio::time::sleep;

/// What goes on on one connection. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Activity(Arc<State>);

#[derive(Default)]
struct State {
    http1: AtomicBool,
    begun: AtomicUsize,
    under_way: AtomicUsize,
}

/// A request of HTTP/2, until it is dropped.
pub(super) struct UnderWay(Arc<State>);

impl Activity {
    /// A request begins; none of HTTP/1.
    pub(super) fn begin(&self, version: Version) -> Option<UnderWay> {
        let state = &self.0;
        if version < Version::HTTP_2 {
            // Read first: only the first request writes.
            if !state.http1.load(Ordering::Relaxed) {
                state.http1.store(true, Ordering::Relaxed);
            }
            return None;
        }
        state.begun.fetch_add(1, Ordering::Relaxed);
        state.under_way.fetch_add(1, Ordering::Relaxed);
        Some(UnderWay(Arc::clone(state)))
    }

    /// Ends when no request began or was under way for `time`, which is found out within as much
    /// time again; never for HTTP/1.
    pub(super) async fn idle(&self, time: Duration) {
        let state = &self.0;
        let mut seen = 0;
        loop {
            sleep(time).await;
            if state.http1.load(Ordering::Relaxed) {
                return pending().await;
            }
            let begun = state.begun.load(Ordering::Relaxed);
            if begun == seen && state.under_way.load(Ordering::Relaxed) == 0 {
                return;
            }
            seen = begun;
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}
