//! What MLflow says in a delivery.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::notice::{Event, Notice};
use crate::model::Timestamp;
use crate::registry::mlflow::{DEFAULT_WORKSPACE, Operation, PROMPT};

/// A delivery, of which only what is needed is read: later versions of MLflow may add to it.
#[derive(Deserialize)]
struct Delivery {
    entity: String,
    action: String,
    data: Value,
    workspace: Option<String>,
    timestamp: Option<String>,
}

#[derive(Deserialize)]
struct Version {
    name: String,
    version: String,
    source: String,
    run_id: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct PromptVersion {
    name: String,
    version: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Alias {
    name: String,
    alias: String,
    version: Option<String>,
}

#[derive(Deserialize)]
struct Tag {
    name: String,
    version: String,
    key: String,
    value: Option<String>,
}

/// A change that MLflow tells of.
pub(super) struct Told {
    pub(super) notice: Notice,
    /// The request that would have made it, with its body; none for what only takes away.
    pub(super) request: Option<(Operation, Value)>,
    /// When it was made, by MLflow's clock; none when that is not said.
    pub(super) at: Option<Timestamp>,
}

/// Reads a delivery; none when it tells of nothing that could be a promotion.
pub(super) fn read(body: &[u8]) -> Result<Option<Told>, serde_json::Error> {
    let Delivery { entity, action, data, workspace, timestamp } = serde_json::from_slice(body)?;
    let at = timestamp.and_then(|text| text.parse().ok());
    let workspace = workspace.unwrap_or_else(|| DEFAULT_WORKSPACE.to_owned());
    let (model, event, request) = match (entity.as_str(), action.as_str()) {
        ("model_version", "created") => {
            let Version { name, version, source, run_id, tags } = serde_json::from_value(data)?;
            let request =
                json!({"name": name, "source": source, "run_id": run_id, "tags": list(tags)});
            let event = Event::VersionCreated { version };
            (name, event, Some((Operation::CreateVersion, request)))
        }
        // What makes a prompt of it is left out of the notice, and so is what stands for its source.
        ("prompt_version", "created") => {
            let PromptVersion { name, version, mut tags } = serde_json::from_value(data)?;
            tags.insert(PROMPT.to_owned(), "true".to_owned());
            let request = json!({"name": name, "source": "prompt-template", "tags": list(tags)});
            let event = Event::VersionCreated { version };
            (name, event, Some((Operation::CreateVersion, request)))
        }
        ("model_version_alias" | "prompt_alias", "created") => {
            let Alias { name, alias, version } = serde_json::from_value(data)?;
            let version = version.unwrap_or_default();
            let request = json!({"name": name, "alias": alias, "version": version});
            let event = Event::AliasSet { alias, version };
            (name, event, Some((Operation::SetAlias, request)))
        }
        ("model_version_alias" | "prompt_alias", "deleted") => {
            let Alias { name, alias, .. } = serde_json::from_value(data)?;
            (name, Event::AliasDeleted { alias }, None)
        }
        ("model_version_tag" | "prompt_version_tag", "set") => {
            let Tag { name, version, key, value } = serde_json::from_value(data)?;
            let value = value.unwrap_or_default();
            let request = json!({"name": name, "version": version, "key": key, "value": value});
            let event = Event::TagSet { version, key, value };
            (name, event, Some((Operation::SetVersionTag, request)))
        }
        ("model_version_tag" | "prompt_version_tag", "deleted") => {
            let Tag { name, version, key, .. } = serde_json::from_value(data)?;
            (name, Event::TagDeleted { version, key }, None)
        }
        _ => return Ok(None),
    };
    Ok(Some(Told { notice: Notice { workspace, model, event }, request, at }))
}

/// Tags as requests have them.
fn list(tags: BTreeMap<String, String>) -> Vec<Value> {
    tags.into_iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_mlflow_delivers() {
        let told = read(
            br#"{"entity": "model_version_alias", "action": "created", "timestamp": "2026-11-23T06:17:48+00:00",
                 "data": {"name": "fraud", "alias": "champion", "version": "3"}}"#,
        );
        let told = told.unwrap().unwrap();
        let event = Event::AliasSet { alias: "champion".into(), version: "3".into() };
        assert_eq!((told.notice.workspace.as_str(), &told.notice.event), ("default", &event));
        let (operation, body) = told.request.unwrap();
        assert_eq!(operation, Operation::SetAlias);
        assert_eq!(body, json!({"name": "fraud", "alias": "champion", "version": "3"}));
        assert_eq!(told.at, Some("2026-11-23T06:17:48Z".parse().unwrap()));
    }

    #[test]
    fn reads_what_mlflow_says_of_prompts_as_of_models() {
        let told = |entity: &str, action: &str, data: Value| {
            let body = json!({"entity": entity, "action": action, "data": data}).to_string();
            read(body.as_bytes()).unwrap().unwrap()
        };
        let alias = json!({"name": "p", "alias": "champion", "version": "3"});
        let set = told("prompt_alias", "created", alias.clone());
        assert_eq!(
            set.notice,
            told("model_version_alias", "created", alias).notice,
            "one place by either word"
        );
        let (operation, body) = told(
            "prompt_version",
            "created",
            json!({"name": "p", "version": "1", "template": "{{x}}", "tags": {"deploy": "prod"}, "description": null}),
        )
        .request
        .unwrap();
        let mutation = crate::registry::mlflow::read(operation, body.to_string().as_bytes());
        assert!(mutation.is_ok(), "{mutation:?}");
        assert!(body.to_string().contains(PROMPT), "{body}");
    }

    #[test]
    fn passes_over_what_promotes_nothing_and_reports_what_it_cannot_read() {
        let other = br#"{"entity": "prompt", "action": "created", "data": {"name": "p"}}"#;
        assert!(read(other).unwrap().is_none());
        for body in [&b"{}"[..], br#"{"entity": "model_version", "action": "created", "data": {}}"#]
        {
            assert!(read(body).is_err());
        }
    }
}
