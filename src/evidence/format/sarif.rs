//! SARIF 2.1.0.
//!
//! Facts from the OASIS standard (sections 3.14 run, 3.20 invocation, 3.27 result, 3.49
//! reportingDescriptor) and, for `security-severity`, from GitHub's "SARIF support for code
//! scanning".

use std::collections::{BTreeMap, BTreeSet};

use super::super::error::Problem;
use super::super::limits::MAX_NAME_BYTES;
use super::super::node::Node;
use super::super::said::Said;
use super::Context;
use super::scanner::title;
use super::trivy::digest_of_reference;
use crate::model::{Category, Digest, Exploitability, Finding, Kind, Scan, Severity, Timestamp};

pub(super) fn read(root: &Node<'_>, context: &Context<'_>) -> Result<Said, Problem> {
    if root.opt_name("version")? != Some("2.1.0") {
        return Err(root.problem("is not SARIF of `version` `2.1.0`"));
    }
    let runs = root.items("runs")?;
    if runs.is_empty() {
        return Err(root.problem("holds no run; a log without one says nothing"));
    }
    let mut said = Said { kinds: [Kind::Security].into(), ..Said::default() };
    for run in &runs {
        read_run(run, context, &mut said)?;
    }
    // A log is as old as its oldest run, and as old as may be when one does not say.
    let ends: Option<Vec<Timestamp>> = said.scans.iter().map(|scan| scan.finished_at).collect();
    said.collected_at = ends.and_then(|ends| ends.into_iter().min());
    Ok(said)
}

fn read_run(run: &Node<'_>, context: &Context<'_>, said: &mut Said) -> Result<(), Problem> {
    let driver = run.need("tool")?.need("driver")?;
    let tool = driver.name("name")?;
    let rules = Rules::of(run, tool)?;
    let invocations = Invocations::of(run, tool)?;
    let mut errors = invocations.errors;
    // Section 3.14.23: a run without the list did not scan; an empty list found nothing.
    if run.get("results")?.is_none() {
        errors.push("the run lists no results: it did not scan".to_owned());
    }
    let mut looked_for: BTreeSet<Category> =
        rules.by_id.values().map(|rule| rule.category).collect();
    looked_for.extend(known_aim(tool));
    for result in run.items("results")? {
        if let Some(finding) = finding(&result, tool, &rules, context)? {
            looked_for.insert(finding.category);
            said.findings.push(finding);
        }
    }
    let subjects = image(run, tool)?;
    let version = match driver.opt_name("semanticVersion")? {
        Some(version) => Some(version),
        None => driver.opt_name("version")?,
    };
    said.scans.push(Scan {
        scanner: tool.to_owned(),
        version: version.map(str::to_owned),
        target: None,
        target_digest: subjects.first().map(Digest::to_string),
        finished_at: invocations.finished_at,
        scanned: invocations.scanned,
        looked_for: looked_for.into_iter().collect(),
        skipped: 0,
        errors,
        source: context.source.clone(),
    });
    said.subjects.extend(subjects);
    Ok(())
}

/// What a tool looks for whatever rules it lists: many list only the rules that fired.
fn known_aim(tool: &str) -> Option<Category> {
    match tool.to_ascii_lowercase().as_str() {
        "modelaudit" | "modelscan" => Some(Category::UnsafeCode),
        "grype" => Some(Category::Vulnerability),
        _ => None,
    }
}

/// The image, as Trivy names it in the property bag of its runs.
fn image(run: &Node<'_>, tool: &str) -> Result<Vec<Digest>, Problem> {
    let mut digests = Vec::new();
    if tool == "Trivy"
        && let Some(properties) = run.get("properties")?
    {
        digests.extend(properties.opt_digest("imageID")?);
        for reference in properties.items("repoDigests")? {
            digests.push(digest_of_reference(&reference)?);
        }
    }
    Ok(digests)
}

/// How the tool ran.
#[derive(Default)]
struct Invocations {
    finished_at: Option<Timestamp>,
    scanned: Option<u64>,
    errors: Vec<String>,
}

impl Invocations {
    fn of(run: &Node<'_>, tool: &str) -> Result<Self, Problem> {
        let mut all = Self::default();
        for invocation in run.items("invocations")? {
            if invocation.opt_bool("executionSuccessful")? == Some(false) {
                all.errors.push("the tool says that it did not run successfully".to_owned());
            }
            for list in ["toolExecutionNotifications", "toolConfigurationNotifications"] {
                for notification in invocation.items(list)? {
                    if notification.opt_name("level")? == Some("error") {
                        let text = message(&notification)?.unwrap_or("an error without a message");
                        all.errors.push(title(text));
                    }
                }
            }
            all.finished_at = all.finished_at.max(invocation.opt_time("endTimeUtc")?);
            if tool == "ModelAudit"
                && let Some(properties) = invocation.get("properties")?
            {
                all.read_coverage(&properties)?;
            }
        }
        Ok(all)
    }

