//! Grype JSON reports.
//!
//! Facts from Grype's own source: `grype/presenter/models` (`document.go`, `match.go`,
//! `ignore.go`, `source.go`, `vulnerability.go`).

use super::super::error::Problem;
use super::super::node::Node;
use super::super::said::Said;
use super::Context;
use super::scanner::title;
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
        errors: Vec::new(),
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
        severity: severity(&vulnerability)?,
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
    match fix.opt_name("state")? {
        Some("fixed") => match fix.items("versions")?.first() {
            Some(version) => {
                Ok(Some(version.text(super::super::limits::MAX_NAME_BYTES)?.to_owned()))
            }
            None => Ok(None),
        },
        None | Some("not-fixed" | "wont-fix" | "unknown") => Ok(None),
        Some(other) => Err(fix.unknown_word("state", other)),
    }
}

/// What the rules under which Grype set a match aside say of its effect. Only a VEX statement
/// does; a rule from a configuration file leaves it an ordinary finding. Where rules disagree,
/// nothing is taken as said.
fn stated(node: &Node<'_>) -> Result<Exploitability, Problem> {
    let mut stated = None;
    for rule in node.items("appliedIgnoreRules")? {
        let effect = match rule.opt_name("vex-status")? {
            None => continue,
            Some("not_affected") => Exploitability::NotAffected,
            Some("fixed") => Exploitability::Fixed,
            Some("affected") => Exploitability::Affected,
            Some("under_investigation") => Exploitability::UnderInvestigation,
            Some(other) => {
                return Err(rule.unknown_word("vex-status", other));
            }
        };
        if stated.is_some_and(|before| before != effect) {
            return Ok(Exploitability::Unstated);
        }
        stated = Some(effect);
    }
    Ok(stated.unwrap_or(Exploitability::Unstated))
}

/// `Unknown`, and no word at all, is Grype's "not rated".
fn severity(node: &Node<'_>) -> Result<Severity, Problem> {
    match node.opt_name("severity")? {
        None | Some("Unknown") => Ok(Severity::Unknown),
        Some("Negligible") => Ok(Severity::Negligible),
        Some("Low") => Ok(Severity::Low),
        Some("Medium") => Ok(Severity::Medium),
        Some("High") => Ok(Severity::High),
        Some("Critical") => Ok(Severity::Critical),
        Some(other) => Err(node.unknown_word("severity", other)),
    }
}
