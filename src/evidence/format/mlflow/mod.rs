//! What the MLflow REST API returns, MLflow 2 and 3.
//!
//! Facts from answers recorded from MLflow 3.17.2 and from MLflow's own `service.proto` and
//! `model_registry.proto`.

pub(super) mod logged_model;
pub(super) mod registry;
pub(super) mod run;

use std::collections::BTreeMap;

use super::super::error::Problem;
use super::super::limits::MAX_TEXT_BYTES;
use super::super::node::{Node, Reading};
use super::super::said::{NoValue, Said};
use super::Context;
use crate::model::{Metadata, Metric, Timestamp};

/// A list of `{"key": …, "value": …}` as a map. A tag may have an empty value.
fn tags(node: &Node<'_>) -> Result<BTreeMap<String, String>, Problem> {
    let mut tags = BTreeMap::new();
    for tag in node.items("tags")? {
        let value = match tag.get("value")? {
            Some(value) => value.text(MAX_TEXT_BYTES)?,
            None => "",
        };
        let key = tag.name("key")?.to_owned();
        // Otherwise a tag of the version could take the place of a parameter of its run.
        if key.starts_with(PARAM) {
            return Err(tag.problem(format!(
                "the tag `{}` could be taken for a parameter; give it another key",
                super::quoted(&key)
            )));
        }
        if tags.insert(key.clone(), value.to_owned()).is_some() {
            let key = super::quoted(&key);
            return Err(tag.problem(format!("the tag `{key}` appears twice")));
        }
    }
    Ok(tags)
}

/// What the keys of tags begin with that hold a parameter.
const PARAM: &str = "mlflow.param.";

/// Tags, and parameters as tags of their own.
fn tags_and_params(node: &Node<'_>) -> Result<BTreeMap<String, String>, Problem> {
    let mut tags = tags(node)?;
    for param in node.items("params")? {
        let key = param.name("key")?;
        let value = match param.get("value")? {
            Some(value) => value.text(MAX_TEXT_BYTES)?,
            None => "",
        };
        if tags.insert(format!("{PARAM}{key}"), value.to_owned()).is_some() {
            let key = super::quoted(key);
            return Err(param.problem(format!("the parameter `{key}` appears twice")));
        }
    }
    Ok(tags)
}

/// The metadata that teams keep in tags.
fn metadata_from(tags: &BTreeMap<String, String>) -> Metadata {
    let tag = |key: &str| tags.get(key).filter(|value| !value.trim().is_empty()).cloned();
    Metadata {
        owner: tag("owner"),
        license: tag("license"),
        framework: tag("framework"),
        description: None,
        created_at: None,
        source_run: None,
        source_commit: tag("mlflow.source.git.commit"),
        training_dataset: None,
    }
}

/// One entry of a list of metrics.
struct Entry<'a> {
    key: &'a str,
    dataset: Option<&'a str>,
    reading: Reading,
    recorded_at: Option<Timestamp>,
    /// MLflow takes the entry of the highest step, then time, for the current one.
    order: (i64, Option<u64>),
}

/// The current entry of each metric and dataset.
fn latest_metrics<'a>(data: &Node<'a>) -> Result<Vec<Entry<'a>>, Problem> {
    let mut latest: BTreeMap<(&str, Option<&str>), Entry<'_>> = BTreeMap::new();
    for node in data.items("metrics")? {
        let entry = Entry {
            key: node.name("key")?,
            dataset: node.opt_name("dataset_name")?,
            reading: node.need("value")?.reading()?,
            recorded_at: node.opt_milliseconds("timestamp")?,
            order: (node.opt_whole("step")?.unwrap_or(0), node.opt_count("timestamp")?),
        };
        let place = (entry.key, entry.dataset);
        if latest.get(&place).is_some_and(|known| known.order == entry.order) {
            let key = super::quoted(entry.key);
            return Err(node.problem(format!("`{key}` has two values of the same step and time")));
        }
        if latest.get(&place).is_none_or(|known| known.order < entry.order) {
            latest.insert(place, entry);
        }
    }
    Ok(latest.into_values().collect())
}

fn add_metrics(entries: &[Entry<'_>], partial: bool, context: &Context<'_>, said: &mut Said) {
    for entry in entries {
        let (name, dataset) = (entry.key.to_owned(), entry.dataset.map(str::to_owned));
        match entry.reading {
            Reading::Value(value) => said.metrics.push(Metric {
                name,
                value,
                dataset,
                slice: None,
                sample_size: None,
                standard_error: None,
                higher_is_better: None,
                partial,
                recorded_at: entry.recorded_at,
                source: context.source.clone(),
            }),
            Reading::NotANumber(word) => said.unmeasured.push(NoValue {
                name,
                dataset,
                slice: None,
                word: word.to_owned(),
                source: context.source.clone(),
            }),
        }
    }
}
