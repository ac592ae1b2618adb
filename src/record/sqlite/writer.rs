//! The one thread that writes. What waits when it comes round becomes one transaction, so that
//! many share the one wait for the disk, and one that comes alone waits for nobody.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{
    Connection, ErrorCode, OptionalExtension as _, Transaction, TransactionBehavior, params,
};

use super::file::{self, Identity};
use super::rows;
use crate::model::{DecisionId, Digest};
use crate::record::RecordError;
use crate::record::chain::Head;
use crate::record::prune::goes_on_from;
use crate::record::queue::{Inbox, Job, Work, answer_all};
use crate::record::row::Row;

/// What a probe takes up: more than most entries do, so that there is room for one where there is
/// for a probe.
const ROOM: i32 = 64 * 1024;

/// Entries of a commit from which on the next one waits for as many to come: a commit costs a wait
/// for the disk and some dozens of writes, however few entries it has, and those who were answered
/// by the last one are about to ask again.
const CROWD: usize = 16;
/// How long it waits for them.
const GATHER: Duration = Duration::from_millis(1);

/// What is written between two rounds of copying the write-ahead log into the database. The disk
/// takes a round and a commit one after the other, so a commit waits the longer the more there is
/// to copy.
const ROUND: usize = 1024 * 1024;

/// Opens the record, makes it where there is none, and starts its writer.
pub(super) fn start(path: &Path, inbox: Inbox) -> Result<(), RecordError> {
    file::create(path)?;
    let connection = file::open_to_write(path)?;
    let identity = Identity::of(path)?;
    let copier = Copier::start(path)?;
    let writer = Writer {
        path: path.to_owned(),
        open: Some((connection, identity)),
        confirmed: None,
        copier,
        written: 0,
        last: 0,
    };
    spawn("record-writer", move || writer.run(inbox)).map(drop)
}

struct Writer {
    path: PathBuf,
    /// None after a failure, until it is opened again.
    open: Option<(Connection, Identity)>,
    /// The last head that is known to be durable.
    confirmed: Option<Head>,
    copier: Copier,
    /// Bytes since the last round of the copier.
    written: usize,
    /// Entries of the last commit.
    last: usize,
}

/// What came of every job of a transaction.
type Outcomes = Vec<Result<(), RecordError>>;

