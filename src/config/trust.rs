//! Whose signatures policies have to have.

use std::path::{Component, Path, PathBuf};

use crate::decision::Patterns;
use crate::policy::PolicyRef;

/// Whose signatures policies have to have.
#[derive(Clone, Debug)]
pub struct TrustSettings {
    /// The keys, in the order of the file. No two share a name.
    pub keys: Vec<TrustedKey>,
    /// What has to be signed.
    pub require: Vec<SignedPolicies>,
    /// What may go without; none where nothing may.
    pub unsigned: Option<Patterns>,
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKey {
    /// Its owner.
    pub name: String,
    /// Where it is.
    pub source: KeySource,
}

/// Where a key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// In the gate file, PEM.
    Inline(String),
    /// In this file, relative to the gate file.
    File(PathBuf),
}

/// Some policies, and the keys of which one has to have signed them.
#[derive(Clone, Debug)]
pub struct SignedPolicies {
    /// Which policies.
    pub policies: Patterns,
    /// Names of keys.
    pub signed_by: Vec<String>,
}

/// What is asked of one policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Demand<'a> {
    /// Nothing: it is in the binary, or may go unsigned.
    Nothing,
    /// A signature by one key of each of these lists.
    Signatures(Vec<&'a [String]>),
    /// The gate file does not say, so it must not load.
    Uncovered,
}

impl TrustSettings {
    /// What is asked of a policy.
    #[must_use]
    pub fn demand(&self, reference: &PolicyRef) -> Demand<'_> {
        let names = names(reference);
        if names.is_empty() {
            return Demand::Nothing;
        }
        let matches = |patterns: &Patterns| names.iter().any(|name| patterns.matches(name));
        let demands: Vec<&[String]> = self
            .require
            .iter()
            .filter(|entry| matches(&entry.policies))
            .map(|entry| entry.signed_by.as_slice())
            .collect();
        if !demands.is_empty() {
            return Demand::Signatures(demands);
        }
        if self.unsigned.as_ref().is_some_and(matches) {
            return Demand::Nothing;
        }
        Demand::Uncovered
    }
}

/// What patterns may call a policy; nothing for those in the binary, which are part of it.
fn names(reference: &PolicyRef) -> Vec<String> {
    match reference {
        PolicyRef::Standard(_) => Vec::new(),
        PolicyRef::Path(path) => vec![plain(path)],
        PolicyRef::Oci(reference) => {
            let name = reference.unpinned();
            let tagged = reference.tag().map(|tag| format!("{name}:{tag}"));
            [Some(name), tagged].into_iter().flatten().collect()
        }
    }
}

/// A path in the one spelling that patterns are held against, so that no other gets around them.
fn plain(path: &Path) -> String {
    let mut parts = PathBuf::new();
    for part in path.components() {
        let above = parts.components().next_back();
        match (part, above) {
            (Component::CurDir, _) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.to_string_lossy().into_owned()
}

/// A pattern in that spelling.
pub(super) fn plain_pattern(pattern: &str) -> &str {
    let mut rest = pattern;
    while let Some(shorter) = rest.strip_prefix("./") {
        rest = shorter.trim_start_matches('/');
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> TrustSettings {
        let patterns = |texts: &[&str]| {
            let texts = texts.iter().map(|text| plain_pattern(text).to_owned());
            Patterns::new(texts.collect()).unwrap()
        };
        let entry = |texts: &[&str], key: &str| SignedPolicies {
            policies: patterns(texts),
            signed_by: vec![key.to_owned()],
        };
        TrustSettings {
            keys: Vec::new(),
            require: vec![
                entry(&["oci://r.example/*", "./policies/*.wasm"], "a"),
                entry(&["oci://r.example/risk/*"], "b"),
            ],
            unsigned: Some(patterns(&["./drafts/*", "policies/x.wasm", "oci://other/*:dev"])),
        }
    }

    #[test]
    fn every_entry_that_matches_has_to_be_met() {
        let settings = settings();
        let keys = |text: &str| match settings.demand(&text.parse().unwrap()) {
            Demand::Signatures(lists) => lists.concat(),
            Demand::Nothing => vec!["nothing".to_owned()],
            Demand::Uncovered => vec!["uncovered".to_owned()],
        };
        assert_eq!(keys("oci://r.example/ml/x:1"), ["a"]);
        assert_eq!(keys("oci://r.example/risk/x:1"), ["a", "b"]);
        assert_eq!(keys("oci://r.example.evil/x:1"), ["uncovered"]);
        assert_eq!(keys("oci://other/x:dev"), ["nothing"]);
        assert_eq!(keys("oci://other/x:1"), ["uncovered"]);
        assert_eq!(keys("std/model-scan"), ["nothing"]);
        assert_eq!(keys("drafts/x.wasm"), ["nothing"]);
    }

    #[test]
    fn no_spelling_of_a_path_gets_around_a_pattern() {
        let settings = settings();
        for path in [
            "policies/x.wasm",
            "./policies/x.wasm",
            "././policies//x.wasm",
            "drafts/../policies/x.wasm",
            "policies/./a/../x.wasm",
        ] {
            let demand = settings.demand(&PolicyRef::Path(path.into()));
            assert!(matches!(demand, Demand::Signatures(_)), "{path}: {demand:?}");
        }
        for path in ["../policies/x.wasm", "/policies/x.wasm", "drafts/../x.wasm"] {
            let demand = settings.demand(&PolicyRef::Path(path.into()));
            assert_eq!(demand, Demand::Uncovered, "{path}");
        }
    }
}
