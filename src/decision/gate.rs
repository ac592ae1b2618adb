use std::sync::OnceLock;
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
    /// None where one of them is `*`, which takes everything: compiling patterns is a good part of
    /// the start of a process.
    set: Option<globset::GlobSet>,
    in_any_case: bool,
}

impl Patterns {
    /// Compiles glob patterns. `*` and `?` match any character, `/` too: a name is not a path.
    ///
    /// # Errors
    /// A pattern that is not a glob.
    pub fn new(texts: Vec<String>) -> Result<Self, globset::Error> {
        Self::compiled(texts, false)
    }

    /// The same patterns, which then match in any case, as some registries compare names.
    ///
    /// # Errors
    /// None that compiling them the first time did not meet.
    pub fn in_any_case(&self) -> Result<Self, globset::Error> {
        Self::compiled(self.texts.clone(), true)
    }

    fn compiled(texts: Vec<String>, in_any_case: bool) -> Result<Self, globset::Error> {
        let mut set = globset::GlobSetBuilder::new();
        for text in &texts {
            set.add(if in_any_case {
                globset::Glob::new(&folded(text))?
            } else {
                globset::Glob::new(text)?
            });
        }
        let takes_all = texts.iter().any(|text| text == "*");
        let set = if takes_all { None } else { Some(set.build()?) };
        Ok(Self { texts, set, in_any_case })
    }

    /// Whether one of the patterns matches all of `text`.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.set.as_ref().is_none_or(|set| {
            if self.in_any_case { set.is_match(folded(text)) } else { set.is_match(text) }
        })
    }

    /// The patterns as they were written.
    #[must_use]
    pub fn texts(&self) -> &[String] {
        &self.texts
    }
}

/// A text as it is compared in any case. The patterns' own way knows ASCII only.
fn folded(text: &str) -> String {
    text.to_lowercase()
}

/// A target whose name is a glob pattern.
#[derive(Clone, Debug)]
pub struct TargetPattern {
    kind: &'static str,
    name: globset::Glob,
    /// Made when it is first needed. Most names are words, which are compared without it.
    matcher: OnceLock<globset::GlobMatcher>,
}

impl TargetPattern {
    /// Reads the name of `target` as a glob pattern, which matches in any case: registries take
    /// `production` for `Production`, and some of their databases `Champion` for `champion`.
    ///
    /// # Errors
    /// A name that is not a glob.
    pub fn new(target: &Target) -> Result<Self, globset::Error> {
        let name = globset::Glob::new(&folded(target.name()))?;
        Ok(Self { kind: target.kind(), name, matcher: OnceLock::new() })
    }

    /// Whether `target` is of the same kind and its name matches.
    #[must_use]
    pub fn matches(&self, target: &Target) -> bool {
        self.kind == target.kind() && self.matches_name(target.name())
    }

    fn matches_name(&self, name: &str) -> bool {
        let is_word = |text: &str| {
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        if is_word(self.name.glob()) && name.is_ascii() {
            return self.name.glob().eq_ignore_ascii_case(name);
        }
        self.matcher.get_or_init(|| self.name.compile_matcher()).is_match(folded(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_a_target_is_compared_in_any_case() {
        let matches = |pattern: &str, name: &str| {
            let pattern = TargetPattern::new(&Target::Stage(pattern.into())).unwrap();
            pattern.matches(&Target::Stage(name.into()))
        };
        for (pattern, name) in [
            ("Production", "pRODUCTION"),
            ("prod*", "Prod-eu"),
            ("größe", "GRÖSSE".replace("SS", "ß").as_str()),
            // The Kelvin sign is a k to whoever folds letters.
            ("k8s", "\u{212a}8s"),
            ("a.b", "A.B"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("Production", "Production2"), ("a.b", "axb"), ("prod", "")] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
        let alias = TargetPattern::new(&Target::Alias("champion".into())).unwrap();
        assert!(!alias.matches(&Target::Stage("champion".into())));
    }

    #[test]
    fn a_star_takes_every_name_and_what_is_no_pattern_is_refused_beside_it() {
        let all = Patterns::new(vec!["fraud-*".into(), "*".into()]).unwrap();
        assert!(all.matches("") && all.in_any_case().unwrap().matches("a/b"));
        assert!(Patterns::new(vec!["*".into(), "[".into()]).is_err());
        let some = Patterns::new(vec!["fraud-*".into()]).unwrap();
        assert!(some.matches("fraud-a/b") && !some.matches("Fraud-a"));
        assert!(some.in_any_case().unwrap().matches("Fraud-a"));
    }
}
