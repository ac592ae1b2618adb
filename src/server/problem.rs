//! What went wrong, as RFC 9457 has it. What the caller is told and what the log is told are kept
//! apart: a path, a query or a database's own words go to the log.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::Refused;

/// Everything that can go wrong with a request. Codes are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Code {
    /// The body, a parameter or a header is not what this route takes.
    InvalidRequest,
    /// No credentials, or none that are known.
    Unauthenticated,
    /// The caller lacks a role.
    Forbidden,
    /// There is no such route or decision.
    NotFound,
    /// The route is there, but not for this method.
    MethodNotAllowed,
    /// The body did not arrive in time.
    RequestTimeout,
    /// The body is larger than the server takes.
    BodyTooLarge,
    /// The body is not JSON in UTF-8, without a coding.
    UnsupportedMediaType,
    /// Too much is being judged.
    Overloaded,
    /// The decision was not there in time.
    DeadlineExceeded,
    /// The decision could not be put on record, or the record could not be read.
    RecordUnavailable,
    /// What is on record is not what was written.
    RecordDamaged,
    /// The gates are still being loaded.
    NotReady,
    /// The gate file on disk cannot be used; the last good one is judged by.
    GatesUnusable,
    /// The server is about to stop.
    ShuttingDown,
    /// The server has failed; its log says how.
    InternalError,
}

impl Code {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::RequestTimeout => "request_timeout",
            Self::BodyTooLarge => "body_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::Overloaded => "overloaded",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::RecordUnavailable => "record_unavailable",
            Self::RecordDamaged => "record_damaged",
            Self::NotReady => "not_ready",
            Self::GatesUnusable => "gates_unusable",
            Self::ShuttingDown => "shutting_down",
            Self::InternalError => "internal_error",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::InvalidRequest => "the request is not valid",
            Self::Unauthenticated => "credentials are needed",
            Self::Forbidden => "the credentials do not allow this",
            Self::NotFound => "there is no such thing",
            Self::MethodNotAllowed => "the method is not allowed here",
            Self::RequestTimeout => "the request did not arrive in time",
            Self::BodyTooLarge => "the body is too large",
            Self::UnsupportedMediaType => "the body is not plain JSON",
            Self::Overloaded => "too much is being judged",
            Self::DeadlineExceeded => "the decision was not there in time",
            Self::RecordUnavailable => "the record is not available",
            Self::RecordDamaged => "the record is damaged",
            Self::NotReady => "the server is not ready",
            Self::GatesUnusable => "the gate file cannot be used",
            Self::ShuttingDown => "the server is shutting down",
            Self::InternalError => "the server has failed",
        }
    }

    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::InvalidRequest => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::GatesUnusable => StatusCode::CONFLICT,
            Self::Overloaded | Self::RecordUnavailable | Self::NotReady | Self::ShuttingDown => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
            Self::RecordDamaged | Self::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// A problem as it is answered.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem", title = "Problem", deny_unknown_fields)]
pub(crate) struct Document<'a> {
    /// URI of the kind of problem; ends in `code`.
    #[serde(rename = "type")]
    kind: String,
    /// The kind in words.
    title: &'a str,
    /// The status of the answer.
    status: u16,
    /// Stable code, by which programs tell problems apart.
    code: Code,
    /// What is wrong with this request, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    /// `undecided`, where a decision was asked for: never to be taken for allow.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<Undecided>,
}

/// The verdict that goes with every problem in deciding.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Undecided {
    /// Not decided.
    Undecided,
}

/// A problem on its way to the caller.
#[derive(Debug)]
pub(crate) struct Problem {
    code: Code,
    detail: Option<String>,
    retry_after: Option<Duration>,
    undecided: bool,
}

impl Problem {
    pub(crate) const fn new(code: Code) -> Self {
        Self { code, detail: None, retry_after: None, undecided: false }
    }

    /// What is wrong with this request, for the caller: in one line, and nothing of the inside.
    pub(crate) fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// When it may be worth asking again.
    pub(crate) fn retry_after(self, time: Duration) -> Self {
        Self { retry_after: Some(time), ..self }
    }

    /// A problem in reading a request.
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(Code::InvalidRequest).detail(detail)
    }

    /// A problem whose cause is for the log alone.
    pub(crate) fn logged(code: Code, cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(code = code.as_str(), cause = %cause, "request failed");
        Self::new(code)
    }

    /// A problem that left a promotion undecided.
    pub(crate) fn undecided(self) -> Self {
        Self { undecided: true, ..self }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let (code, retry_after) = match refused {
            Refused::Overloaded { retry_after } => (Code::Overloaded, Some(retry_after)),
            Refused::Deadline => (Code::DeadlineExceeded, None),
            Refused::RecordUnavailable => (Code::RecordUnavailable, None),
            Refused::NotReady => (Code::NotReady, Some(Duration::from_secs(1))),
            Refused::ShuttingDown => (Code::ShuttingDown, Some(Duration::from_secs(1))),
            Refused::Failed => (Code::InternalError, None),
        };
        let detail = Some(refused.to_string());
        Self { code, detail, retry_after, undecided: true }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { code, detail, retry_after, undecided } = self;
        let status = code.status();
        let document = Document {
            kind: format!("https://lockgate.dev/problems/{}", code.as_str()),
            title: code.title(),
            status: status.as_u16(),
            code,
            detail: detail.as_deref(),
            verdict: undecided.then_some(Undecided::Undecided),
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        if let Some(time) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(time.as_secs().max(1)));
        }
        if code == Code::Unauthenticated {
            let challenge = HeaderValue::from_static("Bearer realm=\"lockgate\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
