//! Compiled components on disk.
//!
//! An entry `KEY.entry` holds the BLAKE3 hash of the code and what the policy says of itself; the
//! code itself is in `HASH.code`. The key is a digest of the component's digest and of the engine's
//! settings. Anything that does not add up is no entry: the component is compiled again and the
//! entry replaced.
//!
//! Hashing tens of megabytes at each start would take most of its time. What has been hashed once
//! is taken to be the same for as long as the kernel says that nobody has touched it: see
//! [`Stamp`]. For component files that is noted in the files `*.seen`, so that the only harm of a
//! kernel in error would be a policy that is a version behind, under the digest of that version.

mod entry;
mod stamp;

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirEntry, OpenOptions};
use cap_std::time::SystemTime;
use wasmtime::component::Component;

use self::entry::{Entry, Seen};
pub(super) use self::stamp::Stamp;
use super::engine::SandboxEngine;
use super::mapped;
use crate::model::{Description, Digest};

/// Bytes of all code files together; the oldest go first.
const CACHE_BYTES: u64 = 2 << 30;

/// Bytes of one code file. Code has up to four times the size of its component.
const CODE_BYTES: u64 = 512 << 20;

/// What there is in the cache for a component.
pub(super) struct Kept {
    pub(super) component: Component,
    pub(super) description: Option<Description>,
}

/// A directory of compiled components that only its owner can write.
#[derive(Clone, Debug)]
pub struct Cache {
    directory: Arc<Dir>,
}

/// Why a directory cannot serve as a cache.
#[derive(Debug, thiserror::Error)]
#[error("the cache `{}` cannot be used: {problem}", path.display())]
pub struct CacheUnusable {
    path: PathBuf,
    problem: Problem,
}

#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("others can write in it; run `chmod 700` on it or name another with --cache-dir")]
    WritableByOthers,
    #[error("it belongs to another user; name another with --cache-dir")]
    Foreign,
}

impl Cache {
    /// Opens a directory, made where it is missing, with access for its owner only.
    ///
    /// # Errors
    /// When it cannot be made or opened, is another user's, or others can write in it.
    pub fn open(path: &Path) -> Result<Self, CacheUnusable> {
        Self::open_private(path).map_err(|problem| CacheUnusable { path: path.to_owned(), problem })
    }

