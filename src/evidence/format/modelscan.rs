//! ModelScan JSON reports.
//!
//! Facts from ModelScan's own source: `modelscan/modelscan.py` (the report),
//! `modelscan/issues.py` (issues and severities), `modelscan/reports.py` (which drops the skipped
//! files unless asked to show them).

use super::super::error::Problem;
use super::super::node::Node;
use super::super::said::Said;
use super::Context;
use super::scanner::title;
use crate::model::{Category, Exploitability, Finding, Kind, Scan, Severity, SourceName};

const SCANNER: &str = "modelscan";

pub(super) fn read(root: &Node<'_>, context: &Context<'_>) -> Result<Said, Problem> {
    let summary = root.need("summary")?;
    let issues = root.items("issues")?;
    if let Some(total) = summary.opt_count("total_issues")?
        && u64::try_from(issues.len()) != Ok(total)
    {
        let text = format!("counts {total} issues and the report lists {}", issues.len());
        return Err(summary.problem(text));
    }
    let mut errors = Vec::new();
    for error in root.items("errors")? {
        errors.push(error_line(&error)?);
    }
    // A file that a scanner gave up on was passed over as well.
    let mut skipped = u64::try_from(errors.len()).unwrap_or(u64::MAX);
    match summary.get("skipped")? {
        Some(counts) => {
            let counted = counts
                .opt_count("total_skipped")?
                .ok_or_else(|| counts.problem("`total_skipped` is missing"))?;
            skipped = skipped.saturating_add(counted);
        }
        None if errors.is_empty() && !scanned_all_of_one_file(&summary)? => errors.push(
            "the report does not count the files it skipped; run modelscan with `--show-skipped`"
                .to_owned(),
        ),
        None => {}
    }
    let scanned = summary.need("scanned")?.opt_count("total_scanned")?;
    // ModelScan writes its local time without an offset; it is taken as UTC.
    let finished_at = summary.opt_time("timestamp")?;
    let scan = Scan {
        scanner: SCANNER.to_owned(),
        version: summary.opt_name("modelscan_version")?.map(str::to_owned),
        target: summary.opt_name("input_path")?.map(str::to_owned),
        target_digest: None,
        finished_at,
        scanned,
        looked_for: vec![Category::UnsafeCode],
        skipped,
        errors,
        source: context.source.clone(),
    };
    let findings =
        issues.iter().map(|issue| finding(issue, &context.source)).collect::<Result<_, _>>()?;
    Ok(Said {
        collected_at: finished_at,
        kinds: [Kind::Security].into(),
        scans: vec![scan],
        findings,
        ..Said::default()
    })
}

/// Whether the input was a single file and that file is what was scanned, so that none can have
/// been skipped although the report does not say so.
fn scanned_all_of_one_file(summary: &Node<'_>) -> Result<bool, Problem> {
    let Some(input) = summary.opt_name("input_path")? else { return Ok(false) };
    let file = input.rsplit(['/', '\\']).next().unwrap_or(input);
    let scanned = summary.need("scanned")?.items("scanned_files")?;
    match scanned.as_slice() {
        [only] => Ok(only.text(super::super::limits::MAX_NAME_BYTES)? == file),
        _ => Ok(false),
    }
}

fn error_line(error: &Node<'_>) -> Result<String, Problem> {
    let mut line = error.opt_name("category")?.unwrap_or("error").to_owned();
    if let Some(description) = error.opt_text("description")? {
        line = format!("{line}: {description}");
    }
    if let Some(source) = error.opt_name("source")? {
        line = format!("{line} (in {source})");
    }
    Ok(title(&line))
}

fn finding(issue: &Node<'_>, source: &SourceName) -> Result<Finding, Problem> {
    let module = issue.opt_name("module")?;
    let id = match (module, issue.opt_name("operator")?) {
        (Some(module), Some(operator)) => format!("{module}.{operator}"),
        (Some(id), None) | (None, Some(id)) => id.to_owned(),
        (None, None) => issue.name("scanner")?.to_owned(),
    };
    Ok(Finding {
        scanner: SCANNER.to_owned(),
        category: Category::UnsafeCode,
        severity: issue.need_word("severity", &SEVERITIES)?,
        title: title(issue.opt_text("description")?.unwrap_or(&id)),
        id,
        component: module.map(str::to_owned),
        installed: None,
        fixed_in: None,
        location: issue.opt_name("source")?.map(str::to_owned),
        exploitability: Exploitability::Unstated,
        source: source.clone(),
    })
}

const SEVERITIES: [(&str, Severity); 4] = [
    ("LOW", Severity::Low),
    ("MEDIUM", Severity::Medium),
    ("HIGH", Severity::High),
    ("CRITICAL", Severity::Critical),
];
