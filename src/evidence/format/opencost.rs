//! Allocations from the OpenCost API.
//!
//! Facts from OpenCost's own source: `core/pkg/opencost/allocation_json.go` (the fields, and that
//! a number it cannot compute becomes `null`) and `allocation.go` (`GPUEfficiency`).

use super::super::error::{Problem, quoted};
use super::super::node::Node;
use super::super::said::Said;
use super::Context;
use crate::model::{Kind, Purpose, Usage};

/// The label that says what a workload is for. Prometheus writes every other character of a
/// Kubernetes label as `_`, so `lockgate/purpose` arrives as this.
const PURPOSE_LABEL: &str = "lockgate_purpose";

pub(super) fn read(root: &Node<'_>, context: &Context<'_>) -> Result<Said, Problem> {
    if root.opt_count("code")? != Some(200) {
        return Err(root.problem("is an OpenCost answer with a `code` other than 200; ask again"));
    }
    let mut usages = Vec::new();
    // One set per step of the window, each from the name of an allocation to the allocation.
    for set in root.items("data")? {
        for (_, allocation) in set.entries()? {
            usages.push(usage(&allocation, context)?);
        }
    }
    if usages.is_empty() {
        return Err(
            root.problem("holds no allocation; check the window and the filter of the query")
        );
    }
    let collected_at = usages.iter().filter_map(|usage| usage.ended_at).max();
    let started_at = usages.iter().filter_map(|usage| usage.started_at).min();
    let without_gpu = |usage: &Usage| usage.gpu_hours == Some(0.0) && usage.amount == Some(0.0);
    if usages.iter().all(without_gpu) {
        // No GPU was used, and that was measured. One usage of zero says so.
        let zero = Usage { started_at, ended_at: collected_at, ..blank(context) };
        usages = vec![Usage { gpu_hours: Some(0.0), amount: Some(0.0), ..zero }];
    } else {
        usages.retain(|usage| !without_gpu(usage));
    }
    Ok(Said { collected_at, kinds: [Kind::Cost].into(), usages, ..Said::default() })
}

fn usage(node: &Node<'_>, context: &Context<'_>) -> Result<Usage, Problem> {
    let gpu_hours = node.opt_number("gpuHours")?;
    if gpu_hours.is_some_and(|hours| hours < 0.0) {
        return Err(node.problem("`gpuHours` is below 0"));
    }
    let adjustment = node.opt_number("gpuCostAdjustment")?.unwrap_or(0.0);
    let amount = node.opt_number("gpuCost")?.map(|cost| cost + adjustment);
    if amount.is_some_and(|amount| !amount.is_finite()) {
        return Err(node.problem("`gpuCost` and `gpuCostAdjustment` add up to no finite amount"));
    }
    let (gpu_model, utilization) = match node.get("gpuAllocation")? {
        Some(gpu) => (gpu.opt_name("gpuModel")?.map(str::to_owned), utilization(node, &gpu)?),
        None => (None, None),
    };
    Ok(Usage {
        purpose: purpose(node)?,
        gpu_model,
        gpu_hours,
        utilization,
        amount,
        started_at: node.opt_time("start")?,
        ended_at: node.opt_time("end")?,
        ..blank(context)
    })
}

fn blank(context: &Context<'_>) -> Usage {
    Usage {
        purpose: Purpose::Other,
        gpu_model: None,
        gpu_hours: None,
        utilization: None,
        amount: None,
        // The API does not say; a currency is a setting of the OpenCost server.
        currency: context.currency.map(ToString::to_string),
        started_at: None,
        ended_at: None,
        source: context.source.clone(),
    }
}

/// OpenCost's efficiency is use over request, and 0 where the use was never measured, which only
/// the presence of the use tells apart. More use than was requested is no share of anything.
fn utilization(node: &Node<'_>, gpu: &Node<'_>) -> Result<Option<f64>, Problem> {
    let measured = gpu.opt_number("gpuUsageAverage")?.is_some()
        && gpu.opt_number("gpuRequestAverage")?.is_some_and(|request| request > 0.0);
    let efficiency = node.opt_number("gpuEfficiency")?;
    Ok(efficiency.filter(|share| measured && (0.0..=1.0).contains(share)))
}

fn purpose(node: &Node<'_>) -> Result<Purpose, Problem> {
    let Some(properties) = node.get("properties")? else { return Ok(Purpose::Other) };
    let Some(labels) = properties.get("labels")? else { return Ok(Purpose::Other) };
    match labels.opt_name(PURPOSE_LABEL)? {
        None | Some("other") => Ok(Purpose::Other),
        Some("training") => Ok(Purpose::Training),
        Some("tuning") => Ok(Purpose::Tuning),
        Some("evaluation") => Ok(Purpose::Evaluation),
        Some("serving") => Ok(Purpose::Serving),
        Some(other) => Err(labels.problem(format!(
            "`{PURPOSE_LABEL}` is `{}`; write `training`, `tuning`, `evaluation`, `serving` or `other`",
            quoted(other)
        ))),
    }
}
