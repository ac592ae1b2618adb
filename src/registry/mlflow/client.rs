//! Requests to MLflow: bounded in time and size, no redirect followed, only reads repeated.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderValue, USER_AGENT};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::Deserialize;
use serde_json::Value;

use super::caller::Caller;
use super::error::RegistryError;
use super::path::encode;
use super::refusal::quoted;
use super::route::Routes;
use super::trust::Trust;
use crate::evidence::parse_json;
use crate::net::{connector_with, innermost};

/// Time to connect, and of one request with its answer where nothing else is said.
const CONNECT: Duration = Duration::from_secs(5);
const REQUEST: Duration = Duration::from_secs(30);
/// How long to wait before a read is tried again; as many tries as there are waits and one.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(400)];
/// Connections kept for the next request.
const IDLE: usize = 16;

/// An MLflow server. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Client {
    pool: Pool<HttpsConnector<HttpConnector>, Full<Bytes>>,
    address: Arc<Address>,
    request: Duration,
}

/// Where an MLflow server is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Address {
    /// `http` or `https`, host and port.
    origin: String,
    /// MLflow's `--static-prefix`; empty for none.
    prefix: String,
}

/// An address that no MLflow server can have, or no way to speak to it.
#[derive(Debug, thiserror::Error)]
pub enum InvalidAddress {
    /// It is not a URL of the form that is needed.
    #[error(
        "`{0}` is not the address of an MLflow server; write it as `https://mlflow.example.org`"
    )]
    Form(String),
    /// It holds credentials, which would show in logs.
    #[error(
        "the address of MLflow holds credentials; set `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD` instead"
    )]
    Credentials,
    /// The certificates to trust cannot be read.
    #[error("the certificates to verify MLflow by cannot be read: {0}")]
    Certificates(std::io::Error),
}

impl Client {
    /// A client of the server at `url`, whose path is MLflow's `--static-prefix`.
    ///
    /// # Errors
    /// An address that is none.
    pub fn new(url: &str) -> Result<Self, InvalidAddress> {
        Self::trusting(url, &Trust::Machine)
    }

    /// The same, with a say in whom to trust.
    ///
    /// # Errors
    /// An address that is none, or certificates that cannot be read.
    pub fn trusting(url: &str, trust: &Trust) -> Result<Self, InvalidAddress> {
        let address = Arc::new(Address::parse(url)?);
        let secure = address.origin.starts_with("https:");
        let config = trust.config(secure).map_err(InvalidAddress::Certificates)?;
        let https = connector_with(config, secure, CONNECT);
        let pool = Pool::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(IDLE)
            .build(https);
        Ok(Self { pool, address, request: REQUEST })
    }

    /// The same, with another time for one request than 30 s.
    #[must_use]
    pub const fn within(mut self, request: Duration) -> Self {
        self.request = request;
        self
    }

    /// Which of its routes are guarded.
    #[must_use]
    pub fn routes(&self) -> Routes {
        Routes::below(&self.address.prefix)
    }

    /// The address, without credentials.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}{}", self.address.origin, self.address.prefix)
    }

    /// Reads one resource; `path` is below the static prefix.
    pub(super) async fn get(
        &self,
        caller: &Caller,
        path: &str,
        query: &[(&str, &str)],
        limit: u64,
    ) -> Result<Bytes, RegistryError> {
        let mut target = path.to_owned();
        for (index, (key, value)) in query.iter().enumerate() {
            let separator = if index == 0 { '?' } else { '&' };
            target.push_str(&format!("{separator}{key}={}", encode(value)));
        }
        let asked = Asked { what: format!("`GET {path}`"), limit };
        let mut pauses = PAUSES.into_iter();
        loop {
            let answer = self.once(caller, Method::GET, &target, None, &asked).await;
            let Err(error) = answer else { return answer };
            match pauses.next() {
                Some(pause) if error.may_pass() => tokio::time::sleep(pause).await,
                _ => return Err(error),
            }
        }
    }

    /// Reads a JSON answer of the REST API; `route` is below `/api/2.0/mlflow/`.
    pub(super) async fn get_json(
        &self,
        caller: &Caller,
        route: &str,
        query: &[(&str, &str)],
    ) -> Result<Answer, RegistryError> {
        let path = format!("/api/2.0/mlflow/{route}");
        let bytes = self.get(caller, &path, query, MAX_ANSWER_BYTES).await?;
        Answer::read(bytes, format!("`GET {path}`"))
    }

    /// Sets a tag of a version, such as the one that [`super::decision_key`] names.
    ///
    /// # Errors
    /// MLflow cannot be reached, or refuses.
    pub async fn set_version_tag(
        &self,
        caller: &Caller,
        model: &str,
        version: &str,
        (key, value): (&str, &str),
    ) -> Result<(), RegistryError> {
        let path = "/api/2.0/mlflow/model-versions/set-tag";
        let body =
            serde_json::json!({"name": model, "version": version, "key": key, "value": value});
        let body = Bytes::from(body.to_string());
        let asked = Asked { what: format!("`POST {path}`"), limit: MAX_ANSWER_BYTES };
        self.once(caller, Method::POST, path, Some(body), &asked).await.map(drop)
    }

    async fn once(
        &self,
        caller: &Caller,
        method: Method,
        target: &str,
        body: Option<Bytes>,
        asked: &Asked,
    ) -> Result<Bytes, RegistryError> {
        match tokio::time::timeout(self.request, self.exchange(caller, method, target, body, asked))
            .await
        {
            Ok(answer) => answer,
            Err(_) => Err(RegistryError::TimedOut {
                url: self.url(),
                what: asked.what.clone(),
                milliseconds: self.request.as_millis(),
            }),
        }
    }

    async fn exchange(
        &self,
        caller: &Caller,
        method: Method,
        target: &str,
        body: Option<Bytes>,
        asked: &Asked,
    ) -> Result<Bytes, RegistryError> {
        let unreachable = |error: &dyn std::error::Error| RegistryError::Unreachable {
            url: self.url(),
            detail: innermost(error),
        };
        let Asked { what, limit } = asked;
        let mut request = Request::new(Full::new(body.clone().unwrap_or_default()));
        *request.method_mut() = method;
        *request.uri_mut() = format!("{}{target}", self.url())
            .parse::<Uri>()
            .map_err(|error| unreachable(&error))?;
        let headers = request.headers_mut();
        headers.extend(caller.headers().clone());
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("lockgate/", env!("CARGO_PKG_VERSION"))),
        );
        if body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let response = self.pool.request(request).await.map_err(|error| unreachable(&error))?;
        let status = response.status();
        let most = usize::try_from(*limit).unwrap_or(usize::MAX);
        let bytes = Limited::new(response.into_body(), most).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                RegistryError::TooLarge { what: what.clone(), limit: *limit }
            } else {
                unreachable(&*error)
            }
        })?;
        let bytes = bytes.to_bytes();
        if status == StatusCode::OK { Ok(bytes) } else { Err(refused(what, status, &bytes)) }
    }
}

