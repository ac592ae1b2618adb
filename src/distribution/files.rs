//! Reading and writing files on disk, bounded and whole.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::DistributionError;

/// Reads a file of at most `limit` bytes; none where there is no such file.
pub(super) fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, DistributionError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(DistributionError::file(path)(error)),
    };
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(DistributionError::file(path))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > limit) {
        return Err(DistributionError::TooLarge { what: format!("`{}`", path.display()), limit });
    }
    Ok(Some(bytes))
}

/// Writes a file whole or not at all, or into the device or pipe that is there.
///
/// # Errors
/// When it cannot be written, with what was there before still there; or when what is there is
/// something else than a file to write to.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), DistributionError> {
    match place(path).map_err(DistributionError::file(path))? {
        Place::File(path) => replace(&path, bytes).map_err(DistributionError::file(path)),
        Place::Stream => {
            let mut stream =
                File::options().write(true).open(path).map_err(DistributionError::file(path))?;
            stream.write_all(bytes).map_err(DistributionError::file(path))
        }
    }
}

/// Writes a file for its owner only, where nothing is yet.
///
/// # Errors
/// When something is there, if only a link that leads nowhere, or it cannot be written.
pub fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), DistributionError> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_data()))
        .map_err(DistributionError::file(path))
}

/// What is written to.
enum Place {
    /// A file, there or not, without a link on the way that its replacement would take the place of.
    File(PathBuf),
    /// A device or a pipe, which has no content to replace.
    Stream,
}

fn place(path: &Path) -> io::Result<Place> {
    let refused = |what: &str| {
        let message = format!("it is {what}; name a regular file");
        Err(io::Error::new(io::ErrorKind::InvalidInput, message))
    };
    let own = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Place::File(path.to_owned()));
        }
        Err(error) => return Err(error),
    };
    let kind = match fs::metadata(path) {
        Ok(metadata) => metadata.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return refused("a link that leads nowhere");
        }
        Err(error) => return Err(error),
    };
    if kind.is_dir() {
        refused("a folder")
    } else if !kind.is_file() {
        Ok(Place::Stream)
    } else if own.is_symlink() {
        fs::canonicalize(path).map(Place::File)
    } else {
        Ok(Place::File(path.to_owned()))
    }
}

/// Puts a file in the place of another, so that whoever reads it meets the old one or the new one.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}-{number}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = File::create_new(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_data()))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn links_are_followed_and_what_is_no_file_keeps_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("folder")).unwrap();
        fs::write(at("file"), "old").unwrap();
        symlink("file", at("link")).unwrap();
        symlink("nowhere", at("dangling")).unwrap();
        symlink("/dev/null", at("null")).unwrap();
        write_whole(&at("link"), b"new").unwrap();
        assert!(at("link").is_symlink());
        assert_eq!(fs::read(at("file")).unwrap(), b"new");
        write_whole(&at("null"), b"new").unwrap();
        write_whole(Path::new("/dev/null"), b"new").unwrap();
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        for name in ["dangling", "folder"] {
            let error = write_whole(&at(name), b"new").unwrap_err();
            assert!(error.to_string().contains("name a regular file"), "{error}");
        }
        assert!(at("dangling").is_symlink() && !at("nowhere").exists());
    }

    #[test]
    fn a_secret_is_written_where_nothing_is_and_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        symlink("elsewhere", at("dangling")).unwrap();
        assert!(write_secret(&at("dangling"), b"secret").is_err());
        assert!(!at("elsewhere").exists());
        write_secret(&at("key"), b"secret").unwrap();
        assert!(write_secret(&at("key"), b"other").is_err());
        assert_eq!(fs::read(at("key")).unwrap(), b"secret");
        assert_eq!(fs::metadata(at("key")).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
