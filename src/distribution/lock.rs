//! `lockgate.lock`: what the tags in a gate file mean, and what is in the files whose signatures it
//! asks for.
//!
//! It is YAML with one entry for each tag and file, in the order of their names, so that two
//! people's changes merge line by line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::artifact::Manifest;
use super::error::DistributionError;
use super::files;
use crate::config::{self, Config, Demand};
use crate::model::Digest;
use crate::policy::{OciRef, PolicyRef};

/// Name of the lock file, beside the gate file.
pub const LOCK_FILE: &str = "lockgate.lock";

/// What to do about one that is not sound.
const MEND: &str = "mend it, or take what is meant now with `lockgate policy lock --update`";

/// Bytes of a lock file. An entry takes some 250.
const LOCK_BYTES: u64 = 1 << 20;

/// What the tags mean, and what is in the files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    pins: BTreeMap<OciRef, Pin>,
    files: BTreeMap<PathBuf, FilePin>,
}

/// What a gate file uses of that which a lock file can hold it to.
#[derive(Clone, Debug, Default)]
pub struct Used<'a> {
    /// The policies in registries, by tag or by digest.
    pub pulled: BTreeSet<&'a OciRef>,
    /// Those in files that have to be signed. A signature says whose a component is, and not which
    /// of theirs it is.
    pub files: BTreeSet<&'a Path>,
}

impl<'a> Used<'a> {
    /// What a gate file uses.
    #[must_use]
    pub fn of(config: &'a Config) -> Self {
        let signed = |reference| {
            let trust = config.trust.as_ref();
            trust.is_some_and(|trust| !matches!(trust.demand(reference), Demand::Nothing))
        };
        let mut this = Self::default();
        for invocation in config.gates.iter().flat_map(|gate| &gate.invocations) {
            match &invocation.reference {
                PolicyRef::Standard(_) => {}
                PolicyRef::Path(path) => {
                    if signed(&invocation.reference) {
                        this.files.insert(path);
                    }
                }
                PolicyRef::Oci(reference) => {
                    this.pulled.insert(reference);
                }
            }
        }
        this
    }

    /// Whether there is nothing that a lock file has a say in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pulled.is_empty() && self.files.is_empty()
    }

    /// The tags that nothing but a lock file says the meaning of.
    pub fn floating(&self) -> impl Iterator<Item = &'a OciRef> {
        self.pulled.iter().copied().filter(|reference| is_floating(reference))
    }
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

/// What is in one file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FilePin {
    /// Digest of the component.
    pub component: Digest,
    /// Size of the component, bytes.
    pub size: u64,
    /// Names of the keys whose signatures it had when it was locked.
    #[serde(default)]
    pub signed_by: Vec<String>,
}

impl FilePin {
    /// What is in a component's file, of at most `limit` bytes; signed by nobody yet.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(path: &Path, limit: u64) -> Result<Self, DistributionError> {
        let missing = || DistributionError::file(path)(io::ErrorKind::NotFound.into());
        let bytes = files::read(path, limit)?.ok_or_else(missing)?;
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(Self { component: Digest::of(&bytes), size, signed_by: Vec::new() })
    }
}

