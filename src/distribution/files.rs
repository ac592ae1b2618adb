//! Reading and writing files on disk, bounded and whole.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::DistributionError;

/// Reads a file of at most `limit` bytes; none where there is no such file.
pub(super) fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, DistributionError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
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

/// Writes a file whole or not at all; a secret one for its owner only.
///
/// # Errors
/// When it cannot be written; there is then what was there before.
pub fn write_whole(path: &Path, bytes: &[u8], secret: bool) -> Result<(), DistributionError> {
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}-{number}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(if secret { 0o600 } else { 0o666 });
    }
    let written = options
        .open(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_data()))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(DistributionError::file(path))
}
