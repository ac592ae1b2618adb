//! What a request would change, and the one body that is sent on for it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::body::Fields;
use super::refusal::{Refusal, quoted};
use super::route::Operation;
use super::source::VersionSource;
use super::tags::{approver, check_no_prompt, is_own, is_prompt, is_reserved};
use crate::model::canonical;

/// A request to change the registry that was read without doubt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutation {
    /// What it changes.
    pub change: Change,
    /// The body to send in place of the one that came.
    pub body: Vec<u8>,
    /// In whose name it states an approval, when it does. Whoever is known to be somebody else
    /// must not.
    pub approver: Option<String>,
}

/// What a request to change the registry asks for. Names and versions are as MLflow keeps them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in MLflow's REST API")]
pub enum Change {
    CreateModel { model: String, tags: BTreeMap<String, String> },
    UpdateModel { model: String },
    RenameModel { model: String, new_name: String },
    DeleteModel { model: String },
    SetModelTag { model: String, key: String, value: String },
    DeleteModelTag { model: String, key: String },
    SetAlias { model: String, alias: String, version: String },
    DeleteAlias { model: String, alias: String },
    CreateVersion { model: String, source: Box<NewVersion>, tags: BTreeMap<String, String> },
    UpdateVersion { model: String, version: String },
    TransitionStage { model: String, version: String, stage: Stage, archive_existing: bool },
    DeleteVersion { model: String, version: String },
    SetVersionTag { model: String, version: String, key: String, value: String },
    DeleteVersionTag { model: String, version: String, key: String },
}

/// What a new version is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVersion {
    /// Where its files are.
    pub source: VersionSource,
    /// The run that the client says it comes from.
    pub run_id: Option<String>,
    /// The logged model that the client says it is.
    pub model_id: Option<String>,
}

/// The stages that MLflow has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "MLflow's words")]
pub enum Stage {
    None,
    Staging,
    Production,
    Archived,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Self; 4] = [Self::None, Self::Staging, Self::Production, Self::Archived];

    /// As MLflow writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Staging => "Staging",
            Self::Production => "Production",
            Self::Archived => "Archived",
        }
    }

    /// Whether versions are put there to be used, and not to be out of use.
    #[must_use]
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Staging | Self::Production)
    }

    /// Reads a stage in any case, as MLflow does.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str().eq_ignore_ascii_case(text))
    }
}

impl Change {
    /// The other registered model that it concerns: whose name it takes, or whose version it copies.
    #[must_use]
    pub fn other_model(&self) -> Option<&str> {
        if let Self::RenameModel { new_name, .. } = self {
            return Some(new_name);
        }
        let Self::CreateVersion { source, .. } = self else { return None };
        if let VersionSource::Version { model, .. } = &source.source { Some(model) } else { None }
    }

    /// Name of the registered model that it changes.
    #[must_use]
    pub fn model(&self) -> &str {
        match self {
            Self::CreateModel { model, .. }
            | Self::UpdateModel { model }
            | Self::RenameModel { model, .. }
            | Self::DeleteModel { model }
            | Self::SetModelTag { model, .. }
            | Self::DeleteModelTag { model, .. }
            | Self::SetAlias { model, .. }
            | Self::DeleteAlias { model, .. }
            | Self::CreateVersion { model, .. }
            | Self::UpdateVersion { model, .. }
            | Self::TransitionStage { model, .. }
            | Self::DeleteVersion { model, .. }
            | Self::SetVersionTag { model, .. }
            | Self::DeleteVersionTag { model, .. } => model,
        }
    }
}

/// Reads the body of a request to change the registry.
///
/// # Errors
/// Anything that two readers could take for different things, and what MLflow would refuse.
pub fn read(operation: Operation, body: &[u8]) -> Result<Mutation, Refusal> {
    let mut fields = Fields::read(body)?;
    let change = change(operation, &mut fields)?;
    let written = fields.finish("this request")?;
    let body = canonical::to_vec(&Value::Object(written))
        .map_err(|error| Refusal::unclear(format!("the body cannot be written anew: {error}")))?;
    let approver = match &change {
        Change::SetVersionTag { key, value, .. } => approver(key, value)?,
        Change::CreateModel { .. }
        | Change::UpdateModel { .. }
        | Change::RenameModel { .. }
        | Change::DeleteModel { .. }
        | Change::SetModelTag { .. }
        | Change::DeleteModelTag { .. }
        | Change::SetAlias { .. }
        | Change::DeleteAlias { .. }
        | Change::CreateVersion { .. }
        | Change::UpdateVersion { .. }
        | Change::TransitionStage { .. }
        | Change::DeleteVersion { .. }
        | Change::DeleteVersionTag { .. } => None,
    };
    Ok(Mutation { change, body, approver })
}

