//! What an accepted gate file means.

use std::path::Path;
use std::time::Duration;

use lockgate::config::template;
use lockgate::decision::{Enforcement, Removal, Requirement, TagPlace, Unmatched};
use lockgate::model::{Kind, Target, Timestamp};
use lockgate::policy::{Limits, PolicyRef};

use super::{accepted, with};

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

const EXAMPLE: &str = r#"
version: 1
unmatched: undecided
gates:
  - name: production
    models: ["fraud-*"]
    targets: [stage:Production, alias:champion, "env:*"]
    require: {security: 24h, metrics: 7d, cost: any}
    policies:
      - use: std/metric-threshold
        params: {metrics: [{name: val_auc, min: 0.92}]}
      - use: std/baseline-regression
        enforce: warn
        effective-on: 2027-01-01
        params: {metrics: [{name: val_auc, max-drop: 0.01}]}
      - id: tenure
        use: ./policies/tenure-2.1.wasm
        limits: {fuel: 1000, memory-mib: 8, deadline-ms: 50}
      - use: ../shared/model_card.wasm
        enforce: shadow
  - name: everything
    models: ["*"]
    targets: [production]
    policies: [{use: std/model-scan}]
waivers:
  - {policy: model-scan, rule: unsafe-code, about: "model.pkl", models: ["fraud-*"], reason: "cloudpickle from our own pipeline", ticket: RISK-113, approved-by: risk-board, expires: 2027-03-31}
  - policy: tenure
    rule: tenure
    models: [a]
    versions: ["7", "8*"]
    reason: >
      a longer
      text
    ticket: T
    approved-by: b
    expires: 2027-03-31T12:00:00+02:00
evidence:
  - {match: "costs/*", format: opencost, currency: EUR}
  - {match: card.json, format: document, name: card}
"#;

