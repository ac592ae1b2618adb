//! The record in a PostgreSQL database: a task that writes, and a connection for reading.

mod append;
mod connect;
mod prune;
mod rows;
mod schema;
mod verify;
mod writer;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use tokio::sync::Mutex;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row as Columns};

use super::list::{Filter, Operand, Page, Recorded, Summary, condition};
use super::location::Database;
use super::queue::{Queue, queue};
use super::{Access, Head, Options, Pruned, RecordError, Verification};
use crate::model::{DecisionId, Digest, Timestamp};

/// A record in a database.
#[derive(Clone)]
pub(super) struct Store(Arc<Shared>);

struct Shared {
    database: Database,
    deadline: Duration,
    /// None when the record was opened for reading.
    queue: Option<Queue>,
    /// Statements of many readers are sent down the one connection without waiting for each
    /// other.
    reader: Mutex<Option<Arc<Client>>>,
}

impl Store {
    pub(super) async fn open(database: &Database, options: Options) -> Result<Self, RecordError> {
        let deadline = options.deadline;
        let mut client = connect::connect(database, Some(deadline)).await?;
        let queue = match options.access {
            Access::Read => {
                schema::check(&client, database).await?;
                None
            }
            Access::Write => {
                schema::migrate(&mut client, database).await?;
                let (queue, inbox) = queue(deadline);
                writer::start(database, inbox, deadline);
                Some(queue)
            }
        };
        let reader = Mutex::new(Some(Arc::new(client)));
        Ok(Self(Arc::new(Shared { database: database.clone(), deadline, queue, reader })))
    }

    pub(super) fn queue(&self) -> Result<&Queue, RecordError> {
        self.0.queue.as_ref().ok_or(RecordError::ReadOnly)
    }

    pub(super) async fn get(&self, id: DecisionId) -> Result<Option<Recorded>, RecordError> {
        let sql = format!("SELECT {} FROM lockgate_entries WHERE id = $1", rows::COLUMNS);
        let found = self.read(&sql, &[&id.to_string()]).await?;
        match found.first().map(rows::linked) {
            None => Ok(None),
            Some(Ok(linked)) => Recorded::of(linked).map(Some),
            Some(Err(malformed)) => {
                let detail = format!("decision `{id}`: column `{}`", malformed.column);
                Err(RecordError::Tampered { detail })
            }
        }
    }

    pub(super) async fn snapshot(&self, digest: Digest) -> Result<Option<Vec<u8>>, RecordError> {
        let sql = "SELECT canonical FROM lockgate_snapshots WHERE digest = $1";
        let found = self.read(sql, &[&digest.as_bytes().as_slice()]).await?;
        found
            .first()
            .map(|row| row.try_get(0).map_err(|error| connect::unavailable(&error)))
            .transpose()
    }

    pub(super) async fn list(
        &self,
        filter: &Filter,
        page: Page,
    ) -> Result<Vec<Summary>, RecordError> {
        let (condition, operands) = condition(filter, page, |number| format!("${number}"));
        let sql = format!("SELECT {} FROM lockgate_entries WHERE {condition}", rows::COLUMNS);
        let operands: Vec<&(dyn ToSql + Sync)> = operands
            .iter()
            .map(|operand| -> &(dyn ToSql + Sync) {
                match operand {
                    Operand::Text(text) => text,
                    Operand::Count(count) => count,
                }
            })
            .collect();
        let work = async {
            let client = self.reader().await?;
            let unavailable = |error| connect::unavailable(&error);
            let rows = client.query_raw(&sql, operands).await.map_err(unavailable)?;
            let mut rows = pin!(rows);
            let mut found = Vec::new();
            // One document at a time: together they may be large.
            while let Some(row) = rows.try_next().await.map_err(unavailable)? {
                found.push(Summary::held(rows::linked(&row))?);
            }
            Ok(found)
        };
        self.in_time(work).await
    }

    pub(super) async fn verify(&self, earlier: &[Head]) -> Result<Verification, RecordError> {
        let mut client = connect::connect(&self.0.database, None).await?;
        schema::check(&client, &self.0.database).await?;
        verify::verify(&mut client, earlier).await.map_err(|error| connect::unavailable(&error))
    }

    pub(super) async fn prune(&self, before: Timestamp) -> Result<Pruned, RecordError> {
        self.queue()?;
        let mut client = connect::connect(&self.0.database, None).await?;
        prune::prune(&mut client, before).await
    }

    pub(super) async fn close(&self) {
        if let Some(queue) = &self.0.queue {
            queue.close().await;
        }
        *self.0.reader.lock().await = None;
    }

    /// Reads, at most for the time of a deadline.
    async fn read(
        &self,
        sql: &str,
        operands: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Columns>, RecordError> {
        let work = async {
            let client = self.reader().await?;
            client.query(sql, operands).await.map_err(|error| connect::unavailable(&error))
        };
        self.in_time(work).await
    }

    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, RecordError>>,
    ) -> Result<T, RecordError> {
        match tokio::time::timeout(self.0.deadline, work).await {
            Ok(result) => result,
            Err(_) => Err(RecordError::unavailable("the database did not answer in time")),
        }
    }

    async fn reader(&self) -> Result<Arc<Client>, RecordError> {
        let mut reader = self.0.reader.lock().await;
        match &*reader {
            Some(client) if !client.is_closed() => Ok(Arc::clone(client)),
            _ => {
                let client = connect::connect(&self.0.database, Some(self.0.deadline)).await?;
                let client = Arc::new(client);
                *reader = Some(Arc::clone(&client));
                Ok(client)
            }
        }
    }
}
