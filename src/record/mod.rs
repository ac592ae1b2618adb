//! The record: every decision, with its reasons, before it is answered.
//!
//! Rows are chained by hashes, so that one that was changed, dropped or moved shows; see [`Head`]
//! for what it takes to see that the end was cut. In SQLite all processes that write to a file
//! write to one chain; in PostgreSQL each writes to its own.

mod chain;
mod error;
mod list;
mod location;
mod postgres;
mod prune;
mod queue;
mod row;
mod sqlite;
mod verify;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use chain::{Head, InvalidHead};
pub use error::RecordError;
pub use list::{
    Cursor, Filter, InvalidCursor, InvalidPageSize, Listing, Page, PageSize, Recorded, Summary,
};
pub use location::{Database, InvalidLocation, Location};
pub use row::Entry;
pub use verify::{Chain, Fault, Problem, Verification};

use crate::model::{DecisionId, Digest, Timestamp};
use row::Row;

/// How a record is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// What for.
    pub access: Access,
    /// How long an entry may wait until it is durable, and a reader for its answer.
    pub deadline: Duration,
}

/// What a record is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To look at what is there. Nothing is made or changed.
    Read,
    /// To write as well; what is missing is made.
    Write,
}

impl Options {
    /// How long an entry may wait unless said otherwise: longer than a healthy database takes,
    /// shorter than the ten seconds that a Kubernetes API server waits for an answer.
    pub const DEADLINE: Duration = Duration::from_secs(5);

    /// For reading.
    #[must_use]
    pub const fn read() -> Self {
        Self { access: Access::Read, deadline: Self::DEADLINE }
    }

    /// For writing.
    #[must_use]
    pub const fn write() -> Self {
        Self { access: Access::Write, deadline: Self::DEADLINE }
    }
}

/// What pruning has removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Decisions.
    pub decisions: u64,
    /// Snapshots that no decision refers to any more.
    pub snapshots: u64,
}

/// The record of decisions. Clones are of the same record.
#[derive(Clone)]
pub struct Record(Backend);

#[derive(Clone)]
enum Backend {
    Sqlite(sqlite::Store),
    Postgres(postgres::Store),
}

impl Record {
    /// Opens the record at `location`. Needs a tokio runtime with time and network.
    ///
    /// # Errors
    /// When it cannot be reached, is not a record or is one of a later version; for reading, also
    /// when there is none.
    pub async fn open(location: &Location, options: Options) -> Result<Self, RecordError> {
        Ok(Self(match location {
            Location::Sqlite(path) => Backend::Sqlite(sqlite::Store::open(path, options).await?),
            Location::Postgres(database) => {
                Backend::Postgres(postgres::Store::open(database, options).await?)
            }
        }))
    }

    /// Records a decision. When this returns, it is durable: it survives the process and the
    /// machine.
    ///
    /// Appending the same entry again is no error and does nothing.
    ///
    /// # Errors
    /// When it is not on record; see [`RecordError::leaves_outcome_open`] for the one error after
    /// which it may be. Dropping what this returns leaves it open as well.
    pub async fn append(&self, entry: Entry) -> Result<(), RecordError> {
        let row = Row::of(&entry, now())?;
        match &self.0 {
            Backend::Sqlite(store) => store.queue()?.append(row, entry.snapshot).await,
            Backend::Postgres(store) => store.queue()?.append(row, entry.snapshot).await,
        }
    }

    /// Whether an entry could be recorded now: something that counts for nothing is written.
    ///
    /// # Errors
    /// When it could not.
    pub async fn check_writable(&self) -> Result<(), RecordError> {
        match &self.0 {
            Backend::Sqlite(store) => store.queue()?.probe().await,
            Backend::Postgres(store) => store.queue()?.probe().await,
        }
    }

    /// How many entries wait to be written.
    #[must_use]
    pub fn waiting(&self) -> usize {
        let queue = match &self.0 {
            Backend::Sqlite(store) => store.queue(),
            Backend::Postgres(store) => store.queue(),
        };
        queue.map_or(0, queue::Queue::waiting)
    }

    /// A decision by its id.
    ///
    /// # Errors
    /// When the record cannot be read, or the row is not what was written.
    pub async fn get(&self, id: DecisionId) -> Result<Option<Recorded>, RecordError> {
        match &self.0 {
            Backend::Sqlite(store) => store.get(id).await,
            Backend::Postgres(store) => store.get(id).await,
        }
    }

    /// The evidence of that digest, as canonical JSON.
    ///
    /// # Errors
    /// When the record cannot be read, or the evidence is not what was written.
    pub async fn snapshot(&self, digest: Digest) -> Result<Option<Vec<u8>>, RecordError> {
        let canonical = match &self.0 {
            Backend::Sqlite(store) => store.snapshot(digest).await?,
            Backend::Postgres(store) => store.snapshot(digest).await?,
        };
        if canonical.as_ref().is_some_and(|canonical| Digest::of(canonical) != digest) {
            let detail = format!("snapshot {digest} is not what its digest was made of");
            return Err(RecordError::Tampered { detail });
        }
        Ok(canonical)
    }

    /// The decisions that `filter` asks for, newest first, a page at a time.
    ///
    /// # Errors
    /// When the record cannot be read, or a row that would be told of is not what was written.
    pub async fn list(&self, filter: &Filter, page: Page) -> Result<Listing, RecordError> {
        let found = match &self.0 {
            Backend::Sqlite(store) => store.list(filter, page).await?,
            Backend::Postgres(store) => store.list(filter, page).await?,
        };
        Ok(list::listing(found, page))
    }

    /// Holds every row, head, checkpoint and snapshot against the chain, and the chain against
    /// heads that were taken from it earlier.
    ///
    /// # Errors
    /// When the record cannot be read. What is wrong with it is not an error but told in the
    /// answer.
    pub async fn verify(&self, earlier: &[Head]) -> Result<Verification, RecordError> {
        match &self.0 {
            Backend::Sqlite(store) => store.verify(earlier).await,
            Backend::Postgres(store) => store.verify(earlier).await,
        }
    }

    /// Removes the decisions that were recorded before a time, and the snapshots that none of
    /// those left refers to. A checkpoint remembers where the rest goes on from.
    ///
    /// # Errors
    /// When the record cannot be written. What was removed until then stays removed; the record
    /// is whole.
    pub async fn prune(&self, before: Timestamp) -> Result<Pruned, RecordError> {
        match &self.0 {
            Backend::Sqlite(store) => store.prune(before).await,
            Backend::Postgres(store) => store.prune(before).await,
        }
    }

    /// Writes what waits, and closes the record for all of its clones.
    pub async fn close(self) {
        match &self.0 {
            Backend::Sqlite(store) => store.close().await,
            Backend::Postgres(store) => store.close().await,
        }
    }
}

/// Milliseconds since the Unix epoch, as the database counts them.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
