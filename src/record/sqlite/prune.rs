//! Removes rows a slice at a time, so that whoever appends gets in between.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::{file, rows};
use crate::model::Timestamp;
use crate::record::prune::{Past, SLICE, latest, undated};
use crate::record::verify::Malformed;
use crate::record::{Pruned, RecordError, now};

pub(super) fn prune(path: &Path, before: Timestamp) -> Result<Pruned, RecordError> {
    let mut connection = file::open_to_write(path)?;
    let before = i64::try_from(before.seconds().saturating_mul(1000)).unwrap_or(i64::MAX);
    let mut pruned = Pruned::default();
    for writer in writers(&connection).map_err(|error| file::unavailable(&error))? {
        loop {
            let removed = slice(&mut connection, &writer, before)?;
            pruned.decisions = pruned.decisions.saturating_add(removed);
            if removed == 0 {
                break;
            }
        }
    }
    loop {
        let removed = snapshots(&connection).map_err(|error| file::unavailable(&error))?;
        pruned.snapshots = pruned.snapshots.saturating_add(removed);
        if removed == 0 {
            return Ok(pruned);
        }
    }
}

fn writers(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT writer FROM heads ORDER BY writer")?;
    let found = statement.query_map([], |row| row.get(0))?;
    found.collect()
}

fn slice(connection: &mut Connection, writer: &str, before: i64) -> Result<u64, RecordError> {
    let unavailable = |error: rusqlite::Error| file::unavailable(&error);
    let malformed = |fault: Malformed| RecordError::Tampered {
        detail: format!("writer {writer}, column `{}`", fault.column),
    };
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(unavailable)?;
    let sql = "SELECT * FROM checkpoints WHERE writer = ?1 ORDER BY number DESC LIMIT 1";
    let last = transaction
        .query_row(sql, [writer], |row| Ok(rows::checkpoint(row)))
        .optional()
        .map_err(unavailable)?
        .transpose()
        .map_err(malformed)?;
    let past = Past::new(writer, last);
    let found = {
        let sql = format!(
            "SELECT {} FROM entries WHERE writer = ?1 ORDER BY sequence LIMIT ?2",
            rows::COLUMNS
        );
        let mut statement = transaction.prepare_cached(&sql).map_err(unavailable)?;
        statement
            .query_map(params![writer, SLICE], |row| Ok(rows::linked(row)))
            .and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>)
            .map_err(unavailable)?
    };
    let found: Vec<_> = found.into_iter().collect::<Result<_, _>>().map_err(malformed)?;
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let now = now();
    let next = match undated(&found, now) {
        None => None,
        Some(last) => transaction
            .query_row(
                "SELECT recorded_at FROM entries WHERE writer = ?1 AND sequence > ?2
                AND recorded_at <= ?3 ORDER BY sequence LIMIT 1",
                params![writer, count(last), latest(now)],
                |row| row.get(0),
            )
            .optional()
            .map_err(unavailable)?,
    };
    let Some(checkpoint) = past.checkpoint(&found, next, before, now)? else {
        return Ok(0);
    };
    let apply = || -> rusqlite::Result<usize> {
        let sql =
            "INSERT INTO checkpoints (writer, number, sequence, hash, pruned_at, previous, seal)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let sequence = count(checkpoint.sequence);
        transaction.execute(
            sql,
            params![
                writer,
                count(checkpoint.number),
                sequence,
                checkpoint.hash.as_bytes(),
                count(checkpoint.pruned_at),
                checkpoint.previous.as_bytes(),
                checkpoint.seal().as_bytes(),
            ],
        )?;
        let sql = "DELETE FROM entries WHERE writer = ?1 AND sequence <= ?2";
        transaction.execute(sql, params![writer, sequence])
    };
    let removed = apply().map_err(unavailable)?;
    transaction.commit().map_err(unavailable)?;
    Ok(removed as u64)
}

fn snapshots(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "DELETE FROM snapshots WHERE digest IN (SELECT digest FROM snapshots WHERE NOT EXISTS
        (SELECT 1 FROM entries WHERE entries.snapshot = snapshots.digest) LIMIT ?1)";
    connection.execute(sql, [SLICE]).map(|removed| removed as u64)
}
