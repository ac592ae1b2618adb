//! The formats that programs read: JSON, SARIF, JUnit.

use std::sync::Arc;

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use lockgate::decision::{Decision, Effect, Verdict};
use lockgate::report::{Context, Format, json_line, json_schema, read_json};
use quick_junit::{NonSuccessKind, TestCaseStatus};
use serde_json::Value;

use crate::situations::{self, check, measured, policy, time};
use crate::{CONTEXT, rendered, rendered_in};

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sdk/schema/report.schema.json");

#[test]
fn the_published_schema_is_the_schema_of_the_json_report() {
    let schema = serde_json::to_string_pretty(&json_schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(SCHEMA, &schema).unwrap();
    }
    let published = fs::read_to_string(SCHEMA).unwrap_or_default();
    assert!(published == schema, "{SCHEMA} is out of date; run this test with UPDATE_SCHEMA=1");
}

#[test]
fn every_json_report_fits_the_schema() {
    let validator = jsonschema::validator_for(&json_schema()).unwrap();
    let mut decisions = situations::all();
    decisions.push(("thousand_checks", situations::thousand_checks()));
    decisions.push(("filled", situations::filled_with("\u{1b}[31m")));
    for (name, decision) in decisions {
        let report = json(Format::Json, &decision);
        let errors: Vec<_> =
            validator.iter_errors(&report).map(|error| error.to_string()).collect();
        assert_eq!(errors, [""; 0], "{name}");
    }
}

/// As it is done with decisions on record.
#[test]
fn a_json_report_that_is_read_back_tells_the_same_in_every_format() {
    let mut decisions = situations::all();
    let mut filled = situations::filled_with("\u{1b}[31m\u{202e}##[x");
    // No target can be read that is called so.
    filled.promotion = situations::deny().promotion;
    decisions.push(("filled", filled));
    for (name, mut decision) in decisions {
        let back = read_json(&json_line(&decision).unwrap()).unwrap();
        // What rules are about is not in it.
        for policy in decision.gates.iter_mut().flat_map(|gate| &mut gate.policies) {
            Arc::make_mut(&mut policy.component).rules.clear();
        }
        for format in Format::ALL {
            assert_eq!(rendered(format, &back), rendered(format, &decision), "{format} {name}");
        }
    }
}

#[test]
fn a_report_in_words_that_are_not_known_is_not_read() {
    let report = json_line(&situations::policy_trap()).unwrap();
    assert!(read_json(&report).is_ok());
    for (from, to) in [
        ("lockgate.dev/report/v1", "lockgate.dev/report/v2"),
        ("\"code\":\"trap\"", "\"code\":\"struck_by_lightning\""),
        ("\"verdict\":\"undecided\"", "\"verdict\":\"perhaps\""),
        ("\"target\":\"stage:", "\"target\":\"rank:"),
    ] {
        assert!(report.contains(from), "{report}");
        let error = read_json(&report.replace(from, to)).unwrap_err().to_string();
        assert!(error.contains("later lockgate"), "{error}");
    }
    assert!(read_json("").is_err());
}

#[test]
fn the_schema_refuses_a_report_without_a_verdict() {
    let validator = jsonschema::validator_for(&json_schema()).unwrap();
    let mut report = json(Format::Json, &situations::allow());
    report.as_object_mut().unwrap().remove("verdict");
    assert!(!validator.is_valid(&report));
}

