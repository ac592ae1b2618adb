//! A request that changes the registry: read, judged, and carried out in the words that were
//! judged.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Limited};
use tokio::sync::SemaphorePermit;
use tracing::Instrument as _;

use super::asker::asker;
use super::judging::{Judge, Judged};
use super::locks::Held;
use super::notice::{Event, Notice, now};
use super::proxy::Peer;
use super::refusal::Refusal;
use super::{Gateway, Inner};
use crate::registry::mlflow::{
    Caller, Candidate, Change, DEFAULT_WORKSPACE, Mutation, Operation, Plan, WORKSPACE,
    decision_key, read,
};
use crate::report;
use crate::server::GateSet;
use crate::server::body::Gathered;

/// For another change of the same model to end. A client of MLflow waits two minutes for all.
const TURN: Duration = Duration::from_secs(20);

/// Bytes of MLflow's answer to a change that is looked at. It holds one version with its tags.
const ANSWER: usize = 4 << 20;

/// A change that is to be made.
struct Asked {
    head: Parts,
    peer: Peer,
    mutation: Mutation,
    caller: Caller,
    asked_by: Option<String>,
    workspace: String,
    /// What was read of it is as large.
    body: Gathered,
}

impl Gateway {
    /// Judges a change and carries it out.
    pub(super) async fn enforce(
        &self,
        operation: Operation,
        request: Request<Body>,
    ) -> Result<Response<Body>, Refusal> {
        let inner = Arc::clone(&self.0);
        let peer = inner.peer(&request);
        let (head, body) = request.into_parts();
        let body = inner.read(&head.headers, body).await?;
        let mutation = read(operation, &body)?;
        let header = inner.options.user_header.as_ref();
        let workspace = head.headers.get(WORKSPACE).and_then(|name| name.to_str().ok());
        let asked_by = asker(&head.headers, header)?;
        if let Some(approver) = &mutation.approver {
            check_approver(approver, asked_by.as_deref(), header)?;
        }
        let asked = Asked {
            caller: Caller::of(&head.headers),
            asked_by,
            workspace: workspace.unwrap_or(DEFAULT_WORKSPACE).to_owned(),
            head,
            peer,
            mutation,
            body,
        };
        // On its own, so that a client that goes away leaves nothing half done: a change that was
        // sent to MLflow is followed to its end before the model may change again.
        let work = async move { inner.change(asked).await }.in_current_span();
        tokio::spawn(work).await.unwrap_or_else(|_| {
            Err(Refusal::denied("lockgate failed to judge this; its log says more.", None))
        })
    }
}

impl Inner {
    async fn change(&self, asked: Asked) -> Result<Response<Body>, Refusal> {
        let _turn = tokio::time::timeout(TURN, self.turn(&asked.mutation.change)).await.map_err(
            |_| {
                Refusal::denied(
                    "lockgate could not decide: another change of the model is being judged; ask again.",
                    None,
                )
            },
        )?;
        let gates = self.gatekeeper.gates().ok_or_else(|| {
            Refusal::denied(
                "lockgate could not decide: its gates are still being loaded; ask again.",
                None,
            )
        })?;
        let time = self.options.patience.answer;
        let judged = tokio::time::timeout(time, self.allowed(&asked, &gates)).await;
        let judged = judged.unwrap_or_else(|_| {
            let message = format!(
                "lockgate could not decide: what this moves was not looked up and judged within {} s (`--mlflow-timeout`); ask again, or move less at a time.",
                time.as_secs()
            );
            Err(Refusal::denied(message, None))
        })?;
        self.carry_out(asked, judged).await
    }

    /// Judges everything that a change would move.
    async fn allowed(&self, asked: &Asked, gates: &Arc<GateSet>) -> Result<Vec<Judged>, Refusal> {
        let plan = self.plan(asked, gates).await?;
        let judge = Judge {
            gatekeeper: &self.gatekeeper,
            client: &self.client,
            gates,
            caller: &asked.caller,
            asked_by: asked.asked_by.as_deref(),
            public_url: self.options.public_url.as_deref(),
        };
        let judged = judge.allow(&plan).await?;
        // Whoever reaches MLflow by another way may have changed what was judged meanwhile.
        if !judged.is_empty() && self.plan(asked, gates).await? != plan {
            let message =
                "lockgate could not decide: the registry has changed meanwhile; ask again.";
            return Err(Refusal::denied(message, None));
        }
        Ok(judged)
    }

    async fn plan(&self, asked: &Asked, gates: &GateSet) -> Result<Plan, Refusal> {
        let naming = &gates.config().naming;
        Ok(self.client.plan(&asked.caller, &asked.mutation, naming).await?)
    }

    /// Waits until nobody else changes the models that a change concerns.
    async fn turn(&self, change: &Change) -> (Option<SemaphorePermit<'_>>, Held) {
        let models = [change.model()].into_iter().chain(change.other_model());
        let held = self.locks.hold(models).await;
        // None only once the semaphore is closed, which nobody does.
        (self.places.acquire().await.ok(), held)
    }

