//! The way through to MLflow and back: pooled connections, bodies streamed, nothing gathered.

mod body;
mod headers;
mod pool;

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING, UPGRADE};
use axum::http::uri::{Authority, Parts, PathAndQuery, Scheme};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version};
use tokio::time::Instant;

use body::{Progress, Through};
use headers::Arrival;
use pool::{Pool, PoolError};

use super::refusal::Refusal;
use crate::net::connector_with;
use crate::registry::mlflow::Trust;

/// MLflow's server closes a connection that was idle for 5 s; a request that is sent just then
/// would be lost, and not every request may be sent twice.
const POOL_IDLE: Duration = Duration::from_secs(4);

/// Idle connections kept; more than MLflow's worker threads are of no use.
const POOL_SIZE: usize = 256;

/// How long the proxy waits.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a connection to MLflow.
    pub connect: Duration,
    /// For the head of MLflow's answer, after the last byte of the request went on.
    pub answer: Duration,
    /// For the next part of a body, in either direction.
    pub idle: Duration,
}

impl Default for Patience {
    /// MLflow's own client waits 120 s.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(120),
            idle: Duration::from_secs(120),
        }
    }
}

/// Where MLflow is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    scheme: Scheme,
    authority: Authority,
    prefix: String,
}

impl Upstream {
    /// What MLflow was started with as `--static-prefix`: it begins with a slash and ends without
    /// one, and is empty where there is none. Clients send it to the gateway too.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.prefix)
    }
}

/// Text that says not where MLflow is.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{0}` is not the address of an MLflow server; write `http://HOST:PORT`, with MLflow's static prefix as its path if it has one, and without user or query"
)]
pub struct InvalidUpstream(pub String);

impl FromStr for Upstream {
    type Err = InvalidUpstream;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Before the last `@` may be a password, and what is told may be kept in journals.
        let shown =
            text.rsplit_once('@').map_or_else(|| text.to_owned(), |(_, end)| format!("…@{end}"));
        let invalid = || InvalidUpstream(shown.chars().take(200).collect());
        let Parts { scheme, authority, path_and_query, .. } =
            text.parse::<Uri>().map_err(|_| invalid())?.into_parts();
        let path = path_and_query.as_ref().map_or("/", PathAndQuery::path);
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_/.".contains(c);
        let plain = path.chars().all(plain)
            && !path.contains("//")
            && path_and_query.as_ref().is_none_or(|path| path.query().is_none());
        match (scheme, authority) {
            (Some(scheme), Some(authority))
                if plain
                    && !authority.as_str().contains('@')
                    && (scheme == Scheme::HTTP || scheme == Scheme::HTTPS) =>
            {
                Ok(Self { scheme, authority, prefix: path.trim_end_matches('/').to_owned() })
            }
            _ => Err(invalid()),
        }
    }
}

/// Where a request came from.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// Address of the client; none when it is not known.
    pub address: Option<IpAddr>,
    /// Whether it came over TLS.
    pub tls: bool,
}

/// Passes requests on to MLflow. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Proxy {
    pool: Pool,
    patience: Patience,
}

impl Proxy {
    /// A proxy without connections yet.
    ///
    /// # Errors
    /// No certificates to trust, where MLflow is reached by TLS.
    pub fn new(upstream: Upstream, patience: Patience) -> io::Result<Self> {
        Self::trusting(upstream, patience, &Trust::Machine)
    }

