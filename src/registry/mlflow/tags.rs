//! The tags of a model version that lockgate writes and reads.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::lookup::Version;
use super::refusal::{Refusal, quoted};
use crate::evidence::parse_json;
use crate::model::{DecisionId, Target, Timestamp, Undecided};

/// What the keys of the tags begin with that lockgate writes.
const DECISION: &str = "lockgate.decision.";

/// What the keys of tags begin with that state an approval.
const APPROVAL: &str = "lockgate.approval.";

/// By what MLflow tells prompts from models, on a registered model and on its versions. Once a version
/// has it, searches leave out every version of that name, and once a model has it, notices of what
/// becomes of its versions are given as of a prompt.
pub const PROMPT: &str = "mlflow.prompt.is_prompt";

/// Key of the tag that holds the id of the decision by which a version came to `target`.
#[must_use]
pub fn decision_key(target: &Target) -> String {
    format!("{DECISION}{}.{}", target.kind(), target.name())
}

/// The target that the key of a tag speaks of, when it is one that [`decision_key`] makes.
#[must_use]
pub fn decided_target(key: &str) -> Option<Target> {
    let (kind, name) = key.strip_prefix(DECISION)?.split_once('.')?;
    format!("{kind}:{name}").parse().ok()
}

/// The promotions that the tags of some versions tell of, as evidence, and which version the
/// target means `now`, where that is to be said; none when there is nothing to say.
pub(super) fn history<'a>(
    versions: impl Iterator<Item = &'a Version>,
    now: Option<Option<&str>>,
) -> Option<Value> {
    let mut moved = BTreeSet::new();
    for version in versions {
        let tags = version.tags();
        let of_version = transitions(&tags);
        moved.extend(of_version.map(|(target, at)| (at, version.version.clone(), target)));
    }
    if now.is_none() && moved.is_empty() {
        return None;
    }
    let mut history = Map::new();
    if let Some(Some(current)) = now {
        history.insert("current".to_owned(), json!(current));
    }
    let newest = moved.last().map(|(at, ..)| *at);
    let transitions = moved.into_iter().map(|(at, version, target)| {
        json!({"version": version, "target": target.to_string(), "at": at.to_string()})
    });
    history.insert("transitions".to_owned(), transitions.collect());
    let mut content = Map::new();
    content.insert("lockgate".to_owned(), json!("evidence/v1"));
    if let Some(newest) = newest {
        content.insert("collected_at".to_owned(), json!(newest.to_string()));
    }
    content.insert("history".to_owned(), history.into());
    Some(content.into())
}

/// The promotions that the tags of a version tell of, with the time that the decision's id holds.
fn transitions(tags: &BTreeMap<&str, &str>) -> impl Iterator<Item = (Target, Timestamp)> {
    tags.iter().filter_map(|(key, value)| {
        let id: DecisionId = value.parse().ok()?;
        Some((decided_target(key)?, Timestamp::from_milliseconds(id.milliseconds())?))
    })
}

/// The approvals that the tags of a version state, as evidence; none when they state none.
///
/// Each is the tag `lockgate.approval.NAME` with an approval of lockgate's own evidence JSON for
/// its value: `{"approver": "ann", "role": "risk", "at": "2026-11-23T12:00:00Z"}`.
pub(super) fn approvals(tags: &BTreeMap<&str, &str>) -> Result<Option<Value>, Undecided> {
    let mut approvals = Vec::new();
    let mut oldest: Option<Timestamp> = None;
    for (key, value) in tags.iter().filter(|(key, _)| is_approval(key)) {
        let (approval, _, at) = approval(key, value).map_err(|detail| {
            let source_name = "mlflow/approvals".to_owned();
            Undecided::EvidenceUnreadable { source_name, detail }
        })?;
        // What bounds the age of approvals bounds that of each.
        oldest = Some(oldest.map_or(at, |oldest| oldest.min(at)));
        approvals.push(approval);
    }
    let Some(oldest) = oldest else { return Ok(None) };
    Ok(Some(json!({
        "lockgate": "evidence/v1",
        "collected_at": oldest.to_string(),
        "approvals": approvals,
    })))
}

