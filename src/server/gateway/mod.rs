//! The gateway: stands between MLflow and its clients, so that no promotion goes around its gate.
//!
//! Requests that can move no model version are passed on as they come, streamed both ways. The
//! others are read once, judged, and sent on in the words that were judged.

mod asker;
mod collector;
mod enforcement;
mod judging;
mod locks;
mod metrics;
mod notice;
mod proxy;
mod refusal;
mod webhook;

use std::io;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, Request, Response};
use tokio::sync::Semaphore;
use tracing::Instrument as _;

use super::body::{Gathered, Ungathered};
use super::listen;
use super::scope::Scope;
use super::{BodyLimits, Gatekeeper};
use crate::registry::mlflow::{
    Caller, Class, Client, InvalidAddress, MAX_BODY_BYTES, Routes, Screen, Trust,
};
use locks::Locks;
use notice::Own;
use webhook::Receiver;

pub use collector::GatewayCollector;
pub use metrics::Counts;
pub use proxy::{InvalidUpstream, Patience, Peer, Proxy, Upstream};
pub use refusal::Refusal;
pub use webhook::{InvalidSecret, Secret};

/// Where MLflow delivers its webhooks.
pub const WEBHOOK_PATH: &str = "/v1/webhooks/mlflow";

/// Changes that are judged at a time. Each may hold evidence in memory.
const AT_ONCE: usize = 32;

/// How a gateway is set up.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How long it waits for MLflow and for clients.
    pub patience: Patience,
    /// Whether clients reach it over TLS.
    pub tls: bool,
    /// What is taken of bodies that are read before they go on. They share the server's room.
    pub body: BodyLimits,
    /// By whom MLflow's own certificate must be vouched for.
    pub trust: Trust,
    /// A header in which a proxy before it says who asks; none for the user of basic
    /// authentication.
    pub user_header: Option<HeaderName>,
    /// What MLflow signs its webhooks with; none takes no webhooks.
    pub webhook_secret: Option<Secret>,
    /// As whom MLflow is asked about changes that went around the gateway.
    pub service: Caller,
    /// Where people reach this server, for links in messages.
    pub public_url: Option<String>,
}

/// A gateway that cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The address is none.
    #[error(transparent)]
    Upstream(#[from] InvalidUpstream),
    /// The address is none that look-ups can go to.
    #[error(transparent)]
    Address(#[from] InvalidAddress),
    /// The certificates to trust cannot be read.
    #[error("the certificates to verify MLflow by cannot be read: {0}")]
    Certificates(#[from] io::Error),
}

/// The gateway before one MLflow server. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {
    proxy: Proxy,
    routes: Routes,
    client: Client,
    gatekeeper: Gatekeeper,
    locks: Locks,
    own: Own,
    places: Semaphore,
    counts: Counts,
    receiver: Option<Receiver>,
    options: Options,
}

impl Gateway {
    /// A gateway before the MLflow server at `url`.
    ///
    /// # Errors
    /// An address that is none, or certificates that cannot be read.
    pub fn new(
        gatekeeper: Gatekeeper,
        url: &str,
        options: Options,
        counts: Counts,
    ) -> Result<Self, GatewayError> {
        let proxy = Proxy::trusting(url.parse()?, options.patience, &options.trust)?;
        let client = Client::trusting(url, &options.trust)?;
        Ok(Self(Arc::new(Inner {
            proxy,
            routes: client.routes().with_user_header(options.user_header.clone()),
            client,
            gatekeeper,
            locks: Locks::new(),
            own: Own::default(),
            places: Semaphore::new(AT_ONCE),
            counts,
            receiver: options.webhook_secret.clone().map(Receiver::new),
            options,
        })))
    }

    /// Answers one request. What is merely passed on has no span, unless it is traced or comes to
    /// nothing; and what is not is boxed, as the future of every request would have room for it
    /// otherwise.
    pub(super) async fn answer(&self, request: Request<Body>, scope: &Scope) -> Response<Body> {
        let inner = &self.0;
        if request.uri().path() == WEBHOOK_PATH {
            return Box::pin(self.deliver(request)).instrument(scope.span().clone()).await;
        }
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let answer = match inner.routes.classify(request.method(), target, request.headers()) {
            Class::Pass => {
                inner.counts.request("passed");
                let peer = inner.peer(&request);
                inner.proxy.forward(request, peer).instrument(scope.made()).await
            }
            Class::Screen(screen) => {
                let answer = Box::pin(self.pass_screened(screen, request));
                let answer = answer.instrument(scope.span().clone()).await;
                inner.counts.request(if answer.is_ok() { "passed" } else { "refused" });
                answer
            }
            Class::Judge(operation) => {
                let answer = Box::pin(self.enforce(operation, request));
                let answer = answer.instrument(scope.span().clone()).await;
                inner.counts.request(if answer.is_ok() { "allowed" } else { "denied" });
                answer
            }
            Class::Refuse(refusal) => {
                inner.counts.request("refused");
                Err(refusal.into())
            }
        };
        answer.unwrap_or_else(|refusal| {
            scope.span().in_scope(|| refusal.log());
            refusal.into_response()
        })
    }
}

impl Gateway {
    /// Passes a request on once all of its body has come and was looked through: the very bytes.
    async fn pass_screened(
        &self,
        screen: Screen,
        request: Request<Body>,
    ) -> Result<Response<Body>, Refusal> {
        let inner = &self.0;
        let peer = inner.peer(&request);
        let (head, body) = request.into_parts();
        let body = inner.read(&head.headers, body).await?;
        screen.check(&body)?;
        let body = Body::from(Bytes::from_owner(body));
        inner.proxy.forward(Request::from_parts(head, body), peer).await
    }
}

impl Inner {
    /// The body of a change, or of what is looked through, which is small.
    async fn read(&self, headers: &HeaderMap, body: Body) -> Result<Gathered, Refusal> {
        let gathered = self.options.body.gather(headers, body, MAX_BODY_BYTES).await;
        gathered.map_err(|ungathered| match ungathered {
            Ungathered::TooLarge => Refusal::too_large(MAX_BODY_BYTES),
            Ungathered::Broken => Refusal::malformed("the request's body broke off"),
            Ungathered::Late => Refusal::stalled(),
            Ungathered::NoRoom => Refusal::overloaded(),
        })
    }

    fn peer(&self, request: &Request<Body>) -> Peer {
        let connection = request.extensions().get::<listen::Peer>();
        Peer { address: connection.map(|peer| peer.address.ip()), tls: self.options.tls }
    }
}
