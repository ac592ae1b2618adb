//! Removes rows a slice at a time, so that whoever appends gets in between.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::append::signed;
use super::connect::unavailable;
use super::rows;
use super::schema::LOCKS;
use crate::model::Timestamp;
use crate::record::prune::{Past, SLICE, latest, undated};
use crate::record::verify::Malformed;
use crate::record::{Pruned, RecordError, now};

pub(super) async fn prune(client: &mut Client, before: Timestamp) -> Result<Pruned, RecordError> {
    let before = signed(before.seconds().saturating_mul(1000));
    let mut pruned = Pruned::default();
    let writers = client
        .query("SELECT writer FROM lockgate_heads ORDER BY writer", &[])
        .await
        .map_err(|error| unavailable(&error))?;
    for row in writers {
        let writer: String = row.try_get(0).map_err(|error| unavailable(&error))?;
        loop {
            let removed = slice(client, &writer, before).await?;
            pruned.decisions = pruned.decisions.saturating_add(removed);
            if removed == 0 {
                break;
            }
        }
    }
    loop {
        let removed = snapshots(client).await?;
        pruned.snapshots = pruned.snapshots.saturating_add(removed);
        if removed == 0 {
            return Ok(pruned);
        }
    }
}

async fn slice(client: &mut Client, writer: &str, before: i64) -> Result<u64, RecordError> {
    let unavailable = |error| unavailable(&error);
    let malformed = |fault: Malformed| RecordError::Tampered {
        detail: format!("writer {writer}, column `{}`", fault.column),
    };
    let transaction = client.transaction().await.map_err(unavailable)?;
    // One prunes at a time.
    transaction
        .execute("SELECT pg_advisory_xact_lock($1, 1)", &[&LOCKS])
        .await
        .map_err(unavailable)?;
    let sql = "SELECT * FROM lockgate_checkpoints WHERE writer = $1 ORDER BY number DESC LIMIT 1";
    let last = transaction.query_opt(sql, &[&writer]).await.map_err(unavailable)?;
    let last = last.as_ref().map(rows::checkpoint).transpose().map_err(malformed)?;
    let past = Past::new(writer, last);
    let sql = format!(
        "SELECT {} FROM lockgate_entries WHERE writer = $1 ORDER BY sequence LIMIT $2",
        rows::COLUMNS
    );
    let found = transaction.query(&sql, &[&writer, &SLICE]).await.map_err(unavailable)?;
    let found: Vec<_> =
        found.iter().map(rows::linked).collect::<Result<_, _>>().map_err(malformed)?;
    let now = now();
    let next = match undated(&found, now) {
        None => None,
        Some(last) => {
            let sql = "SELECT recorded_at FROM lockgate_entries WHERE writer = $1
                AND sequence > $2 AND recorded_at <= $3 ORDER BY sequence LIMIT 1";
            let found = transaction.query_opt(sql, &[&writer, &signed(last), &latest(now)]).await;
            let next = found.map_err(unavailable)?.map(|row| row.try_get(0)).transpose();
            next.map_err(unavailable)?
        }
    };
    let Some(checkpoint) = past.checkpoint(&found, next, before, now)? else {
        return Ok(0);
    };
    let sequence = signed(checkpoint.sequence);
    let sql = "INSERT INTO lockgate_checkpoints
            (writer, number, sequence, hash, pruned_at, previous, seal)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    transaction
        .execute(
            sql,
            &[
                &writer,
                &signed(checkpoint.number),
                &sequence,
                &checkpoint.hash.as_bytes().as_slice(),
                &signed(checkpoint.pruned_at),
                &checkpoint.previous.as_bytes().as_slice(),
                &checkpoint.seal().as_bytes().as_slice(),
            ],
        )
        .await
        .map_err(unavailable)?;
    let sql = "DELETE FROM lockgate_entries WHERE writer = $1 AND sequence <= $2";
    let removed = transaction.execute(sql, &[&writer, &sequence]).await.map_err(unavailable)?;
    transaction.commit().await.map_err(unavailable)?;
    Ok(removed)
}

async fn snapshots(client: &Client) -> Result<u64, RecordError> {
    let sql = "DELETE FROM lockgate_snapshots WHERE digest IN
        (SELECT digest FROM lockgate_snapshots WHERE NOT EXISTS
            (SELECT 1 FROM lockgate_entries WHERE snapshot = lockgate_snapshots.digest) LIMIT $1)";
    match client.execute(sql, &[&SLICE]).await {
        Ok(removed) => Ok(removed),
        // Somebody has come to need one of them since. What is left goes the next time.
        Err(error) if error.code() == Some(&SqlState::FOREIGN_KEY_VIOLATION) => Ok(0),
        Err(error) => Err(unavailable(&error)),
    }
}
