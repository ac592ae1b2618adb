//! Whether everything that one change would move may move.

use std::fmt::Write as _;
use std::sync::Arc;

use tracing::Instrument as _;

use super::refusal::Refusal;
use crate::config::Config;
use crate::decision::{Decision, Removal, Verdict};
use crate::model::{DecisionId, Origin, Target};
use crate::registry::mlflow::{Caller, Client, Leave, Move, Plan, REGISTRY};
use crate::report;
use crate::server::{Answer, Asked, Evidence, GateSet, Gatekeeper, Question, Refused};

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
            let span = tracing::debug_span!("collect", registry = REGISTRY);
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

    /// Refuses unless everything may move: all that would arrive, and all that would leave.
    pub(super) async fn allow(&self, plan: &Plan) -> Result<Vec<Judged>, Refusal> {
        if let Some(refusal) = self.kept(plan) {
            return Err(refusal);
        }
        let judged = self.moves(plan, Origin::Mlflow).await.map_err(|(refused, _)| {
            Refusal::denied(format!("lockgate could not decide: {refused}."), None)
        })?;
        // What names and tags mean was read from these gates; by others it may be something else.
        let current = self.gatekeeper.gates();
        if !current.is_some_and(|current| Arc::ptr_eq(&current, self.gates)) {
            let message =
                "lockgate could not decide: the gate file has changed meanwhile; ask again.";
            return Err(Refusal::denied(message, None));
        }
        match self.denial(&judged) {
            Some(refusal) => Err(refusal),
            None => Ok(judged),
        }
    }

    /// Putting a version out of use is a promotion only where a gate names that stage.
    fn counts(&self, moved: &Move) -> bool {
        let config = self.gates.config();
        !moved.retires || config.matching(&moved.subject.model, &moved.target).next().is_some()
    }

    /// The refusal of a change that would take away what a gate keeps.
    fn kept(&self, plan: &Plan) -> Option<Refusal> {
        let config = self.gates.config();
        let mut lost =
            plan.removals.iter().filter_map(|leave| Some((leave, keeper(config, leave)?)));
        let (leave, gate) = lost.next()?;
        let version = leave.version.as_deref().map(|version| format!(" {version}"));
        let mut message = format!(
            "lockgate denies this: it would take version{} of {} from {}, which gate {} keeps (`removal: deny`).",
            version.unwrap_or_default(),
            report::plain(&leave.model),
            report::plain(&leave.target.to_string()),
            report::plain(gate),
        );
        let more = lost.count();
        if more > 0 {
            let _ = write!(message, " So it would {more} more.");
        }
        message.push_str(
            " Promote another version to take its place, or say `removal: allow` at the gate.",
        );
        Some(Refusal::denied(message, None))
    }

    fn denial(&self, judged: &[Judged]) -> Option<Refusal> {
        let denied: Vec<&Answer> = judged
            .iter()
            .map(|judged| &judged.answer)
            .filter(|answer| answer.decision.verdict != Verdict::Allow)
            .collect();
        let first = denied.first()?;
        let mut message = String::new();
        for answer in &denied {
            let _ = write!(message, "{} ", self.explained(&answer.decision, answer.id));
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

/// The name of a gate that keeps a version where it is. An environment's gate may name the model
/// by either of its names.
pub(super) fn keeper<'a>(config: &'a Config, leave: &Leave) -> Option<&'a str> {
    let environment = config.naming.environment(&leave.model);
    let base = environment.map_or(leave.model.as_str(), |own| own.base(&leave.model));
    let keeps = |model: &str, target: &Target| {
        config
            .matching(model, target)
            .map(|(_, gate)| &gate.gate)
            .find(|gate| gate.removal == Removal::Deny)
            .map(|gate| gate.name.as_str())
    };
    keeps(&leave.model, &leave.target).or_else(|| keeps(base, &leave.target))
}
