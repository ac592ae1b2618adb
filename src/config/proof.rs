//! What was found sound once is not looked into again at the next start.

use std::fmt::{self, Write as _};

use serde_json::Value;

use crate::model::Digest;

/// Remembers what was found to hold. It may forget, and must not make up.
pub trait Proofs: fmt::Debug + Send + Sync {
    /// Whether the claim was found to hold before.
    fn holds(&self, claim: &Claim<'_>) -> bool;

    /// Remembers a claim that was found to hold.
    fn note(&self, claim: &Claim<'_>);
}

/// Remembers nothing.
#[derive(Clone, Copy, Debug)]
pub struct None;

impl Proofs for None {
    fn holds(&self, _claim: &Claim<'_>) -> bool {
        false
    }

    fn note(&self, _claim: &Claim<'_>) {}
}

/// What may be found to hold. It is a matter of nothing but what it names and of the version of
/// lockgate, so that it holds for good.
#[derive(Clone, Copy, Debug)]
pub enum Claim<'a> {
    /// The text fits the published schema of gate files.
    GateFile {
        /// The whole gate file.
        text: &'a str,
    },
    /// Params fit the schema that a policy gives of them.
    Params {
        /// The policy's schema.
        schema: &'a str,
        /// The params.
        params: &'a Value,
    },
}

/// The schema that gate files are held against, as it is published.
const SCHEMA: &str = include_str!("../../sdk/schema/gate.schema.json");

impl Claim<'_> {
    /// Stands for the claim, and for no other.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let (kind, parts) = match self {
            Self::GateFile { text } => ("gate-file", [SCHEMA.to_owned(), (*text).to_owned()]),
            Self::Params { schema, params } => {
                ("params", [(*schema).to_owned(), params.to_string()])
            }
        };
        let mut said = format!("{kind} {}", env!("CARGO_PKG_VERSION"));
        for part in parts {
            // With its length, so that no two lists of parts make the same text.
            let _ = write!(said, "\n{} {part}", part.len());
        }
        Digest::of(said.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_schema_is_the_one_that_is_used() {
        let published: Value = serde_json::from_str(SCHEMA).unwrap();
        assert_eq!(published, super::super::schema());
    }

    #[test]
    fn every_part_of_a_claim_tells() {
        let params = [serde_json::json!({}), serde_json::json!({"a": 1})];
        let claims = [
            Claim::GateFile { text: "" },
            Claim::GateFile { text: "version: 1" },
            Claim::Params { schema: "{}", params: &params[0] },
            Claim::Params { schema: "{}", params: &params[1] },
            Claim::Params { schema: "{ }", params: &params[0] },
        ];
        let digests: std::collections::BTreeSet<_> = claims.iter().map(Claim::digest).collect();
        assert_eq!(digests.len(), claims.len());
    }
}
