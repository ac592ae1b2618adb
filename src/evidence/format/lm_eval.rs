//! Results of EleutherAI's lm-evaluation-harness.
//!
//! Facts from its own source: `lm_eval/evaluator_utils.py` (keys `metric,filter` and
//! `metric_stderr,filter`, groups, sample counts) and `lm_eval/loggers/evaluation_tracker.py`.

use std::collections::{BTreeMap, BTreeSet};

use super::super::error::Problem;
use super::super::error::quoted;
use super::super::limits::MAX_NAME_BYTES;
use super::super::node::{Node, Reading};
use super::super::said::{NoValue, Said};
use super::Context;
use crate::model::{Kind, Metric, Timestamp};

pub(super) fn read(root: &Node<'_>, context: &Context<'_>) -> Result<Said, Problem> {
    let recorded_at = date(root)?;
    let mut said =
        Said { collected_at: recorded_at, kinds: [Kind::Metrics].into(), ..Said::default() };
    let mut run = Run { root, context, recorded_at, partial: BTreeSet::new() };
    run.partial = run.partial_tasks()?;
    let mut seen = BTreeSet::new();
    // Groups are listed among the results too, in the versions that have both.
    for list in ["results", "groups"] {
        let Some(list) = root.get(list)? else { continue };
        for (task, results) in list.entries()? {
            if seen.insert(task) {
                run.read_task(task, &results, &mut said)?;
            }
        }
    }
    if said.metrics.is_empty() && said.unmeasured.is_empty() {
        return Err(root.problem(
            "holds no metric; lockgate reads results with keys such as `acc,none`, as lm-evaluation-harness 0.4 writes them",
        ));
    }
    Ok(said)
}

/// Seconds since the epoch with a fraction.
fn date(root: &Node<'_>) -> Result<Option<Timestamp>, Problem> {
    let Some(seconds) = root.opt_number("date")? else { return Ok(None) };
    let invalid = || root.problem("`date` is not a time in seconds since 1970");
    let whole = std::time::Duration::try_from_secs_f64(seconds).map_err(|_| invalid())?;
    Timestamp::from_seconds(whole.as_secs()).map(Some).ok_or_else(invalid)
}

/// Whether the run was told to stop after some samples of each task.
fn is_limited(root: &Node<'_>) -> Result<bool, Problem> {
    let Some(config) = root.get("config")? else { return Ok(false) };
    Ok(config.get("limit")?.is_some())
}

struct Run<'a> {
    root: &'a Node<'a>,
    context: &'a Context<'a>,
    recorded_at: Option<Timestamp>,
    /// Tasks and groups that were evaluated in part.
    partial: BTreeSet<&'a str>,
}

impl<'a> Run<'a> {
    fn read_task(&self, task: &str, results: &Node<'_>, said: &mut Said) -> Result<(), Problem> {
        let (sample_size, _) = self.samples(task, Some(results))?;
        let partial = self.partial.contains(task);
        for (key, node) in results.entries()? {
            let Some((metric, filter)) = key.split_once(',') else { continue };
            if metric.ends_with("_stderr") {
                continue;
            }
            let name = match filter {
                "none" => format!("{task}/{metric}"),
                _ => format!("{task}/{metric},{filter}"),
            };
            if name.len() > MAX_NAME_BYTES {
                return Err(node.problem("has too long a name"));
            }
            match value(&node)? {
                Ok(value) => said.metrics.push(Metric {
                    name,
                    value,
                    dataset: Some(task.to_owned()),
                    slice: None,
                    sample_size,
                    standard_error: standard_error(results, &format!("{metric}_stderr,{filter}"))?,
                    higher_is_better: self.higher_is_better(task, metric)?,
                    partial,
                    recorded_at: self.recorded_at,
                    source: self.context.source.clone(),
                }),
                Err(word) => said.unmeasured.push(NoValue {
                    name,
                    dataset: Some(task.to_owned()),
                    slice: None,
                    word,
                    source: self.context.source.clone(),
                }),
            }
        }
        Ok(())
    }

