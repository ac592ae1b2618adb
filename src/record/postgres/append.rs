//! The statements of a writer.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Statement};

use super::rows;
use super::schema::LOCKS;
use crate::evidence::Frozen;
use crate::model::{DecisionId, Digest};
use crate::record::chain::Head;
use crate::record::queue::Job;
use crate::record::row::Row;

/// One statement, and so one transaction and one way to the server and back: it moves the head on
/// if that still is where we left it, and only then adds the rows. Whoever sends it twice, or
/// beside somebody else who holds the same chain, adds them once or not at all.
const APPEND: &str = "
WITH moved AS (
    UPDATE lockgate_heads SET sequence = $2, hash = $3
    WHERE writer = $1 AND sequence = $4 AND hash = $5
    RETURNING 1
), kept AS (
    INSERT INTO lockgate_snapshots (digest, canonical)
    SELECT * FROM unnest($6::bytea[], $7::bytea[]) WHERE EXISTS (SELECT 1 FROM moved)
    ON CONFLICT DO NOTHING
)
INSERT INTO lockgate_entries (writer, sequence, previous, hash, id, recorded_at, origin, asked_by,
    verdict, registry, model, version, target, requested_by, snapshot, document)
SELECT $1, * FROM unnest($8::bigint[], $9::bytea[], $10::bytea[], $11::text[], $12::bigint[],
    $13::text[], $14::text[], $15::text[], $16::text[], $17::text[], $18::text[], $19::text[],
    $20::text[], $21::bytea[], $22::text[])
WHERE EXISTS (SELECT 1 FROM moved)";

/// Snapshots of which it is remembered that they are there.
const REMEMBERED: usize = 4096;

/// A connection that writes.
pub(super) struct Session {
    pub(super) client: Client,
    append: Statement,
    /// Snapshots that need not be sent again.
    pub(super) kept: HashSet<Digest>,
}

impl Session {
    pub(super) async fn new(client: Client) -> Result<Self, Error> {
        let append = client.prepare(APPEND).await?;
        Ok(Self { client, append, kept: HashSet::new() })
    }

    /// Adds the rows of `jobs` to the chain that ends at `head`. Returns its new end, or none
    /// when it does not end there any more.
    pub(super) async fn append(
        &mut self,
        head: &Head,
        jobs: &[Job],
    ) -> Result<Option<Head>, Error> {
        let mut heads = vec![head.clone()];
        let mut end = head.clone();
        for job in jobs {
            end = end.after(job.content);
            heads.push(end.clone());
        }
        let before: Vec<&[u8]> = heads.iter().map(bytes_of).take(jobs.len()).collect();
        let after: Vec<&[u8]> = heads.iter().map(bytes_of).skip(1).collect();
        let sequences: Vec<i64> = heads.iter().skip(1).map(|head| signed(head.sequence)).collect();

        // In the order of their digests, so that two writers cannot each wait for the other.
        let new: BTreeMap<Digest, &Arc<Frozen>> = jobs
            .iter()
            .filter_map(|job| job.snapshot.as_ref())
            .map(|frozen| (frozen.digest, frozen))
            .filter(|(digest, _)| !self.kept.contains(digest))
            .collect();
        let digests: Vec<&[u8]> = new.keys().map(|digest| digest.as_bytes().as_slice()).collect();
        let canonicals: Vec<&[u8]> = new.values().map(|frozen| &*frozen.canonical).collect();

        let rows = || jobs.iter().map(|job| &job.row);
        let text = |column: fn(&Row) -> &str| rows().map(column).collect::<Vec<&str>>();
        let maybe = |column: fn(&Row) -> &Option<String>| {
            rows().map(|row| column(row).as_deref()).collect::<Vec<Option<&str>>>()
        };
        let snapshots: Vec<Option<&[u8]>> = rows()
            .map(|row| row.snapshot.as_ref().map(|digest| digest.as_bytes().as_slice()))
            .collect();
        let recorded_at: Vec<i64> = rows().map(|row| row.recorded_at).collect();
        let parameters: [&(dyn ToSql + Sync); 22] = [
            &head.writer,
            &signed(end.sequence),
            &end.hash.as_bytes().as_slice(),
            &signed(head.sequence),
            &head.hash.as_bytes().as_slice(),
            &digests,
            &canonicals,
            &sequences,
            &before,
            &after,
            &text(|row| &row.id),
            &recorded_at,
            &text(|row| &row.origin),
            &maybe(|row| &row.asked_by),
            &text(|row| &row.verdict),
            &text(|row| &row.registry),
            &text(|row| &row.model),
            &text(|row| &row.version),
            &text(|row| &row.target),
            &maybe(|row| &row.requested_by),
            &snapshots,
            &text(|row| &row.document),
        ];
        let added = self.client.execute(&self.append, &parameters).await?;
        if added == 0 {
            return Ok(None);
        }
        if self.kept.len().saturating_add(new.len()) > REMEMBERED {
            self.kept.clear();
        }
        self.kept.extend(new.keys());
        Ok(Some(end))
    }

