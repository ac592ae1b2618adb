//! The task that writes: what waits when it comes round becomes one statement.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use tokio_postgres::Error;
use tokio_postgres::error::{Severity, SqlState};

use super::append::Session;
use super::connect::{connect, told, unavailable};
use crate::record::chain::Head;
use crate::record::location::Database;
use crate::record::prune::goes_on_from;
use crate::record::queue::{Inbox, Job, Work, answer_all};
use crate::record::{RecordError, now};

/// How long to wait after a failed attempt to connect: the first time, and at most.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// How often a statement is sent again after something has got in its way that may be gone now.
const ATTEMPTS: usize = 8;

/// Starts the writer. It ends when it is closed, or nobody is left who could send it anything.
pub(super) fn start(database: &Database, inbox: Inbox, deadline: Duration) {
    let writer = Writer {
        database: database.clone(),
        // The server gives up before the one who waits does, so that the outcome is known.
        limit: deadline.mul_f64(0.6),
        session: None,
        head: None,
        back_off: BACK_OFF.0,
        refused: None,
    };
    tokio::spawn(writer.run(inbox));
}

struct Writer {
    database: Database,
    /// How long a statement may take.
    limit: Duration,
    /// None before the first connection and after a failure.
    session: Option<Session>,
    /// Where the chain ends as far as is known; none until one was taken.
    head: Option<Head>,
    back_off: Duration,
    /// Until when no attempt to connect is made, and why the last one failed.
    refused: Option<(Instant, RecordError)>,
}

/// What may have become of a statement that failed.
enum Fate {
    /// It has done nothing, and would fail again.
    Refused(RecordError),
    /// It has done nothing. Some rows may be there already.
    Conflict,
    /// It has done nothing. A snapshot that was thought to be there is not.
    Incomplete,
    /// The connection is lost, and with it the answer.
    Lost(Arc<str>),
}

impl Writer {
    async fn run(mut self, mut inbox: Inbox) {
        while let Some(mut work) = inbox.next().await {
            let close = work.close.take();
            if !work.jobs.is_empty() || !work.probes.is_empty() {
                self.serve(work).await;
            }
            if let Some(reply) = close {
                drop(self.session.take());
                let _ = reply.send(());
                return;
            }
        }
    }

    async fn serve(&mut self, mut work: Work) {
        if let Err(error) = self.ready().await {
            return work.answer(&Err(error));
        }
        let jobs = std::mem::take(&mut work.jobs);
        if !work.probes.is_empty() {
            let probed = self.probe().await;
            work.answer(&probed);
        }
        for jobs in distinct(jobs) {
            self.record(jobs).await;
        }
    }

    async fn record(&mut self, mut jobs: Vec<Job>) {
        let mut fate: Option<RecordError> = None;
        for _ in 0..ATTEMPTS {
            jobs.retain(|job| job.take());
            if jobs.is_empty() {
                return;
            }
            let appended = self.append(&jobs).await;
            match appended {
                Ok(true) => return answer_all(jobs, &Ok(())),
                Ok(false) | Err(Fate::Conflict) => {}
                Err(Fate::Incomplete) => {
                    if let Some(session) = &mut self.session {
                        session.kept.clear();
                    }
                    continue;
                }
                // An earlier attempt may be the one that has got in the way, and go on.
                Err(Fate::Refused(error)) => {
                    return answer_all(jobs, &Err(fate.unwrap_or(error)));
                }
                Err(Fate::Lost(detail)) => {
                    self.session = None;
                    // Said unless it turns out what became of it.
                    fate = Some(RecordError::Unknown { detail });
                }
            }
            if let Err(error) = self.ready().await {
                return answer_all(jobs, &Err(fate.unwrap_or(error)));
            }
            jobs = match self.settle(jobs).await {
                Ok(rest) => rest,
                Err((jobs, error)) => return answer_all(jobs, &Err(fate.unwrap_or(error))),
            };
        }
        let error = RecordError::unavailable("others got in the way each time");
        answer_all(jobs, &Err(fate.unwrap_or(error)));
    }

    /// Sends the statement. False when the chain does not end any more where we left it.
    async fn append(&mut self, jobs: &[Job]) -> Result<bool, Fate> {
        let limit = self.limit.saturating_mul(2);
        let (Some(session), Some(head)) = (&mut self.session, &self.head) else {
            return Err(Fate::Lost("there is no connection".into()));
        };
        match timeout(limit, session.append(head, jobs)).await {
            Ok(Ok(Some(head))) => {
                self.head = Some(head);
                Ok(true)
            }
            Ok(Ok(None)) => Ok(false),
            Ok(Err(error)) => Err(Fate::of(&error)),
            Err(_) => Err(Fate::Lost("the database did not answer in time".into())),
        }
    }

