//! `/k8s/validate`: answers admission reviews of Kubernetes.

use std::sync::OnceLock;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::Value;

use super::app::{Caller, Shared, json};
use super::auth::Role;
use super::body::require_json;
use super::problem::{Code, Problem};
use super::routes::{Content, Operation, Reply, Routes};
use super::{Asked, Evidence, Question, Refused, Wanted};
use crate::decision::Verdict;
use crate::evidence::{About, Collector, Frozen};
use crate::model::{DecisionId, Origin, Target};
use crate::registry::kubernetes::{self, Outcome, Review, Rules, Use};
use crate::report;

/// Bytes of a review: etcd keeps objects of one and a half MiB unless it is told otherwise, and a
/// review of a change has the object as it was and as it would be.
const MOST: usize = 4 << 20;

/// How admission reviews are answered.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// How models are named in resources.
    pub rules: Rules,
    /// Registry that evidence is collected from; none to judge without evidence.
    pub registry: Option<String>,
    /// Whether reviews are answered without credentials. An API server shows none unless it is
    /// told to.
    pub open: bool,
}

pub(super) fn routes(routes: Routes) -> Routes {
    // Its schema is Kubernetes' own.
    let review = |_: &mut _| {
        schemars::json_schema!({
            "type": "object",
            "description": "An `AdmissionReview` of `admission.k8s.io/v1`.",
            "required": ["apiVersion", "kind"],
            "properties": {
                "apiVersion": {"const": "admission.k8s.io/v1"},
                "kind": {"const": "AdmissionReview"},
            },
        })
    };
    let request = |_: &mut _| {
        let text = || serde_json::json!({"type": "string"});
        let maybe = |kind: &str| -> Value { serde_json::json!({"type": [kind, "null"]}) };
        schemars::json_schema!({
            "type": "object",
            "description": "An `AdmissionReview` of `admission.k8s.io/v1`, for a resource of KServe.",
            "required": ["apiVersion", "kind", "request"],
            "properties": {
                "apiVersion": {"const": "admission.k8s.io/v1"},
                "kind": {"const": "AdmissionReview"},
                "request": {
                    "type": "object",
                    "required": ["uid", "kind", "operation"],
                    "properties": {
                        "uid": text(),
                        "kind": {
                            "type": "object",
                            "required": ["group", "version", "kind"],
                            "properties": {"group": text(), "version": text(), "kind": text()},
                        },
                        "subResource": maybe("string"),
                        "namespace": text(),
                        "operation": text(),
                        "userInfo": {
                            "type": "object",
                            "properties": {"username": maybe("string")},
                        },
                        "object": {},
                        "oldObject": {},
                        "dryRun": maybe("boolean"),
                    },
                },
            },
        })
    };
    routes.post(
        "/k8s/validate",
        Operation {
            id: "reviewAdmission",
            summary: "Answer an admission review of Kubernetes",
            description: "For InferenceService, TrainedModel, InferenceGraph, ServingRuntime, LLMInferenceService and LLMInferenceServiceConfig of KServe. Takes the role `ask`, unless the server was told to answer the API server without credentials.",
            role: Some(Role::Ask),
            parameters: Vec::new(),
            body: Some(request),
            answers: vec![Reply {
                status: 200,
                description: "The review with its response.",
                content: Content::Json(review),
            }],
            problems: &[Code::InternalError],
        },
        validate,
    )
}

async fn validate(State(app): State<Shared>, request: Request) -> Result<Response, Problem> {
    answer(&app, request).await.map_err(Problem::undecided)
}

async fn answer(app: &Shared, request: Request) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let asked_by = if app.kubernetes.open {
        None
    } else {
        use axum::extract::FromRequestParts as _;
        let caller = Caller::from_request_parts(&mut parts, app).await?;
        caller.must(Role::Ask)?;
        caller.name()
    };
    require_json(&parts.headers)?;
    // Kept until it was judged, as what was read of it is as large.
    let body = app.body.read(&parts.headers, body, MOST).await?;
    let review = kubernetes::read(&body, &app.kubernetes.rules)
        .map_err(|error| Problem::invalid(one_line(&error.to_string())))?;
    let (outcome, decisions) = match &review.wanted {
        kubernetes::Wanted::Nothing => (Outcome::Allowed { warnings: Vec::new() }, Vec::new()),
        kubernetes::Wanted::Unknown(why) => (denied(format!("lockgate: {why}")), Vec::new()),
        kubernetes::Wanted::Models(uses) => judge(app, &review, uses, asked_by).await,
    };
    let ids: Vec<String> = decisions.iter().map(ToString::to_string).collect();
    let body = kubernetes::answer(&review.uid, &outcome, &ids)
        .map_err(|error| Problem::logged(Code::InternalError, &error))?;
    Ok(json(body))
}

