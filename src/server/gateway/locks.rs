//! One promotion of a model at a time.

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

/// Models share a lock by chance, which costs them time and nothing else; their number is not
/// the client's to choose, nor is which share one.
const LOCKS: usize = 1024;

/// Locks by the name of a registered model, a fixed number of them.
#[derive(Debug)]
pub(super) struct Locks {
    locks: Vec<Arc<Mutex<()>>>,
    hasher: RandomState,
}

/// Held while a promotion is judged and carried out.
pub(super) struct Held {
    _guards: Vec<OwnedMutexGuard<()>>,
}

impl Locks {
    pub(super) fn new() -> Self {
        Self { locks: (0..LOCKS).map(|_| Arc::default()).collect(), hasher: RandomState::new() }
    }

    /// Waits until nobody else moves any of `models`.
    pub(super) async fn hold<'a>(&self, models: impl IntoIterator<Item = &'a str>) -> Held {
        // In one order for everybody, so that no two wait for each other.
        let places: BTreeSet<usize> = models.into_iter().map(|model| self.place(model)).collect();
        let mut guards = Vec::with_capacity(places.len());
        for lock in places.into_iter().filter_map(|place| self.locks.get(place)) {
            guards.push(Arc::clone(lock).lock_owned().await);
        }
        Held { _guards: guards }
    }

    fn place(&self, model: &str) -> usize {
        usize::try_from(self.hasher.hash_one(model) % 1024).unwrap_or(0) % LOCKS
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;

    use super::*;

    async fn is_waiting<F: Future + Unpin>(future: &mut F) -> bool {
        let mut future = std::pin::Pin::new(future);
        poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
    }

    #[tokio::test]
    async fn the_second_waits_for_the_first() {
        let locks = Locks::new();
        let first = locks.hold(["fraud"]).await;
        let mut second = Box::pin(locks.hold(["fraud"]));
        assert!(is_waiting(&mut second).await);
        drop(first);
        second.await;
    }

    #[tokio::test]
    async fn a_model_named_twice_is_held_once() {
        Locks::new().hold(["fraud", "fraud"]).await;
    }

    #[tokio::test]
    async fn two_that_want_the_same_two_do_not_block_each_other_for_good() {
        let locks = Locks::new();
        for _ in 0..100 {
            let one = async { drop(locks.hold(["a", "b"]).await) };
            let other = async { drop(locks.hold(["b", "a"]).await) };
            tokio::join!(one, other);
        }
    }
}