    /// Answers those whose entry is on record after all; returns the rest.
    async fn settle(&mut self, jobs: Vec<Job>) -> Result<Vec<Job>, (Vec<Job>, RecordError)> {
        let found = match &self.session {
            Some(session) => timeout(self.limit, session.find(&jobs)).await,
            None => return Err((jobs, RecordError::unavailable("there is no connection"))),
        };
        let found = match found {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => return Err((jobs, unavailable(&error))),
            Err(_) => {
                self.session = None;
                return Err((jobs, RecordError::unavailable("the database does not answer")));
            }
        };
        if let Err(error) = self.go_on(found.is_empty()).await {
            return Err((jobs, error));
        }
        let mut rest = Vec::new();
        for job in jobs {
            match (found.get(&job.row.id), job.row.id.parse()) {
                (None, _) | (_, Err(_)) => rest.push(job),
                (Some(row), _) if row.says_the_same(&job.row) => job.answer(Ok(())),
                (Some(_), Ok(id)) => job.answer(Err(RecordError::Duplicate { id })),
            }
        }
        Ok(rest)
    }

    /// Learns where the chain ends by now. Where it was not us who moved it, another process holds
    /// it, as may be after a connection was lost: it is left to them.
    async fn go_on(&mut self, nothing_of_ours: bool) -> Result<(), RecordError> {
        let before = self.head.clone();
        self.refresh().await?;
        if nothing_of_ours && self.head != before {
            self.head = None;
            self.refresh().await?;
        }
        Ok(())
    }

    /// Makes sure that there is a connection and a chain.
    async fn ready(&mut self) -> Result<(), RecordError> {
        if self.session.as_ref().is_some_and(|session| session.client.is_closed()) {
            self.session = None;
        }
        if self.session.is_some() && self.head.is_some() {
            return Ok(());
        }
        if let Some((until, error)) = &self.refused
            && Instant::now() < *until
        {
            return Err(error.clone());
        }
        match self.connect().await {
            Ok(()) => {
                self.back_off = BACK_OFF.0;
                self.refused = None;
                Ok(())
            }
            Err(error) => {
                self.session = None;
                self.refused = Some((Instant::now() + self.back_off, error.clone()));
                self.back_off = self.back_off.saturating_mul(2).min(BACK_OFF.1);
                Err(error)
            }
        }
    }

    async fn connect(&mut self) -> Result<(), RecordError> {
        if self.session.is_none() {
            let client = connect(&self.database, Some(self.limit)).await?;
            self.session = Some(bounded(self.limit, Session::new(client)).await?);
        }
        self.refresh().await
    }

    /// Learns where the chain ends, and takes one if there is none yet.
    async fn refresh(&mut self) -> Result<(), RecordError> {
        let Some(session) = &self.session else {
            return Err(RecordError::unavailable("there is no connection"));
        };
        let head = match &self.head {
            None => bounded(self.limit, session.take_chain()).await?,
            Some(known) => {
                // After a connection is lost its lock stays until the server notices, and that
                // does not matter.
                bounded(self.limit, session.lock(&known.writer)).await?;
                let found = bounded(self.limit, session.head(&known.writer)).await?;
                let there = bounded(self.limit, session.hash_at(known)).await?;
                goes_on_from(known, found.as_ref(), there)?;
                match found {
                    Some(found) => found,
                    None => return Err(RecordError::unavailable("the chain is gone")),
                }
            }
        };
        self.head = Some(head);
        Ok(())
    }

    async fn probe(&mut self) -> Result<(), RecordError> {
        let (Some(session), Some(head)) = (&self.session, &self.head) else {
            return Err(RecordError::unavailable("there is no connection"));
        };
        let probed = bounded(self.limit, session.probe(&head.writer, now())).await;
        if probed.is_err() {
            self.session = None;
        }
        probed
    }
}

/// Entries that are asked for twice at a time go one after the other: a statement that adds both
/// adds neither.
fn distinct(jobs: Vec<Job>) -> Vec<Vec<Job>> {
    let mut rounds: Vec<Vec<Job>> = Vec::new();
    let mut met: HashMap<String, usize> = HashMap::new();
    for job in jobs {
        let times = met.entry(job.row.id.clone()).or_default();
        match rounds.get_mut(*times) {
            Some(round) => round.push(job),
            None => rounds.push(vec![job]),
        }
        *times = times.saturating_add(1);
    }
    rounds
}

async fn bounded<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, RecordError> {
    match timeout(limit.saturating_mul(2), work).await {
        Ok(result) => result.map_err(|error| unavailable(&error)),
        Err(_) => Err(RecordError::unavailable("the database did not answer in time")),
    }
}

impl Fate {
    fn of(error: &Error) -> Self {
        let Some(database) = error.as_db_error() else {
            return Self::Lost(told(error).into());
        };
        // A server that ends the session may do so after the commit.
        if matches!(database.parsed_severity(), Some(Severity::Fatal | Severity::Panic) | None) {
            return Self::Lost(told(error).into());
        }
        match *database.code() {
            SqlState::UNIQUE_VIOLATION
            | SqlState::T_R_DEADLOCK_DETECTED
            | SqlState::T_R_SERIALIZATION_FAILURE => Self::Conflict,
            SqlState::FOREIGN_KEY_VIOLATION => Self::Incomplete,
            _ => Self::Refused(unavailable(error)),
        }
    }
}