#[test]
fn json_holds_every_check_in_the_policys_order() {
    let report = json(Format::Json, &situations::thousand_checks());
    let checks = report["gates"][0]["policies"][0]["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 1000);
    assert_eq!(checks[999]["about"], "CVE-2026-999");
    assert_eq!(report["counts"]["deny"], 100);
}

#[test]
fn json_differs_between_runs_in_usage_alone() {
    let first = situations::deny();
    let mut second = situations::deny();
    for policy in &mut second.gates[0].policies {
        policy.usage.elapsed = Duration::from_millis(7);
    }
    let (mut first, mut second) = (json(Format::Json, &first), json(Format::Json, &second));
    assert_ne!(first, second);
    for report in [&mut first, &mut second] {
        for policy in report["gates"][0]["policies"].as_array_mut().unwrap() {
            policy.as_object_mut().unwrap().remove("usage");
        }
    }
    assert_eq!(first, second);
}

#[test]
fn json_points_from_a_waived_check_to_its_waiver() {
    let report = json(Format::Json, &situations::waivers());
    let check = &report["gates"][0]["policies"][0]["checks"][0];
    assert_eq!(check["effect"], "waived");
    let waiver = &report["waivers"][usize::try_from(check["waiver"].as_u64().unwrap()).unwrap()];
    assert_eq!((&waiver["about"], &waiver["state"]), (&"model.pkl".into(), &"used".into()));
}

#[test]
fn json_says_which_reasons_block() {
    let report = json(Format::Json, &situations::warn_and_shadow());
    assert_eq!(report["undecided"][0]["code"], "nothing_checked");
    assert_eq!(report["undecided"][0]["policy"], "tenure");
    assert_eq!(report["undecided"][0]["blocks"], false);
    let report = json(Format::Json, &situations::policy_trap());
    assert_eq!(report["undecided"][0]["blocks"], true);
    assert_eq!(report["gates"][0]["policies"][1]["undecided"], report["undecided"][0]);
}

#[test]
fn json_has_no_margin_where_no_number_can_say_it() {
    let far = measured(check("r", "", Effect::Pass, "m"), f64::MAX, f64::MIN, "");
    let mut decision = situations::allow();
    decision.gates[0].policies = vec![policy("p", Ok(vec![far]))];
    let report = json(Format::Json, &decision);
    let measure = &report["gates"][0]["policies"][0]["checks"][0]["measure"];
    assert_eq!(measure["margin"], Value::Null);
    assert_eq!(measure["actual"], f64::MAX);
}

#[test]
fn sarif_results_agree_with_the_verdict() {
    for (name, decision) in situations::all() {
        let sarif = json(Format::Sarif, &decision);
        let run = &sarif["runs"][0];
        let errors = results(run).filter(|result| result["level"] == "error").count();
        assert_eq!(errors > 0, decision.verdict != Verdict::Allow, "{name}");
        if decision.verdict == Verdict::Undecided && !name.starts_with("unmatched") {
            assert_eq!(run["invocations"][0]["executionSuccessful"], false, "{name}");
        }
    }
}

#[test]
fn sarif_results_have_what_github_and_the_schema_ask_for() {
    let mut decisions = situations::all();
    decisions.push(("thousand_checks", situations::thousand_checks()));
    decisions.push(("filled", situations::filled_with("[x](http://y)\n|{0}")));
    for (name, decision) in decisions {
        let sarif = json(Format::Sarif, &decision);
        assert_eq!(sarif["version"], "2.1.0");
        let run = &sarif["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        let ids: BTreeSet<_> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), rules.len(), "{name}: a rule comes twice");
        let mut fingerprints = BTreeSet::new();
        for result in results(run) {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], result["ruleId"], "{name}");
            let place = &result["locations"][0]["physicalLocation"];
            assert_eq!(place["artifactLocation"]["uri"], "lockgate.yaml", "{name}");
            assert_eq!(place["region"]["startLine"], 1, "{name}");
            assert!(!result["message"]["text"].as_str().unwrap().is_empty(), "{name}");
            let fingerprint = &result["partialFingerprints"]["primaryLocationLineHash"];
            assert!(fingerprints.insert(fingerprint.as_str().unwrap()), "{name}: alike");
        }
    }
}

#[test]
fn sarif_leaves_out_what_passes_and_suppresses_what_is_waived() {
    let sarif = json(Format::Sarif, &situations::deny());
    let told: Vec<_> = results(&sarif["runs"][0])
        .map(|result| {
            let waived = result["suppressions"][0]["status"] == "accepted";
            (result["ruleId"].as_str().unwrap(), result["level"].as_str().unwrap(), waived)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("metric-threshold/minimum", "error", false),
            ("model-scan/skipped-files", "warning", false),
            ("model-scan/unsafe-code", "note", true),
        ]
    );
}