    fn open_private(path: &Path) -> Result<Self, Problem> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::DirBuilderExt;
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        }
        #[cfg(not(unix))]
        std::fs::create_dir_all(path)?;
        let directory = Dir::open_ambient_dir(path, ambient_authority())?;
        #[cfg(unix)]
        {
            use cap_std::fs::MetadataExt;
            let metadata = directory.dir_metadata()?;
            if metadata.uid() != rustix::process::geteuid().as_raw() {
                return Err(Problem::Foreign);
            }
            if metadata.mode() & 0o022 != 0 {
                return Err(Problem::WritableByOthers);
            }
        }
        Ok(Self { directory: Arc::new(directory) })
    }

    /// The compiled component, when there is an entry for it that is whole.
    pub(super) fn get(&self, engine: &SandboxEngine, component: Digest) -> Option<Kept> {
        let name = entry_name(engine, component);
        let Entry { code, stamp, description } = self.read(&name)?;
        let mut file = self.directory.open(code_name(&code)).ok()?.into_std();
        let now = Stamp::of(&file);
        if now.is_none() || now != stamp {
            if hash(&mut file).ok()?.to_hex().as_str() != code {
                return None;
            }
            if now.is_some() {
                // Without it the next start hashes again.
                let entry = Entry { code, stamp: now, description: description.clone() };
                let _ = self.write_entry(&name, &entry);
            }
        }
        Some(Kept { component: mapped::map(engine, &file).ok()?, description })
    }

    /// Keeps a compiled component, and what it says of itself.
    ///
    /// # Errors
    /// When it cannot be serialised or written; the cache is then as it was.
    pub(super) fn put(
        &self,
        engine: &SandboxEngine,
        digest: Digest,
        component: &Component,
        description: Option<&Description>,
    ) -> wasmtime::Result<()> {
        let bytes = component.serialize()?;
        let code = blake3::hash(&bytes).to_hex().to_string();
        self.make_room(u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
        self.write(&code_name(&code), &bytes, Durability::Synchronised)?;
        let entry = Entry { code, stamp: None, description: description.cloned() };
        Ok(self.write_entry(&entry_name(engine, digest), &entry)?)
    }

    /// The digest of a component file, when it has been read before and not changed since.
    pub(super) fn digest_of(&self, stamp: &Stamp) -> Option<Digest> {
        let seen: Seen = self.read(&seen_name(stamp))?;
        (seen.stamp == *stamp).then_some(seen.digest)
    }

    /// Notes the digest of a component file; the stamp is from before the file was read.
    pub(super) fn note_digest(&self, stamp: Stamp, digest: Digest) {
        let name = seen_name(&stamp);
        // Without the note the next start reads the file again.
        let _ = self.write_entry(&name, &Seen { stamp, digest });
    }

    /// Whether [`Cache::note_proven`] was told of this claim. Few enough are kept that some are
    /// forgotten.
    #[must_use]
    pub fn is_proven(&self, claim: Digest) -> bool {
        self.read(&proof_name(claim)) == Some(claim)
    }

    /// Remembers that something was found to hold, whatever the digest stands for, so that it need
    /// not be found again.
    pub fn note_proven(&self, claim: Digest) {
        // Without the note it is proven again.
        let _ = self.write_entry(&proof_name(claim), &claim);
    }

    fn read<T: serde::de::DeserializeOwned>(&self, name: &str) -> Option<T> {
        // Room for most of them, so that they are read in one go.
        let mut text = Vec::with_capacity(16 << 10);
        self.directory.open(name).ok()?.take(entry::MOST_BYTES).read_to_end(&mut text).ok()?;
        entry::read(name, &text)
    }

    fn write_entry(&self, name: &str, content: &impl serde::Serialize) -> io::Result<()> {
        self.write(name, &entry::write(name, content)?, Durability::None)
    }

    /// Writes a file whole or not at all.
    fn write(&self, name: &str, bytes: &[u8], durability: Durability) -> io::Result<()> {
        static WRITTEN: AtomicU64 = AtomicU64::new(0);
        let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
        let temporary = format!("{name}.{}-{number}.tmp", std::process::id());
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use cap_std::fs::OpenOptionsExt;
            options.mode(0o400);
        }
        // Left over from a process of the same number that was killed.
        let _ = self.directory.remove_file(&temporary);
        let written = self
            .directory
            .open_with(&temporary, &options)
            .and_then(|mut file| {
                file.write_all(bytes)?;
                match durability {
                    Durability::None => Ok(()),
                    Durability::Synchronised => file.sync_data(),
                }
            })
            .and_then(|()| self.directory.rename(&temporary, &self.directory, name));
        if written.is_err() {
            let _ = self.directory.remove_file(&temporary);
        }
        written
    }

    /// Removes the oldest code until `bytes` more fit. Entries that are left without their code
    /// are no entries, and go when they are next written.
    fn make_room(&self, bytes: u64) -> io::Result<()> {
        let mut files: Vec<(SystemTime, u64, DirEntry)> = Vec::new();
        for entry in self.directory.entries()? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if !metadata.is_file() {
                // The store of pulled policies, which keeps to a limit of its own.
                continue;
            }
            files.push((metadata.modified()?, metadata.len(), entry));
        }
        files.sort_by_key(|(modified, _, _)| *modified);
        let mut total: u64 = files.iter().map(|(_, length, _)| length).sum();
        for (_, length, entry) in files {
            if total.saturating_add(bytes) <= CACHE_BYTES {
                break;
            }
            entry.remove_file()?;
            total = total.saturating_sub(length);
        }
        Ok(())
    }
}

/// What is to be on the disk before a file has its name.
#[derive(Clone, Copy)]
enum Durability {
    /// Nothing: each time it is read, the file is checked whole.
    None,
    /// Its bytes, as a [`Stamp`] would not show that they never got there.
    Synchronised,
}

fn entry_name(engine: &SandboxEngine, component: Digest) -> String {
    let key = Digest::of(format!("{} {component}", engine.fingerprint()).as_bytes());
    format!("{}.entry", key.hex())
}

fn seen_name(stamp: &Stamp) -> String {
    format!("{:02x}.seen", stamp.place())
}

/// One of 4,096 places.
fn proof_name(claim: Digest) -> String {
    let mut place = claim.hex();
    place.truncate(3);
    format!("{place}.proof")
}

fn code_name(hash: &str) -> String {
    format!("{hash}.code")
}

fn hash(file: &mut File) -> io::Result<blake3::Hash> {
    if file.metadata()?.len() > CODE_BYTES {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(&mut *file)?;
    file.rewind()?;
    Ok(hasher.finalize())
}
