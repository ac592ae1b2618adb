//! Notices of changes, by which those show that went around the gateway.

mod event;
mod recorded;
mod signature;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use tracing::Instrument as _;

pub use signature::{InvalidSecret, Secret};

use super::judging::{Judge, departures};
use super::notice::{Event, Notice, now};
use super::{Gateway, Inner};
use crate::decision::{TagPlace, Verdict};
use crate::model::{Origin, Target, Timestamp};
use crate::record::RecordError;
use crate::registry::mlflow::{
    Caller, DEFAULT_WORKSPACE, Leave, Mutation, Operation, Reason, WORKSPACE, read,
};
use crate::report;
use crate::server::{Answer, GateSet};
use event::Told;
use recorded::Recorded;
use signature::{Doorman, Rejected};

/// For a change of the same model that is under way to end.
const TURN: Duration = Duration::from_secs(60);

/// The model in the samples that MLflow delivers when somebody tests a webhook. They are signed
/// like the rest; that there is no such model tells them from a change.
const SAMPLE: &str = "example_model";

/// Takes MLflow's deliveries.
pub(super) struct Receiver {
    doorman: Doorman,
}

impl Receiver {
    pub(super) fn new(secret: Secret) -> Self {
        Self { doorman: Doorman::new(secret) }
    }
}

/// What became of a delivery.
enum Outcome {
    /// There is nothing to say of it.
    Settled(&'static str),
    /// It went around the gateway and was judged.
    Judged(Vec<Answer>),
    /// It could not be dealt with now; MLflow is to send it again.
    Later(String),
}

impl Gateway {
    /// Takes one delivery.
    pub(super) async fn deliver(&self, request: Request<Body>) -> Response<Body> {
        let inner = Arc::clone(&self.0);
        let Some(receiver) = &inner.receiver else {
            return said(
                StatusCode::NOT_FOUND,
                json!({"message": "lockgate takes no webhooks here; start it with --mlflow-webhook-secret-file"}),
            );
        };
        if request.method() != Method::POST {
            return said(
                StatusCode::METHOD_NOT_ALLOWED,
                json!({"message": "webhooks are sent with POST"}),
            );
        }
        let (head, body) = request.into_parts();
        let body = match inner.read(&head.headers, body).await {
            Ok(body) => body,
            Err(refusal) => return refusal.into_response(),
        };
        if let Err(rejected) = receiver.doorman.admit(&head.headers, &body, now()) {
            inner.counts.delivery(rejected.code());
            return turned_away(rejected);
        }
        let told = match event::read(&body) {
            Ok(Some(told)) => told,
            Ok(None) => {
                inner.counts.delivery("irrelevant");
                return said(StatusCode::OK, json!({"outcome": "irrelevant"}));
            }
            Err(error) => {
                inner.counts.delivery("unreadable");
                tracing::warn!(%error, "MLflow delivered a webhook that cannot be read");
                return said(
                    StatusCode::BAD_REQUEST,
                    json!({"message": "the delivery cannot be read"}),
                );
            }
        };
        // On its own: MLflow may give up waiting, and what went around is to be judged all the same.
        let work = {
            let inner = Arc::clone(&inner);
            async move {
                // What was read of it is as large.
                let _body = body;
                inner.notice(told).await
            }
            .in_current_span()
        };
        let outcome = tokio::spawn(work).await;
        let outcome = outcome.unwrap_or_else(|_| Outcome::Later("it failed".to_owned()));
        inner.answer(&head.headers, outcome)
    }
}

impl Inner {
    async fn notice(&self, told: Told) -> Outcome {
        let Told { notice, request, at } = told;
        let models = [notice.model.as_str()];
        // A change that the gateway is making itself is not to be judged in passing: its notice
        // may be here before its answer.
        let Ok(_turn) = tokio::time::timeout(TURN, self.locks.hold(models)).await else {
            return Outcome::Later("the model is being changed".to_owned());
        };
        let (made, now) = (at.map(Timestamp::seconds), now());
        if self.own.knows(&notice, made, now) {
            return Outcome::Settled("own");
        }
        self.own.changed(&notice, made.unwrap_or(now));
        let Some(gates) = self.gatekeeper.gates() else {
            return Outcome::Later("the gates are being loaded".to_owned());
        };
        let work = self.look_into(&notice, request, at, &gates);
        match tokio::time::timeout(self.options.patience.answer, work).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => Outcome::Later(format!("the record cannot be read: {error}")),
            Err(_) => Outcome::Later("it was not judged in time".to_owned()),
        }
    }

