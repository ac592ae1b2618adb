//! What goes in and comes out, as JSON has it.

use std::fmt;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::decision::{Movement, Verdict};
use crate::model::{DecisionId, Digest, Origin, Target};
use crate::record::Summary;
use crate::report;
use crate::server::text::{DIGEST, ID, NAME, TARGET};

/// A value that is written as an object and in no other way: a list of its values in order is not.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(Members(PhantomData))
    }
}

/// A promotion to decide on.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Question")]
pub(super) struct Posed {
    /// Name of the registered model.
    #[schemars(regex(pattern = NAME))]
    pub(super) model: String,
    /// Version as the registry writes it.
    #[schemars(regex(pattern = NAME))]
    pub(super) version: String,
    /// Where it is to go: `stage:NAME`, `alias:NAME` or `env:NAME`; a bare word is a stage.
    #[schemars(with = "String", regex(pattern = TARGET))]
    pub(super) target: Target,
    /// Where it is now.
    #[serde(default)]
    #[schemars(with = "Option<String>", regex(pattern = TARGET))]
    pub(super) source: Option<Target>,
    /// Digest of the model's artifacts. Evidence of another one leaves the decision undecided.
    #[serde(default)]
    #[schemars(with = "Option<String>", regex(pattern = DIGEST))]
    pub(super) digest: Option<Digest>,
    /// Who wants it to move, as policies see it; whoever asks, unless given.
    #[serde(default)]
    #[schemars(regex(pattern = NAME))]
    pub(super) requested_by: Option<String>,
    /// What it is judged on.
    pub(super) evidence: Given,
}

/// Evidence, or where to collect it.
#[derive(JsonSchema)]
#[schemars(rename = "QuestionEvidence", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Given {
    /// Evidence that comes along; takes the role `submit-evidence`.
    Inline(#[schemars(with = "Vec<Inline>", length(max = 1000))] Vec<Object<Inline>>),
    /// Name of the registry that it is collected from.
    Registry(#[schemars(regex(pattern = NAME))] String),
}

/// The keys of [`Given`].
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Inline,
    Registry,
}

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct One;

        impl<'de> Visitor<'de> for One {
            type Value = Given;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of evidence: give `inline` or `registry`, one of them")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Given, A::Error> {
                let one = || A::Error::custom("evidence: give `inline` or `registry`, one of them");
                let given = match map.next_key()?.ok_or_else(one)? {
                    Kind::Inline => Given::Inline(map.next_value()?),
                    Kind::Registry => Given::Registry(map.next_value()?),
                };
                match map.next_key::<Kind>()? {
                    None => Ok(given),
                    Some(_) => Err(one()),
                }
            }
        }

        deserializer.deserialize_map(One)
    }
}

/// A piece of evidence: what would otherwise be a file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "EvidencePiece")]
pub(super) struct Inline {
    /// Name that the file would have; decides, where the gate file says so, what it is read as.
    #[schemars(regex(pattern = NAME))]
    pub(super) name: String,
    /// The report or document itself.
    #[schemars(with = "Value")]
    pub(super) content: Box<RawValue>,
    /// Which version it speaks of.
    #[serde(default)]
    pub(super) about: Which,
}

/// Which version a piece of evidence speaks of.
#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "EvidenceAbout")]
pub(super) enum Which {
    /// The version that is to move.
    #[default]
    Candidate,
    /// The version that it would replace.
    Baseline,
}

/// A decision, on record.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Decision")]
pub(super) struct Decided<'a> {
    /// What it is called.
    #[schemars(with = "String", regex(pattern = ID))]
    pub(super) id: DecisionId,
    /// By which way it was asked for.
    #[schemars(with = "OriginWord")]
    pub(super) origin: Origin,
    /// Who asked, by the credentials shown; null where none were asked for.
    pub(super) asked_by: Option<&'a str>,
    /// The decision, in the format of `lockgate check --format json`.
    #[schemars(schema_with = "report::json_subschema")]
    pub(super) decision: &'a RawValue,
}

/// A page of decisions, newest first.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Decisions")]
pub(super) struct Listed {
    /// The decisions of this page.
    pub(super) decisions: Vec<Summarized>,
    /// What to give as `cursor` for the next page; null at the end.
    pub(super) next: Option<String>,
}

/// What a decision was about, and what it was.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DecisionSummary")]
pub(super) struct Summarized {
    /// What it is called.
    #[schemars(with = "String", regex(pattern = ID))]
    pub(super) id: DecisionId,
    /// When it was put on record, RFC 3339.
    pub(super) recorded_at: String,
    /// By which way it was asked for.
    #[schemars(with = "OriginWord")]
    pub(super) origin: Origin,
    /// Who asked, by the credentials shown.
    pub(super) asked_by: Option<String>,
    /// The answer.
    #[schemars(with = "VerdictWord")]
    pub(super) verdict: Verdict,
    /// Registry that holds the model.
    pub(super) registry: String,
    /// Name of the model.
    pub(super) model: String,
    /// Version of the model.
    pub(super) version: String,
    /// Which way it was to move.
    #[schemars(with = "MovementWord")]
    pub(super) movement: Movement,
    /// Where it was to go, or to be taken from.
    pub(super) target: String,
    /// Who wanted it to move.
    pub(super) requested_by: Option<String>,
}

/// By which way a decision was asked for.
#[derive(JsonSchema)]
#[schemars(rename = "Origin", rename_all = "kebab-case")]
#[expect(dead_code, reason = "stands for the model's own type in the schema")]
pub(super) enum OriginWord {
    Api,
    Mlflow,
    Kubernetes,
    Bypassed,
}

/// Which way a version was to move.
#[derive(JsonSchema)]
#[schemars(rename = "Movement", rename_all = "snake_case")]
#[expect(dead_code, reason = "stands for the decision's own type in the schema")]
pub(super) enum MovementWord {
    Promotion,
    Removal,
}

/// An answer to a promotion.
#[derive(JsonSchema)]
#[schemars(rename = "Verdict", rename_all = "snake_case")]
#[expect(dead_code, reason = "stands for the decision's own type in the schema")]
pub(super) enum VerdictWord {
    Allow,
    Deny,
    Undecided,
}

impl From<Summary> for Summarized {
    fn from(summary: Summary) -> Self {
        Self {
            id: summary.id,
            recorded_at: summary.recorded_at.to_string(),
            origin: summary.origin,
            asked_by: summary.asked_by,
            verdict: summary.verdict,
            registry: summary.registry,
            model: summary.model,
            version: summary.version,
            movement: summary.movement,
            target: summary.target.to_string(),
            requested_by: summary.requested_by,
        }
    }
}