fn denied(message: String) -> Outcome {
    Outcome::Denied { message }
}

/// Judges every model that would be served; all must be allowed.
async fn judge(
    app: &Shared,
    review: &Review,
    uses: &[Use],
    asked_by: Option<String>,
) -> (Outcome, Vec<DecisionId>) {
    let until = Instant::now() + app.gatekeeper.deadline();
    let target = app.kubernetes.rules.target(&review.namespace);
    let mut decisions = Vec::new();
    let mut allowed = true;
    let (mut reasons, mut warnings) = (Vec::new(), Vec::new());
    for used in uses {
        let decided = match evidence(app, used, &target, until).await {
            Err(refused) => Err(refused),
            Ok(evidence) => {
                let promotion = Asked {
                    subject: used.subject.clone(),
                    source: None,
                    target: target.clone(),
                    requested_by: review.user.clone(),
                };
                let question = Question {
                    promotion,
                    origin: Origin::Kubernetes,
                    asked_by: asked_by.clone(),
                    evidence,
                    record: !review.dry_run,
                };
                app.gatekeeper.decide_by(question, until).await
            }
        };
        match decided {
            Ok(answer) => {
                if !review.dry_run {
                    decisions.push(answer.id);
                }
                if answer.decision.verdict == Verdict::Allow {
                    let subject = &used.subject;
                    let lines = report::warnings(&answer.decision).into_iter();
                    warnings.extend(lines.map(|line| format!("lockgate, of {subject}: {line}")));
                } else {
                    allowed = false;
                    reasons.push(report::brief(&answer.decision));
                }
            }
            Err(refused) => {
                allowed = false;
                reasons.push(format!(
                    "lockgate could not decide on {} → {target}: {refused}",
                    used.subject
                ));
            }
        }
    }
    let outcome = if allowed {
        Outcome::Allowed { warnings }
    } else {
        let ids: Vec<String> = decisions.iter().map(ToString::to_string).collect();
        let of_record = match ids.as_slice() {
            [] => String::new(),
            ids => format!(" (decision {})", ids.join(", ")),
        };
        denied(format!("{}{of_record}", reasons.join("; ")))
    };
    (outcome, decisions)
}

async fn evidence(
    app: &Shared,
    used: &Use,
    target: &Target,
    until: Instant,
) -> Result<Evidence, Refused> {
    let gates = app.gatekeeper.gates().ok_or(Refused::NotReady)?;
    let name = app.kubernetes.registry.as_ref();
    // What one registry holds says nothing of a model of that name in another.
    let name = name.filter(|name| used.mapped || used.subject.registry == **name);
    let Some(name) = name else { return Ok(nothing(used, target)) };
    let collector = app.collector(name).ok_or(Refused::Failed)?;
    let wanted = Wanted { subject: &used.subject, target, gates: &gates, until };
    // A registry that hangs costs no more than the request's own time.
    tokio::time::timeout_at(until.into(), collector.collect(wanted))
        .await
        .map_err(|_| Refused::Deadline)
}

/// Evidence that says nothing, which no gate that asks for any takes for something. It is the
/// same whatever it is about, and so made once.
fn nothing(used: &Use, target: &Target) -> Evidence {
    static NOTHING: OnceLock<Frozen> = OnceLock::new();
    if let Some(frozen) = NOTHING.get() {
        return Evidence::Frozen(frozen.clone());
    }
    let about = About {
        model: Some(used.subject.model.clone()),
        version: Some(used.subject.version.clone()),
        digests: Vec::new(),
        target: target.clone(),
    };
    match Collector::new(about, Vec::new()).freeze() {
        Ok(frozen) => Evidence::Frozen(NOTHING.get_or_init(|| frozen).clone()),
        Err(errors) => Evidence::Unusable(errors.into_iter().map(Into::into).collect()),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect()
}
