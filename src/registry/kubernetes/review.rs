//! The review itself, `admission.k8s.io/v1`.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::source::Source;
use super::{Rules, Use, Wanted, resource, uri};

/// A review, as far as deciding needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// What the answer repeats.
    pub uid: String,
    /// Whether nothing will come of it.
    pub dry_run: bool,
    /// Who makes the request, by the word of the API server.
    pub user: Option<String>,
    /// Where the resource lies.
    pub namespace: String,
    /// What it asks for.
    pub wanted: Wanted,
}

/// A body that is no review.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is not what a review looks like.
    #[error("not an admission review: {0}")]
    Json(#[from] serde_json::Error),
    /// It is one of another version, or an answer.
    #[error("not a request of `admission.k8s.io/v1`")]
    Version,
}

/// What is done to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Operation {
    /// It is made.
    Create,
    /// It is changed.
    Update,
    /// It is deleted.
    Delete,
    /// Something else.
    #[serde(other)]
    Other,
}

// Kubernetes may add fields within a version, so those that are not known are passed over.

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawReview<'a> {
    api_version: String,
    kind: String,
    #[serde(borrow)]
    request: Option<Request<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    uid: String,
    kind: GroupVersionKind,
    #[serde(default)]
    sub_resource: Option<String>,
    #[serde(default)]
    namespace: String,
    operation: Operation,
    #[serde(default)]
    user_info: UserInfo,
    #[serde(borrow, default)]
    object: Option<&'a RawValue>,
    #[serde(borrow, default)]
    old_object: Option<&'a RawValue>,
    #[serde(default)]
    dry_run: Option<bool>,
}

#[derive(Deserialize)]
struct GroupVersionKind {
    group: String,
    version: String,
    kind: String,
}

#[derive(Default, Deserialize)]
struct UserInfo {
    #[serde(default)]
    username: Option<String>,
}

/// Reads a review.
///
/// # Errors
/// A body that is no review, and so cannot be answered like one.
pub fn read(body: &[u8], rules: &Rules) -> Result<Review, Unreadable> {
    let raw: RawReview<'_> = serde_json::from_slice(body)?;
    if raw.api_version != "admission.k8s.io/v1" || raw.kind != "AdmissionReview" {
        return Err(Unreadable::Version);
    }
    let request = raw.request.ok_or(Unreadable::Version)?;
    let wanted = wanted(&request, rules).unwrap_or_else(Wanted::Unknown);
    Ok(Review {
        uid: request.uid,
        dry_run: request.dry_run.unwrap_or(false),
        user: request.user_info.username.filter(|name| !name.is_empty()),
        namespace: request.namespace,
        wanted,
    })
}

fn wanted(request: &Request<'_>, rules: &Rules) -> Result<Wanted, String> {
    let GroupVersionKind { group, version, kind } = &request.kind;
    let known = resource::Kind::of(group, version, kind).ok_or_else(|| {
        let shown = shown(&format!("{group}/{version} {kind}"));
        format!(
            "`{shown}` is not a resource that lockgate knows; leave it out of the webhook's rules"
        )
    })?;
    match request.operation {
        Operation::Delete => return Ok(Wanted::Nothing),
        Operation::Create | Operation::Update => {}
        Operation::Other => {
            return Err("this is neither made, changed nor deleted; leave other operations out of the webhook's rules".to_owned());
        }
    }
    match request.sub_resource.as_deref() {
        None | Some("") => {}
        // Neither says what is served.
        Some("status" | "scale") => return Ok(Wanted::Nothing),
        Some(other) => return Err(format!("the subresource `{}` is not known", shown(other))),
    }
    if request.namespace.is_empty() {
        return Err(
            "the resource is in no namespace, so nobody knows what it is promoted to".to_owned()
        );
    }
    let object = request.object.ok_or("the review holds no resource")?;
    let old = request.old_object.filter(|_| request.operation == Operation::Update);
    if old.is_some_and(|old| known.serves_alike(old, object)) {
        return Ok(Wanted::Nothing);
    }
    let resource = known.read(object, &request.namespace)?;
    let before = old.and_then(|old| known.read(old, &request.namespace).ok());
    let mut uses: Vec<Use> = Vec::new();
    let old = before.map(|before| before.sources).unwrap_or_default();
    for source in &resource.sources {
        let served = old.iter().any(|other: &Source| other.same_model(source));
        if served {
            continue;
        }
        let uri::Named { subject, mapped } = uri::read(source.address()?, rules)
            .map_err(|fault| format!("{}: {fault}", source.place))?;
        // Labels say what their writer likes. They may agree with the address, and no more.
        resource.labels.agree_with(&subject)?;
        let used = Use { place: source.place.clone(), subject, mapped };
        if !uses.iter().any(|other| other.subject == used.subject && other.mapped == mapped) {
            uses.push(used);
        }
    }
    Ok(if uses.is_empty() { Wanted::Nothing } else { Wanted::Models(uses) })
}

/// A piece of a request, harmless in a message.
pub(super) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}
