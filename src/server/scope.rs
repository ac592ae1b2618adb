//! What the log and traces say of a request: the span that it is answered in.

use std::net::SocketAddr;
use std::sync::OnceLock;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use tracing::{Span, field};
use uuid::Uuid;

use super::listen::Peer;
use super::telemetry;

/// The header by which callers find their request in the log.
pub(super) const REQUEST_ID: &str = "x-request-id";

/// Bytes of a path in the log.
const PATH: usize = 200;

/// A request, as it is named in the log. Its span is made when something is to be said in it:
/// most of what the gateway passes on goes without a word, and writing down who asked for what
/// would take a tenth of the time that passing it on does.
pub(super) struct Scope {
    given: Option<HeaderValue>,
    method: Method,
    route: &'static str,
    target: Uri,
    client: Option<SocketAddr>,
    id: OnceLock<String>,
    span: OnceLock<Span>,
}

impl Scope {
    /// The scope of a request to one of lockgate's own routes, or to `other`. Its span is made at
    /// once where requests are traced.
    pub(super) fn begin(request: &Request<Body>, route: &'static str) -> Self {
        let headers = request.headers();
        let scope = Self {
            given: headers.get(REQUEST_ID).cloned(),
            method: request.method().clone(),
            route,
            target: request.uri().clone(),
            client: request.extensions().get::<Peer>().map(|peer| peer.address),
            id: OnceLock::new(),
            span: OnceLock::new(),
        };
        if telemetry::is_traced() {
            scope.trace(headers);
        }
        scope
    }

    fn trace(&self, headers: &HeaderMap) {
        telemetry::begin(self.span(), &self.method, self.route, headers);
    }

    /// The id by which the request is found in the log: the one it came with, if that is one.
    pub(super) fn id(&self) -> &str {
        self.id.get_or_init(|| {
            let given = self.given.as_ref().and_then(|id| id.to_str().ok());
            match given.filter(|id| is_plain(id)) {
                Some(id) => id.to_owned(),
                None => Uuid::now_v7().as_simple().to_string(),
            }
        })
    }

    /// The route it goes to.
    pub(super) const fn route(&self) -> &'static str {
        self.route
    }

    /// The span, made now if it was not before.
    pub(super) fn span(&self) -> &Span {
        self.span.get_or_init(|| {
            // Where it goes to nobody there is no need for an id either.
            let id = tracing::enabled!(tracing::Level::INFO).then(|| self.id());
            tracing::info_span!(
                "request",
                id,
                method = %self.method,
                path = self.path(),
                client = self.client.map(field::display),
                otel.name = field::Empty,
                otel.kind = field::Empty,
            )
        })
    }

    /// What was asked for, without its query, which may hold what is nobody's business.
    fn path(&self) -> &str {
        let path = self.target.path();
        path.get(..path.floor_char_boundary(PATH)).unwrap_or_default()
    }

    /// The span if there is one yet, and one that says nothing otherwise.
    pub(super) fn made(&self) -> Span {
        self.span.get().cloned().unwrap_or_else(Span::none)
    }

    /// Tells the trace, if there is one, what was answered.
    pub(super) fn end(&self, status: StatusCode) {
        if let Some(span) = self.span.get().filter(|_| telemetry::is_traced()) {
            telemetry::end(span, status);
        }
    }
}

/// Whether an id that came from outside can go into a log and a header as it is.
fn is_plain(id: &str) -> bool {
    (8..=64).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}
