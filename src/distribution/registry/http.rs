//! Single requests: bounded in time and size, redirected only where that gives nothing away.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::Moved;
use crate::distribution::DistributionError;
use crate::net::{connector, innermost};
use crate::policy::is_loopback;

const CONNECT: Duration = Duration::from_secs(10);
/// Until an answer begins; long enough for a registry that checks 64 MiB before it answers.
const ANSWER: Duration = Duration::from_secs(60);
/// Between two parts of an answer.
const IDLE: Duration = Duration::from_secs(30);
/// The whole of one transfer, however steadily it drips.
const WHOLE: Duration = Duration::from_secs(600);
/// Redirects that are followed one after the other.
const REDIRECTS: usize = 5;
/// Bytes of the body of a refusal.
const REFUSAL_BYTES: u64 = 64 << 10;
/// Bytes sent between two words on how far it has got.
const PART: usize = 256 << 10;

/// Speaks HTTP, to whichever servers a registry leads to.
pub(super) struct Http {
    secure: Pool<HttpsConnector<HttpConnector>, Upload>,
    plain: Pool<HttpsConnector<HttpConnector>, Upload>,
    plain_everywhere: bool,
}

/// One request.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Upload,
    /// Bytes that the answer may have.
    pub(super) limit: u64,
    /// Told how much of the answer has come.
    pub(super) moved: Option<Moved>,
    /// What is asked for, in messages.
    pub(super) what: String,
}

/// An answer, whole.
#[derive(Debug)]
pub(super) struct Answer {
    /// Who answers, after every redirect.
    pub(super) uri: Uri,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Ask {
    pub(super) fn get(uri: Uri, limit: u64, what: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            uri,
            headers: HeaderMap::new(),
            body: Upload::default(),
            limit,
            moved: None,
            what: what.into(),
        }
    }
}

impl Http {
    pub(super) fn new(plain_everywhere: bool, secure: bool) -> Result<Self, DistributionError> {
        let failed = |error: io::Error| DistributionError::Client(error.to_string());
        let secure = match connector(true, CONNECT) {
            // Where a registry is asked plainly, there may be no need of certificates.
            Err(_) if !secure => connector(false, CONNECT),
            connector => connector,
        };
        let secure = secure.map_err(failed)?;
        let plain = connector(false, CONNECT).map_err(failed)?;
        let pool = |connector| {
            Pool::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector)
        };
        Ok(Self { secure: pool(secure), plain: pool(plain), plain_everywhere })
    }

    /// Asks, and follows where a read is redirected to. Credentials go to the server that was
    /// named and to no other.
    pub(super) async fn send(
        &self,
        ask: Ask,
        authorization: Option<&HeaderValue>,
    ) -> Result<Answer, DistributionError> {
        let registry = origin(&ask.uri);
        match tokio::time::timeout(WHOLE, self.follow(ask.clone(), authorization)).await {
            Ok(answer) => answer,
            Err(_) => Err(timed_out(registry, &ask, WHOLE)),
        }
    }

    async fn follow(
        &self,
        mut ask: Ask,
        authorization: Option<&HeaderValue>,
    ) -> Result<Answer, DistributionError> {
        let first = ask.uri.clone();
        for _ in 0..=REDIRECTS {
            self.check_way(&ask.uri)?;
            let own = same_origin(&first, &ask.uri);
            let response = self.once(&ask, authorization.filter(|_| own)).await?;
            let read = ask.method == Method::GET || ask.method == Method::HEAD;
            if !(read && response.status().is_redirection()) {
                return self.whole(response, &ask).await;
            }
            let refused = |message: &str| DistributionError::Refused {
                registry: origin(&ask.uri),
                what: ask.what.clone(),
                status: response.status().as_u16(),
                message: message.to_owned(),
            };
            let to = location(&ask.uri, response.headers())
                .ok_or_else(|| refused("a redirect that leads nowhere"))?;
            if ask.uri.scheme_str() == Some("https") && to.scheme_str() != Some("https") {
                return Err(refused("a redirect from HTTPS to plain HTTP, which is not followed"));
            }
            ask.uri = to;
        }
        Err(DistributionError::Refused {
            registry: origin(&first),
            what: ask.what,
            status: 302,
            message: format!("more than {REDIRECTS} redirects, one after the other"),
        })
    }

    /// Plain HTTP stays on this machine unless somebody said otherwise.
    pub(super) fn check_way(&self, uri: &Uri) -> Result<(), DistributionError> {
        let plain = uri.scheme_str() != Some("https");
        if plain && !self.plain_everywhere && !uri.host().is_some_and(is_loopback) {
            return Err(DistributionError::Plain(origin(uri)));
        }
        Ok(())
    }

    async fn once(
        &self,
        ask: &Ask,
        authorization: Option<&HeaderValue>,
    ) -> Result<Response<Incoming>, DistributionError> {
        let mut request = Request::new(ask.body.clone());
        *request.method_mut() = ask.method.clone();
        *request.uri_mut() = ask.uri.clone();
        let headers = request.headers_mut();
        headers.extend(ask.headers.clone());
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("lockgate/", env!("CARGO_PKG_VERSION"))),
        );
        if let Some(authorization) = authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        let pool = if ask.uri.scheme_str() == Some("https") { &self.secure } else { &self.plain };
        match tokio::time::timeout(WHOLE.min(ask.body.time()), pool.request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(unreachable(&ask.uri, &error)),
            Err(_) => Err(timed_out(origin(&ask.uri), ask, ask.body.time())),
        }
    }

    async fn whole(
        &self,
        response: Response<Incoming>,
        ask: &Ask,
    ) -> Result<Answer, DistributionError> {
        let (parts, mut body) = response.into_parts();
        let sound = parts.status.is_success();
        let limit = if sound { ask.limit } else { REFUSAL_BYTES };
        let too_large = || DistributionError::TooLarge { what: ask.what.clone(), limit };
        if sound && ask.method != Method::HEAD && body.size_hint().lower() > limit {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        loop {
            let frame = match tokio::time::timeout(IDLE, body.frame()).await {
                Ok(None) => break,
                Ok(Some(Ok(frame))) => frame,
                Ok(Some(Err(error))) => return Err(unreachable(&ask.uri, &error)),
                Err(_) => return Err(timed_out(origin(&ask.uri), ask, IDLE)),
            };
            let Some(part) = frame.data_ref() else { continue };
            let length = bytes.len().saturating_add(part.len());
            if u64::try_from(length).is_ok_and(|length| length > limit) {
                // Of a refusal the beginning says enough.
                if sound {
                    return Err(too_large());
                }
                break;
            }
            bytes.extend_from_slice(part);
            if let (true, Some(moved)) = (sound, &ask.moved) {
                moved(u64::try_from(length).unwrap_or(u64::MAX));
            }
        }
        let (uri, status, headers) = (ask.uri.clone(), parts.status, parts.headers);
        Ok(Answer { uri, status, headers, body: bytes.into() })
    }
}

