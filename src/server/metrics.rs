//! What is counted. Labels come from the gate file and from fixed lists, never from a request, so
//! their number is bounded whatever is asked.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::time::Duration;

use axum::http::StatusCode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::Refused;
use super::problem::Code;
use crate::decision::{Decision, Effect, PolicyReport, Verdict};
use crate::model::Origin;

/// Half a millisecond to some 30 s, doubling: from an evaluation in Wasm to a hanging one.
const SECONDS: [f64; 17] = [
    0.000_5, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048,
    4.096, 8.192, 16.384, 32.768,
];

/// A label with one of a fixed list of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Word(pub(super) &'static str);

impl EncodeLabelValue for Word {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        self.0.encode(encoder)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Decided {
    origin: Word,
    verdict: Word,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfPolicy {
    gate: String,
    policy: String,
    verdict: Word,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ran {
    gate: String,
    policy: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Because {
    reason: Word,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    result: Word,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: Word,
    status: Word,
}

type Seconds<L> = Family<L, Histogram, fn() -> Histogram>;
type Amount = Gauge<i64, AtomicI64>;

/// Everything the server counts.
pub struct Metrics {
    registry: Registry,
    decisions: Family<Decided, Counter>,
    policies: Family<OfPolicy, Counter>,
    evaluations: Seconds<Ran>,
    refusals: Family<Because, Counter>,
    queue_wait: Histogram,
    duration: Seconds<Decided>,
    record: Histogram,
    queue_depth: Amount,
    reloads: Family<Ended, Counter>,
    gates_stale: Amount,
    gates_loaded_at: Gauge<f64, AtomicU64>,
    requests: Family<Answered, Counter>,
    connections: Amount,
    bodies: Amount,
    connections_refused: Family<Because, Counter>,
    certificates: Family<Ended, Counter>,
    tokens: Family<Ended, Counter>,
    credentials_refused: Family<Because, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    version: Word,
}

/// How loading something ended.
const ENDS: [&str; 2] = ["loaded", "failed"];

/// Has counters begin at 0: of one that is not there before it is 1, nobody sees the first step.
pub(super) fn begin<L: Clone + Eq + std::hash::Hash>(
    counters: &Family<L, Counter>,
    labels: impl IntoIterator<Item = L>,
) {
    for labels in labels {
        let _ = counters.get_or_create(&labels);
    }
}

fn seconds() -> Histogram {
    Histogram::new(SECONDS)
}

impl Metrics {
    /// All counts at zero.
    #[must_use]
    pub fn new() -> Self {
        let of_all = || Family::new_with_constructor(seconds as fn() -> Histogram);
        let mut metrics = Self {
            registry: Registry::with_prefix("lockgate"),
            decisions: Family::default(),
            policies: Family::default(),
            evaluations: Family::new_with_constructor(seconds as fn() -> Histogram),
            refusals: Family::default(),
            queue_wait: seconds(),
            duration: of_all(),
            record: seconds(),
            queue_depth: Amount::default(),
            reloads: Family::default(),
            gates_stale: Amount::default(),
            gates_loaded_at: Gauge::default(),
            requests: Family::default(),
            connections: Amount::default(),
            bodies: Amount::default(),
            connections_refused: Family::default(),
            certificates: Family::default(),
            tokens: Family::default(),
            credentials_refused: Family::default(),
        };
        metrics.register();
        metrics.begin();
        metrics
    }

    fn register(&mut self) {
        let Self { registry, .. } = self;
        registry.register(
            "decisions",
            "Decisions made, by how they were asked for and what they say",
            self.decisions.clone(),
        );
        registry.register(
            "policy_verdicts",
            "What each policy of each gate led to",
            self.policies.clone(),
        );
        registry.register_with_unit(
            "policy_evaluation",
            "Time one run of a policy took",
            Unit::Seconds,
            self.evaluations.clone(),
        );
        registry.register(
            "decisions_refused",
            "Questions that were not decided, by reason",
            self.refusals.clone(),
        );
        registry.register_with_unit(
            "queue_wait",
            "Time a question waited for a thread that judges",
            Unit::Seconds,
            self.queue_wait.clone(),
        );
        registry.register_with_unit(
            "decision_duration",
            "Time from a question to its answer: waiting, judging and recording",
            Unit::Seconds,
            self.duration.clone(),
        );
        registry.register_with_unit(
            "record_append",
            "Time until a decision was durably on record",
            Unit::Seconds,
            self.record.clone(),
        );
        registry.register(
            "queue_depth",
            "Questions that wait for a thread that judges",
            self.queue_depth.clone(),
        );
        registry.register(
            "gate_reloads",
            "Times the gate file and its policies were loaded, by how it ended",
            self.reloads.clone(),
        );
        registry.register(
            "gates_stale",
            "1 while the gate file on disk cannot be used and the last good one is judged by",
            self.gates_stale.clone(),
        );
        registry.register_with_unit(
            "gates_loaded_timestamp",
            "When the gates that are judged by were loaded, since the Unix epoch",
            Unit::Seconds,
            self.gates_loaded_at.clone(),
        );
        registry.register(
            "http_requests",
            "Requests answered, by route and class of status",
            self.requests.clone(),
        );
        registry.register("connections", "Connections open", self.connections.clone());
        registry.register_with_unit(
            "bodies",
            "Bodies of requests that are coming or being judged",
            Unit::Bytes,
            self.bodies.clone(),
        );
        registry.register(
            "connections_refused",
            "Connections closed at once, by reason",
            self.connections_refused.clone(),
        );
        registry.register(
            "certificate_reloads",
            "Times the TLS certificate was loaded, by how it ended",
            self.certificates.clone(),
        );
        registry.register(
            "token_reloads",
            "Times the file of tokens was loaded, by how it ended",
            self.tokens.clone(),
        );
        registry.register(
            "credentials_refused",
            "Requests that were refused for their credentials, by reason",
            self.credentials_refused.clone(),
        );
        let version = Word(env!("CARGO_PKG_VERSION"));
        registry.register("build", "Which lockgate it is", Info::new(Build { version }));
    }

    fn begin(&self) {
        let decisions = Origin::ALL.into_iter().flat_map(|origin| {
            [Verdict::Allow, Verdict::Deny, Verdict::Undecided].map(|verdict| Decided {
                origin: Word(origin.as_str()),
                verdict: Word(verdict.as_str()),
            })
        });
        begin(&self.decisions, decisions);
        let because = |reason| Because { reason: Word(reason) };
        begin(&self.refusals, Refused::ALL.map(|refused| because(refused.code())));
        begin(&self.connections_refused, ["too_many", "tls", "tls_timeout"].map(because));
        let refused = [Code::Unauthenticated, Code::Forbidden];
        begin(&self.credentials_refused, refused.map(|code| because(code.as_str())));
        for loaded in [&self.reloads, &self.certificates, &self.tokens] {
            begin(loaded, ENDS.map(|result| Ended { result: Word(result) }));
        }
    }

    /// For metrics that another part of the server keeps itself, such as the gateway's; before
    /// the server is started.
    pub fn registry(&mut self) -> &mut Registry {
        &mut self.registry
    }

    /// The text that Prometheus reads.
    pub(super) fn encode(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }

    pub(super) fn decided(&self, decision: &Decision, origin: Origin, taken: Duration) {
        let labels =
            Decided { origin: Word(origin.as_str()), verdict: Word(decision.verdict.as_str()) };
        self.decisions.get_or_create(&labels).inc();
        self.duration.get_or_create(&labels).observe(taken.as_secs_f64());
        for gate in &decision.gates {
            for policy in &gate.policies {
                let ran = Ran { gate: gate.name.clone(), policy: policy.id.clone() };
                self.evaluations.get_or_create(&ran).observe(policy.usage.elapsed.as_secs_f64());
                let Ran { gate, policy: id } = ran;
                let verdict = Word(led_to(policy));
                self.policies.get_or_create(&OfPolicy { gate, policy: id, verdict }).inc();
            }
        }
    }

    pub(super) fn refused(&self, refused: &Refused) {
        self.refusals.get_or_create(&Because { reason: Word(refused.code()) }).inc();
    }

    pub(super) fn waited(&self, time: Duration) {
        self.queue_wait.observe(time.as_secs_f64());
    }

    pub(super) fn queued(&self, depth: usize) {
        self.queue_depth.set(i64::try_from(depth).unwrap_or(i64::MAX));
    }

    pub(super) fn recorded(&self, time: Duration) {
        self.record.observe(time.as_secs_f64());
    }

    pub(super) fn reloaded(&self, sound: bool) {
        self.reloads.get_or_create(&ended(sound)).inc();
        self.gates_stale.set(i64::from(!sound));
        if sound {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            self.gates_loaded_at.set(now.unwrap_or_default().as_secs_f64());
        }
    }

    pub(super) fn answered(&self, route: &'static str, status: u16) {
        let status = Word(match status {
            100..200 => "1xx",
            200..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            _ => "5xx",
        });
        self.requests.get_or_create(&Answered { route: Word(route), status }).inc();
    }

    pub(super) fn connected(&self) {
        self.connections.inc();
    }

    pub(super) fn disconnected(&self) {
        self.connections.dec();
    }

    pub(super) fn gathered(&self, bytes: usize) {
        self.bodies.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    pub(super) fn connection_refused(&self, reason: &'static str) {
        self.connections_refused.get_or_create(&Because { reason: Word(reason) }).inc();
    }

    pub(super) fn certificate_loaded(&self, sound: bool) {
        self.certificates.get_or_create(&ended(sound)).inc();
    }

    pub(super) fn tokens_loaded(&self, sound: bool) {
        self.tokens.get_or_create(&ended(sound)).inc();
    }

    /// Counts a request of lockgate's own routes if it was refused for its credentials.
    pub(super) fn admitted(&self, status: StatusCode) {
        let refused = [Code::Unauthenticated, Code::Forbidden];
        if let Some(code) = refused.into_iter().find(|code| code.status() == status) {
            self.credentials_refused.get_or_create(&Because { reason: Word(code.as_str()) }).inc();
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

fn ended(sound: bool) -> Ended {
    let [loaded, failed] = ENDS;
    Ended { result: Word(if sound { loaded } else { failed }) }
}

/// What one policy would lead to if it stood alone.
fn led_to(policy: &PolicyReport) -> &'static str {
    let verdict = match &policy.result {
        Err(_) => Verdict::Undecided,
        Ok(checks) if checks.iter().any(|judged| judged.effect == Effect::Deny) => Verdict::Deny,
        Ok(_) => Verdict::Allow,
    };
    verdict.as_str()
}
