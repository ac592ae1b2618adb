use std::time::Duration;

use serde::Serialize;

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
        match (self.enforcement, self.effective_on) {
            (Enforcement::Deny, Some(start)) if at < start => Enforcement::Warn,
            (enforcement, _) => enforcement,
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

/// Glob patterns, of which one has to match.
#[derive(Clone, Debug)]
pub struct Patterns {
    texts: Vec<String>,
    set: globset::GlobSet,
}

impl Patterns {
    /// Compiles glob patterns. `*` and `?` match any character, `/` too: a name is not a path.
    ///
    /// # Errors
    /// A pattern that is not a glob.
    pub fn new(texts: Vec<String>) -> Result<Self, globset::Error> {
        let mut set = globset::GlobSetBuilder::new();
        for text in &texts {
            set.add(globset::Glob::new(text)?);
        }
        Ok(Self { set: set.build()?, texts })
    }

    /// The same patterns, which then match in any case, as some registries compare names.
    ///
    /// # Errors
    /// None that compiling them the first time did not meet.
    pub fn in_any_case(&self) -> Result<Self, globset::Error> {
        let mut set = globset::GlobSetBuilder::new();
        for text in &self.texts {
            set.add(globset::GlobBuilder::new(text).case_insensitive(true).build()?);
        }
        Ok(Self { set: set.build()?, texts: self.texts.clone() })
    }

    /// Whether one of the patterns matches all of `text`.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.set.is_match(text)
    }

    /// The patterns as they were written.
    #[must_use]
    pub fn texts(&self) -> &[String] {
        &self.texts
    }
}

/// A target whose name is a glob pattern.
#[derive(Clone, Debug)]
pub struct TargetPattern {
    kind: &'static str,
    name: globset::GlobMatcher,
}

impl TargetPattern {
    /// Reads the name of `target` as a glob pattern, which matches in any case: registries take
    /// `production` for `Production`, and some of their databases `Champion` for `champion`.
    ///
    /// # Errors
    /// A name that is not a glob.
    pub fn new(target: &Target) -> Result<Self, globset::Error> {
        let name = globset::GlobBuilder::new(target.name())
            .case_insensitive(true)
            .build()?
            .compile_matcher();
        Ok(Self { kind: target.kind(), name })
    }

    /// Whether `target` is of the same kind and its name matches.
    #[must_use]
    pub fn matches(&self, target: &Target) -> bool {
        self.kind == target.kind() && self.name.is_match(target.name())
    }
}