/// Why a transaction came to nothing.
enum Failure {
    Database(rusqlite::Error),
    Record(RecordError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl Writer {
    fn run(mut self, mut inbox: Inbox) {
        while let Some(mut work) = inbox.blocking_next() {
            if self.last >= CROWD && work.jobs.len() < self.last && work.close.is_none() {
                std::thread::sleep(GATHER);
                inbox.add_to(&mut work);
            }
            self.last = work.jobs.len();
            let close = work.close.take();
            if !work.jobs.is_empty() || !work.probes.is_empty() {
                self.serve(work);
            }
            if let Some(reply) = close {
                self.end();
                let _ = reply.send(());
                return;
            }
        }
        self.end();
    }

    /// Leaves everything in the one file.
    fn end(&mut self) {
        self.copier.end();
        if let Some((connection, _)) = self.open.take() {
            // Else it is done when the file is opened next.
            let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
    }

    fn serve(&mut self, work: Work) {
        let (connection, identity) = match self.connection() {
            Ok(open) => open,
            Err(error) => return work.answer(&Err(error)),
        };
        let head = match self.transact(&connection, work) {
            Ok(head) => head,
            // The connection goes too: whatever state it is in, the next one starts afresh.
            Err(()) => return,
        };
        self.confirmed = head.or(self.confirmed.take());
        self.open = Some((connection, identity));
        if self.written > ROUND {
            self.written = 0;
            self.copier.nudge();
        }
    }

    /// The connection, if it still is to the file that has the name. One that was deleted can be
    /// written to, but nobody would ever find it.
    fn connection(&mut self) -> Result<(Connection, Identity), RecordError> {
        let gone = |error| {
            if let RecordError::Missing { location } = error {
                RecordError::unavailable(format_args!("`{location}` is gone"))
            } else {
                error
            }
        };
        let now = Identity::of(&self.path).map_err(gone)?;
        match self.open.take() {
            Some((connection, identity)) if identity == now => Ok((connection, identity)),
            _ => Ok((file::open_to_write(&self.path).map_err(gone)?, now)),
        }
    }

    /// Writes everything in one transaction and tells everybody. Returns the new head, if there
    /// is one.
    fn transact(&mut self, connection: &Connection, mut work: Work) -> Result<Option<Head>, ()> {
        let begun = Transaction::new_unchecked(connection, TransactionBehavior::Immediate);
        let transaction = match begun {
            Ok(transaction) => transaction,
            Err(error) => {
                work.answer(&Err(file::unavailable(&error)));
                return Err(());
            }
        };
        // Only now, as it may have taken long to get here.
        let jobs: Vec<Job> =
            std::mem::take(&mut work.jobs).into_iter().filter(|job| job.take()).collect();
        let (outcomes, head) = match self.write(&transaction, &jobs, !work.probes.is_empty()) {
            Ok(written) => written,
            Err(failure) => {
                let error = match failure {
                    Failure::Database(error) => file::unavailable(&error),
                    Failure::Record(error) => error,
                };
                drop(transaction);
                answer_all(jobs, &Err(error.clone()));
                work.answer(&Err(error));
                return Err(());
            }
        };
        if let Err(error) = transaction.commit() {
            let error = match error.sqlite_error_code() {
                // The log took it and the disk may have.
                Some(ErrorCode::SystemIoFailure) => RecordError::unknown(&error),
                _ => file::unavailable(&error),
            };
            answer_all(jobs, &Err(error.clone()));
            work.answer(&Err(error));
            return Err(());
        }
        for (job, outcome) in jobs.into_iter().zip(outcomes) {
            job.answer(outcome);
        }
        work.answer(&Ok(()));
        Ok(head)
    }

    fn write(
        &mut self,
        transaction: &Transaction<'_>,
        jobs: &[Job],
        probe: bool,
    ) -> Result<(Outcomes, Option<Head>), Failure> {
        let start = self.head(transaction)?;
        let mut head = start.clone();
        if probe {
            let sql =
                "INSERT OR REPLACE INTO probes (writer, at, room) VALUES (?1, ?2, zeroblob(?3))";
            transaction.execute(sql, params![head.writer, super::super::now(), ROOM])?;
        }
        let mut outcomes = Vec::with_capacity(jobs.len());
        // Many decisions of one moment are made on the same evidence.
        let mut kept = None;
        for job in jobs {
            self.written = self.written.saturating_add(job.row.document.len()).saturating_add(1024);
            if let Some(frozen) = job.snapshot.as_ref().filter(|it| kept != Some(it.digest)) {
                kept = Some(frozen.digest);
                let sql = "INSERT OR IGNORE INTO snapshots (digest, canonical) VALUES (?1, ?2)";
                transaction
                    .prepare_cached(sql)?
                    .execute(params![frozen.digest.as_bytes(), frozen.canonical])?;
            }
            let next = head.after(job.content);
            if insert(transaction, &job.row, &head, &next)? {
                head = next;
                outcomes.push(Ok(()));
            } else {
                outcomes.push(same_as_before(transaction, &job.row)?);
            }
        }
        if head != start {
            transaction
                .prepare_cached("UPDATE heads SET sequence = ?2, hash = ?3 WHERE writer = ?1")?
                .execute(params![head.writer, signed(head.sequence), head.hash.as_bytes()])?;
        }
        Ok((outcomes, Some(head)))
    }

    /// The end of the chain, which another process may have moved on.
    fn head(&self, transaction: &Transaction<'_>) -> Result<Head, Failure> {
        if let Some(confirmed) = &self.confirmed {
            let found = head_of(transaction, &confirmed.writer)?;
            let there = match &found {
                Some(found) if found.sequence > confirmed.sequence => {
                    hash_at(transaction, confirmed)?
                }
                _ => None,
            };
            goes_on_from(confirmed, found.as_ref(), there).map_err(Failure::Record)?;
            if let Some(found) = found {
                return Ok(found);
            }
        }
        // Ids of writers ascend, so the greatest is the last.
        let sql = "SELECT writer, sequence, hash FROM heads ORDER BY writer DESC LIMIT 1";
        let last = transaction.query_row(sql, [], |row| Ok(rows::head(row))).optional()?;
        if let Some(Ok(head)) = last
            && ends_there(transaction, &head)?
        {
            return Ok(head);
        }
        // The first, or one that does not end where its head says: what is wrong with that one
        // stays there to be seen.
        let head = Head::of_new(DecisionId::new().to_string());
        let sql = "INSERT INTO heads (writer, sequence, hash) VALUES (?1, ?2, ?3)";
        transaction
            .execute(sql, params![head.writer, signed(head.sequence), head.hash.as_bytes()])?;
        Ok(head)
    }
}

fn head_of(transaction: &Transaction<'_>, writer: &str) -> rusqlite::Result<Option<Head>> {
    let sql = "SELECT writer, sequence, hash FROM heads WHERE writer = ?1";
    let mut statement = transaction.prepare_cached(sql)?;
    let found = statement.query_row([writer], |row| Ok(rows::head(row).ok())).optional()?;
    Ok(found.flatten())
}

fn hash_at(transaction: &Transaction<'_>, head: &Head) -> rusqlite::Result<Option<Digest>> {
    let sql = "SELECT hash FROM entries WHERE writer = ?1 AND sequence = ?2";
    let mut statement = transaction.prepare_cached(sql)?;
    let found: Option<[u8; 32]> = statement
        .query_row(params![head.writer, signed(head.sequence)], |row| row.get(0))
        .optional()?;
    Ok(found.map(Digest::from_bytes))
}

/// Whether the last row of a chain, there or pruned, is the one that its head tells of.
fn ends_there(transaction: &Transaction<'_>, head: &Head) -> rusqlite::Result<bool> {
    let sql = "SELECT writer, sequence, hash FROM
            (SELECT writer, sequence, hash FROM entries WHERE writer = ?1
             UNION ALL SELECT writer, sequence, hash FROM checkpoints WHERE writer = ?1)
        ORDER BY sequence DESC LIMIT 1";
    let last = transaction.query_row(sql, [&head.writer], |row| Ok(rows::head(row))).optional()?;
    Ok(match last {
        Some(last) => last.is_ok_and(|last| last == *head),
        None => *head == Head::of_new(head.writer.clone()),
    })
}

/// False when there is an entry of that id.
fn insert(
    transaction: &Transaction<'_>,
    row: &Row,
    before: &Head,
    head: &Head,
) -> rusqlite::Result<bool> {
    const SQL: &str = "INSERT INTO entries (id, recorded_at, origin, asked_by, verdict, registry, \
         model, version, target, requested_by, writer, sequence, previous, hash, snapshot, document) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) \
         ON CONFLICT (id) DO NOTHING";
    let inserted = transaction.prepare_cached(SQL)?.execute(params![
        row.id,
        row.recorded_at,
        row.origin,
        row.asked_by,
        row.verdict,
        row.registry,
        row.model,
        row.version,
        row.target,
        row.requested_by,
        head.writer,
        signed(head.sequence),
        before.hash.as_bytes(),
        head.hash.as_bytes(),
        row.snapshot.as_ref().map(Digest::as_bytes),
        row.document,
    ])?;
    Ok(inserted == 1)
}

/// What to say of an entry whose id is there already.
fn same_as_before(
    transaction: &Transaction<'_>,
    row: &Row,
) -> rusqlite::Result<Result<(), RecordError>> {
    let sql = format!("SELECT {} FROM entries WHERE id = ?1", rows::COLUMNS);
    let found = transaction.query_row(&sql, [&row.id], |found| Ok(rows::linked(found)))?;
    Ok(match (found, row.id.parse()) {
        (Ok(found), _) if found.row.says_the_same(row) => Ok(()),
        (_, Ok(id)) => Err(RecordError::Duplicate { id }),
        (_, Err(_)) => Err(RecordError::unavailable("an entry without an id")),
    })
}

/// SQLite's integers have a sign. No chain gets long enough to need it.
fn signed(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}

/// Copies the write-ahead log into the database, off the writer's thread: done within a commit,
/// as SQLite does it by itself, it would keep everybody waiting for as long as it takes.
struct Copier {
    nudges: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Copier {
    fn start(path: &Path) -> Result<Self, RecordError> {
        let (nudges, nudged) = sync_channel(1);
        let path = path.to_owned();
        let thread = spawn("record-copier", move || copy(&path, &nudged))?;
        Ok(Self { nudges: Some(nudges), thread: Some(thread) })
    }

    fn nudge(&self) {
        if let Some(nudges) = &self.nudges {
            // One round covers for all nudges that come while it lasts.
            let _ = nudges.try_send(());
        }
    }

    fn end(&mut self) {
        self.nudges = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn copy(path: &Path, nudged: &Receiver<()>) {
    while nudged.recv().is_ok() {
        // Should it fail, the log grows until the writer does it itself.
        if let Ok(connection) = file::open_to_write(path) {
            let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, RecordError> {
    let builder = std::thread::Builder::new().name(name.to_owned());
    builder.spawn(work).map_err(RecordError::unavailable)
}