/// An approval as a tag states it, who approves and when.
///
/// # Errors
/// What is wrong, with what to write.
fn approval(key: &str, value: &str) -> Result<(Value, String, Timestamp), String> {
    let wrong = |what: &str| {
        format!(
            "the tag {} {what}; write it as `{{\"approver\": \"ann\", \"role\": \"risk\", \"at\": \"2026-11-23T12:00:00Z\"}}`, or delete it",
            quoted(key)
        )
    };
    let stated = parse_json(value.as_bytes()).map_err(|error| wrong(&error.to_string()))?;
    let text = |member: &str| stated.get(member).and_then(Value::as_str);
    let at = text("at").and_then(|at| at.parse().ok()).ok_or_else(|| wrong("does not say when"))?;
    let approver = text("approver").ok_or_else(|| wrong("does not say who"))?.to_owned();
    Ok((stated, approver, at))
}

/// In whose name a tag that somebody wants to set states an approval; none when it states none.
///
/// # Errors
/// An approval that could not be read later.
pub(super) fn approver(key: &str, value: &str) -> Result<Option<String>, Refusal> {
    if !is_approval(key) {
        return Ok(None);
    }
    approval(key, value).map(|(_, approver, _)| Some(approver)).map_err(Refusal::unclear)
}

fn is_approval(key: &str) -> bool {
    key.to_ascii_lowercase().starts_with(APPROVAL)
}

/// What makes a prompt of a model is said when it is registered, or never: afterwards it would hide
/// versions that are at targets.
///
/// # Errors
/// A key that is that one, in whatever case.
pub(super) fn check_no_prompt(key: &str) -> Result<(), Refusal> {
    if !key.eq_ignore_ascii_case(PROMPT) {
        return Ok(());
    }
    Err(Refusal::forbidden(format!(
        "{} hides a model's versions from searches, and cannot be set or deleted once the model is there; register a prompt as one from the start",
        quoted(key)
    )))
}

/// Whether something new is registered as a prompt, by its tags.
///
/// # Errors
/// What MLflow could take for a prompt in one place and for none in another.
pub(super) fn is_prompt(tags: &BTreeMap<String, String>) -> Result<bool, Refusal> {
    let said = tags.iter().find(|(key, _)| key.eq_ignore_ascii_case(PROMPT));
    match said {
        None => Ok(false),
        Some((key, value)) if key == PROMPT && value == "true" => Ok(true),
        Some((key, value)) => Err(Refusal::unclear(format!(
            "the tag {} is {}; a prompt has `{PROMPT}` as `true`, and a model does not have it",
            quoted(key),
            quoted(value)
        ))),
    }
}

/// Whether a key is one of lockgate's, approvals too.
pub(super) fn is_own(key: &str) -> bool {
    is_approval(key) || is_reserved(key)
}

/// Whether only lockgate writes tags of this key: all of its own, approvals apart.
pub(super) fn is_reserved(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key.starts_with("lockgate.") && !key.starts_with(APPROVAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_tells_the_target_it_was_made_for() {
        for target in ["stage:Production", "alias:champion", "env:eu.prod"] {
            let target: Target = target.parse().unwrap();
            assert_eq!(decided_target(&decision_key(&target)), Some(target));
        }
        assert_eq!(decided_target("lockgate.decision.x"), None);
        assert_eq!(decided_target("team"), None);
    }

    #[test]
    fn keeps_its_own_tags_in_any_case_and_leaves_approvals() {
        assert!(is_reserved("Lockgate.Decision.env.prod") && is_reserved("lockgate.x"));
        assert!(!is_reserved("lockgate.approval.1") && !is_reserved("team"));
    }
}
