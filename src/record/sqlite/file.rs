//! The file: who may touch it, and connections to it.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::schema;
use crate::record::RecordError;

/// How long to wait for another process that writes. Less than an entry's deadline.
const PATIENCE: Duration = Duration::from_secs(2);

/// Which file it is that has the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    pub(super) fn of(path: &Path) -> Result<Self, RecordError> {
        let metadata = std::fs::metadata(path).map_err(|error| absent(path, &error))?;
        Ok(Self { device: metadata.dev(), inode: metadata.ino() })
    }
}

/// Opens a record that is there.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, RecordError> {
    Identity::of(path)?;
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let version = || -> rusqlite::Result<_> {
        connection.pragma_update(None, "query_only", true)?;
        schema::version(&connection)
    };
    let version = version().map_err(|error| unusable(path, &error))?;
    schema::check(path, version)?;
    Ok(connection)
}

/// Opens a record that is there for writing.
pub(super) fn open_to_write(path: &Path) -> Result<Connection, RecordError> {
    let metadata = std::fs::metadata(path).map_err(|error| absent(path, &error))?;
    check_mode(path, &metadata)?;
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let version = schema::version(&connection).map_err(|error| unusable(path, &error))?;
    // Before anything of it is touched.
    schema::check_ours(path, version)?;
    let prepared = || -> rusqlite::Result<String> {
        // Counts while there is nothing in the file. A commit writes each page that it touches by
        // itself, and two decisions fill a page of the default size.
        connection.pragma_update(None, "page_size", 8 * 1024)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // What another thread does all the while is only made up for here; see `writer`.
        connection.pragma_update(None, "wal_autocheckpoint", 8 * 1024)?;
        connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
    };
    let start = Instant::now();
    let mode = loop {
        match prepared() {
            Ok(mode) => break mode,
            // SQLite itself does not wait for another process that is turning a new file into one
            // with a write-ahead log.
            Err(error) if is_locked(&error) && start.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(error) => return Err(unusable(path, &error)),
        }
    };
    if mode != "wal" {
        let detail = format!("its file system takes no write-ahead log (journal mode `{mode}`)");
        return Err(RecordError::unusable(path.display(), detail));
    }
    schema::migrate(path, &mut connection)?;
    Ok(connection)
}

/// Makes an empty file that only its owner may read, and the directories above it.
pub(super) fn create(path: &Path) -> Result<(), RecordError> {
    let failed = |error: io::Error| RecordError::unusable(path.display(), error);
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(directory) = directory {
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => {
            file.sync_all().map_err(failed)?;
            let directory = directory.unwrap_or_else(|| Path::new("."));
            File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection, RecordError> {
    // Without `SQLITE_OPEN_URI`: a path is a path. Without `SQLITE_OPEN_CREATE`: see `create`.
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(PATIENCE)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    };
    open().map_err(|error| unusable(path, &error))
}

/// The group may be there for a container's volume; others may not.
fn check_mode(path: &Path, metadata: &Metadata) -> Result<(), RecordError> {
    if metadata.mode() & 0o007 == 0 {
        return Ok(());
    }
    let detail = format!(
        "everybody on this machine may open it (mode {:o}); run `chmod 600` on it",
        metadata.mode() & 0o777
    );
    Err(RecordError::unusable(path.display(), detail))
}

fn absent(path: &Path, error: &io::Error) -> RecordError {
    if error.kind() == io::ErrorKind::NotFound {
        RecordError::Missing { location: path.display().to_string() }
    } else {
        RecordError::unavailable(format_args!("`{}`: {error}", path.display()))
    }
}

fn is_locked(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// An error on the way to a connection.
pub(super) fn unusable(path: &Path, error: &rusqlite::Error) -> RecordError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            RecordError::unusable(path.display(), "it is not a SQLite database")
        }
        _ => RecordError::unavailable(format_args!("`{}`: {error}", path.display())),
    }
}

/// An error on a connection.
pub(super) fn unavailable(error: &rusqlite::Error) -> RecordError {
    RecordError::unavailable(error)
}
