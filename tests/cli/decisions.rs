//! What leads to which exit code.

use crate::bench::{AT, BAD, Bench, GATE, GOOD};

#[test]
fn allows_with_0() {
    Bench::new(GATE, GOOD).check(&[]).exits_with(0).says("ALLOW");
}

#[test]
fn denies_with_1_and_says_why() {
    let ran = Bench::new(GATE, BAD).check(&[]).exits_with(1).says("DENY");
    ran.says("accuracy is 0.85, below the required 0.9").says("0.05 outside");
}

#[test]
fn evidence_that_is_not_there_is_undecided() {
    let bench = Bench::new(GATE, GOOD);
    let arguments =
        ["check", "fraud-detector/3", "--to", "Production", "--at", AT, "--evidence", "nowhere"];
    bench.run(arguments).exits_with(3).says("`nowhere`");
}

#[test]
fn evidence_that_cannot_be_read_is_undecided_with_its_place() {
    for (content, place) in [
        ("{\n  \"lockgate\": oops\n}", "line 2"),
        ("not json at all", "metrics.json"),
        ("", "metrics.json"),
        (
            r#"{"lockgate": "evidence/v1", "metrics": [{"name": "a", "value": "high"}]}"#,
            "line 1, column 69",
        ),
        (r#"{"lockgate": "evidence/v1", "metrics": [], "metrics": []}"#, "metrics"),
    ] {
        Bench::new(GATE, content).check(&[]).exits_with(3).says("UNDECIDED").says(place);
    }
}

#[test]
fn missing_and_stale_evidence_is_undecided() {
    let cost = GATE.replace("{metrics: 7d}", "{metrics: 7d, cost: any}");
    Bench::new(&cost, GOOD).check(&[]).exits_with(3).says("requires cost evidence");
    let bench = Bench::new(GATE, GOOD);
    let later = "2026-12-24T12:00:00Z";
    let arguments = ["check", "fraud-detector/3", "--to", "Production", "--evidence", "evidence"];
    bench.run(arguments.iter().chain(&["--at", later])).exits_with(3).says("31 d");
}

#[test]
fn evidence_of_another_version_or_artifact_is_undecided() {
    let other = GOOD.replace("\"metrics\"", "\"subject\": {\"model\": \"churn\"}, \"metrics\"");
    Bench::new(GATE, &other).check(&[]).exits_with(3).says("churn");
    let digest = |digit: &str| format!("sha256:{}", digit.repeat(64));
    let ours = GOOD.replace(
        "\"metrics\"",
        &format!("\"subject\": {{\"digest\": \"{}\"}}, \"metrics\"", digest("a")),
    );
    let bench = Bench::new(GATE, &ours);
    bench.check(&["--digest", &digest("a")]).exits_with(0);
    bench.check(&["--digest", &digest("b")]).exits_with(3);
}

#[test]
fn a_policy_that_cannot_be_loaded_or_traps_is_undecided() {
    let gate = format!("{GATE}      - use: own.wasm\n");
    let bench = Bench::new(&gate, GOOD);
    bench.check(&[]).exits_with(3).says("own.wasm");
    bench.write("own.wasm", "no wasm");
    bench.check(&[]).exits_with(3).says("not a WebAssembly file");
    bench.write("own.wasm", lockgate_guests::component(lockgate_guests::TRAPS));
    bench.check(&[]).exits_with(3).says("trapped");
    bench.write("own.wasm", lockgate_guests::component(lockgate_guests::HONEST));
    bench.check(&[]).exits_with(0);
}

#[test]
fn a_policy_outside_its_limits_is_undecided() {
    let gate = format!("{GATE}      - use: own.wasm\n        limits: {{fuel: 1000000}}\n");
    let bench = Bench::new(&gate, GOOD);
    bench.write("own.wasm", lockgate_guests::component(lockgate_guests::LOOPS_FOREVER));
    bench.check(&[]).exits_with(3).says("1000000 units of fuel");
}

#[test]
fn a_failure_weighs_more_than_a_policy_that_cannot_judge() {
    let bench = Bench::new(&format!("{GATE}      - use: own.wasm\n"), BAD);
    bench.check(&[]).exits_with(1).says("own.wasm");
}

#[test]
fn where_no_gate_matches_the_file_decides() {
    let bench = Bench::new(GATE, GOOD);
    let arguments =
        ["check", "churn/3", "--to", "stage:Production", "--at", AT, "--evidence", "evidence"];
    bench.run(arguments).exits_with(1).says("no gate matches");
    for (unmatched, code) in [("deny", 1), ("undecided", 3), ("allow", 0)] {
        bench.write("lockgate.yaml", format!("unmatched: {unmatched}\n{GATE}"));
        bench.run(arguments).exits_with(code).says("no gate matches");
    }
}

#[test]
fn a_stage_matches_in_any_case() {
    let bench = Bench::new(&format!("unmatched: allow\n{GATE}"), BAD);
    let arguments =
        ["check", "fraud-detector/3", "--to", "production", "--at", AT, "--evidence", "evidence"];
    bench.run(arguments).exits_with(1);
}

#[test]
fn all_gates_that_match_apply_together() {
    let second = "  - name: all\n    models: [\"*\"]\n    targets: [Production]\n    policies:\n      - use: std/metric-threshold\n        params: {metrics: [{name: accuracy, min: 0.99}]}\n";
    Bench::new(&format!("{GATE}{second}"), GOOD).check(&[]).exits_with(1);
}

#[test]
fn warn_and_shadow_do_not_deny() {
    for enforcement in ["warn", "shadow"] {
        let gate = format!("{GATE}        enforce: {enforcement}\n");
        Bench::new(&gate, BAD).check(&[]).exits_with(0).says("accuracy is 0.85");
    }
}

#[test]
fn a_date_makes_deny_effective() {
    for (date, code) in [("2026-11-24", 0), ("2026-11-23", 1)] {
        let gate = format!("{GATE}        effective-on: {date}\n");
        Bench::new(&gate, BAD).check(&[]).exits_with(code);
    }
}

const WAIVER: &str = "\
waivers:
  - policy: metric-threshold
    rule: threshold
    about: accuracy
    models: [\"fraud-*\"]
    reason: measured on the old test set
    ticket: RISK-113
    approved-by: risk-board
    expires: 2026-11-23
";

#[test]
fn a_waived_failure_allows_and_stays_visible() {
    let bench = Bench::new(&format!("{GATE}{WAIVER}"), BAD);
    bench.check(&[]).exits_with(0).says("waived").says("RISK-113").says("through 2026-11-23");
}

#[test]
fn an_expired_or_useless_waiver_is_reported() {
    let expired = WAIVER.replace("expires: 2026-11-23", "expires: 2026-11-22");
    let bench = Bench::new(&format!("{GATE}{expired}"), BAD);
    bench.check(&[]).exits_with(1).says("expired after 2026-11-22");
    let bench = Bench::new(&format!("{GATE}{WAIVER}"), GOOD);
    bench.check(&[]).exits_with(0).says("excepts nothing");
}

#[test]
fn the_same_inputs_give_the_same_report_wherever_they_lie() {
    let without_usage = |text: &str| {
        let mut report: serde_json::Value = serde_json::from_str(text).unwrap();
        for gate in report["gates"].as_array_mut().unwrap() {
            for policy in gate["policies"].as_array_mut().unwrap() {
                policy["usage"]["elapsed_us"] = serde_json::Value::Null;
            }
        }
        for policy in report["gates"][0]["policies"].as_array().unwrap() {
            assert!(policy["usage"].as_object().unwrap().len() >= 3, "{policy}");
        }
        report
    };
    let one = Bench::new(GATE, GOOD);
    let other = Bench::new(GATE, GOOD);
    let first = one.check(&["--format", "json"]).exits_with(0).out;
    let second = other.check(&["--format", "json"]).exits_with(0).out;
    assert_eq!(without_usage(&first), without_usage(&second));
}

#[test]
fn the_order_of_evidence_changes_nothing() {
    let bench = Bench::new(GATE, GOOD);
    bench.write(
        "more/cost.json",
        r#"{"lockgate": "evidence/v1", "cost": {"usages": []}, "documents": {"a": 1}}"#,
    );
    let snapshot = |paths: [&str; 2]| {
        let ran = bench.run(["evidence", "show", paths[0], paths[1]]).exits_with(0);
        (ran.out, ran.err)
    };
    assert_eq!(snapshot(["evidence", "more"]), snapshot(["more", "evidence"]));
}
