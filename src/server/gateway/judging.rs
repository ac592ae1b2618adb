//! Whether everything that one change would move may move.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use tracing::Instrument as _;

use super::refusal::Refusal;
use crate::config::Config;
use crate::decision::{Decision, Gate, Removal, Verdict, decide_removal};
use crate::model::{DecisionId, ModelVersion, Origin, Target};
use crate::registry::mlflow::{Caller, Client, Leave, Move, Plan};
use crate::report;
use crate::server::{Answer, Asked, Evidence, GateSet, Gatekeeper, Question, Refused};

/// Denials that one message tells in full.
const TOLD: usize = 5;

/// The version of a removal that was noticed once nobody knew any more which version it was.
const UNKNOWN: &str = "?";

/// What judges a change.
pub(super) struct Judge<'a> {
    pub(super) gatekeeper: &'a Gatekeeper,
    pub(super) client: &'a Client,
    pub(super) gates: &'a Arc<GateSet>,
    pub(super) caller: &'a Caller,
    pub(super) asked_by: Option<&'a str>,
    /// Where decisions can be looked at; none when nobody said.
    pub(super) public_url: Option<&'a str>,
}

/// A move that was judged.
pub(super) struct Judged {
    pub(super) moved: Move,
    pub(super) answer: Answer,
}

impl Judge<'_> {
    /// Judges every move of a plan, also past the first that is denied, so that all is on record.
    pub(super) async fn moves(
        &self,
        plan: &Plan,
        origin: Origin,
    ) -> Result<Vec<Judged>, (Refused, Vec<Judged>)> {
        let mut judged = Vec::new();
        for moved in &plan.moves {
            if !self.counts(moved) {
                continue;
            }
            let config = self.gates.config();
            let assignments = self.gates.assignments().to_vec();
            let evidence = self.client.collect(self.caller, moved, &config.naming, assignments);
            let span = tracing::debug_span!("collect", registry = moved.subject.registry);
            let evidence = evidence.instrument(span).await;
            let question = Question {
                promotion: Asked {
                    subject: moved.subject.clone(),
                    source: moved.source.clone(),
                    target: moved.target.clone(),
                    requested_by: self.asked_by.map(str::to_owned),
                },
                origin,
                asked_by: self.asked_by.map(str::to_owned),
                evidence: Evidence::from(evidence),
                record: true,
            };
            match self.gatekeeper.decide(question).await {
                Ok(answer) => judged.push(Judged { moved: moved.clone(), answer }),
                Err(refused) => return Err((refused, judged)),
            }
        }
        Ok(judged)
    }

    /// Refuses unless everything may move: all that would leave, and all that would arrive.
    pub(super) async fn allow(&self, plan: &Plan) -> Result<Vec<Judged>, Refusal> {
        let undecided = |refused: Refused| {
            Refusal::denied(format!("lockgate could not decide: {refused}."), None)
        };
        // What a gate keeps is known without asking MLflow for evidence on anything.
        let (kept, free): (Vec<_>, Vec<_>) =
            departures(self.gates.config(), &plan.removals).into_iter().partition(Departure::stays);
        if !kept.is_empty() {
            let denied = self.settle(kept, Origin::Mlflow).await.map_err(undecided)?;
            return Err(self.denial(&denied).unwrap_or_else(|| undecided(Refused::Failed)));
        }
        let judged =
            self.moves(plan, Origin::Mlflow).await.map_err(|(refused, _)| undecided(refused))?;
        // What names and tags mean was read from these gates; by others it may be something else.
        let current = self.gatekeeper.gates();
        if !current.is_some_and(|current| Arc::ptr_eq(&current, self.gates)) {
            let message =
                "lockgate could not decide: the gate file has changed meanwhile; ask again.";
            return Err(Refusal::denied(message, None));
        }
        let answers: Vec<Answer> = judged.iter().map(|judged| judged.answer.clone()).collect();
        if let Some(refusal) = self.denial(&answers) {
            return Err(refusal);
        }
        self.settle(free, Origin::Mlflow).await.map_err(undecided)?;
        Ok(judged)
    }

    /// Puts on record what the gates say of versions that leave.
    pub(super) async fn settle(
        &self,
        departures: Vec<Departure<'_>>,
        origin: Origin,
    ) -> Result<Vec<Answer>, Refused> {
        let mut answers = Vec::new();
        for Departure { leave, gates } in departures {
            let asked = Asked {
                subject: ModelVersion {
                    registry: self.caller.registry(),
                    model: leave.model.clone(),
                    version: leave.version.clone().unwrap_or_else(|| UNKNOWN.to_owned()),
                    digest: None,
                },
                source: None,
                target: leave.target.clone(),
                requested_by: self.asked_by.map(str::to_owned),
            };
            let asked_by = self.asked_by.map(str::to_owned);
            let file = self.gates.digest();
            let decide = |promotion| decide_removal(promotion, file, &gates);
            answers.push(self.gatekeeper.settle(asked, origin, asked_by, decide).await?);
        }
        Ok(answers)
    }

    /// Putting a version out of use is a promotion only where a gate names that stage.
    fn counts(&self, moved: &Move) -> bool {
        let config = self.gates.config();
        !moved.retires || config.matching(&moved.subject.model, &moved.target).next().is_some()
    }

    fn denial(&self, answers: &[Answer]) -> Option<Refusal> {
        let denied: Vec<&Answer> =
            answers.iter().filter(|answer| answer.decision.verdict != Verdict::Allow).collect();
        let first = denied.first()?;
        let mut message = String::new();
        for answer in denied.iter().take(TOLD) {
            let _ = write!(message, "{} ", self.explained(&answer.decision, answer.id));
        }
        match denied.len().saturating_sub(TOLD) {
            0 => {}
            more => {
                let _ = write!(message, "And {more} more are denied.");
            }
        }
        Some(Refusal::denied(message.trim_end(), Some(first.id)))
    }

    fn explained(&self, decision: &Decision, id: DecisionId) -> String {
        let mut text = report::explain(decision);
        let _ = write!(text, " More: `lockgate decision show {id}`");
        if let Some(url) = self.public_url {
            let _ = write!(text, " or {url}/v1/decisions/{id}");
        }
        text.push('.');
        text
    }
}