#[test]
fn sarif_fingerprints_outlive_the_version_and_the_figures() {
    let first = situations::deny();
    let mut second = situations::deny();
    second.promotion.subject.version = "8".into();
    second.promotion.at = time("2026-12-01");
    for judged in second.gates[0].policies[0].result.as_mut().unwrap() {
        judged.check.message.push_str(", still");
        judged.check.measure = None;
    }
    let fingerprints = |decision: &Decision| -> Vec<Value> {
        let sarif = json(Format::Sarif, decision);
        results(&sarif["runs"][0]).map(|result| result["partialFingerprints"].clone()).collect()
    };
    assert_eq!(fingerprints(&first), fingerprints(&second));
    second.promotion.subject.model = "churn".into();
    assert_ne!(fingerprints(&first), fingerprints(&second));
}

#[test]
fn sarif_points_to_the_gate_file_by_uri() {
    let context = Context { gate_file: Some("./ml gates/lockgate.yaml"), ..CONTEXT };
    let sarif: Value =
        serde_json::from_str(&rendered_in(Format::Sarif, &situations::deny(), &context)).unwrap();
    let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "ml%20gates/lockgate.yaml");
}

#[test]
fn sarif_keeps_to_the_results_that_github_takes_and_says_what_it_leaves_out() {
    let checks = (0..25_001).map(|index| {
        let effect = if index == 25_000 { Effect::Deny } else { Effect::Warn };
        check("r", &index.to_string(), effect, "m")
    });
    let mut decision = situations::deny();
    decision.gates[0].policies = vec![policy("p", Ok(checks.collect()))];
    let sarif = json(Format::Sarif, &decision);
    let run = &sarif["runs"][0];
    assert_eq!(results(run).count(), 25_000);
    assert_eq!(results(run).next().unwrap()["level"], "error");
    let note = &run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"];
    assert!(note.as_str().unwrap().starts_with("1 more results are left out"), "{note}");
}

#[test]
fn junit_is_red_exactly_when_the_verdict_is_not_allow() {
    let mut decisions = situations::all();
    decisions.push(("thousand_checks", situations::thousand_checks()));
    for (name, decision) in decisions {
        let report = junit(&decision);
        assert!(report.tests > 0, "{name}");
        let red = report.failures + report.errors > 0;
        assert_eq!(red, decision.verdict != Verdict::Allow, "{name}");
        assert_eq!(report.errors > 0, decision.verdict == Verdict::Undecided, "{name}");
    }
}

#[test]
fn junit_has_a_suite_for_each_policy_and_a_case_for_each_check() {
    let report = junit(&situations::deny());
    let suites: Vec<_> = report
        .test_suites
        .iter()
        .map(|suite| (suite.name.as_str(), suite.tests, suite.failures, suite.skipped))
        .collect();
    assert_eq!(
        suites,
        [
            ("lockgate", 1, 1, 0),
            ("production/metric-threshold", 3, 1, 1),
            ("production/model-scan", 2, 0, 1)
        ]
    );
}

#[test]
fn junit_tells_an_undecided_policy_from_a_failed_check() {
    let report = junit(&situations::policy_trap());
    let trap = &report.test_suites[2].test_cases[0];
    assert_eq!(trap.name.as_str(), "trap");
    assert!(matches!(trap.status, TestCaseStatus::NonSuccess { kind: NonSuccessKind::Error, .. }));
}

#[test]
fn junit_of_text_that_xml_cannot_hold_reads_back() {
    let report = junit(&situations::filled_with("\u{0}\u{b}\u{1b}[31m\u{fffe}\u{ffff}]]><&\"'"));
    let case = &report.test_suites[1].test_cases[1];
    let TestCaseStatus::NonSuccess { message: Some(message), .. } = &case.status else {
        panic!("{case:?}")
    };
    assert_eq!(message.as_str(), "\\u{0}\\u{b}\\u{1b}[31m\\u{fffe}\\u{ffff}]]><&\"'");
}

fn json(format: Format, decision: &Decision) -> Value {
    serde_json::from_str(&rendered(format, decision)).unwrap()
}

fn results(run: &Value) -> impl Iterator<Item = &Value> {
    run["results"].as_array().unwrap().iter()
}

fn junit(decision: &Decision) -> quick_junit::Report {
    quick_junit::Report::deserialize_from_str(&rendered(Format::Junit, decision)).unwrap()
}
