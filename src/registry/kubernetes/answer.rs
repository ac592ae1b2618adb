//! The answer to a review.

use serde::Serialize;

/// What is answered to a review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It may go on; these are shown to the user.
    Allowed {
        /// Words of caution.
        warnings: Vec<String>,
    },
    /// It may not.
    Denied {
        /// Why, for the user.
        message: String,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Review<'a> {
    api_version: &'static str,
    kind: &'static str,
    response: Response<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    uid: &'a str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    audit_annotations: Option<Annotations<'a>>,
}

#[derive(Serialize)]
struct Status<'a> {
    status: &'static str,
    reason: &'static str,
    code: u16,
    message: &'a str,
}

#[derive(Serialize)]
struct Annotations<'a> {
    decisions: &'a str,
}

/// Writes the answer to the review of that id. `decisions` are the ids of the decisions behind
/// it, for the audit log of the cluster.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn answer(uid: &str, outcome: &Outcome, decisions: &[String]) -> serde_json::Result<Vec<u8>> {
    let (allowed, message, warnings): (_, _, &[String]) = match outcome {
        Outcome::Allowed { warnings } => (true, None, warnings),
        Outcome::Denied { message } => (false, Some(message), &[]),
    };
    let ids = decisions.join(",");
    serde_json::to_vec(&Review {
        api_version: "admission.k8s.io/v1",
        kind: "AdmissionReview",
        response: Response {
            uid,
            allowed,
            status: message.map(|message| Status {
                status: "Failure",
                reason: "Forbidden",
                code: 403,
                message,
            }),
            warnings,
            audit_annotations: (!ids.is_empty()).then_some(Annotations { decisions: &ids }),
        },
    })
}
