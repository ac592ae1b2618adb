//! Reads all rows in one transaction, and hands every one to the verifier.

use tokio_postgres::{Client, Error, IsolationLevel, Transaction};

use super::rows;
use crate::model::Digest;
use crate::record::verify::{Malformed, Problem, Verifier};
use crate::record::{Head, Verification};

/// Rows that are asked for at a time.
const ROWS: i64 = 200;
/// Bytes of snapshots that are asked for at a time, unless one alone has more.
const BYTES: i64 = 8 * 1024 * 1024;

pub(super) async fn verify(client: &mut Client, earlier: &[Head]) -> Result<Verification, Error> {
    let transaction = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await?;
    let mut broken = Vec::new();
    let mut heads = Vec::new();
    for row in transaction.query("SELECT writer, sequence, hash FROM lockgate_heads", &[]).await? {
        rows::head(&row).map_or_else(|fault| broken.push(fault), |head| heads.push(head));
    }
    let mut checkpoints = Vec::new();
    let sql = "SELECT * FROM lockgate_checkpoints ORDER BY writer, number";
    for row in transaction.query(sql, &[]).await? {
        rows::checkpoint(&row).map_or_else(|fault| broken.push(fault), |one| checkpoints.push(one));
    }
    let mut verifier = Verifier::new(heads, checkpoints, earlier);
    for Malformed { writer, sequence, column } in broken {
        verifier.fault(writer.as_deref(), sequence, Problem::Malformed { column });
    }
    entries(&transaction, &mut verifier).await?;
    snapshots(&transaction, &mut verifier).await?;
    transaction.commit().await?;
    Ok(verifier.finish())
}

async fn entries(transaction: &Transaction<'_>, verifier: &mut Verifier) -> Result<(), Error> {
    let sql = format!(
        "SELECT {} FROM lockgate_entries WHERE (writer, sequence) > ($1, $2)
         ORDER BY writer, sequence LIMIT $3",
        rows::COLUMNS
    );
    let statement = transaction.prepare(&sql).await?;
    let (mut writer, mut sequence) = (String::new(), i64::MIN);
    loop {
        let found = transaction.query(&statement, &[&writer, &sequence, &ROWS]).await?;
        let Some(last) = found.last() else { return Ok(()) };
        (writer, sequence) = (last.try_get("writer")?, last.try_get("sequence")?);
        for row in &found {
            match rows::linked(row) {
                Ok(linked) => verifier.row(linked),
                Err(malformed) => verifier.malformed(malformed),
            }
        }
    }
}

async fn snapshots(transaction: &Transaction<'_>, verifier: &mut Verifier) -> Result<(), Error> {
    let sql =
        "SELECT writer, sequence FROM lockgate_entries WHERE snapshot IS NOT NULL AND NOT EXISTS
        (SELECT 1 FROM lockgate_snapshots WHERE digest = lockgate_entries.snapshot)
        ORDER BY writer, sequence";
    for row in transaction.query(sql, &[]).await? {
        let writer: String = row.try_get(0)?;
        let sequence = row.try_get::<_, i64>(1)?.try_into().ok();
        verifier.fault(Some(&writer), sequence, Problem::SnapshotMissing);
    }
    // As many at a time as fit together.
    let sql = "SELECT digest, canonical FROM (
            SELECT digest, canonical,
                sum(octet_length(canonical)::bigint) OVER (ORDER BY digest) AS bytes,
                row_number() OVER (ORDER BY digest) AS number
            FROM (SELECT digest, canonical FROM lockgate_snapshots WHERE digest > $1
                  ORDER BY digest LIMIT $2) AS next
        ) AS counted WHERE bytes <= $3::bigint OR number = 1 ORDER BY digest";
    let statement = transaction.prepare(sql).await?;
    let mut after: Vec<u8> = Vec::new();
    loop {
        let found = transaction.query(&statement, &[&after, &ROWS, &BYTES]).await?;
        let Some(last) = found.last() else { return Ok(()) };
        after = last.try_get(0)?;
        for row in &found {
            let (digest, canonical): (&[u8], &[u8]) = (row.try_get(0)?, row.try_get(1)?);
            match <[u8; 32]>::try_from(digest).map(Digest::from_bytes) {
                Ok(digest) if Digest::of(canonical) == digest => {}
                Ok(digest) => {
                    let digest = digest.to_string();
                    verifier.fault(None, None, Problem::SnapshotEdited { digest });
                }
                Err(_) => verifier.fault(None, None, Problem::Malformed { column: "digest" }),
            }
        }
    }
}