/// A version that would leave a target, and the gates that guard it there; at least one.
pub(super) struct Departure<'a> {
    leave: &'a Leave,
    gates: Vec<&'a Gate>,
}

impl Departure<'_> {
    /// Whether one of the gates keeps it.
    fn stays(&self) -> bool {
        self.gates.iter().any(|gate| gate.removal == Removal::Deny)
    }
}

/// What of the versions that would leave is guarded. Where several leave one target, it is told of
/// the newest: the others are there without being what the target means.
pub(super) fn departures<'a>(config: &'a Config, removals: &'a [Leave]) -> Vec<Departure<'a>> {
    let number = |leave: &Leave| {
        leave.version.as_deref().and_then(|version| version.parse::<u64>().ok()).unwrap_or(0)
    };
    let mut newest: BTreeMap<(&str, &Target), &Leave> = BTreeMap::new();
    for leave in removals {
        let place = newest.entry((&leave.model, &leave.target)).or_insert(leave);
        if number(leave) > number(place) {
            *place = leave;
        }
    }
    let departures =
        newest.into_values().map(|leave| Departure { leave, gates: guards(config, leave) });
    departures.filter(|departure| !departure.gates.is_empty()).collect()
}

/// The gates that guard a version where it is. An environment's gate may name the model by either
/// of its names.
fn guards<'a>(config: &'a Config, leave: &Leave) -> Vec<&'a Gate> {
    let environment = config.naming.environment(&leave.model);
    let base = environment.map_or(leave.model.as_str(), |own| own.base(&leave.model));
    let gates = config.gates.iter().map(|configured| &configured.gate);
    gates
        .filter(|gate| {
            [leave.model.as_str(), base].iter().any(|model| gate.matches(model, &leave.target))
        })
        .collect()
}