/// The newest form, which is written where there are files. Those who know only the first are not
/// to take a lock for one without any.
const VERSION: u64 = 2;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u64,
    #[serde(default)]
    policies: BTreeMap<String, Pin>,
    #[serde(default)]
    files: BTreeMap<PathBuf, FilePin>,
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
            .map_err(|_| DistributionError::Lock(format!("`{shown}` is no UTF-8 text; {MEND}")))?;
        Self::parse(&text, &shown)
    }

    fn parse(text: &str, shown: &str) -> Result<Self, DistributionError> {
        let unsound =
            |problem: String| DistributionError::Lock(format!("`{shown}`: {problem}; {MEND}"));
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
        if !(1..=VERSION).contains(&file.version) {
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
        Ok(Self { pins, files: file.files })
    }

    /// The text of the lock file.
    #[must_use]
    pub fn text(&self) -> String {
        let version = if self.files.is_empty() { 1 } else { VERSION };
        let mut text = format!(
            "# What the tags in the gate file mean, written by `lockgate policy lock`. Commit it.\nversion: {version}\n",
        );
        text.push_str(if self.pins.is_empty() { "policies: {}\n" } else { "policies:\n" });
        for (reference, Pin { manifest, component, size, signed_by }) in &self.pins {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  \"{reference}\":");
            let _ = writeln!(text, "    manifest: {manifest}");
            write_component(&mut text, *component, *size, signed_by);
        }
        if !self.files.is_empty() {
            text.push_str("files:\n");
        }
        for (path, FilePin { component, size, signed_by }) in &self.files {
            let _ = writeln!(text, "  {}:", config::scalar(&path.display().to_string()));
            write_component(&mut text, *component, *size, signed_by);
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

    /// What is in a file; none where the lock does not say.
    #[must_use]
    pub fn file(&self, path: &Path) -> Option<&FilePin> {
        self.files.get(path)
    }

    /// Says what is in a file.
    pub fn pin_file(&mut self, path: PathBuf, pin: FilePin) {
        self.files.insert(path, pin);
    }

    /// Holds what is in a file, named as in the gate file, against what was locked.
    ///
    /// # Errors
    /// It is another component.
    pub fn check_file(&self, path: &Path, found: Digest) -> Result<(), DistributionError> {
        match self.file(path) {
            Some(FilePin { component, .. }) if *component != found => {
                let what = path.display().to_string();
                Err(DistributionError::Unpinned { what, expected: *component, found })
            }
            Some(_) | None => Ok(()),
        }
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

    /// Where the lock and what is used have drifted apart: what is not locked, and what is locked
    /// and not used.
    #[must_use]
    pub fn drift(&self, used: &Used<'_>) -> Vec<String> {
        let tags = used.floating().filter(|reference| !self.pins.contains_key(*reference));
        let files = used.files.iter().filter(|path| !self.files.contains_key(**path));
        let missing = tags.map(ToString::to_string).chain(files.map(|path| shown(path)));
        let missing = missing.map(|name| format!("`{name}` is used and not locked"));
        let stray = self.stray(used).into_iter();
        missing.chain(stray.map(|name| format!("`{name}` is locked and not used"))).collect()
    }

    /// What is locked and is none of what is used.
    #[must_use]
    pub fn stray(&self, used: &Used<'_>) -> Vec<String> {
        let tags = self.pins.keys().filter(|reference| !used.pulled.contains(reference));
        let files = self.files.keys().filter(|path| !used.files.contains(path.as_path()));
        tags.map(ToString::to_string).chain(files.map(|path| shown(path))).collect()
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn write_component(text: &mut String, component: Digest, size: u64, signed_by: &[String]) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "    component: {component}");
    let _ = writeln!(text, "    size: {size}");
    if !signed_by.is_empty() {
        let names: Vec<_> = signed_by.iter().map(|name| format!("\"{name}\"")).collect();
        let _ = writeln!(text, "    signed-by: [{}]", names.join(", "));
    }
}

/// Whether a reference is by a tag alone, which may mean something else tomorrow.
#[must_use]
const fn is_floating(reference: &OciRef) -> bool {
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
    fn files_take_a_version_of_their_own() {
        assert!(lock().text().contains("version: 1\n"));
        let mut lock = lock();
        let pin = FilePin { component: Digest::of(b"c"), size: 1, signed_by: vec!["risk".into()] };
        lock.pin_file("./policies/a \"b\": #.wasm".into(), pin);
        let text = lock.text();
        assert!(text.contains("version: 2\n"), "{text}");
        assert_eq!(Lock::parse(&text, "lockgate.lock").unwrap(), lock);
    }

    #[test]
    fn refuses_what_it_does_not_write() {
        let sound = lock().text();
        for (from, to, part) in [
            ("version: 1", "version: 3", "version 3"),
            ("version: 1", "version: 0", "version 0"),
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
        let files = BTreeSet::from([Path::new("./policies/new.wasm")]);
        let mut lock = lock();
        let pin = FilePin { component: Digest::of(b"c"), size: 1, signed_by: Vec::new() };
        lock.pin_file("./policies/old.wasm".into(), pin);
        let drift = lock.drift(&Used { pulled: used.iter().collect(), files });
        assert_eq!(
            drift,
            [
                "`oci://r.example/c:1` is used and not locked",
                "`./policies/new.wasm` is used and not locked",
                "`oci://r.example/a:1` is locked and not used",
                "`./policies/old.wasm` is locked and not used"
            ]
        );
        assert_eq!(lock.digest(&used[0]).unwrap(), Digest::of(b"b"));
        assert!(matches!(lock.digest(&used[1]), Err(DistributionError::Unlocked(_))));
        assert_eq!(lock.digest(&used[2]).unwrap(), Digest::of(b"d"));
    }
}
