use super::super::super::error::{Problem, quoted};
use super::super::super::node::{Node, Reading};
use super::super::super::said::Said;
use super::super::Context;
use super::{Entry, add_metrics, latest_metrics, metadata_from, tags, tags_and_params};
use crate::model::{Kind, Metadata, Purpose, Timestamp, Usage};

/// Tag under which the status of the run is kept.
const STATUS_TAG: &str = "lockgate.run-status";

pub(in super::super) fn read(root: &Node<'_>, context: &Context<'_>) -> Result<Said, Problem> {
    let run = root.need("run")?;
    let info = run.need("info")?;
    if info.opt_name("lifecycle_stage")? == Some("deleted") {
        return Err(info.problem("is a deleted run; give the run that the model came from"));
    }
    let span = (info.opt_milliseconds("start_time")?, info.opt_milliseconds("end_time")?);
    let mut said = Said { kinds: [Kind::Model].into(), ..Said::default() };
    let mut entries = Vec::new();
    if let Some(data) = run.get("data")? {
        said.tags = tags_and_params(&data)?;
        entries = latest_metrics(&data)?;
        said.usages = usages(&data, &entries, span, context)?;
    }
    let status = info.opt_name("status")?;
    // What such a run measured before it ended is not all that it was to measure.
    let partial = matches!(status, Some("FAILED" | "KILLED"));
    add_metrics(&entries, partial, context, &mut said);
    if !entries.is_empty() {
        said.kinds.insert(Kind::Metrics);
    }
    if !said.usages.is_empty() {
        said.kinds.insert(Kind::Cost);
    }
    said.metadata = metadata(&run, &info, &said)?;
    // Last, so that no tag of the run passes for it.
    if let Some(status) = status {
        said.tags.insert(STATUS_TAG.to_owned(), status.to_owned());
    }
    // Not its end: a run that is taken up again and ended anew measures nothing by that.
    let newest = entries.iter().filter_map(|entry| entry.recorded_at).max();
    said.collected_at = newest.or(span.1).or(span.0);
    Ok(said)
}

fn metadata(run: &Node<'_>, info: &Node<'_>, said: &Said) -> Result<Metadata, Problem> {
    let stated = metadata_from(&said.tags);
    // What MLflow writes when it cannot tell who started the run.
    let user = info.opt_name("user_id")?.filter(|user| *user != "unknown");
    let dataset = match training_dataset(run)? {
        Some(dataset) => Some(dataset),
        None => said.tags.get("dataset.version").cloned(),
    };
    let description = said.tags.get("mlflow.note.content").cloned();
    Ok(Metadata {
        owner: stated.owner.or_else(|| user.map(str::to_owned)),
        description: description.filter(|text| !text.trim().is_empty()),
        source_run: info.opt_name("run_id")?.map(str::to_owned),
        training_dataset: dataset.filter(|text| !text.trim().is_empty()),
        ..stated
    })
}

/// `NAME@DIGEST` of the inputs that are not tagged with a context other than training; several
/// are joined, in the order given.
fn training_dataset(run: &Node<'_>) -> Result<Option<String>, Problem> {
    let Some(inputs) = run.get("inputs")? else { return Ok(None) };
    let mut names = Vec::new();
    for input in inputs.items("dataset_inputs")? {
        let tags = tags(&input)?;
        let purpose = tags.get("mlflow.data.context").map_or("training", String::as_str);
        if !matches!(purpose, "training" | "train") {
            continue;
        }
        let dataset = input.need("dataset")?;
        let name = dataset.name("name")?;
        names.push(match dataset.opt_name("digest")? {
            Some(digest) => format!("{name}@{digest}"),
            None => name.to_owned(),
        });
    }
    Ok((!names.is_empty()).then(|| names.join(", ")))
}

/// The convention for what training cost: the metric `gpu_hours`, and `gpu_cost_<currency>` with
/// the ISO 4217 code in lower case. A cost in a second currency becomes a usage of its own, of no
/// more hours: those of the run are counted already.
fn usages(
    data: &Node<'_>,
    entries: &[Entry<'_>],
    (started_at, ended_at): (Option<Timestamp>, Option<Timestamp>),
    context: &Context<'_>,
) -> Result<Vec<Usage>, Problem> {
    let blank = Usage {
        purpose: Purpose::Training,
        gpu_model: None,
        gpu_hours: None,
        utilization: None,
        amount: None,
        currency: None,
        started_at,
        ended_at,
        source: context.source.clone(),
    };
    let hours = entries.iter().find(|entry| entry.key == "gpu_hours");
    let mut gpu_hours = measured(data, hours)?;
    let mut usages = Vec::new();
    for (entry, currency) in entries.iter().filter_map(|entry| Some((entry, currency(entry.key)?)))
    {
        usages.push(Usage {
            gpu_hours,
            amount: measured(data, Some(entry))?,
            currency: Some(currency),
            ..blank.clone()
        });
        gpu_hours = gpu_hours.map(|_| 0.0);
    }
    if usages.is_empty() && hours.is_some() {
        usages.push(Usage { gpu_hours, ..blank });
    }
    Ok(usages)
}

fn currency(key: &str) -> Option<String> {
    let code = key.strip_prefix("gpu_cost_")?;
    let is_code = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_lowercase());
    is_code.then(|| code.to_ascii_uppercase())
}

fn measured(data: &Node<'_>, entry: Option<&Entry<'_>>) -> Result<Option<f64>, Problem> {
    match entry.map(|entry| (entry.key, entry.reading)) {
        Some((key, Reading::Value(value))) if value < 0.0 => {
            Err(data.problem(format!("the metric `{}` is below 0", quoted(key))))
        }
        Some((_, Reading::Value(value))) => Ok(Some(value)),
        Some((_, Reading::NotANumber(_))) | None => Ok(None),
    }
}
