//! Trivy JSON reports, schema version 2.
//!
//! Facts from Trivy's own source: `pkg/types/report.go` (report, result classes),
//! `pkg/types/finding.go` (modified findings and their statuses), `pkg/types/misconfiguration.go`,
//! `pkg/types/license.go`, the vulnerability statuses of trivy-db `pkg/types/status.go`, and
//! `pkg/scan/ospkg/scan.go` and `pkg/scan/langpkg/scan.go` (results without the vulnerability
//! scanner).

use std::collections::BTreeSet;

use super::super::error::{Problem, quoted};
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
        let listed = result.get("Packages")?.map(|list| list.elements()).transpose()?;
        looked_for.extend(result.opt_name("Class")?.and_then(|class| match class {
            "os-pkgs" | "lang-pkgs" => listed.is_none().then_some(Category::Vulnerability),
            "config" => Some(Category::Misconfiguration),
            "secret" => Some(Category::Secret),
            "license" | "license-file" => Some(Category::License),
            _ => None,
        }));
        if let Some(listed) = listed {
            packages = Some(packages.unwrap_or(0) + listed.len());
        }
        read_result(&result, &context.source, &mut said.findings)?;
    }
    looked_for.extend(said.findings.iter().map(|finding| finding.category));
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
        errors: unsupported(root)?.into_iter().collect(),
        source: context.source.clone(),
    });
    Ok(said)
}

/// The image as Trivy names it: its configuration first, then the manifests it was pulled by. The
/// `ArtifactID` looks like a digest and is none of the artifact: Trivy makes it of names.
fn subjects(root: &Node<'_>) -> Result<Vec<Digest>, Problem> {
    let mut subjects = Vec::new();
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

/// Trivy's own word that its vendor no longer says what is wrong with the operating system.
fn unsupported(root: &Node<'_>) -> Result<Option<String>, Problem> {
    let Some(metadata) = root.get("Metadata")? else { return Ok(None) };
    let Some(os) = metadata.get("OS")? else { return Ok(None) };
    if os.opt_bool("EOSL")? != Some(true) {
        return Ok(None);
    }
    let family = os.opt_name("Family")?.unwrap_or("its operating system");
    let release = format!("{family} {}", os.opt_name("Name")?.unwrap_or_default());
    Ok(Some(title(&format!(
        "{} is past its end of life, so not all of its vulnerabilities are known; build on a \
         release that is still supported",
        quoted(release.trim())
    ))))
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
            severity: node.word("Severity", &SEVERITIES)?.unwrap_or(Severity::Unknown),
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
            exploitability: node.word("Status", &ADVISORIES)?.unwrap_or(Exploitability::Unstated),
            ..self.finding(node.name("VulnerabilityID")?, Category::Vulnerability, node)?
        })
    }

    /// `PASS` is no finding. An `EXCEPTION` is one that the scanned project excused itself from:
    /// it stays, for lockgate's own waivers are the place to excuse it.
    fn misconfiguration(&self, node: &Node<'_>) -> Result<Option<Finding>, Problem> {
        const FAILED: [(&str, bool); 3] = [("PASS", false), ("FAIL", true), ("EXCEPTION", true)];
        if node.word("Status", &FAILED)? == Some(false) {
            return Ok(None);
        }
        let id = match node.opt_name("ID")? {
            Some(id) => id,
            None => node.name("AVDID")?,
        };
        self.finding(id, Category::Misconfiguration, node).map(Some)
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
        type Reader = for<'a> fn(&Blank<'a>, &Node<'_>) -> Result<Option<Finding>, Problem>;
        const READERS: [(&str, Reader); 4] = [
            ("vulnerability", |blank, node| blank.vulnerability(node).map(Some)),
            ("misconfiguration", |blank, node| blank.misconfiguration(node)),
            ("secret", |blank, node| blank.secret(node).map(Some)),
            ("license", |blank, node| blank.license(node).map(Some)),
        ];
        let finding = node.need_word("Type", &READERS)?(self, &inner)?;
        let exploitability = node.need_word("Status", &STATEMENTS)?;
        Ok(finding.map(|finding| Finding { exploitability, ..finding }))
    }
}

/// `UNKNOWN`, and no word at all, is Trivy's "not rated".
const SEVERITIES: [(&str, Severity); 5] = [
    ("UNKNOWN", Severity::Unknown),
    ("LOW", Severity::Low),
    ("MEDIUM", Severity::Medium),
    ("HIGH", Severity::High),
    ("CRITICAL", Severity::Critical),
];

/// What a statement, or an ignore file, says of a finding.
const STATEMENTS: [(&str, Exploitability); 6] = [
    ("not_affected", Exploitability::NotAffected),
    ("affected", Exploitability::Affected),
    ("fixed", Exploitability::Fixed),
    ("under_investigation", Exploitability::UnderInvestigation),
    ("ignored", Exploitability::Unstated),
    ("unknown", Exploitability::Unstated),
];

/// The status of the vendor's advisory for the package. Its `fixed` means that a fixed version
/// exists, not that it is installed: it says nothing of the effect here.
const ADVISORIES: [(&str, Exploitability); 8] = [
    ("unknown", Exploitability::Unstated),
    ("fixed", Exploitability::Unstated),
    ("not_affected", Exploitability::NotAffected),
    ("affected", Exploitability::Affected),
    ("will_not_fix", Exploitability::Affected),
    ("fix_deferred", Exploitability::Affected),
    ("end_of_life", Exploitability::Affected),
    ("under_investigation", Exploitability::UnderInvestigation),
];
