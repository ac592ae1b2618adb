//! `/v1/decisions`: asking for a decision, and looking at those that were made.

mod wire;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, Request, State};
use axum::response::Response;
use bytes::Bytes;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::decision::Verdict;
use crate::evidence::{About, Side};
use crate::model::{DecisionId, ModelVersion, Origin, Target};
use crate::record::{Filter, Page, PageSize, RecordError, Recorded};
use crate::report;
use crate::server::app::{Caller, Shared, json as json_answer};
use crate::server::auth::Role;
use crate::server::body::Share;
use crate::server::problem::{Code, Problem};
use crate::server::query::Query;
use crate::server::routes::{Content as Answered, Operation, Reply, Routes, schema_of};
use crate::server::text::{ID, NAME, TARGET, TIME, is_name};
use crate::server::{Answer, Asked, Evidence, Piece, Question, Refused, Wanted};
use wire::{Decided, Given, Inline, Listed, Object, Posed, Summarized, Which};

/// Problems in deciding.
const DECIDING: &[Code] = &[
    Code::NotFound,
    Code::DeadlineExceeded,
    Code::RecordUnavailable,
    Code::NotReady,
    Code::ShuttingDown,
    Code::InternalError,
];

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .post(
            "/v1/decisions",
            Operation {
                id: "decide",
                summary: "Decide on a promotion",
                description: "Judges the promotion by every gate that matches, puts the decision on record and answers it. A denial is an answer like any other: look at `decision.verdict`, and take nothing but `allow` for allow.",
                role: Some(Role::Ask),
                parameters: Vec::new(),
                body: Some(schema_of::<Posed>),
                answers: vec![Reply {
                    status: 200,
                    description: "The decision, on record.",
                    content: Answered::Json(schema_of::<Decided<'_>>),
                }],
                problems: DECIDING,
            },
            decide,
        )
        .get(
            "/v1/decisions",
            Operation {
                id: "listDecisions",
                summary: "List decisions",
                description: "Newest first, a page at a time.",
                role: Some(Role::Read),
                parameters: parameters(),
                body: None,
                answers: vec![Reply {
                    status: 200,
                    description: "A page of decisions.",
                    content: Answered::Json(schema_of::<Listed>),
                }],
                problems: &[Code::InvalidRequest, Code::RecordUnavailable, Code::RecordDamaged],
            },
            list,
        )
        .get(
            "/v1/decisions/{id}",
            Operation {
                id: "getDecision",
                summary: "Get a decision",
                description: "The decision as it was answered.",
                role: Some(Role::Read),
                parameters: vec![json!({
                    "name": "id", "in": "path", "required": true,
                    "description": "Id of the decision.",
                    "schema": {"type": "string", "pattern": ID},
                })],
                body: None,
                answers: vec![Reply {
                    status: 200,
                    description: "The decision.",
                    content: Answered::Json(schema_of::<Decided<'_>>),
                }],
                problems: &[
                    Code::InvalidRequest,
                    Code::NotFound,
                    Code::RecordUnavailable,
                    Code::RecordDamaged,
                ],
            },
            get,
        )
}

fn parameters() -> Vec<Value> {
    let text = |pattern: &str| json!({"type": "string", "pattern": pattern});
    let words = |words: &[&str]| json!({"type": "string", "enum": words});
    let verdicts = [Verdict::Allow, Verdict::Deny, Verdict::Undecided].map(Verdict::as_str);
    let origins = Origin::ALL.map(Origin::as_str);
    let most = PageSize::MOST;
    let size = json!({"type": "integer", "minimum": 1, "maximum": most, "default": PageSize::DEFAULT.get()});
    [
        ("model", "Name of the model.", text(NAME)),
        ("version", "Version of the model.", text(NAME)),
        ("target", "Where it was to go.", text(TARGET)),
        ("verdict", "What was decided.", words(&verdicts)),
        ("origin", "By which way it was asked for.", words(&origins)),
        ("since", "Asked for at this time or later, RFC 3339 in UTC, to the second.", text(TIME)),
        ("until", "Asked for before this time, RFC 3339 in UTC, to the second.", text(TIME)),
        ("limit", "How many a page has at most.", size),
        ("cursor", "Where to go on: `next` of the page before.", text(ID)),
    ]
    .into_iter()
    .map(|(name, description, schema)| {
        json!({
            "name": name, "in": "query", "required": false,
            "description": description, "schema": schema,
        })
    })
    .collect()
}

async fn decide(
    State(app): State<Shared>,
    caller: Result<Caller, Problem>,
    request: Request,
) -> Result<Response, Problem> {
    // Whyever there is no decision: what was asked is undecided.
    pose(&app, caller, request).await.map_err(Problem::undecided)
}

async fn pose(
    app: &Shared,
    caller: Result<Caller, Problem>,
    request: Request,
) -> Result<Response, Problem> {
    let caller = caller?;
    caller.must(Role::Ask)?;
    let (parts, body) = request.into_parts();
    let (Object(asked), share): (Object<Posed>, _) =
        app.body.read_json(&parts.headers, Body::new(body)).await?;
    let until = std::time::Instant::now() + app.gatekeeper.deadline();
    let Posed { model, version, target, source, digest, requested_by, evidence } = asked;
    for (name, value) in [("model", &model), ("version", &version)] {
        if !is_name(value) {
            return Err(Problem::invalid(format!(
                "`{name}` is empty, longer than 255 characters or not plain text"
            )));
        }
    }
    if requested_by.as_ref().is_some_and(|name| !is_name(name)) {
        return Err(Problem::invalid("`requested_by` is empty, too long or not plain text"));
    }
    let registry = match &evidence {
        Given::Inline(_) => "local".to_owned(),
        Given::Registry(name) => name.clone(),
    };
    let subject = ModelVersion { registry, model, version, digest };
    let evidence = match evidence {
        Given::Inline(pieces) => {
            caller.must(Role::SubmitEvidence)?;
            inline(pieces, share, &subject, &target)?
        }
        Given::Registry(name) => {
            let collector = app.collector(&name).ok_or_else(|| {
                Problem::new(Code::NotFound)
                    .detail("`evidence.registry` names no registry that this server knows")
            })?;
            let gates = app.gatekeeper.gates().ok_or(Refused::NotReady)?;
            let wanted = Wanted { subject: &subject, target: &target, gates: &gates, until };
            collector.collect(wanted).await
        }
    };
    let asked_by = caller.name();
    let requested_by = requested_by.or_else(|| asked_by.clone());
    let promotion = Asked { subject, source, target, requested_by };
    let question = Question {
        promotion,
        origin: Origin::Api,
        asked_by: asked_by.clone(),
        evidence,
        record: true,
    };
    let Answer { id, decision } = app.gatekeeper.decide_by(question, until).await?;
    let document = report::json_line(&decision)
        .map_err(|error| Problem::logged(Code::InternalError, &error))?;
    answer(id, Origin::Api, asked_by.as_deref(), document)
}

/// The content of a piece, which takes part of the room for bodies until it was judged, also when
/// whoever asked has gone by then.
struct Content {
    text: Box<str>,
    _share: Arc<Share>,
}

impl AsRef<[u8]> for Content {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

fn inline(
    pieces: Vec<Object<Inline>>,
    share: Share,
    subject: &ModelVersion,
    target: &Target,
) -> Result<Evidence, Problem> {
    let share = Arc::new(share);
    let pieces = pieces
        .into_iter()
        .map(|Object(Inline { name, content, about })| {
            if !is_name(&name) {
                return Err(Problem::invalid(
                    "the name of a piece of evidence is empty, too long or not plain text",
                ));
            }
            let content = Content { text: content.into(), _share: Arc::clone(&share) };
            let bytes = Bytes::from_owner(content);
            let side = match about {
                Which::Candidate => Side::Candidate,
                Which::Baseline => Side::Baseline,
            };
            Ok(Piece { name, bytes, side })
        })
        .collect::<Result<_, _>>()?;
    let about = About {
        model: Some(subject.model.clone()),
        version: Some(subject.version.clone()),
        digests: subject.digest.into_iter().collect(),
        target: target.clone(),
    };
    Ok(Evidence::Raw { about, pieces })
}

fn answer(
    id: DecisionId,
    origin: Origin,
    asked_by: Option<&str>,
    document: String,
) -> Result<Response, Problem> {
    let failed = |error: serde_json::Error| Problem::logged(Code::InternalError, &error);
    let document = RawValue::from_string(document).map_err(failed)?;
    let decided = Decided { id, origin, asked_by, decision: &document };
    Ok(json_answer(serde_json::to_vec(&decided).map_err(failed)?))
}

/// What keeps decisions on record from being told.
fn unreadable(error: &RecordError) -> Problem {
    if matches!(error, RecordError::Tampered { .. }) {
        return Problem::logged(Code::RecordDamaged, error).detail(
            "a decision on record is not what was written, so it is not told; `lockgate decision verify-log` says what is wrong with the record",
        );
    }
    Problem::logged(Code::RecordUnavailable, error)
}

async fn list(
    State(app): State<Shared>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    caller.must(Role::Read)?;
    let mut query = Query::parse(query.as_deref().unwrap_or_default())?;
    let filter = Filter {
        model: query.take_name("model")?,
        version: query.take_name("version")?,
        target: query.take("target")?,
        verdict: query.take("verdict")?,
        origin: query.take("origin")?,
        since: query.take_time("since")?,
        until: query.take_time("until")?,
    };
    let page = Page {
        size: query.take("limit")?.unwrap_or(PageSize::DEFAULT),
        after: query.take("cursor")?,
    };
    query.finish()?;
    let listing = app.record.list(&filter, page).await.map_err(|error| unreadable(&error))?;
    let listed = Listed {
        decisions: listing.decisions.into_iter().map(Summarized::from).collect(),
        next: listing.next.map(|cursor| cursor.to_string()),
    };
    let body = serde_json::to_vec(&listed)
        .map_err(|error| Problem::logged(Code::InternalError, &error))?;
    Ok(json_answer(body))
}

async fn get(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    caller.must(Role::Read)?;
    let id: DecisionId = id
        .parse()
        .map_err(|_| Problem::invalid("the path does not end in the id of a decision"))?;
    let found = app.record.get(id).await.map_err(|error| unreadable(&error))?;
    let Recorded { summary, document, .. } = found.ok_or_else(|| {
        Problem::new(Code::NotFound).detail("no decision of this id is on record")
    })?;
    answer(summary.id, summary.origin, summary.asked_by.as_deref(), document)
}
