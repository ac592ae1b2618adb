use std::any::Any;
use std::sync::{Arc, OnceLock};

use crate::model::{Promotion, Snapshot};

/// What the policies of one decision judge: the promotion and the frozen evidence.
///
/// An adapter may keep its own form of them here, so that it is made once for a decision and
/// shared by all its policies.
pub struct Facts {
    promotion: Promotion,
    snapshot: Arc<Snapshot>,
    view: OnceLock<Arc<dyn Any + Send + Sync>>,
}

impl Facts {
    /// The facts of one decision.
    #[must_use]
    pub fn new(promotion: Promotion, snapshot: Arc<Snapshot>) -> Self {
        Self { promotion, snapshot, view: OnceLock::new() }
    }

    /// What is asked for.
    #[must_use]
    pub const fn promotion(&self) -> &Promotion {
        &self.promotion
    }

    /// The evidence.
    #[must_use]
    pub const fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// The adapter's own form of the facts, made at the first call; none when another adapter
    /// has already put its own form here.
    pub fn view<V: Any + Send + Sync>(&self, make: impl FnOnce(&Self) -> V) -> Option<Arc<V>> {
        Arc::clone(self.view.get_or_init(|| Arc::new(make(self)))).downcast().ok()
    }
}