    /// The number of samples that were evaluated, and of those that there are. `effective` does
    /// not know of `--samples`, which picks some of them; `sample_len` counts what was done.
    fn samples(
        &self,
        task: &str,
        results: Option<&Node<'_>>,
    ) -> Result<(Option<u64>, Option<u64>), Problem> {
        let counts = match self.root.get("n-samples")? {
            Some(all) => all.get(task)?,
            None => None,
        };
        let (effective, original) = match counts {
            Some(counts) => (counts.opt_count("effective")?, counts.opt_count("original")?),
            None => (None, None),
        };
        let evaluated = match results {
            Some(results) if !results.is_null() => results.opt_count("sample_len")?,
            Some(_) | None => None,
        };
        Ok((evaluated.into_iter().chain(effective).min(), original))
    }

    /// Tasks with fewer samples than there are, those without counts when the run was limited,
    /// and every group with one of them in it.
    fn partial_tasks(&self) -> Result<BTreeSet<&'a str>, Problem> {
        let limited = is_limited(self.root)?;
        let mut tasks: BTreeMap<&'a str, Option<Node<'a>>> = BTreeMap::new();
        for list in ["results", "groups"] {
            let Some(list) = self.root.get(list)? else { continue };
            for (task, results) in list.entries()? {
                tasks.entry(task).or_insert(Some(results));
            }
        }
        let mut groups_of: BTreeMap<&'a str, Vec<&'a str>> = BTreeMap::new();
        let mut groups = BTreeSet::new();
        if let Some(all) = self.root.get("group_subtasks")? {
            for (group, subtasks) in all.entries()? {
                for task in if subtasks.is_null() { Vec::new() } else { subtasks.elements()? } {
                    let task = task.text(MAX_NAME_BYTES)?;
                    groups.insert(group);
                    groups_of.entry(task).or_default().push(group);
                    tasks.entry(task).or_insert(None);
                }
            }
        }
        let mut partial = BTreeSet::new();
        for (task, results) in &tasks {
            let is_partial = match self.samples(task, results.as_ref())? {
                (Some(evaluated), Some(original)) => evaluated < original,
                (_, _) => limited && !groups.contains(task),
            };
            if is_partial {
                partial.insert(*task);
            }
        }
        let mut unseen: Vec<&str> = partial.iter().copied().collect();
        while let Some(task) = unseen.pop() {
            let above = groups_of.get(task).into_iter().flatten();
            unseen.extend(above.filter(|group| partial.insert(group)));
        }
        Ok(partial)
    }

    fn higher_is_better(&self, task: &str, metric: &str) -> Result<Option<bool>, Problem> {
        let Some(all) = self.root.get("higher_is_better")? else { return Ok(None) };
        match all.get(task)? {
            Some(of_task) => of_task.opt_bool(metric),
            None => Ok(None),
        }
    }
}

/// The value, or the word in its place: some tasks write `N/A` for what they do not compute.
fn value(node: &Node<'_>) -> Result<Result<f64, String>, Problem> {
    if node.is_null() {
        return Ok(Err("null".to_owned()));
    }
    if node.is_text() {
        return Ok(Err(quoted(node.text(MAX_NAME_BYTES)?)));
    }
    match node.reading()? {
        Reading::Value(value) => Ok(Ok(value)),
        Reading::NotANumber(word) => Ok(Err(word.to_owned())),
    }
}

/// A standard error the harness has no estimator for is `N/A`, one it could not compute NaN.
fn standard_error(results: &Node<'_>, key: &str) -> Result<Option<f64>, Problem> {
    let Some(node) = results.get(key)? else { return Ok(None) };
    if node.is_text() {
        return Ok(None);
    }
    match node.reading()? {
        Reading::Value(value) if value < 0.0 => Err(node.problem("is a standard error below 0")),
        Reading::Value(value) => Ok(Some(value)),
        Reading::NotANumber(_) => Ok(None),
    }
}
