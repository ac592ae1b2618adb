//! Trivy JSON reports, schema version 2.
//!
//! Facts from Trivy's own source: `pkg/types/report.go` (report, result classes),
//! `pkg/types/finding.go` (modified findings and their statuses), `pkg/types/misconfiguration.go`,
//! `pkg/types/license.go`, and the vulnerability statuses of trivy-db `pkg/types/status.go`.

use std::collections::BTreeSet;

use super::super::error::Problem;
use super::super::node::Node;
use super::super::said::Said;
use super::Context;
use super::scanner::title;
use crate::model::{Category, Digest, Exploitability, Finding, Kind, Scan, Severity, SourceName};

const SCANNER: &str = "trivy";

pub(super) fn read(root: &Node<'_>, context: &Context<'_>) -> Result<Said, Problem> {
    if root.opt_count("SchemaVersion")? != Some(2) {
        return Err(root
            .problem("is not a Trivy report of `SchemaVersion` 2; write it with a current Trivy"));
    }
    let mut said = Said {
        collected_at: root.opt_time("CreatedAt")?,
        kinds: [Kind::Security].into(),
        subjects: subjects(root)?,
        ..Said::default()
    };
    let mut looked_for = BTreeSet::new();
    let mut packages = None;
    for result in root.items("Results")? {
        looked_for.extend(result.opt_name("Class")?.and_then(looks_for));
        if result.get("Packages")?.is_some() {
            packages = Some(packages.unwrap_or(0) + result.items("Packages")?.len());
        }
        read_result(&result, &context.source, &mut said.findings)?;
    }
    said.scans.push(Scan {
        scanner: SCANNER.to_owned(),
        version: root
            .get("Trivy")?
            .map(|tool| tool.opt_name("Version"))
            .transpose()?
            .flatten()
            .map(str::to_owned),
        target: root.opt_name("ArtifactName")?.map(str::to_owned),
        target_digest: said.subjects.first().map(Digest::to_string),
        finished_at: said.collected_at,
        scanned: packages.and_then(|count| u64::try_from(count).ok()),
        looked_for: looked_for.into_iter().collect(),
        skipped: 0,
        errors: Vec::new(),
        source: context.source.clone(),
    });
    Ok(said)
}

/// The image as Trivy names it: its configuration first, then the manifests it was pulled by.
fn subjects(root: &Node<'_>) -> Result<Vec<Digest>, Problem> {
    let mut subjects: Vec<Digest> = root.opt_digest("ArtifactID")?.into_iter().collect();
    if let Some(metadata) = root.get("Metadata")? {
        subjects.extend(metadata.opt_digest("ImageID")?);
        for reference in metadata.items("RepoDigests")? {
            subjects.push(digest_of_reference(&reference)?);
        }
    }
    subjects.dedup();
    Ok(subjects)
}

/// The digest in `registry/name@sha256:…`.
pub(super) fn digest_of_reference(reference: &Node<'_>) -> Result<Digest, Problem> {
    let text = reference.text(super::super::limits::MAX_NAME_BYTES)?;
    reference.digest(text.rsplit_once('@').map_or(text, |(_, digest)| digest))
}

/// What a result of this class shows Trivy to have looked for. A report without any result shows
/// nothing: absent is not clean.
fn looks_for(class: &str) -> Option<Category> {
    match class {
        "os-pkgs" | "lang-pkgs" => Some(Category::Vulnerability),
        "config" => Some(Category::Misconfiguration),
        "secret" => Some(Category::Secret),
        "license" | "license-file" => Some(Category::License),
        _ => None,
    }
}

fn read_result(
    result: &Node<'_>,
    source: &SourceName,
    findings: &mut Vec<Finding>,
) -> Result<(), Problem> {
    let target = result.opt_name("Target")?;
    let blank = Blank { target, source };
    for node in result.items("Vulnerabilities")? {
        findings.push(blank.vulnerability(&node)?);
    }
    for node in result.items("Misconfigurations")? {
        findings.extend(blank.misconfiguration(&node)?);
    }
    for node in result.items("Secrets")? {
        findings.push(blank.secret(&node)?);
    }
    for node in result.items("Licenses")? {
        findings.push(blank.license(&node)?);
    }
    for node in result.items("ExperimentalModifiedFindings")? {
        findings.extend(blank.modified(&node)?);
    }
    Ok(())
}

/// What all findings of one result have in common.
struct Blank<'a> {
    target: Option<&'a str>,
    source: &'a SourceName,
}

