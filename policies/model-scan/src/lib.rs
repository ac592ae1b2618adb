//! The standard policy `model-scan`.

use lockgate_sdk::prelude::*;

/// Which findings of model scanners are refused.
#[params]
#[schemars(extend("examples" = [{"fail-on": "low"}]))]
pub struct Params {
    /// The least severity that is refused. Findings that a scanner did not rate always are.
    #[serde(default = "negligible")]
    fail_on: Severity,
}

const fn negligible() -> Severity {
    Severity::Negligible
}

/// What this policy checks.
#[derive(Clone, Copy, Rules)]
pub enum Rule {
    /// Model scanned
    ///
    /// A scanner that can find unsafe code looked at the model. Fails when none did.
    Scanned,
    /// Scan complete
    ///
    /// The scanner read every file. Fails when it met errors, passed over files, or looked at
    /// nothing: a file that was not read is not clean.
    ScanComplete,
    /// No unsafe code
    ///
    /// No file of the model runs code when it is loaded. Fails for each finding of `fail-on` or
    /// above, and for each that the scanner did not rate.
    UnsafeCode,
}

/// Findings that are listed one by one.
const MAX_LISTED: usize = 200;

/// Refuses model files that run code when they are loaded, and scans that did not see every file.
#[policy(name = "model-scan", rules = Rule)]
fn evaluate(params: Params, evidence: &Evidence) -> Result<Vec<Check>, Refusal> {
    let mut scans = evidence.scans();
    scans.retain(|scan| scan.looked_for.contains(&Category::UnsafeCode));
    let findings = evidence.findings_of(Category::UnsafeCode, params.fail_on);

    let mut checks = vec![scanned(&scans)];
    checks.extend(scans.iter().map(complete));
    checks.extend(findings.iter().take(MAX_LISTED).map(unsafe_code));
    if findings.is_empty() && !scans.is_empty() {
        let message = format!("no unsafe code of severity {} or above", params.fail_on);
        checks.push(Check::pass(Rule::UnsafeCode, message));
    }
    let unlisted = findings.len().saturating_sub(MAX_LISTED);
    if unlisted > 0 {
        let message = format!("{unlisted} more findings of unsafe code");
        checks.push(Check::fail(Rule::UnsafeCode, message).remedy(REMEDY));
    }
    Ok(checks)
}

const REMEDY: &str = "store the model in a format that holds no code, such as safetensors";

fn scanned(scans: &[Scan]) -> Check {
    if scans.is_empty() {
        Check::fail(Rule::Scanned, "no scanner looked for unsafe code in the model")
            .remedy("scan the model files, for instance with ModelScan")
    } else {
        let scanners: Vec<String> = scans.iter().take(5).map(Scan::label).collect();
        Check::pass(Rule::Scanned, format!("scanned by {}", scanners.join(", ")))
    }
}

fn complete(scan: &Scan) -> Check {
    let label = scan.label();
    match scan.shortcoming() {
        None => Check::pass(Rule::ScanComplete, format!("{label} read every file")),
        Some(shortcoming) => Check::fail(Rule::ScanComplete, format!("{label} {shortcoming}"))
            .remedy("have every file scanned, or take out those that cannot be"),
    }
    .about(label)
}

fn unsafe_code(finding: &Finding) -> Check {
    let place = finding.location.as_ref().or(finding.component.as_ref());
    let message = format!(
        "{} ({}) in {}: {}, says {}",
        finding.id,
        finding.severity,
        place.map_or("the model", String::as_str),
        finding.title,
        finding.scanner
    );
    Check::fail(Rule::UnsafeCode, message).about(place.unwrap_or(&finding.id)).remedy(REMEDY)
}

#[cfg(test)]
mod tests {
    use lockgate_sdk::{EvidenceBuilder, parse_params};

    use super::*;

    fn scan() -> Scan {
        Scan::new("modelscan", &[Category::UnsafeCode])
    }

    fn unsafe_in(file: &str, severity: Severity) -> Finding {
        Finding {
            location: Some(file.to_owned()),
            ..Finding::new("S201", Category::UnsafeCode, severity)
        }
    }

    fn failures(params: &str, evidence: EvidenceBuilder) -> Vec<(String, Option<String>)> {
        evaluate(parse_params(params).unwrap(), &evidence.build())
            .unwrap()
            .into_iter()
            .filter(|check| check.outcome == Outcome::Fail)
            .map(|check| (check.rule, check.about))
            .collect()
    }

    fn one(rule: &str, about: Option<&str>) -> Vec<(String, Option<String>)> {
        vec![(rule.to_owned(), about.map(str::to_owned))]
    }

    #[test]
    fn accepts_a_complete_scan_without_findings() {
        assert_eq!(failures("{}", Evidence::builder().scan(scan())), []);
    }

    #[test]
    fn rejects_any_unsafe_code_and_names_the_file() {
        for severity in [Severity::Negligible, Severity::Low, Severity::Critical] {
            let evidence = Evidence::builder().scan(scan()).finding(unsafe_in("a.pkl", severity));
            assert_eq!(failures("{}", evidence), one("unsafe-code", Some("a.pkl")));
        }
    }

    #[test]
    fn rejects_unrated_findings_whatever_the_limit() {
        let params = r#"{"fail-on": "critical"}"#;
        let evidence =
            |severity| Evidence::builder().scan(scan()).finding(unsafe_in("a", severity));
        assert_eq!(failures(params, evidence(Severity::High)), []);
        assert_eq!(failures(params, evidence(Severity::Unknown)), one("unsafe-code", Some("a")));
    }

    #[test]
    fn rejects_a_model_that_nobody_scanned_for_unsafe_code() {
        assert_eq!(failures("{}", Evidence::builder()), one("scanned", None));
        let other = Scan::new("trivy", &[Category::Vulnerability]);
        assert_eq!(failures("{}", Evidence::builder().scan(other)), one("scanned", None));
    }

    #[test]
    fn rejects_a_scan_that_did_not_see_every_file() {
        for scan in [
            Scan { skipped: 1, ..scan() },
            Scan { scanned: Some(0), ..scan() },
            Scan { errors: vec!["cannot read `b.h5`".to_owned()], ..scan() },
        ] {
            let evidence = Evidence::builder().scan(scan);
            assert_eq!(failures("{}", evidence), one("scan-complete", Some("modelscan")));
        }
    }

    #[test]
    fn findings_of_another_kind_are_left_to_other_policies() {
        let finding = Finding::new("CVE-2026-1", Category::Vulnerability, Severity::Critical);
        assert_eq!(failures("{}", Evidence::builder().scan(scan()).finding(finding)), []);
    }

    #[test]
    fn many_findings_are_summed_up() {
        let evidence = (0..300).fold(Evidence::builder().scan(scan()), |builder, index| {
            builder.finding(unsafe_in(&format!("{index}.pkl"), Severity::High))
        });
        let failures = failures("{}", evidence);
        assert_eq!(failures.len(), MAX_LISTED + 1);
        assert_eq!(failures.last().unwrap(), &("unsafe-code".to_owned(), None));
    }
}
