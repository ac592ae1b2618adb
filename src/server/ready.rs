//! Health, metrics and the description of the API.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::Mutex;

use super::app::{Caller, FRESH, Shared, json};
use super::auth::Role;
use super::problem::{Code, Problem};
use super::reload::Cause;
use super::routes::{Content, Operation, Reply, Routes, schema_of};
use crate::record::Record;

/// Whether the record takes entries, asked at most once in a while however often it is wanted.
#[derive(Default)]
pub(super) struct Readiness(Mutex<Option<(Instant, bool)>>);

impl Readiness {
    /// Whether the record takes entries at the start. Only that it does not is remembered: health
    /// checks ask anew.
    pub(super) async fn begins_writable(&self, record: &Record) -> bool {
        let writable = ask(record).await;
        if !writable {
            *self.0.lock().await = Some((Instant::now(), writable));
        }
        writable
    }

    async fn record_writable(&self, record: &Record) -> bool {
        let mut last = self.0.lock().await;
        if let Some((at, writable)) = *last
            && at.elapsed() < FRESH
        {
            return writable;
        }
        let writable = ask(record).await;
        if writable && last.is_some_and(|(_, before)| !before) {
            tracing::info!("the record is writable again");
        }
        *last = Some((Instant::now(), writable));
        writable
    }
}

async fn ask(record: &Record) -> bool {
    let asked = record.check_writable().await;
    asked.inspect_err(|error| tracing::error!(cause = %error, "the record is not writable")).is_ok()
}

/// Whether the server can decide.
#[derive(Serialize, JsonSchema)]
struct Readied {
    /// Whether it can.
    ready: bool,
    /// The gates.
    gates: Gates,
    /// Whether decisions can be put on record.
    record: Recording,
    /// Who is known; null where nobody has to be.
    tokens: Option<Kept>,
    /// The certificates that are shown and asked for; null where there is no TLS.
    certificates: Option<Kept>,
    /// Digest of the gate file that is judged by.
    gate_file_digest: Option<String>,
}

/// How files stand that were read at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kept {
    /// As they are on disk.
    Loaded,
    /// Those on disk cannot be used; the last good ones are gone by.
    Stale,
}

impl Kept {
    fn of(stale: &AtomicBool) -> Self {
        if stale.load(Ordering::Relaxed) { Self::Stale } else { Self::Loaded }
    }
}

/// How the gates stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Gates {
    /// Being loaded for the first time.
    Loading,
    /// As they are on disk.
    Loaded,
    /// Those on disk cannot be used; the last good ones are judged by.
    Stale,
}

/// How the record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Recording {
    /// It takes decisions.
    Writable,
    /// It does not.
    NotWritable,
}

/// What the gates are now.
#[derive(Serialize, JsonSchema)]
struct Reloaded {
    /// Digest of the gate file.
    gate_file_digest: Option<String>,
}

pub(super) fn routes(routes: Routes) -> Routes {
    let plain = |id, summary, description, answers| Operation {
        id,
        summary,
        description,
        role: None,
        parameters: Vec::new(),
        body: None,
        answers,
        problems: &[],
    };
    let text =
        |description, kind| vec![Reply { status: 200, description, content: Content::Text(kind) }];
    let ready = |status, description| Reply {
        status,
        description,
        content: Content::Json(schema_of::<Readied>),
    };
    routes
        .get(
            "/livez",
            plain("live", "Whether the server runs", "", text("It runs.", "text/plain")),
            live,
        )
        .get(
            "/readyz",
            plain(
                "ready",
                "Whether the server can decide",
                "It can once every policy is loaded and while the record is writable. Gates that cannot be used leave the last good ones in place, and it ready.",
                vec![ready(200, "It can."), ready(503, "It cannot, for now.")],
            ),
            readyz,
        )
        .get(
            "/metrics",
            Operation {
                role: Some(Role::Read),
                problems: &[Code::InternalError],
                ..plain(
                    "metrics",
                    "Metrics for Prometheus",
                    "",
                    text("Metrics.", "application/openmetrics-text"),
                )
            },
            metrics,
        )
        .get(
            "/openapi.json",
            plain(
                "openapi",
                "This document",
                "",
                vec![Reply {
                    status: 200,
                    description: "This document.",
                    content: Content::Json(|_| schemars::json_schema!({"type": "object"})),
                }],
            ),
            openapi,
        )
        .post(
            "/v1/reload",
            Operation {
                role: Some(Role::Administer),
                problems: &[Code::GatesUnusable],
                ..plain(
                    "reload",
                    "Load the gates anew",
                    "What SIGHUP does for the gate file and its policies, with an answer.",
                    vec![Reply {
                        status: 200,
                        description: "The gates on disk are judged by.",
                        content: Content::Json(schema_of::<Reloaded>),
                    }],
                )
            },
            reload,
        )
}

async fn live() -> &'static str {
    "live\n"
}

async fn readyz(State(app): State<Shared>) -> Response {
    let gates = app.gatekeeper.gates();
    let writable = app.readiness.record_writable(&app.record).await;
    let state = match (&gates, app.reload.fault.load().is_some()) {
        (None, _) => Gates::Loading,
        (Some(_), false) => Gates::Loaded,
        (Some(_), true) => Gates::Stale,
    };
    let ready = gates.is_some() && writable && !app.gatekeeper.is_closed();
    let reload = &app.reload;
    let readied = Readied {
        ready,
        gates: state,
        record: if writable { Recording::Writable } else { Recording::NotWritable },
        tokens: reload.tokens.as_ref().map(|_| Kept::of(&reload.tokens_stale)),
        certificates: reload.tls.as_ref().map(|_| Kept::of(&reload.certificates_stale)),
        gate_file_digest: gates.map(|gates| gates.digest().to_string()),
    };
    let mut response = json(serde_json::to_vec(&readied).unwrap_or_default());
    if !ready {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}

async fn metrics(State(app): State<Shared>, caller: Caller) -> Result<Response, Problem> {
    caller.must(Role::Read)?;
    app.gatekeeper.measure_queue();
    app.metrics.gathered(app.body.room.taken());
    let text =
        app.metrics.encode().map_err(|error| Problem::logged(Code::InternalError, &error))?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let mut response = text.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    Ok(response)
}

async fn openapi(State(app): State<Shared>) -> Response {
    let document = app.document.get().map(Arc::clone).unwrap_or_default();
    json(document.to_string())
}

async fn reload(State(app): State<Shared>, caller: Caller) -> Result<Response, Problem> {
    caller.must(Role::Administer)?;
    tracing::info!(asked_by = caller.name(), "told to load the gates anew");
    // What is wrong names files, and is in the log.
    app.reload.gates(Cause::Asked).await.map_err(|_| {
        Problem::new(Code::GatesUnusable)
            .detail("the gate file or one of its policies cannot be used; the server's log says why, with the `x-request-id` of this answer, and the last good ones are still judged by")
    })?;
    let gates = app.gatekeeper.gates();
    let reloaded = Reloaded { gate_file_digest: gates.map(|gates| gates.digest().to_string()) };
    let body = serde_json::to_vec(&reloaded)
        .map_err(|error| Problem::logged(Code::InternalError, &error))?;
    Ok(json(body))
}
