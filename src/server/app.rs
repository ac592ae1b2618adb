//! What the routes share, and how a request gets to them.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use tower::ServiceExt as _;
use tracing::Instrument as _;

use super::auth::{Doorkeeper, Principal, Role};
use super::body::BodyLimits;
use super::gateway::Gateway;
use super::listen::Peer;
use super::problem::{Code, Problem};
use super::ready::Readiness;
use super::reload::Reload;
use super::routes::Routes;
use super::scope::{REQUEST_ID, Scope};
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

/// A request that is being answered.
pub(super) type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;

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

impl Front {
    pub(super) fn new(app: Shared, gateway: Option<Gateway>) -> Self {
        Self { router: router(&app), app, gateway }
    }

    /// Has a request answered by its own routes or by the gateway, in its scope, and counts it.
    ///
    /// Each way has a future of its own: one for both would have room for the longer, which takes
    /// an allocator that much longer to find.
    pub(super) fn answer(self: &Arc<Self>, request: Request) -> Answering {
        let own = known(request.uri().path());
        let route = own.unwrap_or("other");
        let scope = Scope::begin(&request, route);
        let front = Arc::clone(self);
        if let (None, Some(gateway)) = (own, &self.gateway) {
            return Box::pin(front.pass(gateway.clone(), request, scope));
        }
        let answer = self.router.clone().oneshot(request).instrument(scope.span().clone());
        Box::pin(answer.map(move |answer| {
            let Ok(response) = answer;
            front.app.metrics.admitted(response.status());
            front.finish(&scope, guarded(response, scope.id()))
        }))
    }

    /// What comes through the gateway keeps the headers it came with.
    async fn pass(self: Arc<Self>, gateway: Gateway, request: Request, scope: Scope) -> Response {
        let response = gateway.answer(request, &scope).await;
        self.finish(&scope, response)
    }

    fn finish(&self, scope: &Scope, response: Response) -> Response {
        scope.end(response.status());
        self.app.metrics.answered(scope.route(), response.status().as_u16());
        response
    }
}

/// An answer of lockgate's own, with what it is found by in the log, and what keeps browsers from
/// guessing.
fn guarded(mut response: Response, id: &str) -> Response {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
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
