//! The one place where a decision is made in service: judged in bounded time on a bounded number
//! of threads, put on record, and only then answered.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwapOption;
use tokio::sync::oneshot;
use tracing::{Instrument as _, Span, field};

use super::evidence::Taken;
use super::pool::{Pool, Unqueued};
use super::{Answer, Asked, Evidence, GateSet, Metrics, Question, Refused};
use crate::decision::Decision;
use crate::evidence::Frozen;
use crate::model::{DecisionId, Origin, Promotion, Timestamp, Undecided};
use crate::record::{Entry, Record};

/// How much is judged at once.
#[derive(Clone, Copy, Debug)]
pub struct Capacity {
    /// Threads that judge.
    pub workers: usize,
    /// Questions that may wait for a thread.
    pub queue: usize,
    /// Time from a question to its answer, waiting and recording included.
    pub deadline: Duration,
}

impl Capacity {
    /// Long enough for the interpreter of a slow policy, and shorter than a Kubernetes API server
    /// waits for a webhook that is told to take 15 s.
    pub const DEADLINE: Duration = Duration::from_secs(10);

    /// Some more threads than processors, so that policies that hang leave some to judge.
    #[must_use]
    pub fn of_this_machine() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self { workers: (processors * 2).max(4), queue: 1024, deadline: Self::DEADLINE }
    }
}

/// Part of a request's time that is kept for recording and answering what was judged.
const TAIL: u32 = 10;

/// Decides. Clones share everything.
#[derive(Clone)]
pub struct Gatekeeper(Arc<Inner>);

struct Inner {
    gates: ArcSwapOption<GateSet>,
    pool: Pool,
    record: Record,
    metrics: Arc<Metrics>,
    deadline: Duration,
    closing: AtomicBool,
}

/// What a thread that judged hands back.
struct Judged {
    decision: Decision,
    frozen: Option<Frozen>,
    waited: Duration,
}

impl Gatekeeper {
    /// A gatekeeper without gates, which refuses everything until [`Self::replace`] gives it some.
    ///
    /// # Errors
    /// When the threads that judge cannot be started.
    pub fn new(capacity: Capacity, record: Record, metrics: Arc<Metrics>) -> io::Result<Self> {
        Ok(Self(Arc::new(Inner {
            gates: ArcSwapOption::empty(),
            pool: Pool::start(capacity.workers, capacity.queue)?,
            record,
            metrics,
            deadline: capacity.deadline,
            closing: AtomicBool::new(false),
        })))
    }

    /// The gates that are judged by now; none while the first are being loaded.
    #[must_use]
    pub fn gates(&self) -> Option<Arc<GateSet>> {
        self.0.gates.load_full()
    }

    /// Judges by other gates from now on. What is being judged goes on with those it began with.
    pub fn replace(&self, gates: GateSet) {
        self.0.gates.store(Some(Arc::new(gates)));
    }

