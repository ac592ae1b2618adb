//! Answers of the gateway's own, in the shape of MLflow's: its clients show `message` as it is.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, Response, StatusCode};
use serde::Serialize;

use crate::model::DecisionId;
use crate::registry::mlflow;

/// A request that is not answered by MLflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    decision: Option<DecisionId>,
    /// What went wrong with MLflow. For the log alone.
    cause: Option<String>,
}

/// The body of an error answer, `mlflow.exceptions.MlflowException` as JSON.
#[derive(Serialize)]
struct ErrorBody<'a> {
    error_code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision_id: Option<DecisionId>,
}

impl Refusal {
    /// A promotion that was not allowed, or a request that cannot be judged. Always 403: MLflow's
    /// clients repeat what is answered with 429 or 5xx, and then lose the message.
    pub(super) fn denied(message: impl Into<String>, decision: Option<DecisionId>) -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            code: "PERMISSION_DENIED",
            message: message.into(),
            decision,
            cause: None,
        }
    }

    /// A promotion that was allowed, and may or may not have been made when MLflow broke off.
    pub(super) fn in_doubt(self, decision: Option<DecisionId>) -> Self {
        let message = format!(
            "lockgate allows this, but {}; look in MLflow whether it was done.",
            self.message
        );
        Self { cause: self.cause, ..Self::denied(message, decision) }
    }

    /// A request that no parser may be asked to guess at.
    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    }

    pub(super) fn method(method: &Method) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "BAD_REQUEST",
            format!("lockgate does not pass `{method}` requests on"),
        )
    }

    pub(super) fn upgrade() -> Self {
        Self::new(
            StatusCode::NOT_IMPLEMENTED,
            "NOT_IMPLEMENTED",
            "lockgate passes no WebSocket or other upgraded connection on to MLflow; use HTTP",
        )
    }

    pub(super) fn too_large(limit: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "BAD_REQUEST",
            format!("a change of the registry has at most {limit} bytes; shorten it"),
        )
    }

    pub(super) fn stalled() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "BAD_REQUEST",
            "the rest of the request's body did not come in time",
        )
    }

    /// Nothing was done yet, so that whoever repeats it does well.
    pub(super) fn overloaded() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "TEMPORARILY_UNAVAILABLE",
            "the bodies of other requests take all the room that lockgate has; try again later",
        )
    }

    pub(super) fn upstream_unreachable(cause: impl Into<String>) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "TEMPORARILY_UNAVAILABLE",
            "lockgate cannot reach the MLflow server behind it; try again later",
        )
        .caused_by(cause)
    }

    pub(super) fn upstream_broken(cause: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_GATEWAY,
            "INTERNAL_ERROR",
            "the MLflow server behind lockgate broke off before it had answered",
        )
        .caused_by(cause)
    }

    pub(super) fn upstream_silent(patience: Duration) -> Self {
        Self::new(
            StatusCode::GATEWAY_TIMEOUT,
            "DEADLINE_EXCEEDED",
            "the MLflow server behind lockgate did not answer in time",
        )
        .caused_by(format!("no answer within {patience:?}"))
    }

    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), decision: None, cause: None }
    }

    fn caused_by(self, cause: impl Into<String>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }

    /// Says in the log what was answered: that MLflow fails is a warning.
    pub(super) fn log(&self) {
        let status = self.status.as_u16();
        let answer = &self.message;
        match &self.cause {
            None => tracing::info!(status, answer, "answered in the place of MLflow"),
            Some(cause) => tracing::warn!(status, answer, cause, "MLflow failed"),
        }
    }

    /// The HTTP status that it is answered with.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The answer.
    #[must_use]
    pub fn into_response(self) -> Response<Body> {
        let body =
            ErrorBody { error_code: self.code, message: &self.message, decision_id: self.decision };
        // Two strings and an id always are JSON.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            let allowed = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
            headers.insert(ALLOW, allowed);
        }
        response
    }
}

impl From<mlflow::Refusal> for Refusal {
    fn from(refusal: mlflow::Refusal) -> Self {
        let (status, code) = refusal.reason.answer();
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
        Self::new(status, code, refusal.message)
    }
}