#[test]
fn reads_gates_with_their_policies() {
    let config = accepted(EXAMPLE);
    assert_eq!(config.unmatched, Unmatched::Undecided);
    assert_eq!(config.gates.len(), 2);

    let production = &config.gates[0];
    assert_eq!(production.gate.name, "production");
    assert_eq!(
        production.gate.require,
        [
            Requirement { kind: Kind::Metrics, max_age: Some(Duration::from_secs(7 * 86_400)) },
            Requirement { kind: Kind::Cost, max_age: None },
            Requirement { kind: Kind::Security, max_age: Some(Duration::from_secs(86_400)) },
        ]
    );
    let policies: Vec<_> = production
        .policies()
        .map(|(guard, invocation)| {
            (guard.id.as_str(), guard.enforcement, invocation.reference.to_string())
        })
        .collect();
    assert_eq!(
        policies,
        [
            ("metric-threshold", Enforcement::Deny, "std/metric-threshold".to_owned()),
            ("baseline-regression", Enforcement::Warn, "std/baseline-regression".to_owned()),
            ("tenure", Enforcement::Deny, "./policies/tenure-2.1.wasm".to_owned()),
            ("model_card", Enforcement::Shadow, "../shared/model_card.wasm".to_owned()),
        ]
    );
    let invocations = &production.invocations;
    assert_eq!(&*invocations[0].params, r#"{"metrics":[{"min":0.92,"name":"val_auc"}]}"#);
    assert_eq!(&*invocations[2].params, "{}");
    assert_eq!(invocations[0].limits, Limits::default());
    assert_eq!(invocations[2].limits, Limits::new(1000, 8, 50).unwrap());
    assert_eq!(invocations[2].reference, PolicyRef::Path("./policies/tenure-2.1.wasm".into()));
    assert_eq!(production.gate.guards[1].effective_on, Some(time("2027-01-01T00:00:00Z")));
}

#[test]
fn all_gates_that_match_apply() {
    let config = accepted(EXAMPLE);
    let matching = |model: &str, target: &str| -> Vec<String> {
        let target: Target = target.parse().unwrap();
        config.matching(model, &target).map(|(_, gate)| gate.gate.name.clone()).collect()
    };
    assert_eq!(matching("fraud-eu", "Production"), ["production", "everything"]);
    assert_eq!(matching("fraud-eu", "env:prod-eu"), ["production"]);
    assert_eq!(matching("churn", "Production"), ["everything"]);
    assert_eq!(matching("churn", "alias:champion"), [] as [&str; 0]);
}

#[test]
fn a_waiver_holds_to_the_end_of_its_last_day_or_to_its_moment() {
    let config = accepted(EXAMPLE);
    let [day, moment] = config.waivers.as_slice() else { panic!("{:?}", config.waivers) };
    assert!(day.holds_at(time("2027-03-31T23:59:59Z")));
    assert!(!day.holds_at(time("2027-04-01T00:00:00Z")));
    assert!(moment.holds_at(time("2027-03-31T09:59:59Z")));
    assert!(!moment.holds_at(time("2027-03-31T10:00:00Z")));
}

#[test]
fn a_waiver_names_models_versions_and_grounds() {
    let config = accepted(EXAMPLE);
    let [first, second] = config.waivers.as_slice() else { panic!("{:?}", config.waivers) };
    assert_eq!((first.about.as_deref(), second.about.as_deref()), (Some("model.pkl"), None));
    assert_eq!(
        (first.versions.texts(), second.versions.texts()),
        (&["*".to_owned()][..], &["7".to_owned(), "8*".to_owned()][..])
    );
    assert_eq!(second.grant.reason, "a longer text");
    assert_eq!(
        (first.grant.ticket.as_str(), first.grant.approved_by.as_str()),
        ("RISK-113", "risk-board")
    );
}

#[test]
fn names_the_format_of_evidence_files() {
    let config = accepted(EXAMPLE);
    let [cost, card] = config.evidence.as_slice() else { panic!("{:?}", config.evidence) };
    assert_eq!((cost.glob.as_str(), cost.format.as_str()), ("costs/*", "opencost"));
    assert_eq!(cost.currency.as_deref(), Some("EUR"));
    assert_eq!((card.format.as_str(), card.name.as_deref()), ("document", Some("card")));
}

#[test]
fn denies_where_no_gate_matches_unless_told_otherwise() {
    assert_eq!(accepted(&with("")).unmatched, Unmatched::Deny);
    assert_eq!(accepted(&with("unmatched: allow\n")).unmatched, Unmatched::Allow);
}

#[test]
fn the_same_id_in_two_gates_is_one_for_waivers() {
    let more = "  - name: staging
    models: [a]
    targets: [staging]
    policies: [{use: std/model-scan}]
waivers:
  - {policy: model-scan, rule: x, models: [a], reason: r, ticket: t, approved-by: a, expires: 2020-01-01}
";
    assert_eq!(accepted(&with(more)).waivers.len(), 1, "an expired waiver is read too");
}

#[test]
fn reads_a_gate_file_written_as_json() {
    let text = r#"{"version": 1, "gates": [{"name": "a", "models": ["*"], "targets": ["x"],
        "policies": [{"use": "std/model-scan", "params": {"a": [1, 2.5, null, true]}}]}]}"#;
    let config = accepted(text);
    assert_eq!(&*config.gates[0].invocations[0].params, r#"{"a":[1,2.5,null,true]}"#);
}

#[test]
fn shares_params_by_alias() {
    let more = "        params: &p {level: high}
  - {name: b, models: [b], targets: [b], policies: [{use: std/model-scan, params: *p}]}
";
    let config = accepted(&with(more));
    assert_eq!(config.gates[0].invocations[0].params, config.gates[1].invocations[0].params);
}

#[test]
fn the_first_gate_file_is_sound() {
    let config = accepted(template());
    assert_eq!(config.unmatched, Unmatched::Deny);
    assert_eq!(config.gates.len(), 1);
    assert_eq!(config.gates[0].invocations.len(), 2);
}