    /// The time that a question may take. Whoever collects evidence beforehand keeps to it too.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        self.0.deadline
    }

    /// Takes no question from now on; those that were taken are answered.
    pub fn close(&self) {
        self.0.closing.store(true, Ordering::Relaxed);
    }

    /// Brings the metric of the queue up to date.
    pub(super) fn measure_queue(&self) {
        self.0.metrics.queued(self.0.pool.waiting());
    }

    /// Whether no question is taken any longer.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.closing.load(Ordering::Relaxed)
    }

    /// Decides a question.
    ///
    /// # Errors
    /// Why there is no decision; to be taken for undecided.
    pub async fn decide(&self, question: Question) -> Result<Answer, Refused> {
        let until = Instant::now() + self.0.deadline;
        self.decide_by(question, until).await
    }

    /// Decides a question whose time began earlier, when its evidence was being collected.
    ///
    /// # Errors
    /// As [`Self::decide`].
    pub async fn decide_by(&self, question: Question, until: Instant) -> Result<Answer, Refused> {
        let start = Instant::now();
        let origin = question.origin;
        let decided = tokio::time::timeout_at(until.into(), self.work(question, until)).await;
        let decided = decided.unwrap_or(Err(Refused::Deadline));
        match &decided {
            Ok(answer) => self.0.metrics.decided(&answer.decision, origin, start.elapsed()),
            Err(refused) => self.0.metrics.refused(refused),
        }
        decided
    }

    /// Decides what takes no policy and no evidence, on the spot.
    ///
    /// # Errors
    /// As [`Self::decide`].
    pub(super) async fn settle(
        &self,
        asked: Asked,
        origin: Origin,
        asked_by: Option<String>,
        decide: impl FnOnce(Promotion) -> Decision,
    ) -> Result<Answer, Refused> {
        let start = Instant::now();
        let work = async {
            if self.is_closed() {
                return Err(Refused::ShuttingDown);
            }
            let (id, decision) = (DecisionId::new(), Arc::new(decide(at_now(asked)?)));
            self.keep(id, origin, asked_by, &decision, None).await?;
            Ok(Answer { id, decision })
        };
        let settled = tokio::time::timeout(self.0.deadline, work).await;
        let settled = settled.unwrap_or(Err(Refused::Deadline));
        match &settled {
            Ok(answer) => self.0.metrics.decided(&answer.decision, origin, start.elapsed()),
            Err(refused) => self.0.metrics.refused(refused),
        }
        settled
    }

    /// The decisions on record.
    pub(super) fn record(&self) -> &Record {
        &self.0.record
    }

    async fn work(&self, question: Question, until: Instant) -> Result<Answer, Refused> {
        let Question { promotion, origin, asked_by, evidence, record } = question;
        let (id, promotion) = (DecisionId::new(), at_now(promotion)?);
        let Judged { decision, frozen, waited } = self.judge(promotion, evidence, until).await?;
        self.0.metrics.waited(waited);
        let decision = Arc::new(decision);
        if record {
            self.keep(id, origin, asked_by, &decision, frozen).await?;
        }
        Ok(Answer { id, decision })
    }

    /// Puts a decision on record, and tells of it.
    async fn keep(
        &self,
        id: DecisionId,
        origin: Origin,
        asked_by: Option<String>,
        decision: &Arc<Decision>,
        frozen: Option<Frozen>,
    ) -> Result<(), Refused> {
        let start = Instant::now();
        let by = asked_by.clone();
        self.append(id, origin, asked_by, decision, frozen).await?;
        self.0.metrics.recorded(start.elapsed());
        tell(id, origin, by.as_deref(), decision);
        Ok(())
    }

    /// Judges here and now what takes no longer than a moment: most policies do, and to hand them to
    /// another thread and back would take as long again. What takes longer is queued and waited for.
    async fn judge(
        &self,
        promotion: Promotion,
        evidence: Evidence,
        until: Instant,
    ) -> Result<Judged, Refused> {
        if self.is_closed() {
            return Err(Refused::ShuttingDown);
        }
        let gates = self.gates().ok_or(Refused::NotReady)?;
        let now = Instant::now();
        let stop_at =
            until.checked_sub(until.saturating_duration_since(now) / TAIL).unwrap_or(until);
        // Evidence that has to be read first is of any size.
        let (promotion, evidence) = match evidence.read() {
            Err(evidence) => (promotion, *evidence),
            Ok(frozen) => {
                let (snapshot, frozen) = taken(frozen);
                let span = judging(&Span::current(), &promotion);
                let judged = span.in_scope(|| gates.judge_briefly(promotion, snapshot, stop_at));
                match judged {
                    Ok(decision) => {
                        span.record("verdict", decision.verdict.as_str());
                        return Ok(Judged { decision, frozen, waited: Duration::ZERO });
                    }
                    Err(longer) => {
                        let (promotion, snapshot) = *longer;
                        (promotion, again(snapshot, frozen))
                    }
                }
            }
        };
        self.queue(gates, promotion, evidence, stop_at).await
    }

    /// Queues the judging and waits for it.
    async fn queue(
        &self,
        gates: Arc<GateSet>,
        promotion: Promotion,
        evidence: Evidence,
        stop_at: Instant,
    ) -> Result<Judged, Refused> {
        let queued_at = Instant::now();
        let (reply, judged) = oneshot::channel();
        let span = Span::current();
        let job = Box::new(move || {
            // Nobody waits any longer: neither for a question that waited too long, nor for one
            // whose client has gone.
            if reply.is_closed() {
                return;
            }
            let waited = queued_at.elapsed();
            let span = judging(&span, &promotion);
            let judged = span.in_scope(|| {
                tracing::debug!(model = promotion.subject.model, "judging");
                let (snapshot, frozen) = taken(evidence.freeze(&gates));
                let decision = gates.judge(promotion, snapshot, stop_at);
                Span::current().record("verdict", decision.verdict.as_str());
                Judged { decision, frozen, waited }
            });
            // Before that of the request.
            drop(span);
            let _ = reply.send(judged);
        });
        self.0.pool.push(job).map_err(|unqueued| match unqueued {
            // A full queue has drained once as much time has passed as its last question may take.
            Unqueued::Full => Refused::Overloaded { retry_after: Duration::from_secs(1) },
            Unqueued::Closed => Refused::ShuttingDown,
        })?;
        judged.await.map_err(|_| Refused::Failed)
    }

    /// Puts a decision on record.
    async fn append(
        &self,
        id: DecisionId,
        origin: Origin,
        asked_by: Option<String>,
        decision: &Arc<Decision>,
        frozen: Option<Frozen>,
    ) -> Result<(), Refused> {
        let decision = Arc::clone(decision);
        let entry = Entry { id, origin, asked_by, decision, snapshot: frozen.map(Arc::new) };
        let recorded = self.0.record.append(entry);
        let span = tracing::debug_span!("record", decision = %id);
        recorded.instrument(span).await.map_err(|error| {
            tracing::error!(cause = %error, decision = %id, "a decision could not be put on record");
            Refused::RecordUnavailable
        })
    }
}

