//! `lockgate.lock`: what the tags in a gate file mean.
//!
//! It is YAML with one entry for each tag, in the order of their names, so that two people's
//! changes merge line by line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;

use super::artifact::Manifest;
use super::error::DistributionError;
use super::files;
use crate::config;
use crate::model::Digest;
use crate::policy::OciRef;

/// Name of the lock file, beside the gate file.
pub const LOCK_FILE: &str = "lockgate.lock";

/// Bytes of a lock file. An entry takes some 250.
const LOCK_BYTES: u64 = 1 << 20;

/// What the tags mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    pins: BTreeMap<OciRef, Pin>,
}

/// What one tag means.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pin {
    /// Digest of the manifest.
    pub manifest: Digest,
    /// Digest of the component.
    pub component: Digest,
    /// Size of the component, bytes.
    pub size: u64,
    /// Names of the keys whose signatures it had when it was locked.
    #[serde(default)]
    pub signed_by: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u64,
    #[serde(default)]
    policies: BTreeMap<String, Pin>,
}

impl Pin {
    /// What a tag means that leads to this manifest.
    #[must_use]
    pub const fn new(manifest: &Manifest, signed_by: Vec<String>) -> Self {
        Self {
            manifest: manifest.digest(),
            component: manifest.component(),
            size: manifest.size(),
            signed_by,
        }
    }

    /// Holds a manifest against what was locked.
    ///
    /// # Errors
    /// It is another, or of another component.
    pub fn check(&self, manifest: &Manifest, what: &str) -> Result<(), DistributionError> {
        let pairs = [(self.manifest, manifest.digest()), (self.component, manifest.component())];
        for (expected, found) in pairs {
            if expected != found {
                return Err(DistributionError::Altered { what: what.to_owned(), expected, found });
            }
        }
        if self.size != manifest.size() {
            return Err(DistributionError::unusable(what, "its size is another than was locked"));
        }
        Ok(())
    }
}

impl Lock {
    /// Reads a lock file; without one nothing is locked.
    ///
    /// # Errors
    /// A file that cannot be read, or is none of these, with line and column where there is one.
    pub fn read(path: &Path) -> Result<Self, DistributionError> {
        let Some(bytes) = files::read(path, LOCK_BYTES)? else { return Ok(Self::default()) };
        let shown = path.display().to_string();
        let text = String::from_utf8(bytes)
            .map_err(|_| DistributionError::Lock(format!("`{shown}` is no UTF-8 text")))?;
        Self::parse(&text, &shown)
    }

    fn parse(text: &str, shown: &str) -> Result<Self, DistributionError> {
        let unsound = |problem: String| {
            let advice = "; run `lockgate policy lock` to write it anew";
            DistributionError::Lock(format!("`{shown}`: {problem}{advice}"))
        };
        let value = config::document(text, shown).map_err(|diagnostics| {
            let first = diagnostics.iter().next();
            let message = first.map_or("it is no YAML", |first| first.message.as_str());
            unsound(match first.and_then(|first| first.place) {
                Some(place) => format!("line {}, column {}: {message}", place.line, place.column),
                None => message.to_owned(),
            })
        })?;
        let file: File =
            serde_json::from_value(value).map_err(|error| unsound(error.to_string()))?;
        if file.version != 1 {
            return Err(unsound(format!(
                "it is of version {}, which this lockgate does not know",
                file.version
            )));
        }
        let mut pins = BTreeMap::new();
        for (reference, pin) in file.policies {
            let reference: OciRef =
                reference.parse().map_err(|error| unsound(format!("{error}")))?;
            if !is_floating(&reference) {
                return Err(unsound(format!("`{reference}` is pinned by its own digest")));
            }
            pins.insert(reference, pin);
        }
        Ok(Self { pins })
    }