    /// Finds out whether a gateway allowed what this one did not do, or does not know any more that
    /// it did; and judges what none has allowed.
    async fn look_into(
        &self,
        notice: &Notice,
        request: Option<(Operation, Value)>,
        at: Option<Timestamp>,
        gates: &Arc<GateSet>,
    ) -> Result<Outcome, RecordError> {
        let caller = self.service(&notice.workspace);
        if notice.model == SAMPLE
            && let Err(error) = self.client.registered_model(&caller, SAMPLE).await
            && error.is_absence()
        {
            return Ok(Outcome::Settled("test"));
        }
        let registry = caller.registry();
        let recorded = Recorded { record: self.gatekeeper.record(), registry, at };
        let Some((operation, body)) = request else {
            return self.removal(notice, gates, &recorded).await;
        };
        if let Event::TagSet { version, key, value } = &notice.event
            && recorded
                .has_tagged(&gates.config().naming, &notice.model, version, key, value)
                .await?
        {
            return Ok(Outcome::Settled("recorded"));
        }
        match read(operation, body.to_string().as_bytes()) {
            Ok(mutation) => self.judge(notice, &mutation, gates, &recorded).await,
            Err(refusal) => Ok(self.alarm(notice, &refusal.message)),
        }
    }

    /// Judges what cannot be kept from happening any more, so that it is on record.
    async fn judge(
        &self,
        notice: &Notice,
        mutation: &Mutation,
        gates: &Arc<GateSet>,
        recorded: &Recorded<'_>,
    ) -> Result<Outcome, RecordError> {
        let caller = self.service(&notice.workspace);
        let plan = match self.client.plan(&caller, mutation, &gates.config().naming).await {
            Ok(plan) => plan,
            Err(refusal) => {
                return Ok(match refusal.reason {
                    Reason::Unavailable => Outcome::Later(refusal.message),
                    // Gone again, or nothing that lockgate could judge.
                    Reason::Absent | Reason::Unclear | Reason::Forbidden => {
                        self.alarm(notice, &refusal.message)
                    }
                });
            }
        };
        if recorded.has_allowed(&plan.moves).await? {
            return Ok(Outcome::Settled("recorded"));
        }
        let judge = self.late_judge(&caller, gates);
        Ok(match judge.moves(&plan, Origin::Bypassed).await {
            Ok(judged) if judged.is_empty() => Outcome::Settled("unguarded"),
            Ok(judged) => Outcome::Judged(judged.into_iter().map(|judged| judged.answer).collect()),
            Err((refused, _)) => Outcome::Later(refused.to_string()),
        })
    }

    /// What was taken away was to be kept or not, as the gates say.
    async fn removal(
        &self,
        notice: &Notice,
        gates: &Arc<GateSet>,
        recorded: &Recorded<'_>,
    ) -> Result<Outcome, RecordError> {
        let config = gates.config();
        let (version, targets): (_, Vec<Target>) = match &notice.event {
            Event::AliasDeleted { alias } => (None, vec![Target::Alias(alias.clone())]),
            Event::TagDeleted { version, key } => {
                let tags = config.naming.tags_of(TagPlace::Version, key);
                (Some(version), tags.filter_map(|tag| tag.target.clone()).collect())
            }
            Event::VersionCreated { .. } | Event::AliasSet { .. } | Event::TagSet { .. } => {
                (None, Vec::new())
            }
        };
        let leave =
            |target| Leave { model: notice.model.clone(), version: version.cloned(), target };
        let removals: Vec<Leave> = targets.into_iter().map(leave).collect();
        let departures = departures(config, &removals);
        if departures.is_empty() {
            return Ok(Outcome::Settled("unguarded"));
        }
        if recorded.has_let_go(&removals).await? {
            return Ok(Outcome::Settled("recorded"));
        }
        let caller = self.service(&notice.workspace);
        let settled = self.late_judge(&caller, gates).settle(departures, Origin::Bypassed).await;
        Ok(match settled {
            Ok(answers) => Outcome::Judged(answers),
            Err(refused) => Outcome::Later(refused.to_string()),
        })
    }

