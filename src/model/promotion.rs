use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Digest, Timestamp};

/// A version of a model in a registry: the subject of a promotion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelVersion {
    /// Name of the registry that holds the model; `local` when none was named.
    pub registry: String,
    /// Name of the registered model.
    pub model: String,
    /// Version as the registry writes it.
    pub version: String,
    /// Digest of the model's artifacts, when known.
    pub digest: Option<Digest>,
}

impl fmt::Display for ModelVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.model, self.version)
    }
}

/// Where a version is to go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Target {
    /// A stage, `stage:Production`.
    Stage(String),
    /// An alias, `alias:champion`.
    Alias(String),
    /// An environment, `env:prod`.
    Environment(String),
}

/// Text that names no target.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a target; write `stage:NAME`, `alias:NAME` or `env:NAME`")]
pub struct InvalidTarget(pub String);

impl Target {
    /// The word before the colon: `stage`, `alias` or `env`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Stage(_) => "stage",
            Self::Alias(_) => "alias",
            Self::Environment(_) => "env",
        }
    }

    /// The name after the colon.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Stage(name) | Self::Alias(name) | Self::Environment(name) => name,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind(), self.name())
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.to_string()
    }
}

impl TryFrom<String> for Target {
    type Error = InvalidTarget;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl FromStr for Target {
    type Err = InvalidTarget;

    /// Reads `stage:NAME`, `alias:NAME` and `env:NAME`; a bare word is a stage.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, name) = text.split_once(':').unwrap_or(("stage", text));
        let printable = |character: char| !character.is_control() && character != ':';
        if name.is_empty() || name.trim() != name || !name.chars().all(printable) {
            return Err(InvalidTarget(text.chars().take(100).collect()));
        }
        match kind {
            "stage" => Ok(Self::Stage(name.to_owned())),
            "alias" => Ok(Self::Alias(name.to_owned())),
            "env" => Ok(Self::Environment(name.to_owned())),
            _ => Err(InvalidTarget(text.chars().take(100).collect())),
        }
    }
}

/// A request to move one model version to a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Promotion {
    /// The version that is to move.
    pub subject: ModelVersion,
    /// Where it is now, when known.
    pub source: Option<Target>,
    /// Where it is to go.
    pub target: Target,
    /// Who asks, when known.
    pub requested_by: Option<String>,
    /// The evaluation time, the only clock a decision has.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_word_is_a_stage() {
        assert_eq!("Production".parse(), Ok(Target::Stage("Production".into())));
    }

    #[test]
    fn a_target_reads_what_it_writes() {
        for text in ["stage:Production", "alias:champion", "env:prod"] {
            let target: Result<Target, _> = text.parse();
            assert_eq!(target.map(|target| target.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn rejects_unknown_kinds_and_empty_names() {
        for text in ["", "stage:", "role:x", "alias: x", "alias:a:b", "stage:a\nb"] {
            assert!(text.parse::<Target>().is_err(), "{text:?}");
        }
    }
}
