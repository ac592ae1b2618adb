//! Compiled components on disk.
//!
//! An entry `KEY.entry` holds the BLAKE3 hash of the code; the code itself is in `HASH.code`. The
//! key is a digest of the component's digest and of the engine's settings. Anything that does not
//! add up is no entry: the component is compiled again and the entry replaced.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirEntry, OpenOptions};
use cap_std::time::SystemTime;
use wasmtime::component::Component;

use super::engine::SandboxEngine;
use super::mapped;
use crate::model::Digest;

/// Bytes of all code files together; the oldest go first.
const CACHE_BYTES: u64 = 2 << 30;

/// Bytes of one code file. Code has up to four times the size of its component.
const CODE_BYTES: u64 = 512 << 20;

/// A directory of compiled components that only its owner can write.
pub struct Cache {
    directory: Dir,
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
        Ok(Self { directory })
    }

    /// The compiled component, when there is an entry for it that is whole.
    pub(super) fn get(&self, engine: &SandboxEngine, component: Digest) -> Option<Component> {
        let entry = self.read_entry(&key(engine, component))?;
        let mut code = self.directory.open(code_name(&entry)).ok()?.into_std();
        let hash = hash(&mut code).ok()?;
        if hash.to_hex().as_str() != entry {
            return None;
        }
        mapped::map(engine, &code).ok()
    }

    /// Keeps a compiled component.
    ///
    /// # Errors
    /// When it cannot be serialised or written; the cache is then as it was.
    pub(super) fn put(
        &self,
        engine: &SandboxEngine,
        digest: Digest,
        component: &Component,
    ) -> wasmtime::Result<()> {
        let code = component.serialize()?;
        let hash = blake3::hash(&code).to_hex();
        self.make_room(u64::try_from(code.len()).unwrap_or(u64::MAX))?;
        self.write(&code_name(&hash), &code)?;
        self.write(&entry_name(&key(engine, digest)), hash.as_bytes())?;
        Ok(())
    }

    fn read_entry(&self, key: &str) -> Option<String> {
        let mut text = String::new();
        // One byte more than a hash has, so that a longer file is seen to be longer.
        self.directory.open(entry_name(key)).ok()?.take(65).read_to_string(&mut text).ok()?;
        let is_hash = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hash.then_some(text)
    }

    /// Writes a file whole or not at all.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let temporary = format!("{name}.{}.tmp", std::process::id());
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
            .and_then(|mut file| file.write_all(bytes))
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

fn key(engine: &SandboxEngine, component: Digest) -> String {
    Digest::of(format!("{} {component}", engine.fingerprint()).as_bytes()).hex()
}

fn entry_name(key: &str) -> String {
    format!("{key}.entry")
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