    /// Which of these ids are on record, and what is there under them.
    pub(super) async fn find(&self, jobs: &[Job]) -> Result<BTreeMap<String, Row>, Error> {
        let ids: Vec<&str> = jobs.iter().map(|job| job.row.id.as_str()).collect();
        let sql = format!("SELECT {} FROM lockgate_entries WHERE id = ANY($1)", rows::COLUMNS);
        let found = self.client.query(&sql, &[&ids]).await?;
        let found = found.iter().filter_map(|row| rows::linked(row).ok());
        Ok(found.map(|linked| (linked.row.id.clone(), linked.row)).collect())
    }

    /// Where a chain ends now.
    pub(super) async fn head(&self, writer: &str) -> Result<Option<Head>, Error> {
        let sql = "SELECT writer, sequence, hash FROM lockgate_heads WHERE writer = $1";
        let found = self.client.query_opt(sql, &[&writer]).await?;
        Ok(found.and_then(|row| rows::head(&row).ok()))
    }

    /// The hash of the row at which `head` says that the chain once ended.
    pub(super) async fn hash_at(&self, head: &Head) -> Result<Option<Digest>, Error> {
        let sql = "SELECT hash FROM lockgate_entries WHERE writer = $1 AND sequence = $2";
        let found = self.client.query_opt(sql, &[&head.writer, &signed(head.sequence)]).await?;
        let hash = found.and_then(|row| row.try_get::<_, Vec<u8>>(0).ok());
        Ok(hash.and_then(|bytes| bytes.try_into().ok()).map(Digest::from_bytes))
    }

    /// Takes the lock of a chain, so that other processes leave it alone. Only for their speed:
    /// two that write to one chain get in each other's way and nothing else.
    pub(super) async fn lock(&self, writer: &str) -> Result<bool, Error> {
        let sql = "SELECT pg_try_advisory_lock($1, hashtext($2))";
        Ok(self.client.query_one(sql, &[&LOCKS, &writer]).await?.get(0))
    }

    /// A chain that no other process holds: one that was left behind, or a new one.
    pub(super) async fn take_chain(&self) -> Result<Head, Error> {
        let sql = "SELECT writer, sequence, hash FROM lockgate_heads ORDER BY writer DESC";
        for row in self.client.query(sql, &[]).await? {
            // One that does not end where its head says stays as it is, to be seen.
            if let Ok(head) = rows::head(&row)
                && self.lock(&head.writer).await?
                && let Some(head) = self.head(&head.writer).await?
                && self.ends_there(&head).await?
            {
                return Ok(head);
            }
        }
        let head = Head::of_new(DecisionId::new().to_string());
        let sql = "INSERT INTO lockgate_heads (writer, sequence, hash) VALUES ($1, $2, $3)";
        let hash = head.hash.as_bytes().as_slice();
        self.client.execute(sql, &[&head.writer, &signed(head.sequence), &hash]).await?;
        self.lock(&head.writer).await?;
        Ok(head)
    }

    /// Whether the last row of a chain, there or pruned, is the one that its head tells of.
    async fn ends_there(&self, head: &Head) -> Result<bool, Error> {
        let sql = "SELECT writer, sequence, hash FROM
                (SELECT writer, sequence, hash FROM lockgate_entries WHERE writer = $1
                 UNION ALL
                 SELECT writer, sequence, hash FROM lockgate_checkpoints WHERE writer = $1) AS ends
            ORDER BY sequence DESC LIMIT 1";
        let last = self.client.query_opt(sql, &[&head.writer]).await?;
        Ok(match last {
            Some(last) => rows::head(&last).is_ok_and(|last| last == *head),
            None => *head == Head::of_new(head.writer.clone()),
        })
    }

    /// Writes something that counts for nothing.
    pub(super) async fn probe(&self, writer: &str, at: i64) -> Result<(), Error> {
        let sql = "INSERT INTO lockgate_probes (writer, at) VALUES ($1, $2)
            ON CONFLICT (writer) DO UPDATE SET at = excluded.at";
        self.client.execute(sql, &[&writer, &at]).await.map(drop)
    }
}

fn bytes_of(head: &Head) -> &[u8] {
    head.hash.as_bytes().as_slice()
}

/// PostgreSQL's integers have a sign. No chain gets long enough to need it.
pub(super) fn signed(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}
