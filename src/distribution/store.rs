//! Folders in which pulled policies are kept: `vendor/lockgate` beside the gate file, and the
//! user's cache.
//!
//! ```text
//! sha256-HEX/          the digest of the manifest
//!   manifest.json      as the registry has it
//!   component.wasm
//!   signatures.json
//! ```
//!
//! Nothing in a store is believed. The manifest has to have the digest that it is found by, the
//! component the one that the manifest says, and signatures are verified like any other.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::artifact::{MANIFEST_BYTES, Manifest};
use super::error::DistributionError;
use super::fetch::{Fetched, With};
use super::files;
use super::signature::Signatures;
use crate::model::Digest;

/// The store beside a gate file.
pub const VENDOR: &str = "vendor/lockgate";

/// Bytes of the components in a store for its owner only; the oldest go first.
const PRIVATE_BYTES: u64 = 1 << 30;

const MANIFEST: &str = "manifest.json";
const COMPONENT: &str = "component.wasm";
const SIGNATURES: &str = "signatures.json";

/// A folder of policies.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
    private: bool,
}

/// A policy in a store.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Its manifest, of the right digest.
    pub manifest: Manifest,
    /// The file with its component, which has not been looked into yet.
    pub component: PathBuf,
    /// Its signatures, not verified yet.
    pub signatures: Signatures,
}

impl Kept {
    /// Holds the digest of what is in the component's file, and the size of the file, against what
    /// they have to be.
    ///
    /// # Errors
    /// They are others.
    pub fn check(&self, found: Digest) -> Result<(), DistributionError> {
        let expected = self.manifest.component();
        let what = format!("`{}`", self.component.display());
        if found != expected {
            return Err(DistributionError::Altered { what, expected, found });
        }
        let metadata = fs::metadata(&self.component);
        let size = metadata.map_err(DistributionError::file(&self.component))?.len();
        self.manifest.layer().check_size(&what, size)
    }
}

impl Store {
    /// The store beside a gate file.
    #[must_use]
    pub fn vendored(directory: &Path) -> Self {
        Self { folder: directory.join(VENDOR), private: false }
    }

    /// A store for its owner only.
    #[must_use]
    pub const fn private(folder: PathBuf) -> Self {
        Self { folder, private: true }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The policy whose manifest has this digest; none when it is not kept here.
    ///
    /// # Errors
    /// What is kept cannot be read, or was changed.
    pub fn get(&self, digest: Digest) -> Result<Option<Kept>, DistributionError> {
        let place = self.place(digest);
        let Some(bytes) = files::read(&place.join(MANIFEST), MANIFEST_BYTES)? else {
            return Ok(None);
        };
        let what = format!("`{}`", place.join(MANIFEST).display());
        let found = Digest::of(&bytes);
        if found != digest {
            return Err(DistributionError::Altered { what, expected: digest, found });
        }
        let component = place.join(COMPONENT);
        if !component.is_file() {
            return Ok(None);
        }
        let signatures = Signatures::read_stored(&place.join(SIGNATURES))?;
        Ok(Some(Kept { manifest: Manifest::read(bytes, &what)?, component, signatures }))
    }

    /// Keeps a policy, and its signatures if they were asked for; else those stay that are kept and
    /// can be read.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn put(&self, fetched: &Fetched) -> Result<(), DistributionError> {
        let Fetched { manifest, component, signatures, with } = fetched;
        let place = self.place(manifest.digest());
        self.make(&place)?;
        files::write_whole(&place.join(COMPONENT), component)?;
        let broken = || Signatures::read_stored(&place.join(SIGNATURES)).is_err();
        if *with == With::Signatures || broken() {
            self.put_signatures(manifest.digest(), signatures)?;
        }
        // Comes last, as without it nothing is kept here.
        files::write_whole(&place.join(MANIFEST), &manifest.bytes)?;
        if self.private {
            // What is left over is in nobody's way before it is too much.
            let _ = self.keep_to(PRIVATE_BYTES, &place);
        }
        Ok(())
    }

    /// Keeps the signatures of a policy, in place of those that are kept.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn put_signatures(
        &self,
        digest: Digest,
        signatures: &Signatures,
    ) -> Result<(), DistributionError> {
        files::write_whole(&self.place(digest).join(SIGNATURES), &signatures.to_stored()?)
    }

    /// Removes every policy but these; how many were removed.
    ///
    /// # Errors
    /// The folder cannot be read, or something of it not be removed.
    pub fn retain(&self, digests: &BTreeSet<Digest>) -> Result<usize, DistributionError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(DistributionError::file(&self.folder)(error)),
        };
        let mut removed = 0;
        for entry in entries {
            let path = entry.map_err(DistributionError::file(&self.folder))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let digest = name.strip_prefix("sha256-").map(|hex| format!("sha256:{hex}"));
            // What else is in the folder is not ours.
            let Some(digest) = digest.and_then(|text| text.parse::<Digest>().ok()) else {
                continue;
            };
            if !digests.contains(&digest) {
                fs::remove_dir_all(&path).map_err(DistributionError::file(&path))?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Removes the policies that were put here first until the others take no more than `most`
    /// bytes; never the one in `newest`.
    fn keep_to(&self, most: u64, newest: &Path) -> io::Result<()> {
        let mut places = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if let Ok(metadata) = fs::metadata(path.join(COMPONENT)) {
                places.push((metadata.modified()?, metadata.len(), path));
            }
        }
        places.sort();
        let mut total: u64 = places.iter().map(|(_, length, _)| length).sum();
        for (_, length, path) in places {
            if total <= most {
                break;
            }
            if path != newest {
                fs::remove_dir_all(&path)?;
                total = total.saturating_sub(length);
            }
        }
        Ok(())
    }

    fn place(&self, digest: Digest) -> PathBuf {
        self.folder.join(format!("sha256-{}", digest.hex()))
    }

    fn make(&self, place: &Path) -> Result<(), DistributionError> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        if self.private {
            use std::os::unix::fs::DirBuilderExt;
            builder.mode(0o700);
        }
        builder.create(place).map_err(DistributionError::file(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_store_keeps_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::private(folder.path().to_owned());
        let place = |name: &str| folder.path().join(name);
        for (name, age) in [("old", 3), ("middle", 2), ("new", 1)] {
            fs::create_dir(place(name)).unwrap();
            let file = fs::File::create(place(name).join(COMPONENT)).unwrap();
            file.set_len(10).unwrap();
            let time = std::time::SystemTime::now() - std::time::Duration::from_secs(age * 60);
            file.set_modified(time).unwrap();
        }
        store.keep_to(30, &place("old")).unwrap();
        assert!(place("middle").exists());
        store.keep_to(10, &place("old")).unwrap();
        assert!(place("old").exists() && !place("middle").exists() && !place("new").exists());
    }
}