    async fn carry_out(
        &self,
        asked: Asked,
        judged: Vec<Judged>,
    ) -> Result<Response<Body>, Refusal> {
        let Asked { mut head, peer, mutation, caller, workspace, body: _body, .. } = asked;
        head.headers.remove(axum::http::header::CONTENT_LENGTH);
        head.headers.remove(axum::http::header::TRANSFER_ENCODING);
        head.headers.remove(CONTENT_ENCODING);
        head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let request = Request::from_parts(head, Body::from(mutation.body));
        let change = &mutation.change;
        let sent = self.proxy.forward(request, peer).await;
        let whole = match sent {
            Ok(response) => whole(response).await,
            Err(refusal) => Err(refusal),
        };
        let response = whole.map_err(|refusal| {
            // It may have been made all the same.
            self.made(change, &workspace, None);
            refusal.in_doubt(judged.first().map(|judged| judged.answer.id))
        })?;
        if response.status().is_success() {
            let created = created_version(change, response.body());
            self.made(change, &workspace, created.as_deref());
            for judged in &judged {
                self.tag(&caller, &workspace, change, created.as_deref(), judged).await;
            }
        }
        Ok(response.map(Body::from))
    }

    /// Remembers a change that was made, or may have been.
    fn made(&self, change: &Change, workspace: &str, created: Option<&str>) {
        let now = now();
        if let Change::DeleteModel { model } | Change::RenameModel { model, .. } = change {
            self.own.left(workspace, model, now);
        }
        if let Some(notice) = Notice::of(change, workspace, created) {
            self.own.remember(notice, now);
        }
    }

    /// Writes to a version by which decision it came where it is. That this fails is a pity and no
    /// more: the record has it all.
    async fn tag(
        &self,
        caller: &Caller,
        workspace: &str,
        change: &Change,
        created: Option<&str>,
        judged: &Judged,
    ) {
        let moved = &judged.moved;
        let Some((model, version)) = place_of(change, created, &moved.candidate) else { return };
        let (key, value) = (decision_key(&moved.target), judged.answer.id.to_string());
        let event =
            Event::TagSet { version: version.to_owned(), key: key.clone(), value: value.clone() };
        let (workspace, named) = (workspace.to_owned(), model.to_owned());
        // Before it is set, as the notice of it may come before the answer.
        self.own.remember(Notice { workspace, model: named, event }, now());
        let set = self.client.set_version_tag(caller, model, version, (&key, &value)).await;
        if let Err(error) = set {
            self.counts.tag_failed();
            tracing::warn!(
                %error,
                model,
                version,
                decision = value,
                "the decision could not be written to the version as a tag"
            );
        }
    }
}

/// Approvals are given in one's own name. Where nothing can say who asks, they are a mere claim.
fn check_approver(
    approver: &str,
    asked_by: Option<&str>,
    user_header: Option<&HeaderName>,
) -> Result<(), Refusal> {
    let message = match (asked_by, user_header) {
        (Some(asker), _) if asker == approver => return Ok(()),
        (Some(asker), _) => format!(
            "`{}` cannot approve in the name of `{}`; approve in your own",
            report::plain(asker),
            report::plain(approver)
        ),
        (None, Some(header)) => format!(
            "the header `{header}` says not who asks, and approvals are given in one's own name; sign in"
        ),
        (None, None) => return Ok(()),
    };
    Err(Refusal::denied(format!("lockgate denies this: {message}."), None))
}

/// The version that has come to a target by a change.
fn place_of<'a>(
    change: &'a Change,
    created: Option<&'a str>,
    candidate: &'a Candidate,
) -> Option<(&'a str, &'a str)> {
    if let Change::CreateVersion { model, .. } = change {
        return Some((model, created?));
    }
    let Candidate::Version { model, version } = candidate else { return None };
    let renamed =
        if let Change::RenameModel { new_name, .. } = change { Some(new_name) } else { None };
    Some((renamed.unwrap_or(model), version))
}

/// The number that MLflow has given to a new version.
fn created_version(change: &Change, answer: &[u8]) -> Option<String> {
    let Change::CreateVersion { .. } = change else { return None };
    let answer: serde_json::Value = serde_json::from_slice(answer).ok()?;
    answer.pointer("/model_version/version")?.as_str().map(str::to_owned)
}

/// MLflow's answer with all of its body.
async fn whole(response: Response<Body>) -> Result<Response<Bytes>, Refusal> {
    let (head, body) = response.into_parts();
    match Limited::new(body, ANSWER).collect().await {
        Ok(body) => Ok(Response::from_parts(head, body.to_bytes())),
        Err(error) => Err(Refusal::upstream_broken(error.to_string())),
    }
}
