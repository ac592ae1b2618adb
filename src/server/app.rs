//! What the routes share, and how a request gets to them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tracing::{Instrument as _, field};
use uuid::Uuid;

use super::auth::{Doorkeeper, Principal, Role};
use super::body::BodyLimits;
use super::listen::Peer;
use super::problem::{Code, Problem};
use super::ready::Readiness;
use super::reload::Reload;
use super::routes::Routes;
use super::telemetry::Traced;
use super::{Collect, Gatekeeper, Metrics, decisions, kubernetes, ready};
use crate::record::Record;

/// What the routes share.
pub(super) struct App {
    pub(super) gatekeeper: Gatekeeper,
    pub(super) doorkeeper: Doorkeeper,
    pub(super) record: Record,
    pub(super) collectors: Vec<Arc<dyn Collect>>,
    pub(super) kubernetes: kubernetes::Settings,
    pub(super) body: BodyLimits,
    pub(super) metrics: Arc<Metrics>,
    pub(super) reload: Arc<Reload>,
    pub(super) readiness: Readiness,
    pub(super) has_gateway: bool,
    pub(super) document: std::sync::OnceLock<Arc<str>>,
}

pub(super) type Shared = Arc<App>;

impl App {
    /// The registry of that name, or the only one where none is named.
    pub(super) fn collector(&self, name: &str) -> Option<&Arc<dyn Collect>> {
        self.collectors.iter().find(|collector| collector.registry() == name)
    }
}

/// All routes; what they do not know goes to `fallback`, where there is one.
pub(super) fn router(app: &Shared, fallback: Option<Router>) -> Router {
    let routes = Routes::new();
    let routes = decisions::routes(routes);
    let routes = kubernetes::routes(routes);
    let (router, document) = ready::routes(routes).finish();
    let _ = app.document.set(document.to_string().into());
    let router = router.method_not_allowed_fallback(wrong_method);
    let router = match fallback {
        None => router.fallback(unknown),
        Some(gateway) => router.fallback_service(gateway),
    };
    router.layer(from_fn_with_state(Arc::clone(app), observe)).with_state(Arc::clone(app))
}

async fn unknown() -> Problem {
    Problem::new(Code::NotFound).detail("there is nothing here; `/openapi.json` says what is where")
}

async fn wrong_method() -> Problem {
    Problem::new(Code::MethodNotAllowed)
}

/// The id by which a request is found in the log; an extension of it.
#[derive(Clone, Debug)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The id as it stands in the log and in the `x-request-id` of the answer.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const REQUEST_ID: &str = "x-request-id";

/// Gives every request an id and a span, counts it, and keeps browsers from guessing.
async fn observe(State(app): State<Shared>, mut request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.map_or("other", |path| known(path.as_str()));
    let given = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let id: Arc<str> = match given.filter(|id| is_plain(id)) {
        Some(id) => Arc::from(id),
        None => Uuid::now_v7().as_simple().to_string().into(),
    };
    request.extensions_mut().insert(RequestId(Arc::clone(&id)));
    let client = request.extensions().get::<Peer>().map(|peer| peer.address);
    let client = client.map(field::display);
    let span = tracing::info_span!(
        "request",
        id = &*id,
        method = %request.method(),
        route,
        client,
        otel.name = field::Empty,
        otel.kind = field::Empty,
    );
    let traced = Traced::begin(&span, request.method(), route, request.headers());
    let mut response = next.run(request).instrument(span).await;
    traced.end(response.status());
    app.metrics.answered(route, response.status().as_u16());
    let headers = response.headers_mut();
    // What the gateway passes on keeps the headers it came with.
    if route != "other" || !app.has_gateway {
        if let Ok(value) = HeaderValue::from_str(&id) {
            headers.insert(REQUEST_ID, value);
        }
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// Labels come from this list and not from a request.
fn known(path: &str) -> &'static str {
    const ROUTES: [&str; 9] = [
        "/v1/decisions",
        "/v1/decisions/{id}",
        "/v1/reload",
        "/k8s/validate",
        "/livez",
        "/readyz",
        "/metrics",
        "/openapi.json",
        "/v1/version",
    ];
    ROUTES.into_iter().find(|route| *route == path).unwrap_or("other")
}

/// Whether an id that came from outside can go into a log and a header as it is.
fn is_plain(id: &str) -> bool {
    (8..=64).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// Whoever sent the request; refuses when the credentials are not known.
pub(super) struct Caller(pub(super) Principal);

impl Caller {
    pub(super) fn must(&self, role: Role) -> Result<(), Problem> {
        self.0.must(role)
    }

    pub(super) fn name(&self) -> Option<String> {
        self.0.name().map(str::to_owned)
    }
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        let certificate =
            parts.extensions.get::<Peer>().and_then(|peer| peer.certificate.as_deref());
        app.doorkeeper.principal(&parts.headers, certificate).map(Self)
    }
}

/// A body that is JSON already.
pub(super) fn json(body: impl Into<axum::body::Body>) -> Response {
    let mut response = body.into().into_response();
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// How long answers to health checks may be kept before the record is tried again.
pub(super) const FRESH: Duration = Duration::from_secs(1);
