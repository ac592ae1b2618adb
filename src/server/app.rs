//! What the routes share, and how a request gets to them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use tower::ServiceExt as _;
use tracing::{Instrument as _, field};
use uuid::Uuid;

use super::auth::{Doorkeeper, Principal, Role};
use super::body::BodyLimits;
use super::gateway::Gateway;
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
    pub(super) document: std::sync::OnceLock<Arc<str>>,
}

pub(super) type Shared = Arc<App>;

impl App {
    /// The registry of that name, or the only one where none is named.
    pub(super) fn collector(&self, name: &str) -> Option<&Arc<dyn Collect>> {
        self.collectors.iter().find(|collector| collector.registry() == name)
    }
}

/// Everything that the server answers.
pub(super) struct Front {
    app: Shared,
    router: Router,
    gateway: Option<Gateway>,
}

/// The routes that are lockgate's own.
fn router(app: &Shared) -> Router {
    let (router, document) = routes().finish();
    let _ = app.document.set(document.to_string().into());
    let router = router.fallback(unknown).method_not_allowed_fallback(wrong_method);
    router.with_state(Arc::clone(app))
}

fn routes() -> Routes {
    ready::routes(kubernetes::routes(decisions::routes(Routes::new())))
}

async fn unknown() -> Problem {
    Problem::new(Code::NotFound).detail("there is nothing here; `/openapi.json` says what is where")
}

async fn wrong_method() -> Problem {
    Problem::new(Code::MethodNotAllowed)
}

const REQUEST_ID: &str = "x-request-id";

impl Front {
    pub(super) fn new(app: Shared, gateway: Option<Gateway>) -> Self {
        Self { router: router(&app), app, gateway }
    }

    /// Gives a request an id and a span, has it answered by its own routes or by the gateway, counts
    /// it, and keeps browsers from guessing.
    pub(super) async fn answer(&self, request: Request) -> Response {
        let own = known(request.uri().path());
        // What the gateway passes on keeps the headers it came with, so its id is for the log alone.
        let gateway = self.gateway.as_ref().filter(|_| own.is_none());
        let route = own.unwrap_or("other");
        let is_logged = tracing::enabled!(tracing::Level::INFO);
        let id = (is_logged || gateway.is_none()).then(|| id(request.headers()));
        let client = request.extensions().get::<Peer>().map(|peer| peer.address);
        let client = client.map(field::display);
        let span = tracing::info_span!(
            "request",
            id = id.as_deref(),
            method = %request.method(),
            route,
            client,
            otel.name = field::Empty,
            otel.kind = field::Empty,
        );
        let traced = Traced::begin(&span, request.method(), route, request.headers());
        let answer = async {
            match gateway {
                Some(gateway) => gateway.answer(request).await,
                None => {
                    let Ok(response) = self.router.clone().oneshot(request).await;
                    response
                }
            }
        };
        let mut response = answer.instrument(span).await;
        traced.end(response.status());
        self.app.metrics.answered(route, response.status().as_u16());
        if gateway.is_none() {
            let headers = response.headers_mut();
            if let Some(Ok(id)) = id.map(HeaderValue::try_from) {
                headers.insert(REQUEST_ID, id);
            }
            headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        response
    }
}

/// The id by which a request is found in the log: the one it came with, if that is one.
fn id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    match given.filter(|id| is_plain(id)) {
        Some(id) => id.to_owned(),
        None => Uuid::now_v7().as_simple().to_string(),
    }
}

/// The route of lockgate's own that a path is of. Labels come from this list and not from a request.
fn known(path: &str) -> Option<&'static str> {
    const DECISION: &str = "/v1/decisions/{id}";
    const ROUTES: [&str; 8] = [
        "/v1/decisions",
        "/v1/reload",
        "/k8s/validate",
        "/livez",
        "/readyz",
        "/metrics",
        "/openapi.json",
        "/v1/version",
    ];
    let is_decision = |id: &str| !id.is_empty() && !id.contains('/');
    match path.strip_prefix("/v1/decisions/") {
        Some(id) => is_decision(id).then_some(DECISION),
        None => ROUTES.into_iter().find(|route| *route == path),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_known_by_its_path() {
        let (_, document) = routes().finish();
        let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
        assert!(!paths.is_empty());
        for path in paths {
            assert_eq!(known(path), Some(path.as_str()));
        }
        for path in ["/v1/decisions/", "/v1/decisions/a/b", "/v1", "/livez/", "/api/2.0/mlflow"] {
            assert_eq!(known(path), None, "{path}");
        }
    }
}