/// Bytes of one answer of the REST API. A run with a thousand metrics takes some 100 KiB.
const MAX_ANSWER_BYTES: u64 = 16 << 20;

/// What is asked for, and how much of it is taken.
struct Asked {
    what: String,
    limit: u64,
}

/// A JSON answer: as it came, and read.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) bytes: Bytes,
    pub(super) value: Value,
    what: String,
}

impl Answer {
    fn read(bytes: Bytes, what: String) -> Result<Self, RegistryError> {
        match parse_json(&bytes) {
            Ok(value) => Ok(Self { bytes, value, what }),
            Err(error) => Err(RegistryError::Unusable { what, detail: error.to_string() }),
        }
    }

    /// The member `key`, read as a `T`.
    pub(super) fn member<T: for<'de> Deserialize<'de>>(
        &self,
        key: &str,
    ) -> Result<T, RegistryError> {
        let unusable = |detail: String| RegistryError::Unusable { what: self.what.clone(), detail };
        let member = self.value.get(key).ok_or_else(|| unusable(format!("it has no `{key}`")))?;
        T::deserialize(member).map_err(|error| unusable(quoted(&error.to_string())))
    }
}

impl RegistryError {
    /// Whether another try may fare better.
    fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => matches!(status, 429 | 502..=504),
            Self::TimedOut { .. } | Self::TooLarge { .. } | Self::Unusable { .. } => false,
        }
    }
}

fn refused(what: &str, status: StatusCode, bytes: &[u8]) -> RegistryError {
    let said = parse_json(bytes).unwrap_or_default();
    let text = |key: &str| said.get(key).and_then(Value::as_str).unwrap_or_default();
    let message = match text("message") {
        _ if status.is_redirection() => "a redirect, which is not followed; give the address it leads to".to_owned(),
        "" if status == StatusCode::UNAUTHORIZED => {
            "it asks for credentials; set `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`, or `MLFLOW_TRACKING_TOKEN`".to_owned()
        }
        "" => String::new(),
        message => quoted(message).trim_matches('`').to_owned(),
    };
    let (what, code) = (what.to_owned(), text("error_code").to_owned());
    RegistryError::Refused { what, status: status.as_u16(), code, message }
}

impl Address {
    fn parse(url: &str) -> Result<Self, InvalidAddress> {
        let form = || InvalidAddress::Form(url.chars().take(100).collect());
        let uri: Uri = url.parse().map_err(|_| form())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(form());
        };
        if authority.as_str().contains('@') {
            return Err(InvalidAddress::Credentials);
        }
        let prefix = uri.path().trim_end_matches('/');
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
        if !matches!(scheme, "http" | "https")
            || uri.query().is_some()
            || !prefix.bytes().all(plain)
        {
            return Err(form());
        }
        Ok(Self { origin: format!("{scheme}://{authority}"), prefix: prefix.to_owned() })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("url", &self.url()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_address_and_its_prefix() {
        let address = Address::parse("http://127.0.0.1:5000/ml/flow/").unwrap();
        assert_eq!(address.origin, "http://127.0.0.1:5000");
        assert_eq!(address.prefix, "/ml/flow");
        assert_eq!(Address::parse("https://mlflow.example.org").unwrap().prefix, "");
    }

    #[test]
    fn rejects_what_is_no_address_or_holds_credentials() {
        for url in ["", "mlflow", "ftp://x", "http://x/?a", "file:///x", "http://x/a%2fb"] {
            assert!(matches!(Address::parse(url), Err(InvalidAddress::Form(_))), "{url}");
        }
        let error = Address::parse("http://ann:s3cret@x").unwrap_err();
        assert!(!error.to_string().contains("s3cret"));
    }
}
