//! Reads the whole file in one transaction, and hands every row to the verifier.

use std::path::Path;

use rusqlite::{Connection, ErrorCode};

use super::{file, rows};
use crate::model::Digest;
use crate::record::verify::{Malformed, Problem, Verifier};
use crate::record::{Head, RecordError, Verification};

pub(super) fn verify(path: &Path, earlier: &[Head]) -> Result<Verification, RecordError> {
    let connection = file::open_to_read(path)?;
    let mut verifier = Verifier::new(Vec::new(), Vec::new(), &[]);
    match read(&connection, earlier, &mut verifier) {
        Ok(()) => Ok(verifier.finish()),
        // Not a failure to read it but what there is to read.
        Err(error) if is_damage(&error) => {
            let detail = format!("`{}`: {error}", path.display());
            verifier.fault(None, None, Problem::Damaged { detail });
            Ok(verifier.finish())
        }
        Err(error) => Err(file::unavailable(&error)),
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    let damage = [
        ErrorCode::DatabaseCorrupt,
        ErrorCode::NotADatabase,
        ErrorCode::TypeMismatch,
        // A table that is not there any more; it has no code of its own.
        ErrorCode::Unknown,
    ];
    error.sqlite_error_code().is_some_and(|code| damage.contains(&code))
        // A column that is not.
        || matches!(error, rusqlite::Error::SqlInputError { .. })
}

fn read(
    connection: &Connection,
    earlier: &[Head],
    verifier: &mut Verifier,
) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    let mut broken = Vec::new();
    let mut heads = Vec::new();
    let mut statement = transaction.prepare("SELECT writer, sequence, hash FROM heads")?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        rows::head(row).map_or_else(|fault| broken.push(fault), |head| heads.push(head));
    }
    let mut checkpoints = Vec::new();
    let mut statement = transaction.prepare("SELECT * FROM checkpoints ORDER BY writer, number")?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        rows::checkpoint(row).map_or_else(|fault| broken.push(fault), |one| checkpoints.push(one));
    }
    *verifier = Verifier::new(heads, checkpoints, earlier);
    for Malformed { writer, sequence, column } in broken {
        verifier.fault(writer.as_deref(), sequence, Problem::Malformed { column });
    }

    // An index that leaves out rows would make them invisible.
    let mut statement = transaction.prepare("PRAGMA integrity_check(10)")?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        let detail: String = row.get(0)?;
        if detail != "ok" {
            verifier.fault(None, None, Problem::Damaged { detail });
        }
    }

    let sql = format!("SELECT {} FROM entries ORDER BY writer, sequence", rows::COLUMNS);
    let mut statement = transaction.prepare(&sql)?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        match rows::linked(row) {
            Ok(linked) => verifier.row(linked),
            Err(malformed) => verifier.malformed(malformed),
        }
    }
    snapshots(&transaction, verifier)
}

fn snapshots(connection: &Connection, verifier: &mut Verifier) -> rusqlite::Result<()> {
    let sql = "SELECT writer, sequence FROM entries WHERE snapshot IS NOT NULL AND NOT EXISTS
        (SELECT 1 FROM snapshots WHERE digest = entries.snapshot) ORDER BY writer, sequence";
    let mut statement = connection.prepare(sql)?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        let writer: Option<String> = row.get(0).ok();
        let sequence = row.get(1).ok().and_then(|number: i64| number.try_into().ok());
        verifier.fault(writer.as_deref(), sequence, Problem::SnapshotMissing);
    }
    let mut statement = connection.prepare("SELECT digest, canonical FROM snapshots")?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        let digest = row.get::<_, [u8; 32]>(0).map(Digest::from_bytes);
        let canonical = row.get_ref(1)?.as_blob();
        match (digest, canonical) {
            (Ok(digest), Ok(canonical)) if Digest::of(canonical) == digest => {}
            (Ok(digest), _) => {
                let digest = digest.to_string();
                verifier.fault(None, None, Problem::SnapshotEdited { digest });
            }
            (Err(_), _) => {
                verifier.fault(None, None, Problem::Malformed { column: "digest" });
            }
        }
    }
    Ok(())
}