    /// The text of the lock file.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::from(
            "# What the tags in the gate file mean, written by `lockgate policy lock`. Commit it.\nversion: 1\n",
        );
        if self.pins.is_empty() {
            text.push_str("policies: {}\n");
            return text;
        }
        text.push_str("policies:\n");
        for (reference, pin) in &self.pins {
            let Pin { manifest, component, size, signed_by } = pin;
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  \"{reference}\":");
            let _ = writeln!(text, "    manifest: {manifest}");
            let _ = writeln!(text, "    component: {component}");
            let _ = writeln!(text, "    size: {size}");
            if !signed_by.is_empty() {
                let names: Vec<_> = signed_by.iter().map(|name| format!("\"{name}\"")).collect();
                let _ = writeln!(text, "    signed-by: [{}]", names.join(", "));
            }
        }
        text
    }

    /// What a tag means; none where the lock does not say.
    #[must_use]
    pub fn get(&self, reference: &OciRef) -> Option<&Pin> {
        self.pins.get(reference)
    }

    /// Says what a tag means.
    pub fn pin(&mut self, reference: OciRef, pin: Pin) {
        self.pins.insert(reference, pin);
    }

    /// The digest of the manifest that a reference means: its own, or the one that is locked.
    ///
    /// # Errors
    /// A tag that is not locked.
    pub fn digest(&self, reference: &OciRef) -> Result<Digest, DistributionError> {
        let locked = || self.get(reference).map(|pin| pin.manifest);
        reference
            .digest()
            .or_else(locked)
            .ok_or_else(|| DistributionError::Unlocked(reference.to_string()))
    }

    /// Where the lock and what is used have drifted apart: tags that are not locked, and locked
    /// ones that nothing uses.
    pub fn drift<'a>(&self, used: impl Iterator<Item = &'a OciRef>) -> Vec<String> {
        let used: BTreeSet<&OciRef> = used.collect();
        let floating = used.iter().filter(|reference| is_floating(reference));
        let missing = floating.filter(|reference| !self.pins.contains_key(**reference));
        let missing = missing.map(|reference| format!("`{reference}` is used and not locked"));
        let stray = self.stray(&used);
        let stray = stray.map(|reference| format!("`{reference}` is locked and not used"));
        missing.chain(stray).collect()
    }

    /// What is locked and is none of what is used.
    pub fn stray<'a>(&'a self, used: &'a BTreeSet<&OciRef>) -> impl Iterator<Item = &'a OciRef> {
        self.pins.keys().filter(|reference| !used.contains(reference))
    }
}

/// Whether a reference is by a tag alone, which may mean something else tomorrow.
#[must_use]
pub(super) const fn is_floating(reference: &OciRef) -> bool {
    reference.digest().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock() -> Lock {
        let mut lock = Lock::default();
        let pin = |text: &str, signed_by: &[&str]| Pin {
            manifest: Digest::of(text.as_bytes()),
            component: Digest::of(b"component"),
            size: 12,
            signed_by: signed_by.iter().map(|name| (*name).to_owned()).collect(),
        };
        lock.pin("oci://r.example/b:1".parse().unwrap(), pin("b", &["risk", "ml"]));
        lock.pin("oci://r.example/a:1".parse().unwrap(), pin("a", &[]));
        lock
    }

    #[test]
    fn reads_what_it_writes_in_the_order_of_the_names() {
        let text = lock().text();
        assert_eq!(Lock::parse(&text, "lockgate.lock").unwrap(), lock());
        assert!(text.find("/a:1").unwrap() < text.find("/b:1").unwrap());
        let none = Lock::default();
        assert_eq!(Lock::parse(&none.text(), "lockgate.lock").unwrap(), none);
    }

    #[test]
    fn refuses_what_it_does_not_write() {
        let sound = lock().text();
        for (from, to, part) in [
            ("version: 1", "version: 2", "version 2"),
            ("manifest: sha256", "manifest: sha512", "is not a digest"),
            ("size: 12", "size: -1", "invalid value"),
            ("size: 12", "length: 12", "unknown field"),
            ("oci://r.example/a:1", "oci://r.example/a", "which version"),
            ("r.example/a:1", "r.example/b:1", "twice"),
            ("version: 1", "<<<<<<< HEAD", ""),
        ] {
            let error = Lock::parse(&sound.replace(from, to), "lockgate.lock").unwrap_err();
            assert!(error.to_string().contains(part), "{to}: {error}");
        }
    }

    #[test]
    fn tells_where_it_and_the_gates_drift_apart() {
        let used: Vec<OciRef> = [
            "oci://r.example/b:1",
            "oci://r.example/c:1",
            &format!("oci://r.example/d:1@{}", Digest::of(b"d")),
        ]
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();
        let drift = lock().drift(used.iter());
        assert_eq!(
            drift,
            [
                "`oci://r.example/c:1` is used and not locked",
                "`oci://r.example/a:1` is locked and not used"
            ]
        );
        assert_eq!(lock().digest(&used[0]).unwrap(), Digest::of(b"b"));
        assert!(matches!(lock().digest(&used[1]), Err(DistributionError::Unlocked(_))));
        assert_eq!(lock().digest(&used[2]).unwrap(), Digest::of(b"d"));
    }
}
