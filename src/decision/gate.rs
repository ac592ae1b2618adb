use std::time::Duration;

use serde::Serialize;

use super::pattern::{InvalidPattern, Patterns};
use crate::model::{Kind, Target, Timestamp};

/// What a policy's failure does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Enforcement {
    /// Recorded only.
    Shadow,
    /// Shown as a warning.
    Warn,
    /// Denies; not being able to judge leaves the decision undecided.
    Deny,
}

/// Whether a version may be taken from a target that a gate guards: its alias deleted, the version
/// deleted, moved off or renamed. Nothing is there to be judged then, so it is one or the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Removal {
    /// It may not.
    #[default]
    Deny,
    /// It may.
    Allow,
}

/// What is decided where no gate matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unmatched {
    /// Deny.
    #[default]
    Deny,
    /// Allow.
    Allow,
    /// Undecided.
    Undecided,
}

/// The policies that guard some promotions, as far as deciding needs to know them.
#[derive(Clone, Debug)]
pub struct Gate {
    /// Unique name.
    pub name: String,
    /// Names of the models it guards.
    pub models: Patterns,
    /// Targets it guards.
    pub targets: Vec<TargetPattern>,
    /// Evidence that must be there.
    pub require: Vec<Requirement>,
    /// One for each policy, in the order of the file.
    pub guards: Vec<Guard>,
    /// Whether what it guards may be taken away.
    pub removal: Removal,
}

impl Gate {
    /// Whether the gate guards promotions of `model` to `target`.
    #[must_use]
    pub fn matches(&self, model: &str, target: &Target) -> bool {
        self.models.matches(model) && self.targets.iter().any(|pattern| pattern.matches(target))
    }
}

/// How one policy of a gate counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// Unique within the gate.
    pub id: String,
    /// What a failure does.
    pub enforcement: Enforcement,
    /// Before this time, [`Enforcement::Deny`] counts as [`Enforcement::Warn`].
    pub effective_on: Option<Timestamp>,
}

impl Guard {
    /// What a failure does at `at`.
    #[must_use]
    pub fn enforcement_at(&self, at: Timestamp) -> Enforcement {
        match self.denies_from(at) {
            Some(_) => Enforcement::Warn,
            None => self.enforcement,
        }
    }

    /// From when on a failure denies, where it does not at `at` and will. Beside an enforcement
    /// that never denies, a date says nothing.
    #[must_use]
    pub fn denies_from(&self, at: Timestamp) -> Option<Timestamp> {
        match self.enforcement {
            Enforcement::Deny => self.effective_on.filter(|start| at < *start),
            Enforcement::Warn | Enforcement::Shadow => None,
        }
    }
}

/// A kind of evidence that a gate requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Requirement {
    /// The kind.
    pub kind: Kind,
    /// How old each source of it may be; none for any age.
    pub max_age: Option<Duration>,
}

/// A target whose name is a glob pattern.
#[derive(Clone, Debug)]
pub struct TargetPattern {
    kind: &'static str,
    name: Patterns,
}

impl TargetPattern {
    /// Reads the name of `target` as a glob pattern, which matches in any case: registries take
    /// `production` for `Production`, and some of their databases `Champion` for `champion`.
    ///
    /// # Errors
    /// A name that is not a glob.
    pub fn new(target: &Target) -> Result<Self, InvalidPattern> {
        let name = Patterns::in_any_case(vec![target.name().to_owned()])?;
        Ok(Self { kind: target.kind(), name })
    }

    /// Whether `target` is of the same kind and its name matches.
    #[must_use]
    pub fn matches(&self, target: &Target) -> bool {
        self.kind == target.kind() && self.name.matches(target.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_of_one_kind_and_its_name_compared_in_any_case() {
        let stage = TargetPattern::new(&Target::Stage("prod*".into())).unwrap();
        assert!(stage.matches(&Target::Stage("Prod-eu".into())));
        assert!(!stage.matches(&Target::Stage("staging".into())));
        assert!(!stage.matches(&Target::Alias("prod".into())));
    }
}