#[test]
fn the_first_gate_file_is_sound_with_its_examples_uncommented() {
    let uncommented = |line: &str| match line.strip_prefix("#  ") {
        Some(example) if !example.starts_with(" lockgate") => format!("  {example}\n"),
        _ if ["# - use:", "#   id:", "#   params:", "#   limits:"]
            .iter()
            .any(|start| line.trim_start().starts_with(start)) =>
        {
            format!("{}\n", line.replacen("# ", "", 1))
        }
        _ => format!("{line}\n"),
    };
    let text: String = template().lines().map(uncommented).collect();
    let config =
        accepted(&text.replace("waivers: []", "waivers:").replace("evidence: []", "evidence:"));
    let counts = (config.gates[0].invocations.len(), config.waivers.len(), config.evidence.len());
    assert_eq!(counts, (3, 1, 3));
}

#[test]
fn the_documented_gate_file_is_sound() {
    let document = include_str!("../../docs/gate-file.md");
    let (_, rest) = document.split_once("```yaml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    assert_eq!(accepted(example).gates[0].invocations.len(), 4);
}

#[test]
fn loads_from_a_file_and_knows_its_directory() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lockgate.yaml");
    std::fs::write(&path, template()).unwrap();
    let config = lockgate::config::load(&path, &super::KNOWN).unwrap();
    assert_eq!(config.directory(), directory.path());
    assert_eq!(accepted(template()).directory(), Path::new(""));
}

#[test]
fn reads_what_names_and_tags_mean_in_mlflow() {
    let config = accepted(&with(
        "    removal: allow
mlflow:
  environments: ['prod.*', '*-live']
  promotion-tags:
    - {tag: deploy, values: ['EU-*']}
    - {tag: live, on: model, target: alias:live}
",
    ));
    assert_eq!(config.gates[0].gate.removal, Removal::Allow);
    let naming = &config.naming;
    let environment = |model: &str| Some(naming.environment(model)?.target().to_string());
    assert_eq!(environment("prod.fraud").as_deref(), Some("env:prod"));
    assert_eq!(environment("fraud-LIVE").as_deref(), Some("env:live"));
    assert_eq!(environment("fraud"), None);
    let [deploy, live] = naming.tags.as_slice() else { panic!("{naming:?}") };
    assert_eq!((deploy.place, live.place), (TagPlace::Version, TagPlace::Model));
    assert_eq!(deploy.target_of("eu-west"), Ok(Some(Target::Environment("eu-west".into()))));
    assert_eq!(deploy.target_of("us-east"), Ok(None));
    assert_eq!(live.target_of("3"), Ok(Some(Target::Alias("live".into()))));

    let plain = accepted(&with(""));
    assert_eq!(plain.gates[0].gate.removal, Removal::Deny);
    assert!(plain.naming.environments.is_empty() && plain.naming.tags.is_empty());
}

/// Some registries take one name for another that differs in case, so a gate must too.
#[test]
fn a_gate_guards_names_in_any_case() {
    let config = accepted(EXAMPLE);
    let gates =
        |model: &str, target: &str| config.matching(model, &target.parse().unwrap()).count();
    assert_eq!(gates("Fraud-X", "alias:CHAMPION"), 1);
    assert_eq!(gates("other", "alias:champion"), 0);
}

/// Ranges that are none, or others, in small letters, and names of more bytes than characters.
#[test]
fn a_gate_guards_what_its_patterns_say() {
    for (pattern, model) in [("[A-_]*", "fraud"), ("[Z-a]*", "alpha"), ("fraud-?", "FRAUD-É")] {
        let text = EXAMPLE.replace("\"fraud-*\"", &format!("{pattern:?}"));
        let config = accepted(&text);
        assert_eq!(config.gates.len(), accepted(EXAMPLE).gates.len(), "{pattern}");
        let target = "alias:champion".parse().unwrap();
        assert_eq!(config.matching(model, &target).count(), 1, "{pattern}");
    }
}