    /// Judges what has happened already, and was asked for by nobody that is known.
    fn late_judge<'a>(&'a self, caller: &'a Caller, gates: &'a Arc<GateSet>) -> Judge<'a> {
        Judge {
            gatekeeper: &self.gatekeeper,
            client: &self.client,
            gates,
            caller,
            asked_by: None,
            public_url: None,
        }
    }

    /// Tells of a change that went around the gateway and cannot be judged.
    fn alarm(&self, notice: &Notice, why: &str) -> Outcome {
        self.counts.bypassed("unjudged");
        let (model, event) = (&notice.model, &notice.event);
        tracing::warn!(model, ?event, why, "a change in MLflow went around lockgate");
        Outcome::Settled("unjudged")
    }

    /// As whom MLflow is asked, in the workspace where it happened.
    fn service(&self, workspace: &str) -> Caller {
        let mut headers = self.options.service.headers().clone();
        if workspace != DEFAULT_WORKSPACE
            && let Ok(name) = HeaderValue::from_str(workspace)
        {
            headers.insert(WORKSPACE, name);
        }
        Caller::of(&headers)
    }

    fn answer(&self, headers: &HeaderMap, outcome: Outcome) -> Response<Body> {
        match outcome {
            Outcome::Settled(word) => {
                self.counts.delivery(word);
                said(StatusCode::OK, json!({"outcome": word}))
            }
            Outcome::Judged(judged) => {
                self.counts.delivery("bypassed");
                let decisions: Vec<Value> = judged.iter().map(|answer| self.tell(answer)).collect();
                said(StatusCode::OK, json!({"outcome": "bypassed", "decisions": decisions}))
            }
            Outcome::Later(why) => {
                self.counts.delivery("later");
                tracing::warn!(why, "a webhook could not be dealt with; MLflow will send it again");
                if let Some(receiver) = &self.receiver {
                    receiver.doorman.forget(headers);
                }
                let message = "lockgate cannot deal with this now; send it again";
                said(StatusCode::SERVICE_UNAVAILABLE, json!({"message": message}))
            }
        }
    }

    fn tell(&self, answer: &Answer) -> Value {
        let decision = &answer.decision;
        let (id, verdict) = (answer.id, decision.verdict.as_str());
        self.counts.bypassed(verdict);
        let subject = &decision.promotion.subject;
        let (model, version) = (&subject.model, &subject.version);
        let target = decision.promotion.target.to_string();
        let movement = decision.movement.as_str();
        if decision.verdict == Verdict::Allow {
            tracing::warn!(%id, verdict, movement, model, version, target, "a change in MLflow went around lockgate");
        } else {
            let why = report::explain(decision);
            tracing::error!(%id, verdict, movement, model, version, target, why, "a change in MLflow went around lockgate, which would not have allowed it");
        }
        json!({"id": id, "verdict": verdict})
    }
}

fn turned_away(rejected: Rejected) -> Response<Body> {
    match rejected {
        // It has been dealt with, which is all that MLflow wants to know.
        Rejected::Duplicate => said(StatusCode::OK, json!({"outcome": "duplicate"})),
        Rejected::Headers => said(
            StatusCode::BAD_REQUEST,
            json!({"message": "the delivery lacks the headers of a signed webhook of MLflow; give the webhook a secret"}),
        ),
        Rejected::Signature => said(
            StatusCode::UNAUTHORIZED,
            json!({"message": "the delivery is not signed with the secret that lockgate has"}),
        ),
        Rejected::Time => said(
            StatusCode::UNAUTHORIZED,
            json!({"message": "the delivery was signed too long ago, or in the future"}),
        ),
    }
}

fn said(status: StatusCode, body: Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
