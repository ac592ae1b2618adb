//! The way from many who wait to the one who writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use super::RecordError;
use super::chain::content;
use super::row::Row;
use crate::evidence::Frozen;
use crate::model::Digest;

/// Entries that may wait. The server bounds how many are judged at a time to less.
const ENTRIES: usize = 4096;
/// What the entries that wait may hold between them, KiB: as much as one snapshot may have, so
/// that every entry that fits into the record fits into the queue.
const KIB: u32 = 320 * 1024;
/// Most entries of one commit.
pub(super) const BATCH: usize = 256;

/// Somebody waits for it.
const WAITING: u8 = 0;
/// Its writer has sent it off; whether it will be on record is open.
const TAKEN: u8 = 1;
/// Whoever waited was told that it failed.
const ABANDONED: u8 = 2;

/// What a writer is asked to do.
pub(super) enum Command {
    Append(Box<Job>),
    /// Write something that counts for nothing, durably.
    Probe(oneshot::Sender<Result<(), RecordError>>),
    /// Write what waits, and end.
    Close(oneshot::Sender<()>),
}

/// An entry on its way into the record.
pub(super) struct Job {
    pub(super) row: Row,
    pub(super) content: Digest,
    pub(super) snapshot: Option<Arc<Frozen>>,
    state: Arc<AtomicU8>,
    reply: oneshot::Sender<Result<(), RecordError>>,
    /// Its place in the queue.
    _room: OwnedSemaphorePermit,
}

impl Job {
    /// Takes it to be sent off, unless nobody waits for it any more. From here on a deadline that
    /// passes leaves its outcome open. Also true of one that was taken before and failed.
    pub(super) fn take(&self) -> bool {
        self.state
            .compare_exchange(WAITING, TAKEN, Ordering::AcqRel, Ordering::Acquire)
            .map_or_else(|state| state == TAKEN, |_| true)
    }

    pub(super) fn answer(self, result: Result<(), RecordError>) {
        // Whoever has gone away has been told already.
        let _ = self.reply.send(result);
    }
}

/// Tells all of them the same.
pub(super) fn answer_all(jobs: impl IntoIterator<Item = Job>, result: &Result<(), RecordError>) {
    for job in jobs {
        job.answer(result.clone());
    }
}

/// The end at which entries are put in.
#[derive(Clone)]
pub(super) struct Queue {
    commands: mpsc::Sender<Command>,
    room: Arc<Semaphore>,
    deadline: Duration,
}

/// The end at which the writer takes them out.
pub(super) struct Inbox(pub(super) mpsc::Receiver<Command>);

pub(super) fn queue(deadline: Duration) -> (Queue, Inbox) {
    let (commands, receiver) = mpsc::channel(ENTRIES);
    let room = Arc::new(Semaphore::new(KIB as usize));
    (Queue { commands, room, deadline }, Inbox(receiver))
}

/// Commands that were waiting together.
#[derive(Default)]
pub(super) struct Work {
    pub(super) jobs: Vec<Job>,
    pub(super) probes: Vec<oneshot::Sender<Result<(), RecordError>>>,
    pub(super) close: Option<oneshot::Sender<()>>,
}

impl Work {
    fn add(&mut self, command: Command) {
        match command {
            Command::Append(job) => self.jobs.push(*job),
            Command::Probe(reply) => self.probes.push(reply),
            Command::Close(reply) => self.close = Some(reply),
        }
    }

    /// Tells everybody the same.
    pub(super) fn answer(self, result: &Result<(), RecordError>) {
        for probe in self.probes {
            let _ = probe.send(result.clone());
        }
        answer_all(self.jobs, result);
    }
}

impl Inbox {
    /// Waits for a command, and takes along what has come in with it. None when there is nobody
    /// left who could send any.
    pub(super) fn blocking_next(&mut self) -> Option<Work> {
        self.0.blocking_recv().map(|first| self.with_more(first))
    }

