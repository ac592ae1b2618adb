//! What a policy is, as JSON for programs, version 1. Every key is always there. Within the version
//! keys may be added, and nothing is taken away or changes its meaning.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::Value;

use super::params_schema;
use crate::wasm::{self, Inspection};

/// What a policy is, as `lockgate policy inspect --format json` prints it.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "lockgate policy")]
pub(super) struct Document {
    /// Name and version of this format.
    schema: SchemaName,
    /// Name that it gives itself.
    name: String,
    /// Version that it gives itself.
    version: String,
    /// What it is for, in a sentence.
    summary: String,
    /// SHA-256 of the component, `sha256:` and 64 hex digits.
    digest: String,
    /// Size of the component, bytes.
    size: u64,
    /// What it checks, in its own order.
    rules: Vec<Rule>,
    /// JSON Schema of its params.
    params_schema: Value,
    /// What it can see: the interfaces that it imports.
    sees: Vec<Interface>,
    /// The interfaces that it could import and does not.
    cannot_see: Vec<String>,
    /// What holding it and having it describe itself takes of what it may have.
    needs: Vec<Need>,
    /// What it was made with, by its own word.
    producers: Vec<Producer>,
}

/// Name and version of the format.
#[derive(Serialize, JsonSchema)]
enum SchemaName {
    #[serde(rename = "lockgate.dev/policy/v1")]
    V1,
}

/// Something that it checks.
#[derive(Serialize, JsonSchema)]
struct Rule {
    /// Stable kebab-case code.
    code: String,
    /// A few words.
    title: String,
    /// What is checked and when it fails.
    description: String,
}

/// An interface of the contract.
#[derive(Serialize, JsonSchema)]
struct Interface {
    /// Its name.
    interface: String,
    /// The functions that are imported.
    functions: Vec<String>,
}

/// How much of a limited thing is taken.
#[derive(Serialize, JsonSchema)]
struct Need {
    /// `fuel`, `memory`, `table-elements` or `instances`.
    what: &'static str,
    /// How much is taken; memory in bytes.
    amount: u64,
    /// How much may be taken unless the gate says otherwise.
    limit: u64,
}

/// Something that had a part in making the component.
#[derive(Serialize, JsonSchema)]
struct Producer {
    /// `language`, `processed-by` or `sdk`.
    part: String,
    /// What it is called.
    name: String,
    /// Its version; empty when it was left out.
    version: String,
}

impl Document {
    pub(super) fn of(inspection: &Inspection) -> Self {
        let description = &inspection.description;
        let rules = description.rules.iter().map(|rule| Rule {
            code: rule.code.clone(),
            title: rule.title.clone(),
            description: rule.description.clone(),
        });
        let sees = inspection.sees.iter().map(|seen| Interface {
            interface: seen.name.clone(),
            functions: seen.functions.clone(),
        });
        let needs = inspection.needs.iter().map(|need| {
            let wasm::Need { what, amount, limit } = *need;
            Need { what, amount, limit }
        });
        let producers = inspection.producers.iter().map(|producer| {
            let wasm::Producer { part, name, version } = producer.clone();
            Producer { part, name, version }
        });
        Self {
            schema: SchemaName::V1,
            name: description.name.clone(),
            version: description.version.clone(),
            summary: description.summary.clone(),
            digest: inspection.digest.to_string(),
            size: inspection.size,
            rules: rules.collect(),
            params_schema: params_schema(inspection),
            sees: sees.collect(),
            cannot_see: inspection.blind_to.clone(),
            needs: needs.collect(),
            producers: producers.collect(),
        }
    }
}

/// The JSON Schema (2020-12) of a policy; published as `sdk/schema/inspection.schema.json`.
pub(in crate::cli) fn schema() -> Value {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<Document>()
        .to_value()
}
