//! The record in a SQLite file: one thread that writes, and connections for reading.

mod file;
mod prune;
mod rows;
mod schema;
mod verify;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, InterruptHandle, OptionalExtension as _, params_from_iter};
use tokio::sync::Semaphore;

use super::list::{Filter, Operand, Page, Recorded, Summary, condition};
use super::queue::{Queue, queue};
use super::{Access, Head, Options, Pruned, RecordError, Verification};
use crate::model::{DecisionId, Digest, Timestamp};
use file::Identity;

/// Connections for reading. Each keeps a thread busy while it is in use.
const READERS: usize = 4;

/// A record in a file.
#[derive(Clone)]
pub(super) struct Store(Arc<Shared>);

struct Shared {
    path: PathBuf,
    deadline: Duration,
    /// None when the record was opened for reading.
    queue: Option<Queue>,
    readers: Readers,
}

/// Connections for reading that are not in use.
struct Readers {
    idle: Mutex<Vec<(Connection, Identity)>>,
    turn: Arc<Semaphore>,
}

impl Store {
    pub(super) async fn open(path: &Path, options: Options) -> Result<Self, RecordError> {
        let path = path.to_owned();
        let deadline = options.deadline;
        blocking(move || {
            let queue = match options.access {
                Access::Write => {
                    let (queue, inbox) = queue(deadline);
                    writer::start(&path, inbox)?;
                    Some(queue)
                }
                Access::Read => {
                    file::open_to_read(&path)?;
                    None
                }
            };
            let readers =
                Readers { idle: Mutex::new(Vec::new()), turn: Arc::new(Semaphore::new(READERS)) };
            Ok(Self(Arc::new(Shared { path, deadline, queue, readers })))
        })
        .await
    }

    pub(super) fn queue(&self) -> Result<&Queue, RecordError> {
        self.0.queue.as_ref().ok_or(RecordError::ReadOnly)
    }

    pub(super) async fn get(&self, id: DecisionId) -> Result<Option<Recorded>, RecordError> {
        let linked = self
            .read(move |connection| {
                let sql = format!("SELECT {} FROM entries WHERE id = ?1", rows::COLUMNS);
                let mut statement = connection.prepare_cached(&sql)?;
                statement.query_row([id.to_string()], |row| Ok(rows::linked(row))).optional()
            })
            .await?;
        match linked {
            None => Ok(None),
            Some(Ok(linked)) => Recorded::of(linked).map(Some),
            Some(Err(malformed)) => {
                let detail = format!("decision `{id}`: column `{}`", malformed.column);
                Err(RecordError::Tampered { detail })
            }
        }
    }

    pub(super) async fn snapshot(&self, digest: Digest) -> Result<Option<Vec<u8>>, RecordError> {
        self.read(move |connection| {
            let mut statement =
                connection.prepare_cached("SELECT canonical FROM snapshots WHERE digest = ?1")?;
            statement.query_row([digest.as_bytes()], |row| row.get(0)).optional()
        })
        .await
    }

    pub(super) async fn list(
        &self,
        filter: &Filter,
        page: Page,
    ) -> Result<Vec<Summary>, RecordError> {
        let (condition, operands) = condition(filter, page, |number| format!("?{number}"));
        let found = self
            .read(move |connection| {
                let sql = format!("SELECT {} FROM entries WHERE {condition}", rows::COLUMNS);
                let mut statement = connection.prepare_cached(&sql)?;
                let operands = operands.iter().map(|operand| -> &dyn rusqlite::ToSql {
                    match operand {
                        Operand::Text(text) => text,
                        Operand::Count(count) => count,
                    }
                });
                // One document at a time: together they may be large.
                let found = statement.query_map(params_from_iter(operands), |row| {
                    Ok(Summary::held(rows::linked(row)))
                })?;
                found.collect::<rusqlite::Result<Vec<_>>>()
            })
            .await?;
        found.into_iter().collect()
    }

    pub(super) async fn verify(&self, earlier: &[Head]) -> Result<Verification, RecordError> {
        let (path, earlier) = (self.0.path.clone(), earlier.to_vec());
        blocking(move || verify::verify(&path, &earlier)).await
    }

    pub(super) async fn prune(&self, before: Timestamp) -> Result<Pruned, RecordError> {
        self.queue()?;
        let path = self.0.path.clone();
        blocking(move || prune::prune(&path, before)).await
    }

    pub(super) async fn close(&self) {
        if let Some(queue) = &self.0.queue {
            queue.close().await;
        }
        self.0.readers.turn.close();
        let shared = Arc::clone(&self.0);
        let closed = blocking(move || {
            shared.readers.idle().clear();
            Ok(())
        });
        // Nothing is lost with a connection for reading.
        let _ = closed.await;
    }

    /// Reads on a connection of its own, at most for the time of a deadline.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, RecordError> {
        let shared = Arc::clone(&self.0);
        let handle = Arc::new(OnceLock::<InterruptHandle>::new());
        let interrupt = Arc::clone(&handle);
        let work = async move {
            let turn = Arc::clone(&shared.readers.turn).acquire_owned().await;
            let turn = turn.map_err(|_| RecordError::Closed)?;
            blocking(move || {
                let (connection, identity) = shared.readers.take(&shared.path)?;
                let _ = handle.set(connection.get_interrupt_handle());
                let result = read(&connection).map_err(|error| file::unavailable(&error));
                if result.is_ok() {
                    shared.readers.idle().push((connection, identity));
                }
                drop(turn);
                result
            })
            .await
        };
        match tokio::time::timeout(self.0.deadline, work).await {
            Ok(result) => result,
            Err(_) => {
                if let Some(handle) = interrupt.get() {
                    handle.interrupt();
                }
                Err(RecordError::unavailable("it did not answer in time"))
            }
        }
    }
}

impl Readers {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(Connection, Identity)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection to the file that is there now.
    fn take(&self, path: &Path) -> Result<(Connection, Identity), RecordError> {
        let now = Identity::of(path)?;
        loop {
            let Some((connection, identity)) = self.idle().pop() else { break };
            if identity == now {
                return Ok((connection, identity));
            }
        }
        Ok((file::open_to_read(path)?, now))
    }
}

/// Runs what waits for a disk where it keeps nobody else waiting.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RecordError> + Send + 'static,
) -> Result<T, RecordError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(RecordError::unavailable("its thread ended abnormally")),
    }
}