/// The span of judging a promotion.
fn judging(parent: &Span, promotion: &Promotion) -> Span {
    let Promotion { subject, target, .. } = promotion;
    tracing::debug_span!(
        parent: parent,
        "judge",
        model = subject.model,
        version = subject.version,
        %target,
        verdict = field::Empty,
    )
}

/// A line in the log for every decision that counts.
fn tell(id: DecisionId, origin: Origin, asked_by: Option<&str>, decision: &Decision) {
    let Promotion { subject, target, .. } = &decision.promotion;
    tracing::info!(
        decision = %id,
        verdict = decision.verdict.as_str(),
        origin = origin.as_str(),
        asked_by,
        model = subject.model,
        version = subject.version,
        %target,
        "decided"
    );
}

/// Reads the clock, once for the whole decision.
fn at_now(asked: Asked) -> Result<Promotion, Refused> {
    let Asked { subject, source, target, requested_by } = asked;
    let at = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| Timestamp::from_seconds(since.as_secs()))
        .ok_or(Refused::Failed)?;
    Ok(Promotion { subject, source, target, requested_by, at })
}

fn taken(frozen: Result<Frozen, Vec<Undecided>>) -> (Taken, Option<Frozen>) {
    match frozen {
        Ok(frozen) => (Ok((Arc::clone(&frozen.snapshot), frozen.digest)), Some(frozen)),
        Err(reasons) => (Err(reasons), None),
    }
}

/// What [`taken`] took apart.
fn again(snapshot: Taken, frozen: Option<Frozen>) -> Evidence {
    match (frozen, snapshot) {
        (Some(frozen), _) => Evidence::Frozen(frozen),
        (None, Err(reasons)) => Evidence::Unusable(reasons),
        // Neither is there without the other.
        (None, Ok(_)) => Evidence::Unusable(vec![Undecided::HostFault {
            detail: "the evidence was lost on its way".to_owned(),
        }]),
    }
}