    /// As [`Inbox::blocking_next`].
    pub(super) async fn next(&mut self) -> Option<Work> {
        self.0.recv().await.map(|first| self.with_more(first))
    }

    fn with_more(&mut self, first: Command) -> Work {
        let mut work = Work::default();
        work.add(first);
        self.add_to(&mut work);
        work
    }

    /// Takes along what has come in since.
    pub(super) fn add_to(&mut self, work: &mut Work) {
        while work.jobs.len() < BATCH
            && work.close.is_none()
            && let Ok(command) = self.0.try_recv()
        {
            work.add(command);
        }
    }
}

impl Queue {
    /// Puts an entry in and waits until it is durable.
    pub(super) async fn append(
        &self,
        row: Row,
        snapshot: Option<Arc<Frozen>>,
    ) -> Result<(), RecordError> {
        let until = Instant::now() + self.deadline;
        let weight = weight(&row, snapshot.as_deref());
        let room = Arc::clone(&self.room).acquire_many_owned(weight);
        let room = match timeout_at(until, room).await {
            Ok(room) => room.map_err(|_| RecordError::Closed)?,
            Err(_) => return Err(RecordError::Overdue),
        };
        let (reply, mut answer) = oneshot::channel();
        let state = Arc::new(AtomicU8::new(WAITING));
        let content = content(&row);
        let job = Job { row, content, snapshot, state: Arc::clone(&state), reply, _room: room };
        let sent = timeout_at(until, self.commands.send(Command::Append(Box::new(job)))).await;
        match sent {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Err(RecordError::Closed),
            Err(_) => return Err(RecordError::Overdue),
        }
        // Also when whoever waits is dropped.
        let abandon = Abandon(state);
        match timeout_at(until, &mut answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => match abandon.now() {
                TAKEN => Err(RecordError::unknown("its writer ended")),
                _ => Err(RecordError::Closed),
            },
            Err(_) => match (abandon.now(), answer.try_recv()) {
                (_, Ok(result)) => result,
                (TAKEN, Err(_)) => Err(RecordError::unknown("the database did not answer in time")),
                (_, Err(_)) => Err(RecordError::Overdue),
            },
        }
    }

    /// Asks the writer to write something that counts for nothing.
    pub(super) async fn probe(&self) -> Result<(), RecordError> {
        let until = Instant::now() + self.deadline;
        let (reply, answer) = oneshot::channel();
        match timeout_at(until, self.commands.send(Command::Probe(reply))).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Err(RecordError::Closed),
            Err(_) => return Err(RecordError::Overdue),
        }
        match timeout_at(until, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(RecordError::Closed),
            Err(_) => Err(RecordError::Overdue),
        }
    }

    /// Lets what waits be written, and waits for the writer's end.
    pub(super) async fn close(&self) {
        let (reply, answer) = oneshot::channel();
        if self.commands.send(Command::Close(reply)).await.is_ok() {
            let _ = answer.await;
        }
    }

    /// How many entries wait.
    pub(super) fn waiting(&self) -> usize {
        self.commands.max_capacity().saturating_sub(self.commands.capacity())
    }
}

/// What an entry takes up, KiB.
fn weight(row: &Row, snapshot: Option<&Frozen>) -> u32 {
    let bytes =
        row.document.len().saturating_add(snapshot.map_or(0, |frozen| frozen.canonical.len()));
    let kib = (bytes / 1024).saturating_add(8);
    u32::try_from(kib).unwrap_or(KIB).min(KIB)
}

/// Says that nobody waits any more, at the latest when it is dropped.
struct Abandon(Arc<AtomicU8>);

impl Abandon {
    /// Says so now, and returns what it was before.
    fn now(&self) -> u8 {
        self.0.swap(ABANDONED, Ordering::AcqRel)
    }
}

impl Drop for Abandon {
    fn drop(&mut self) {
        self.now();
    }
}