    /// The same, with a say in whom to trust.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn trusting(upstream: Upstream, patience: Patience, trust: &Trust) -> io::Result<Self> {
        let secure = upstream.scheme == Scheme::HTTPS;
        let connector = connector_with(trust.config(secure)?, secure, patience.connect);
        let address = Uri::builder()
            .scheme(upstream.scheme)
            .authority(upstream.authority)
            .path_and_query("/")
            .build()
            .map_err(io::Error::other)?;
        Ok(Self { pool: Pool::new(connector, address, POOL_IDLE, POOL_SIZE), patience })
    }

    /// Sends a request on and answers with what MLflow answers.
    ///
    /// # Errors
    /// A request that cannot go on, or an answer that did not come.
    pub async fn forward(
        &self,
        request: Request<Body>,
        peer: Peer,
    ) -> Result<Response<Body>, Refusal> {
        check_framing(&request)?;
        let (mut parts, body) = request.into_parts();
        let arrival =
            Arrival { peer: peer.address, tls: peer.tls, authority: parts.uri.authority() };
        headers::prepare_request(&mut parts.headers, arrival);
        let path = parts.uri.path_and_query().cloned();
        parts.uri = origin_form(path)?;
        parts.version = Version::HTTP_11;
        parts.extensions.clear();

        let progress = (!body.is_end_stream()).then(Progress::new);
        let mut through = Through::new(body, self.patience.idle);
        if let Some(progress) = &progress {
            through = through.with_progress(Arc::clone(progress));
        }
        let answer = self.pool.send(Request::from_parts(parts, through));
        let answer = self.wait(answer, progress.as_deref()).await?;

        let (mut parts, body) = answer.into_parts();
        // Never asked for, as `Upgrade` does not go on.
        if parts.status == StatusCode::SWITCHING_PROTOCOLS {
            let cause = "it switched protocols without having been asked to";
            return Err(Refusal::upstream_broken(cause));
        }
        headers::remove_hop_by_hop(&mut parts.headers);
        parts.version = Version::HTTP_11;
        Ok(Response::from_parts(parts, Body::new(Through::new(body, self.patience.idle))))
    }

    /// Waits for the head of the answer. The clock begins anew with every part of the body that
    /// goes on, as an upload may well take longer.
    async fn wait<B>(
        &self,
        answer: impl Future<Output = Result<Response<B>, PoolError>>,
        progress: Option<&Progress>,
    ) -> Result<Response<B>, Refusal> {
        let mut answer = std::pin::pin!(answer);
        let mut deadline = Instant::now() + self.patience.answer;
        loop {
            match tokio::time::timeout_at(deadline, answer.as_mut()).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(_)) if progress.is_some_and(Progress::stalled) => {
                    return Err(Refusal::stalled());
                }
                Ok(Err(error)) => return Err(failure(&error)),
                Err(_) => match progress.map(|progress| progress.last() + self.patience.answer) {
                    Some(later) if later > deadline => deadline = later,
                    _ => {
                        return Err(Refusal::upstream_silent(self.patience.answer));
                    }
                },
            }
        }
    }
}

/// What could be read in two ways, or would make of the connection something else.
fn check_framing<B>(request: &Request<B>) -> Result<(), Refusal> {
    let headers = request.headers();
    if request.method() == Method::CONNECT || request.method() == Method::TRACE {
        return Err(Refusal::method(request.method()));
    }
    if more_than_one(headers, HOST) || more_than_one(headers, CONTENT_LENGTH) {
        return Err(Refusal::malformed("the request has `Host` or `Content-Length` twice"));
    }
    if headers.contains_key(TRANSFER_ENCODING) {
        let mut values = headers.get_all(TRANSFER_ENCODING).iter();
        let chunked =
            values.next().is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"chunked"));
        if !chunked || values.next().is_some() || headers.contains_key(CONTENT_LENGTH) {
            return Err(Refusal::malformed(
                "the request's body may only be framed by `Content-Length` or by `Transfer-Encoding: chunked`",
            ));
        }
    }
    // A client that offers HTTP/2 in passing goes on with HTTP/1.1 when nobody takes it up; one
    // that asks for anything else has no use for an answer in HTTP.
    let upgrades = headers.get_all(UPGRADE);
    if upgrades.iter().any(|value| !value.as_bytes().eq_ignore_ascii_case(b"h2c")) {
        return Err(Refusal::upgrade());
    }
    Ok(())
}

fn more_than_one(headers: &HeaderMap, name: axum::http::HeaderName) -> bool {
    headers.get_all(name).iter().nth(1).is_some()
}

/// The target as MLflow is to read it: a path, whatever form it came in.
fn origin_form(path: Option<PathAndQuery>) -> Result<Uri, Refusal> {
    let path = path.unwrap_or_else(|| PathAndQuery::from_static("/"));
    if !path.as_str().starts_with('/') {
        return Err(Refusal::malformed("the request's target has no path"));
    }
    Ok(Uri::from(path))
}

/// What becomes of a request that MLflow did not answer.
fn failure(error: &PoolError) -> Refusal {
    let cause = pool::chain(error);
    match error {
        PoolError::Connect(_) => Refusal::upstream_unreachable(cause),
        PoolError::Exchange(_) | PoolError::Closed => Refusal::upstream_broken(cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_scheme_host_port_and_prefix() {
        for (text, written, prefix) in [
            ("http://127.0.0.1:5000", "http://127.0.0.1:5000", ""),
            ("https://mlflow.example/", "https://mlflow.example", ""),
            ("http://[::1]:5000/ml/flow/", "http://[::1]:5000/ml/flow", "/ml/flow"),
        ] {
            let upstream: Upstream = text.parse().unwrap();
            assert_eq!((upstream.to_string().as_str(), upstream.prefix()), (written, prefix));
        }
        for text in [
            "",
            "127.0.0.1:5000",
            "ftp://mlflow.example",
            "http://user:word@mlflow.example",
            "http://mlflow.example//",
            "http://mlflow.example/%2e",
            "http://mlflow.example/?a=b",
        ] {
            assert!(text.parse::<Upstream>().is_err(), "{text}");
        }
    }
}
