//! Grype JSON reports.
//!
//! Facts from Grype's own source: `grype/presenter/models` (`document.go`, `match.go`,
//! `ignore.go`, `source.go`, `vulnerability.go`, `alert.go`).

use std::collections::BTreeMap;

use super::super::error::{Problem, quoted};
use super::super::limits::MAX_NAME_BYTES;
use super::super::node::Node;
use super::super::said::Said;
use super::Context;
use super::scanner::{listed, title};
use super::trivy::digest_of_reference;
use crate::model::{Category, Digest, Exploitability, Finding, Kind, Scan, Severity, SourceName};

const SCANNER: &str = "grype";

pub(super) fn read(root: &Node<'_>, context: &Context<'_>) -> Result<Said, Problem> {
    let descriptor = root.need("descriptor")?;
    let (target, subjects) = match root.get("source")? {
        Some(source) => target(&source)?,
        None => (None, Vec::new()),
    };
    let mut said = Said {
        collected_at: descriptor.opt_time("timestamp")?,
        kinds: [Kind::Security].into(),
        subjects,
        ..Said::default()
    };
    for node in root.items("matches")? {
        said.findings.push(finding(&node, Exploitability::Unstated, &context.source)?);
    }
    for node in root.items("ignoredMatches")? {
        said.findings.push(finding(&node, stated(&node)?, &context.source)?);
    }
    said.scans.push(Scan {
        scanner: SCANNER.to_owned(),
        // What Grype writes when it was built without a version.
        version: descriptor
            .opt_name("version")?
            .filter(|version| *version != "[not provided]")
            .map(str::to_owned),
        target,
        target_digest: said.subjects.first().map(Digest::to_string),
        finished_at: said.collected_at,
        scanned: None,
        looked_for: vec![Category::Vulnerability],
        skipped: 0,
        errors: alerts(root)?,
        source: context.source.clone(),
    });
    Ok(said)
}

/// An image is described by an object, everything else by its path or name.
fn target(source: &Node<'_>) -> Result<(Option<String>, Vec<Digest>), Problem> {
    let Some(target) = source.get("target")? else { return Ok((None, Vec::new())) };
    if target.is_text() {
        return Ok((source.opt_name("target")?.map(str::to_owned), Vec::new()));
    }
    let mut subjects: Vec<Digest> = target.opt_digest("imageID")?.into_iter().collect();
    subjects.extend(target.opt_digest("manifestDigest")?);
    for reference in target.items("repoDigests")? {
        subjects.push(digest_of_reference(&reference)?);
    }
    Ok((target.opt_name("userInput")?.map(str::to_owned), subjects))
}

fn finding(
    node: &Node<'_>,
    exploitability: Exploitability,
    source: &SourceName,
) -> Result<Finding, Problem> {
    let vulnerability = node.need("vulnerability")?;
    let artifact = node.need("artifact")?;
    let id = vulnerability.name("id")?;
    let fixed_in = match vulnerability.get("fix")? {
        Some(fix) => fixed_in(&fix)?,
        None => None,
    };
    let location = match artifact.items("locations")?.first() {
        Some(location) => location.opt_name("path")?.map(str::to_owned),
        None => None,
    };
    Ok(Finding {
        scanner: SCANNER.to_owned(),
        id: id.to_owned(),
        category: Category::Vulnerability,
        severity: vulnerability.word("severity", &SEVERITIES)?.unwrap_or(Severity::Unknown),
        title: title(vulnerability.opt_text("description")?.unwrap_or(id)),
        component: Some(artifact.name("name")?.to_owned()),
        installed: artifact.opt_name("version")?.map(str::to_owned),
        fixed_in,
        location,
        exploitability,
        source: source.clone(),
    })
}

fn fixed_in(fix: &Node<'_>) -> Result<Option<String>, Problem> {
    const FIXED: [(&str, bool); 4] =
        [("fixed", true), ("not-fixed", false), ("wont-fix", false), ("unknown", false)];
    match (fix.word("state", &FIXED)?, fix.items("versions")?.first()) {
        (Some(true), Some(version)) => Ok(Some(version.text(MAX_NAME_BYTES)?.to_owned())),
        (Some(true), None) | (Some(false) | None, _) => Ok(None),
    }
}

const VEX: [(&str, Exploitability); 4] = [
    ("not_affected", Exploitability::NotAffected),
    ("fixed", Exploitability::Fixed),
    ("affected", Exploitability::Affected),
    ("under_investigation", Exploitability::UnderInvestigation),
];

/// What the rules under which Grype set a match aside say of its effect. Only a VEX statement
/// does; a rule from a configuration file leaves it an ordinary finding. Where rules disagree,
/// nothing is taken as said.
fn stated(node: &Node<'_>) -> Result<Exploitability, Problem> {
    let mut stated = None;
    for rule in node.items("appliedIgnoreRules")? {
        let Some(effect) = rule.word("vex-status", &VEX)? else { continue };
        if stated.is_some_and(|before| before != effect) {
            return Ok(Exploitability::Unstated);
        }
        stated = Some(effect);
    }
    Ok(stated.unwrap_or(Exploitability::Unstated))
}

/// `Unknown`, and no word at all, is Grype's "not rated".
const SEVERITIES: [(&str, Severity); 6] = [
    ("Unknown", Severity::Unknown),
    ("Negligible", Severity::Negligible),
    ("Low", Severity::Low),
    ("Medium", Severity::Medium),
    ("High", Severity::High),
    ("Critical", Severity::Critical),
];

/// What Grype says of packages that it could not judge as it should. Hundreds say the same.
fn alerts(root: &Node<'_>) -> Result<Vec<String>, Problem> {
    let mut alerts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for package in root.items("alertsByPackage")? {
        for alert in package.items("alerts")? {
            let told = (alert.name("type")?, alert.opt_text("message")?.unwrap_or_default());
            *alerts.entry(told).or_default() += 1;
        }
    }
    let told = alerts.into_iter().map(|((kind, message), packages)| {
        let mend = match kind {
            "distro-eol" => "build on a release that is still supported",
            "distro-disabled" | "distro-unknown" => "scan it with a tool that knows it as well",
            _ => "see what Grype says of it",
        };
        title(&format!("{message} ({}; packages: {packages}); {mend}", quoted(kind)))
    });
    Ok(listed(told.collect()))
}
