//! Tables, and the way from each version of them to the next.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::file::unusable;
use crate::record::RecordError;

/// `lock` in ASCII: tells a record from other SQLite files.
const APPLICATION: i64 = 0x6c6f_636b;

/// One step for each version; the first makes version 1. A step that has been released is never
/// changed.
const STEPS: [&str; 1] = ["
CREATE TABLE snapshots (
    digest BLOB NOT NULL PRIMARY KEY,
    canonical BLOB NOT NULL
) STRICT;

CREATE TABLE entries (
    writer TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    previous BLOB NOT NULL,
    hash BLOB NOT NULL,
    id TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    origin TEXT NOT NULL,
    asked_by TEXT,
    verdict TEXT NOT NULL,
    registry TEXT NOT NULL,
    model TEXT NOT NULL,
    version TEXT NOT NULL,
    target TEXT NOT NULL,
    requested_by TEXT,
    snapshot BLOB REFERENCES snapshots (digest),
    document TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX entries_by_chain ON entries (writer, sequence);
CREATE UNIQUE INDEX entries_by_id ON entries (id);
CREATE INDEX entries_by_model ON entries (model, id);
CREATE INDEX entries_by_target ON entries (target, id);
CREATE INDEX entries_by_verdict ON entries (verdict, id);
CREATE INDEX entries_by_origin ON entries (origin, id);
CREATE INDEX entries_by_snapshot ON entries (snapshot) WHERE snapshot IS NOT NULL;

CREATE TABLE heads (
    writer TEXT NOT NULL PRIMARY KEY,
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;

CREATE TABLE checkpoints (
    writer TEXT NOT NULL,
    number INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL,
    pruned_at INTEGER NOT NULL,
    previous BLOB NOT NULL,
    seal BLOB NOT NULL,
    PRIMARY KEY (writer, number)
) STRICT;

CREATE TABLE probes (
    writer TEXT NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    room BLOB NOT NULL
) STRICT;
"];

/// The version that this lockgate writes.
const CURRENT: i64 = STEPS.len() as i64;

/// What a file says of itself.
#[derive(Clone, Copy)]
pub(super) struct Version {
    application: i64,
    schema: i64,
    /// Whether there is anything in it.
    tables: bool,
}

pub(super) fn version(connection: &Connection) -> rusqlite::Result<Version> {
    // At one moment: another process may be making a record of it.
    let sql = "SELECT (SELECT application_id FROM pragma_application_id),
        (SELECT user_version FROM pragma_user_version), EXISTS (SELECT 1 FROM sqlite_schema)";
    connection.query_row(sql, [], |row| {
        Ok(Version { application: row.get(0)?, schema: row.get(1)?, tables: row.get(2)? })
    })
}

/// Whether it is a record that this lockgate knows, or nothing yet.
pub(super) fn check_ours(path: &Path, version: Version) -> Result<(), RecordError> {
    let location = path.display();
    if version.application != APPLICATION && version.tables {
        return Err(RecordError::unusable(location, "it is a database of another program"));
    }
    if version.schema > CURRENT {
        let location = location.to_string();
        return Err(RecordError::Newer { location, found: version.schema, known: CURRENT });
    }
    Ok(())
}

/// Whether it can be read as it is.
pub(super) fn check(path: &Path, version: Version) -> Result<(), RecordError> {
    check_ours(path, version)?;
    let location = path.display();
    if version.application != APPLICATION {
        return Err(RecordError::Missing { location: location.to_string() });
    }
    if version.schema < CURRENT {
        let detail = "an earlier lockgate wrote it; `lockgate serve` brings it up to date";
        return Err(RecordError::unusable(location, detail));
    }
    Ok(())
}

/// Brings the file up to the current version, whichever it has.
pub(super) fn migrate(path: &Path, connection: &mut Connection) -> Result<(), RecordError> {
    let failed = |error: rusqlite::Error| unusable(path, &error);
    let found = version(connection).map_err(failed)?;
    if found.application == APPLICATION && found.schema == CURRENT {
        return Ok(());
    }
    let behaviour = TransactionBehavior::Immediate;
    let transaction = connection.transaction_with_behavior(behaviour).map_err(failed)?;
    // Another process may have been faster.
    let found = version(&transaction).map_err(failed)?;
    check_ours(path, found)?;
    step_up(transaction, found.schema).map_err(failed)
}

fn step_up(transaction: Transaction<'_>, from: i64) -> rusqlite::Result<()> {
    for step in STEPS.iter().skip(usize::try_from(from).unwrap_or_default()) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", CURRENT)?;
    transaction.commit()
}