    /// ModelAudit says in a property bag whether it could look at everything.
    fn read_coverage(&mut self, properties: &Node<'_>) -> Result<(), Problem> {
        if let Some(files) = properties.opt_count("filesScanned")? {
            self.scanned = Some(self.scanned.unwrap_or(0).saturating_add(files));
        }
        for (key, text) in [
            ("incompleteCoverage", "the tool says that it did not cover every file"),
            ("operationalErrors", "the tool says that it met errors"),
        ] {
            if properties.opt_bool(key)? == Some(true) {
                self.errors.push(text.to_owned());
            }
        }
        Ok(())
    }
}

fn message<'a>(node: &Node<'a>) -> Result<Option<&'a str>, Problem> {
    match node.get("message")? {
        Some(message) => message.opt_text("text"),
        None => Ok(None),
    }
}

/// What a rule says of all its results. Worked out once: a rule may have many tags, and many
/// results.
#[derive(Clone)]
struct Rule<'a> {
    id: &'a str,
    category: Category,
    title: Option<String>,
    score: Option<Severity>,
    level: Option<Severity>,
}

impl<'a> Rule<'a> {
    fn of(node: &Node<'a>, tool: &str) -> Result<Self, Problem> {
        let id = node.name("id")?;
        let mut rule =
            Self { id, category: category(id, tool), title: None, score: None, level: None };
        if let Some(properties) = node.get("properties")? {
            rule.category = tagged(&properties)?.unwrap_or(rule.category);
            rule.score = score(&properties)?;
        }
        if let Some(description) = node.get("shortDescription")? {
            rule.title = description.opt_text("text")?.map(title);
        }
        if let Some(configuration) = node.get("defaultConfiguration")? {
            rule.level = configuration.word("level", &LEVELS)?;
        }
        Ok(rule)
    }
}

/// By the tags that scanners put on their rules.
fn tagged(properties: &Node<'_>) -> Result<Option<Category>, Problem> {
    for tag in properties.items("tags")? {
        let category = match tag.text(MAX_NAME_BYTES)?.to_ascii_lowercase().as_str() {
            "vulnerability" => Category::Vulnerability,
            "ml-model" => Category::UnsafeCode,
            "secret" => Category::Secret,
            "misconfiguration" => Category::Misconfiguration,
            "license" => Category::License,
            _ => continue,
        };
        return Ok(Some(category));
    }
    Ok(None)
}

/// By the kind of identifier, then by the tool.
fn category(id: &str, tool: &str) -> Category {
    if id.starts_with("CVE-") || id.starts_with("GHSA-") {
        return Category::Vulnerability;
    }
    known_aim(tool).unwrap_or(Category::Other)
}

/// The rules of a run: those of the tool itself, and those of its extensions, found by id.
struct Rules<'a> {
    /// Those of the tool, in the order to which `ruleIndex` refers.
    own: Vec<Rule<'a>>,
    by_id: BTreeMap<&'a str, Rule<'a>>,
}

impl<'a> Rules<'a> {
    fn of(run: &Node<'a>, tool: &str) -> Result<Self, Problem> {
        let read = |component: &Node<'a>| -> Result<Vec<Rule<'a>>, Problem> {
            component.items("rules")?.iter().map(|rule| Rule::of(rule, tool)).collect()
        };
        let tool_node = run.need("tool")?;
        let own = read(&tool_node.need("driver")?)?;
        let mut by_id = BTreeMap::new();
        for rule in &own {
            by_id.entry(rule.id).or_insert_with(|| rule.clone());
        }
        for extension in tool_node.items("extensions")? {
            for rule in read(&extension)? {
                by_id.entry(rule.id).or_insert(rule);
            }
        }
        Ok(Self { own, by_id })
    }

    /// The id of the rule a result names, and the rule where the log describes it.
    fn named_by(&self, result: &Node<'a>) -> Result<(&'a str, Option<&Rule<'a>>), Problem> {
        let reference = result.get("rule")?;
        let id = match (result.opt_name("ruleId")?, &reference) {
            (None, Some(reference)) => reference.opt_name("id")?,
            (id, _) => id,
        };
        if let Some(id) = id {
            // Section 3.27.5: `CA1000/1` is a case of the rule `CA1000`.
            let parent = || id.rsplit_once('/').and_then(|(parent, _)| self.by_id.get(parent));
            return Ok((id, self.by_id.get(id).or_else(parent)));
        }
        let index = result.opt_count("ruleIndex")?.and_then(|index| usize::try_from(index).ok());
        match index.and_then(|index| self.own.get(index)) {
            Some(rule) => Ok((rule.id, Some(rule))),
            None => Err(result.problem("names no rule; give it a `ruleId`")),
        }
    }
}

