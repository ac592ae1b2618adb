use serde::Serialize;

use super::pattern::Patterns;
use crate::model::{Check, Promotion, Timestamp};

/// A named, approved, expiring exception to one rule.
#[derive(Clone, Debug)]
pub struct Waiver {
    /// Id of the policy.
    pub policy: String,
    /// Code of the rule.
    pub rule: String,
    /// Which of the rule's checks; none for all of them.
    pub about: Option<String>,
    /// Names of the models it holds for.
    pub models: Patterns,
    /// Versions it holds for.
    pub versions: Patterns,
    /// The paper behind it.
    pub grant: Grant,
}

/// Who excepted what, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// Why.
    pub reason: String,
    /// Where it is tracked.
    pub ticket: String,
    /// Who approved it.
    pub approved_by: String,
    /// First moment at which it no longer holds.
    pub expires: Timestamp,
}

impl Waiver {
    /// Whether it is about the version that asks, expired or not.
    #[must_use]
    pub fn concerns(&self, promotion: &Promotion) -> bool {
        self.models.matches(&promotion.subject.model)
            && self.versions.matches(&promotion.subject.version)
    }

    /// Whether it still holds at `at`.
    #[must_use]
    pub fn holds_at(&self, at: Timestamp) -> bool {
        at < self.grant.expires
    }

    /// Whether it names this check of the policy `id`.
    #[must_use]
    pub fn names(&self, id: &str, check: &Check) -> bool {
        self.policy == id
            && self.rule == check.rule
            && (self.about.is_none() || self.about == check.about)
    }
}