/// What is sent: nothing, or bytes at hand.
#[derive(Clone, Default)]
pub(super) struct Upload {
    rest: Bytes,
    sent: u64,
    moved: Option<Moved>,
}

impl Upload {
    pub(super) const fn of(bytes: Bytes, moved: Option<Moved>) -> Self {
        Self { rest: bytes, sent: 0, moved }
    }

    /// Until an answer has to begin: what is sent goes before it.
    fn time(&self) -> Duration {
        if self.rest.len() > PART { WHOLE } else { ANSWER }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.rest.len().min(PART);
        let part = self.rest.split_to(length);
        self.sent = self.sent.saturating_add(u64::try_from(length).unwrap_or(0));
        if let Some(moved) = &self.moved {
            moved(self.sent);
        }
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(u64::try_from(self.rest.len()).unwrap_or(u64::MAX))
    }
}

/// Tells how many bytes have been moved so far.
pub(super) fn telling(moved: impl Fn(u64) + Send + Sync + 'static) -> Moved {
    Arc::new(moved)
}

/// Scheme, host and port, without anything that could be a secret.
pub(super) fn origin(uri: &Uri) -> String {
    let (host, port) = (uri.host().unwrap_or_default(), uri.port_u16());
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{host}{port}", uri.scheme_str().unwrap_or("http"))
}

/// Whether two addresses are of one server.
pub(super) fn same_origin(one: &Uri, other: &Uri) -> bool {
    let port = |uri: &Uri| {
        uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 })
    };
    let host = |uri: &Uri| uri.host().map(str::to_ascii_lowercase);
    one.scheme() == other.scheme() && host(one) == host(other) && port(one) == port(other)
}

/// Where an answer points to, which may be said in relation to where it came from.
pub(super) fn location(from: &Uri, headers: &HeaderMap) -> Option<Uri> {
    let text = headers.get(LOCATION)?.to_str().ok()?;
    let uri: Uri = if text.starts_with('/') && !text.starts_with("//") {
        format!("{}{text}", origin(from)).parse().ok()?
    } else {
        text.parse().ok()?
    };
    // Neither credentials in the address nor anything but HTTP.
    let plain = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    (plain && matches!(uri.scheme_str(), Some("http" | "https"))).then_some(uri)
}

fn unreachable(uri: &Uri, error: &dyn std::error::Error) -> DistributionError {
    DistributionError::Unreachable { registry: origin(uri), detail: innermost(error) }
}

fn timed_out(registry: String, ask: &Ask, time: Duration) -> DistributionError {
    DistributionError::TimedOut { registry, what: ask.what.clone(), seconds: time.as_secs() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri {
        text.parse().unwrap()
    }

    #[test]
    fn knows_one_server_from_another() {
        let first = uri("https://r.example/v2/");
        for (other, same) in [
            ("https://r.example:443/x", true),
            ("https://R.example/x", true),
            ("http://r.example/x", false),
            ("https://r.example:444/x", false),
            ("https://r.example.evil/x", false),
        ] {
            assert_eq!(same_origin(&first, &uri(other)), same, "{other}");
        }
    }

    #[test]
    fn reads_where_an_answer_points_to() {
        let from = uri("https://r.example:8443/v2/p/blobs/x");
        let to = |text: &str| {
            let headers = [(LOCATION, HeaderValue::from_str(text).unwrap())];
            location(&from, &headers.into_iter().collect()).map(|uri| uri.to_string())
        };
        assert_eq!(to("/a?b=c").unwrap(), "https://r.example:8443/a?b=c");
        assert_eq!(to("https://cdn.example/a").unwrap(), "https://cdn.example/a");
        for text in ["//evil.example/a", "a/b", "file:///etc/passwd", "https://u:p@h/a", ""] {
            assert_eq!(to(text), None, "{text}");
        }
    }
}
