//! What reports of scanners show to have been looked for, and what they admit not to have seen.

use lockgate::model::{Category, Severity};

use super::*;

fn trivy(rest: &str) -> String {
    format!(r#"{{"SchemaVersion": 2, "ArtifactName": "x", {rest}}}"#)
}

/// Trivy lists packages with the vulnerability scanner off as well.
#[test]
fn packages_alone_do_not_show_that_trivy_looked_for_vulnerabilities() {
    let finding = r#"{"VulnerabilityID": "CVE-1", "PkgName": "a", "Severity": "LOW"}"#;
    for (result, looked) in [
        (String::new(), true),
        (r#", "Packages": [{"Name": "a"}]"#.to_owned(), false),
        (format!(r#", "Packages": [{{"Name": "a"}}], "Vulnerabilities": [{finding}]"#), true),
        (
            format!(
                r#", "Packages": [{{"Name": "a"}}], "ExperimentalModifiedFindings": [
                {{"Type": "vulnerability", "Status": "ignored", "Finding": {finding}}}]"#
            ),
            true,
        ),
    ] {
        for class in ["os-pkgs", "lang-pkgs"] {
            let json = trivy(&format!(r#""Results": [{{"Class": "{class}"{result}}}]"#));
            let snapshot = snapshot_of(&json);
            let looked_for = &snapshot.scans[0].looked_for;
            assert_eq!(looked_for.contains(&Category::Vulnerability), looked, "{json}");
        }
    }
    let json = trivy(
        r#""Results": [{"Class": "os-pkgs", "Packages": [{"Name": "a"}]}, {"Class": "secret"}]"#,
    );
    assert_eq!(snapshot_of(&json).scans[0].looked_for, [Category::Secret]);
}

#[test]
fn trivy_does_not_know_all_of_a_system_past_its_end_of_life() {
    let errors = |os: &str| {
        let json = trivy(&format!(r#""Metadata": {{"OS": {os}}}"#));
        snapshot_of(&json).scans[0].errors.clone()
    };
    assert_eq!(errors(r#"{"Family": "alpine", "Name": "3.22.0"}"#), [""; 0]);
    assert_eq!(
        errors(r#"{"Family": "alpine", "Name": "3.9.4", "EOSL": true}"#),
        ["alpine 3.9.4 is past its end of life, so not all of its vulnerabilities are known; \
             build on a release that is still supported"]
    );
}

/// `ArtifactID` has the form of a digest.
#[test]
fn trivys_name_for_an_artifact_is_no_digest_of_it() {
    let digest = |digit: &str| format!("sha256:{}", digit.repeat(64));
    let (id, image) = (digest("1"), digest("2"));
    let json = trivy(&format!(r#""ArtifactID": "{id}", "Metadata": {{"ImageID": "{image}"}}"#));
    let snapshot = snapshot_of(&json);
    assert_eq!(snapshot.sources[0].subjects, [image.parse().unwrap()]);
    assert_eq!(snapshot.scans[0].target_digest.as_deref(), Some(image.as_str()));
}

#[test]
fn grype_says_which_packages_it_could_not_judge() {
    let alert = |kind: &str, message: &str| {
        format!(r#"{{"alerts": [{{"type": "{kind}", "message": "{message}"}}]}}"#)
    };
    let eol = alert("distro-eol", "the distro ubuntu 18.04 is past its end of life");
    let alerts = [eol.as_str(), &eol, &alert("distro-disabled", "arch"), &alert("new", "x")];
    let json = format!(
        r#"{{"descriptor": {{"name": "grype"}}, "matches": [], "alertsByPackage": [{}]}}"#,
        alerts.join(", ")
    );
    assert_eq!(
        snapshot_of(&json).scans[0].errors,
        [
            "arch (distro-disabled; packages: 1); scan it with a tool that knows it as well",
            "the distro ubuntu 18.04 is past its end of life (distro-eol; packages: 2); build on a \
             release that is still supported",
            "x (new; packages: 1); see what Grype says of it",
        ]
    );
}

#[test]
fn a_sarif_result_is_of_the_category_and_severity_of_its_rule() {
    let json = r#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t", "rules": [
            {"id": "A", "shortDescription": {"text": "short"},
                "properties": {"tags": ["x", "secret"], "security-severity": "0.0"}},
            {"id": "CVE-1", "defaultConfiguration": {"level": "error"}},
            {"id": "B", "properties": {"security-severity": "9.1"}}]},
        "extensions": [{"name": "e", "rules": [{"id": "C", "properties": {"tags": ["license"]}},
            {"id": "A", "properties": {"tags": ["license"]}}]}]},
        "results": [
            {"ruleId": "A/1", "level": "error", "message": {"text": "long"}},
            {"ruleIndex": 1},
            {"ruleId": "B", "properties": {"security-severity": "2.0"}},
            {"ruleId": "C"},
            {"ruleId": "GHSA-x"}]}]}"#;
    let snapshot = snapshot_of(json);
    let mut findings: Vec<_> = snapshot
        .findings
        .iter()
        .map(|finding| (finding.id.as_str(), finding.category, finding.severity))
        .collect();
    findings.sort_by_key(|(id, ..)| *id);
    assert_eq!(
        findings,
        [
            ("A/1", Category::Secret, Severity::Unknown),
            ("B", Category::Other, Severity::Low),
            ("C", Category::License, Severity::Medium),
            ("CVE-1", Category::Vulnerability, Severity::High),
            ("GHSA-x", Category::Vulnerability, Severity::Medium),
        ]
    );
    assert!(snapshot.findings.iter().any(|finding| finding.title == "short"));
}