/// None for a result that is no finding.
///
/// A suppression does not make it less of one: SARIF's suppressions say that someone chose not to
/// see a result, not that it has no effect. lockgate's waivers are the place for that choice.
fn finding(
    result: &Node<'_>,
    tool: &str,
    rules: &Rules<'_>,
    context: &Context<'_>,
) -> Result<Option<Finding>, Problem> {
    const KINDS: [(&str, bool); 6] = [
        ("fail", true),
        // Could not be decided, and waits for a person: neither is clean.
        ("open", true),
        ("review", true),
        ("pass", false),
        ("notApplicable", false),
        ("informational", false),
    ];
    let problem_found = result.word("kind", &KINDS)?.unwrap_or(true);
    // `absent` was found by an earlier run and is gone in this one.
    if !problem_found || result.opt_name("baselineState")? == Some("absent") {
        return Ok(None);
    }
    let (id, rule) = rules.named_by(result)?;
    let title = match rule.and_then(|rule| rule.title.clone()) {
        Some(title) => title,
        None => title(message(result)?.unwrap_or(id)),
    };
    Ok(Some(Finding {
        scanner: tool.to_owned(),
        id: id.to_owned(),
        category: rule.map_or_else(|| category(id, tool), |rule| rule.category),
        severity: severity(result, rule)?,
        title,
        component: None,
        installed: None,
        fixed_in: None,
        location: location(result)?,
        exploitability: Exploitability::Unstated,
        source: context.source.clone(),
    }))
}

fn location(result: &Node<'_>) -> Result<Option<String>, Problem> {
    let locations = result.items("locations")?;
    let Some(first) = locations.first() else { return Ok(None) };
    let Some(physical) = first.get("physicalLocation")? else { return Ok(None) };
    let Some(artifact) = physical.get("artifactLocation")? else { return Ok(None) };
    Ok(artifact.opt_name("uri")?.map(|uri| unescaped(uri).unwrap_or_else(|| uri.to_owned())))
}

/// The file that a URI names, for people and waivers to name it as they know it; none when its
/// escapes (RFC 3986, section 2.1) make no plain text.
fn unescaped(uri: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(uri.len());
    let mut rest = uri.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || char::from(rest.next()?).to_digit(16);
        bytes.push(if byte == b'%' { u8::try_from(digit()? * 16 + digit()?).ok()? } else { byte });
    }
    String::from_utf8(bytes).ok().filter(|text| !text.chars().any(char::is_control))
}

const LEVELS: [(&str, Severity); 4] = [
    ("error", Severity::High),
    ("warning", Severity::Medium),
    ("note", Severity::Low),
    ("none", Severity::Unknown),
];

/// The `security-severity` score where there is one, on the result before the rule; else the
/// level.
fn severity(result: &Node<'_>, rule: Option<&Rule<'_>>) -> Result<Severity, Problem> {
    let own = match result.get("properties")? {
        Some(properties) => score(&properties)?,
        None => None,
    };
    let level = result.word("level", &LEVELS)?;
    Ok(own
        .or(rule.and_then(|rule| rule.score))
        .or(level)
        .or(rule.and_then(|rule| rule.level))
        // Section 3.27.10: the level is `warning` where nothing says otherwise.
        .unwrap_or(Severity::Medium))
}

/// GitHub's bands: critical from 9.0, high from 7.0, medium from 4.0, low above 0. With 0.0 tools
/// say that they do not know.
fn score(properties: &Node<'_>) -> Result<Option<Severity>, Problem> {
    let Some(node) = properties.get("security-severity")? else { return Ok(None) };
    let score = if node.is_text() {
        node.text(MAX_NAME_BYTES)?.trim().parse::<f64>().ok()
    } else {
        properties.opt_number("security-severity")?
    };
    match score {
        Some(score) if !(0.0..=10.0).contains(&score) => None,
        Some(score) if score >= 9.0 => Some(Severity::Critical),
        Some(score) if score >= 7.0 => Some(Severity::High),
        Some(score) if score >= 4.0 => Some(Severity::Medium),
        Some(score) if score > 0.0 => Some(Severity::Low),
        Some(_) => Some(Severity::Unknown),
        None => None,
    }
    .map(Some)
    .ok_or_else(|| node.problem("is not a score from 0.0 to 10.0"))
}