fn change(operation: Operation, fields: &mut Fields) -> Result<Change, Refusal> {
    let model = model_name(fields, "name")?;
    Ok(match operation {
        Operation::CreateModel => {
            fields.optional("description")?;
            check_new_name(&model)?;
            Change::CreateModel { model, tags: new_tags(fields, |_| false)? }
        }
        Operation::UpdateModel => {
            fields.optional("description")?;
            Change::UpdateModel { model }
        }
        Operation::RenameModel => {
            let new_name = model_name(fields, "new_name")?;
            check_new_name(&new_name)?;
            Change::RenameModel { model, new_name }
        }
        Operation::DeleteModel => Change::DeleteModel { model },
        Operation::SetModelTag => Change::SetModelTag {
            model,
            key: tag_key(fields)?,
            value: fields.optional("value")?.unwrap_or_default(),
        },
        Operation::DeleteModelTag => Change::DeleteModelTag { model, key: tag_key(fields)? },
        Operation::SetAlias => {
            let alias = alias(fields)?;
            if alias.eq_ignore_ascii_case("latest") {
                return Err(Refusal::unclear("MLflow keeps the alias `latest` for itself"));
            }
            Change::SetAlias { model, alias, version: version(fields)? }
        }
        Operation::DeleteAlias => {
            fields.drop("version");
            Change::DeleteAlias { model, alias: alias(fields)? }
        }
        Operation::CreateVersion => {
            let source = fields.text("source")?;
            let source = VersionSource::parse(&source).map_err(Refusal::unclear)?;
            let run_id = fields.optional("run_id")?.filter(|id| !id.is_empty());
            let model_id = fields.optional("model_id")?.filter(|id| !id.is_empty());
            fields.optional("run_link")?;
            fields.optional("description")?;
            // Whoever copies a version copies its tags, and the decisions and approvals of another
            // version are none of the copy's.
            let tags = new_tags(fields, is_own)?;
            let source = Box::new(NewVersion { source, run_id, model_id });
            Change::CreateVersion { model, source, tags }
        }
        Operation::UpdateVersion => {
            fields.optional("description")?;
            Change::UpdateVersion { model, version: version(fields)? }
        }
        Operation::TransitionStage => {
            let version = version(fields)?;
            let text = fields.text("stage")?;
            let stage = Stage::parse(&text).ok_or_else(|| {
                let known = "`None`, `Staging`, `Production` or `Archived`";
                Refusal::unclear(format!("{} is no stage; write {known}", quoted(&text)))
            })?;
            fields.rewrite("stage", stage.as_str());
            let archive_existing = fields.flag("archive_existing_versions")?;
            Change::TransitionStage { model, version, stage, archive_existing }
        }
        Operation::DeleteVersion => Change::DeleteVersion { model, version: version(fields)? },
        Operation::SetVersionTag => Change::SetVersionTag {
            model,
            version: version(fields)?,
            key: tag_key(fields)?,
            value: fields.optional("value")?.unwrap_or_default(),
        },
        Operation::DeleteVersionTag => {
            Change::DeleteVersionTag { model, version: version(fields)?, key: tag_key(fields)? }
        }
    })
}

/// MLflow takes any name without `/` and `:`. Blanks at its ends are the same name to some
/// databases.
fn model_name(fields: &mut Fields, key: &str) -> Result<String, Refusal> {
    let name = fields.text(key)?;
    if name.contains(['/', ':']) || name.trim() != name || name.chars().any(char::is_control) {
        return Err(Refusal::unclear(format!(
            "{} is no name of a model; write it without `/`, `:`, control characters and blanks at its ends",
            quoted(&name)
        )));
    }
    Ok(name)
}