impl Blank<'_> {
    fn finding(&self, id: &str, category: Category, node: &Node<'_>) -> Result<Finding, Problem> {
        Ok(Finding {
            scanner: SCANNER.to_owned(),
            id: id.to_owned(),
            category,
            severity: severity(node)?,
            title: title(node.opt_text("Title")?.unwrap_or(id)),
            component: None,
            installed: None,
            fixed_in: None,
            location: self.target.map(str::to_owned),
            exploitability: Exploitability::Unstated,
            source: self.source.clone(),
        })
    }

    fn vulnerability(&self, node: &Node<'_>) -> Result<Finding, Problem> {
        let path = node.opt_name("PkgPath")?.or(self.target);
        Ok(Finding {
            component: Some(node.name("PkgName")?.to_owned()),
            installed: node.opt_name("InstalledVersion")?.map(str::to_owned),
            fixed_in: node.opt_name("FixedVersion")?.map(str::to_owned),
            location: path.map(str::to_owned),
            exploitability: advisory_status(node)?,
            ..self.finding(node.name("VulnerabilityID")?, Category::Vulnerability, node)?
        })
    }

    /// `PASS` is no finding. An `EXCEPTION` is one that the scanned project excused itself from:
    /// it stays, for lockgate's own waivers are the place to excuse it.
    fn misconfiguration(&self, node: &Node<'_>) -> Result<Option<Finding>, Problem> {
        match node.opt_name("Status")?.unwrap_or("FAIL") {
            "PASS" => Ok(None),
            "FAIL" | "EXCEPTION" => {
                let id = match node.opt_name("ID")? {
                    Some(id) => id,
                    None => node.name("AVDID")?,
                };
                self.finding(id, Category::Misconfiguration, node).map(Some)
            }
            other => Err(node.unknown_word("Status", other)),
        }
    }

    fn secret(&self, node: &Node<'_>) -> Result<Finding, Problem> {
        self.finding(node.name("RuleID")?, Category::Secret, node)
    }

    fn license(&self, node: &Node<'_>) -> Result<Finding, Problem> {
        let path = node.opt_name("FilePath")?.or(self.target);
        Ok(Finding {
            component: node.opt_name("PkgName")?.map(str::to_owned),
            location: path.map(str::to_owned),
            ..self.finding(node.opt_name("Name")?.unwrap_or("unnamed"), Category::License, node)?
        })
    }

    /// A finding that a VEX statement or an ignore file took out of the lists above. It stays a
    /// finding; only VEX says something of its effect. An ignore file is no such statement.
    fn modified(&self, node: &Node<'_>) -> Result<Option<Finding>, Problem> {
        let inner = node.need("Finding")?;
        let finding = match node.name("Type")? {
            "vulnerability" => Some(self.vulnerability(&inner)?),
            "misconfiguration" => self.misconfiguration(&inner)?,
            "secret" => Some(self.secret(&inner)?),
            "license" => Some(self.license(&inner)?),
            other => return Err(node.unknown_word("Type", other)),
        };
        let exploitability = match node.name("Status")? {
            "not_affected" => Exploitability::NotAffected,
            "affected" => Exploitability::Affected,
            "fixed" => Exploitability::Fixed,
            "under_investigation" => Exploitability::UnderInvestigation,
            "ignored" | "unknown" => Exploitability::Unstated,
            other => return Err(node.unknown_word("Status", other)),
        };
        Ok(finding.map(|finding| Finding { exploitability, ..finding }))
    }
}

/// `UNKNOWN`, and no word at all, is Trivy's "not rated".
fn severity(node: &Node<'_>) -> Result<Severity, Problem> {
    match node.opt_name("Severity")? {
        None | Some("UNKNOWN") => Ok(Severity::Unknown),
        Some("LOW") => Ok(Severity::Low),
        Some("MEDIUM") => Ok(Severity::Medium),
        Some("HIGH") => Ok(Severity::High),
        Some("CRITICAL") => Ok(Severity::Critical),
        Some(other) => Err(node.unknown_word("Severity", other)),
    }
}

/// The status of the vendor's advisory for the package. Its `fixed` means that a fixed version
/// exists, not that it is installed: it says nothing of the effect here.
fn advisory_status(node: &Node<'_>) -> Result<Exploitability, Problem> {
    match node.opt_name("Status")? {
        None | Some("unknown" | "fixed") => Ok(Exploitability::Unstated),
        Some("not_affected") => Ok(Exploitability::NotAffected),
        Some("affected" | "will_not_fix" | "fix_deferred" | "end_of_life") => {
            Ok(Exploitability::Affected)
        }
        Some("under_investigation") => Ok(Exploitability::UnderInvestigation),
        Some(other) => Err(node.unknown_word("Status", other)),
    }
}
