//! Tables, and the way from each version of them to the next.

use tokio_postgres::Client;

use super::connect::unavailable;
use crate::record::RecordError;
use crate::record::location::Database;

/// `lock` in ASCII: our share of the numbers of advisory locks.
pub(super) const LOCKS: i32 = 0x6c6f_636b;

/// One step for each version; the first makes version 1. A step that has been released is never
/// changed.
const STEPS: [&str; 1] = [r#"
CREATE TABLE lockgate_record (version BIGINT NOT NULL);
INSERT INTO lockgate_record (version) VALUES (0);

CREATE TABLE lockgate_snapshots (
    digest BYTEA NOT NULL PRIMARY KEY,
    canonical BYTEA NOT NULL
);

CREATE TABLE lockgate_entries (
    writer TEXT COLLATE "C" NOT NULL,
    sequence BIGINT NOT NULL,
    previous BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    recorded_at BIGINT NOT NULL,
    origin TEXT COLLATE "C" NOT NULL,
    asked_by TEXT,
    verdict TEXT COLLATE "C" NOT NULL,
    registry TEXT NOT NULL,
    model TEXT COLLATE "C" NOT NULL,
    version TEXT NOT NULL,
    target TEXT COLLATE "C" NOT NULL,
    requested_by TEXT,
    snapshot BYTEA REFERENCES lockgate_snapshots (digest),
    document TEXT NOT NULL,
    PRIMARY KEY (writer, sequence)
);
CREATE UNIQUE INDEX lockgate_entries_by_id ON lockgate_entries (id);
CREATE INDEX lockgate_entries_by_model ON lockgate_entries (model, id);
CREATE INDEX lockgate_entries_by_target ON lockgate_entries (target, id);
CREATE INDEX lockgate_entries_by_verdict ON lockgate_entries (verdict, id);
CREATE INDEX lockgate_entries_by_origin ON lockgate_entries (origin, id);
CREATE INDEX lockgate_entries_by_snapshot ON lockgate_entries (snapshot)
    WHERE snapshot IS NOT NULL;

CREATE TABLE lockgate_heads (
    writer TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    sequence BIGINT NOT NULL,
    hash BYTEA NOT NULL
);

CREATE TABLE lockgate_checkpoints (
    writer TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    pruned_at BIGINT NOT NULL,
    previous BYTEA NOT NULL,
    seal BYTEA NOT NULL,
    PRIMARY KEY (writer, number)
);

CREATE TABLE lockgate_probes (
    writer TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL
);
"#];

/// The version that this lockgate writes.
const CURRENT: i64 = STEPS.len() as i64;

/// The version of the tables; none when there are none.
async fn version(client: &Client) -> Result<Option<i64>, tokio_postgres::Error> {
    let there = "SELECT to_regclass('lockgate_record') IS NOT NULL";
    if !client.query_one(there, &[]).await?.get::<_, bool>(0) {
        return Ok(None);
    }
    let row = client.query_opt("SELECT max(version) FROM lockgate_record", &[]).await?;
    Ok(Some(row.and_then(|row| row.get(0)).unwrap_or_default()))
}

/// Whether it can be read as it is.
pub(super) async fn check(client: &Client, database: &Database) -> Result<(), RecordError> {
    let location = database.to_string();
    match version(client).await.map_err(|error| unavailable(&error))? {
        Some(found) if found > CURRENT => {
            Err(RecordError::Newer { location, found, known: CURRENT })
        }
        Some(CURRENT) => Ok(()),
        Some(_) => {
            let detail = "an earlier lockgate wrote it; `lockgate serve` brings it up to date";
            Err(RecordError::unusable(location, detail))
        }
        None => Err(RecordError::Missing { location }),
    }
}

/// Brings the tables up to the current version, whichever they have.
pub(super) async fn migrate(client: &mut Client, database: &Database) -> Result<(), RecordError> {
    match check(client, database).await {
        Err(RecordError::Missing { .. } | RecordError::Unusable { .. }) => {}
        other => return other,
    }
    step_up(client).await.map_err(|error| unavailable(&error))?;
    check(client, database).await
}

async fn step_up(client: &mut Client) -> Result<(), tokio_postgres::Error> {
    // One replica does it, the others wait for it. Not within the transaction, which would not see
    // what was done while it waited. Should it fail, the lock goes with the connection.
    client.execute("SELECT pg_advisory_lock($1, 0)", &[&LOCKS]).await?;
    let transaction = client.transaction().await?;
    let from = version(transaction.client()).await?.unwrap_or_default();
    for step in STEPS.iter().skip(usize::try_from(from).unwrap_or_default()) {
        transaction.batch_execute(step).await?;
    }
    if from < CURRENT {
        transaction.execute("UPDATE lockgate_record SET version = $1", &[&CURRENT]).await?;
    }
    transaction.commit().await?;
    client.execute("SELECT pg_advisory_unlock($1, 0)", &[&LOCKS]).await.map(drop)
}