/// Some databases find `prod.fraud` under `pród.fraud`, which no pattern of a gate or an environment
/// matches. A name that is there already is held against the registry's own.
fn check_new_name(name: &str) -> Result<(), Refusal> {
    if name.is_ascii() {
        return Ok(());
    }
    Err(Refusal::unclear(format!(
        "the name {} is not ASCII, and some databases would take it for another; write it in ASCII",
        quoted(name)
    )))
}

/// MLflow reads a version with Python's `int()`, to which `01`, ` 1`, `1_0` and digits of other
/// scripts are numbers too.
fn version(fields: &mut Fields) -> Result<String, Refusal> {
    let version = fields.text("version")?;
    if is_version(&version) {
        return Ok(version);
    }
    Err(Refusal::unclear(format!("{} is no version; write it as `3`", quoted(&version))))
}

/// Whether a text is a version as MLflow writes it.
pub(super) fn is_version(text: &str) -> bool {
    text.len() <= 10
        && !text.starts_with('0')
        && !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// MLflow takes letters of any script, and a line break at the end; some databases take `é` for
/// `e`.
fn alias(fields: &mut Fields) -> Result<String, Refusal> {
    let alias = fields.text("alias")?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if alias.bytes().all(plain) && alias.len() <= 255 {
        return Ok(alias);
    }
    Err(Refusal::unclear(format!(
        "{} is no alias; write it with ASCII letters, digits, `_` and `-`",
        quoted(&alias)
    )))
}

fn tag_key(fields: &mut Fields) -> Result<String, Refusal> {
    let key = fields.text("key")?;
    check_tag_key(&key)?;
    check_no_prompt(&key)?;
    Ok(key)
}

fn new_tags(
    fields: &mut Fields,
    is_left_out: impl Fn(&str) -> bool,
) -> Result<BTreeMap<String, String>, Refusal> {
    let tags = fields.tags(is_left_out)?;
    tags.keys().try_for_each(|key| check_tag_key(key))?;
    is_prompt(&tags)?;
    Ok(tags)
}

fn check_tag_key(key: &str) -> Result<(), Refusal> {
    if key.trim() != key || key.chars().any(char::is_control) {
        let text = format!("the tag {} has blanks at its ends or control characters", quoted(key));
        return Err(Refusal::unclear(text));
    }
    if is_reserved(key) {
        return Err(Refusal::forbidden(format!(
            "{} is a tag that lockgate writes itself; choose another key",
            quoted(key)
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(operation: Operation, body: &str) -> String {
        read(operation, body.as_bytes()).unwrap_err().message
    }

    #[test]
    fn writes_a_body_of_its_own() {
        let body = r#" {"version" : "1", "stage": "pRODUCTION", "name": "m",
            "archive_existing_versions": null} "#;
        let mutation = read(Operation::TransitionStage, body.as_bytes()).unwrap();
        assert_eq!(
            String::from_utf8(mutation.body).unwrap(),
            r#"{"name":"m","stage":"Production","version":"1"}"#
        );
        let expected = Change::TransitionStage {
            model: "m".into(),
            version: "1".into(),
            stage: Stage::Production,
            archive_existing: false,
        };
        assert_eq!(mutation.change, expected);
    }

    #[test]
    fn tells_the_other_model_that_is_to_stay_as_it_is_meanwhile() {
        for (operation, body, other) in [
            (Operation::RenameModel, r#"{"name":"m","new_name":"n"}"#, Some("n")),
            (Operation::CreateVersion, r#"{"name":"m","source":"models:/n/1"}"#, Some("n")),
            (Operation::CreateVersion, r#"{"name":"m","source":"s3://b/n"}"#, None),
            (Operation::SetAlias, r#"{"name":"m","alias":"n","version":"1"}"#, None),
        ] {
            let change = read(operation, body.as_bytes()).unwrap().change;
            assert_eq!((change.model(), change.other_model()), ("m", other), "{body}");
        }
    }

    #[test]
    fn leaves_out_what_the_web_page_sends_in_vain() {
        let body = br#"{"alias":"champion","name":"m","version":"1"}"#;
        let mutation = read(Operation::DeleteAlias, body).unwrap();
        assert_eq!(mutation.body, br#"{"alias":"champion","name":"m"}"#);
    }

    #[test]
    fn rejects_what_mlflow_reads_in_its_own_way() {
        for (body, told) in [
            (r#"{"name":"m","alias":"a","version":"1","version":"2"}"#, "appears twice"),
            (r#"{"name":"m","alias":"a","version":"1","v\u0065rsion":"2"}"#, "appears twice"),
            (r#""{\"name\":\"m\"}""#, "no JSON object"),
            (r#"{"name":"m","alias":"a","version":1}"#, "`version` is no text"),
            (r#"{"name":"m","alias":"a","version":"01"}"#, "is no version"),
            (r#"{"name":"m","alias":"a","version":" 1"}"#, "is no version"),
            (r#"{"name":"m","alias":"a","version":"1_0"}"#, "is no version"),
            (r#"{"name":"m","alias":"a","version":"١"}"#, "is no version"),
            (r#"{"name":"m","alias":"a\n","version":"1"}"#, "is no alias"),
            (r#"{"name":"m","alias":"chámpion","version":"1"}"#, "is no alias"),
            (r#"{"name":"m","alias":"LATEST","version":"1"}"#, "keeps the alias"),
            (r#"{"name":"m ","alias":"a","version":"1"}"#, "is no name"),
            (r#"{"name":"m/n","alias":"a","version":"1"}"#, "is no name"),
            (r#"{"name":"m","alias":"a","version":"1","x":1}"#, "`x` is no field"),
            (r#"{"name":"m","alias":"a","version":"1","x":NaN}"#, "bare `NaN`"),
            (r#"{"name":"m","alias":"a"}"#, "`version` is missing"),
            ("", "is empty"),
            ("\u{feff}{}", "byte order mark"),
        ] {
            let message = refusal(Operation::SetAlias, body);
            assert!(message.contains(told), "{body}: {message}");
        }
        let utf16: Vec<u8> = "{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(read(Operation::SetAlias, &utf16).is_err());
        let large = format!(r#"{{"name":"{}"}}"#, "m".repeat(3 << 20));
        assert!(refusal(Operation::DeleteModel, &large).contains("larger than"));
        let camel = r#"{"name":"m","version":"1","stage":"None","archiveExistingVersions":true}"#;
        assert!(refusal(Operation::TransitionStage, camel).contains("is no field"));
    }

    #[test]
    fn keeps_its_own_tags_from_clients() {
        let own = r#"{"name":"m","version":"1","key":"Lockgate.decision.env.prod","value":"x"}"#;
        assert!(refusal(Operation::SetVersionTag, own).contains("lockgate writes itself"));
        let own = r#"{"name":"m","tags":[{"key":"lockgate.x","value":"x"}]}"#;
        assert!(refusal(Operation::CreateModel, own).contains("lockgate writes itself"));
        let copied = r#"{"name":"m","source":"s3://b","tags":[{"key":"lockgate.x","value":"x"},{"key":"y","value":"z"}]}"#;
        let copied = read(Operation::CreateVersion, copied.as_bytes()).unwrap();
        assert_eq!(
            String::from_utf8(copied.body).unwrap(),
            r#"{"name":"m","source":"s3://b","tags":[{"key":"y","value":"z"}]}"#
        );
    }

    #[test]
    fn says_in_whose_name_an_approval_is() {
        let tag = |value: &str| {
            let body = serde_json::json!({
                "name": "m", "version": "1", "key": "lockgate.approval.1", "value": value,
            });
            read(Operation::SetVersionTag, body.to_string().as_bytes())
        };
        let approval = tag(r#"{"approver": "ann", "at": "2026-11-23"}"#).unwrap();
        assert_eq!(approval.approver.as_deref(), Some("ann"));
        for value in ["ok", "{}", r#"{"approver": "ann"}"#, r#"{"at": "2026-11-23"}"#] {
            assert!(tag(value).unwrap_err().message.contains("write it as"), "{value}");
        }
        let other = r#"{"name":"m","version":"1","key":"team","value":"risk"}"#;
        assert_eq!(read(Operation::SetVersionTag, other.as_bytes()).unwrap().approver, None);
    }
}
