use super::super::super::error::{Problem, quoted};
use super::super::super::node::Node;
use super::super::super::said::Said;
use super::super::Context;
use super::{add_metrics, latest_metrics, metadata_from, tags};
use crate::model::{Kind, Metadata};

/// The metrics of a logged model repeat those of its runs, so what they cost is read from the
/// run alone.
pub(in super::super) fn read(root: &Node<'_>, context: &Context<'_>) -> Result<Said, Problem> {
    let model = root.need("model")?;
    let info = model.need("info")?;
    match info.opt_name("status")? {
        None | Some("LOGGED_MODEL_READY") => {}
        Some(other) => {
            let text = format!("the logged model is `{}`, not ready", quoted(other));
            return Err(info.problem(text));
        }
    }
    let created_at = info.opt_milliseconds("creation_timestamp_ms")?;
    let mut said = Said {
        kinds: [Kind::Model].into(),
        tags: tags(&info)?,
        logged_model: info.opt_name("model_id")?.map(str::to_owned),
        collected_at: created_at,
        ..Said::default()
    };
    said.metadata = Metadata {
        created_at,
        source_run: info.opt_name("source_run_id")?.map(str::to_owned),
        ..metadata_from(&said.tags)
    };
    if let Some(data) = model.get("data")? {
        let entries = latest_metrics(&data)?;
        add_metrics(&entries, false, context, &mut said);
        if !entries.is_empty() {
            said.kinds.insert(Kind::Metrics);
        }
        // Not the time of the last update: a new tag does not make a measurement newer.
        let newest = entries.iter().filter_map(|entry| entry.recorded_at).max();
        said.collected_at = newest.or(created_at);
    }
    Ok(said)
}
