use super::super::super::error::{Problem, quoted};
use super::super::super::node::Node;
use super::super::super::said::Said;
use super::super::Context;
use super::{metadata_from, tags};
use crate::model::{Kind, Metadata, Target};

pub(in super::super) fn read_version(
    root: &Node<'_>,
    context: &Context<'_>,
) -> Result<Said, Problem> {
    let version = root.need("model_version")?;
    context.check_subject(&version, Some(version.name("name")?), Some(version.name("version")?))?;
    match version.opt_name("status")? {
        None | Some("READY") => {}
        Some(other) => {
            return Err(version.problem(format!(
                "the registry says that the version is `{}`; wait until it is `READY`, or register it again",
                quoted(other)
            )));
        }
    }
    let tags = tags(&version)?;
    let from = version.opt_name("source")?.and_then(|source| source.strip_prefix("models:/m-"));
    Ok(Said {
        collected_at: version.opt_milliseconds("last_updated_timestamp")?,
        kinds: [Kind::Model].into(),
        metadata: Metadata {
            description: version.opt_text("description")?.map(str::to_owned),
            created_at: version.opt_milliseconds("creation_timestamp")?,
            source_run: version.opt_name("run_id")?.map(str::to_owned),
            ..metadata_from(&tags)
        },
        tags,
        registered_from: from.map(|id| format!("m-{id}")),
        ..Said::default()
    })
}

pub(in super::super) fn read_model(
    root: &Node<'_>,
    context: &Context<'_>,
) -> Result<Said, Problem> {
    let model = root.need("registered_model")?;
    context.check_subject(&model, Some(model.name("name")?), None)?;
    let tags = tags(&model)?;
    let (current, told) = current(&model, &context.about.target)?;
    let kinds = if told { vec![Kind::Model, Kind::History] } else { vec![Kind::Model] };
    Ok(Said {
        collected_at: model.opt_milliseconds("last_updated_timestamp")?,
        kinds: kinds.into_iter().collect(),
        metadata: Metadata {
            description: model.opt_text("description")?.map(str::to_owned),
            ..metadata_from(&tags)
        },
        tags,
        current,
        ..Said::default()
    })
}

/// The version that the target means now, and whether a registered model can tell: it knows
/// nothing of environments.
fn current(model: &Node<'_>, target: &Target) -> Result<(Option<String>, bool), Problem> {
    match target {
        Target::Stage(stage) => {
            for version in model.items("latest_versions")? {
                // MLflow reads stages in any case and writes them in its own.
                let here = version.opt_name("current_stage")?;
                if here.is_some_and(|here| here.eq_ignore_ascii_case(stage)) {
                    return Ok((Some(version.name("version")?.to_owned()), true));
                }
            }
            Ok((None, true))
        }
        Target::Alias(alias) => {
            let mut current = None;
            for entry in model.items("aliases")? {
                match entry.opt_name("alias")? {
                    Some(own) if own == alias => current = Some(entry.name("version")?.to_owned()),
                    // Some databases take the two for the same, and then it is what is replaced.
                    Some(own) if own.eq_ignore_ascii_case(alias) => {
                        return Err(entry.problem(format!(
                            "the alias `{}` differs from `{}` in case alone; write it as that",
                            quoted(alias),
                            quoted(own)
                        )));
                    }
                    _ => {}
                }
            }
            Ok((current, true))
        }
        Target::Environment(_) => Ok((None, false)),
    }
}
