//! `lockgate check --registry` against a real server.

use std::process::{Command, Output};

use serde_json::json;

use super::server::Mlflow;

const GATE_FILE: &str = "\
version: 1
gates:
  - name: production
    models: ['*']
    targets: [alias:champion, env:prod]
    require: {metrics: 7d}
    policies:
      - use: std/metric-threshold
        params: {metrics: [{name: val_auc, min: 0.9}]}
mlflow:
  environments: ['prod.*']
";

fn check(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("lockgate.yaml"), GATE_FILE).unwrap();
    Command::new(env!("CARGO_BIN_EXE_lockgate"))
        .arg("check")
        .args(arguments)
        .current_dir(folder.path())
        .env_remove("MLFLOW_TRACKING_TOKEN")
        .env("LOCKGATE_CACHE_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"))
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    let stream = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    stream(&output.stdout) + &stream(&output.stderr)
}

#[test]
fn judges_a_version_by_what_the_registry_holds() {
    let mlflow = Mlflow::shared();
    let model = mlflow.name("check");
    mlflow.model(&model);
    mlflow.version(&model, &mlflow.run(&[("val_auc", 0.95)]));
    mlflow.version(&model, &mlflow.run(&[("val_auc", 0.5)]));
    let registry = format!("mlflow={}", mlflow.url());
    for (version, code) in [("1", 0), ("2", 1), ("3", 3)] {
        let subject = format!("{model}/{version}");
        let arguments = [&subject, "--to", "alias:champion", "--registry", &registry];
        let output = check(&arguments);
        assert_eq!(output.status.code(), Some(code), "{}", text(&output));
    }
    let subject = format!("{model}/3");
    let told = text(&check(&[&subject, "--to", "env:prod", "--registry", &registry]));
    assert!(told.contains("404") && told.contains("not found"), "{told}");
}

#[test]
fn files_add_to_what_the_registry_holds() {
    let mlflow = Mlflow::shared();
    let model = mlflow.name("both");
    mlflow.model(&model);
    mlflow.version(&model, &mlflow.run(&[("other", 0.95)]));
    let folder = tempfile::tempdir().unwrap();
    let evidence = folder.path().join("metrics.json");
    let content = json!({
        "lockgate": "evidence/v1",
        "collected_at": "2026-11-24T00:00:00Z",
        "metrics": [{"name": "val_auc", "value": 0.95}],
    });
    std::fs::write(&evidence, content.to_string()).unwrap();
    let registry = format!("mlflow={}", mlflow.url());
    let subject = format!("{model}/1");
    let arguments = [
        subject.as_str(),
        "--to",
        "alias:champion",
        "--registry",
        &registry,
        "--evidence",
        evidence.to_str().unwrap(),
        "--format",
        "json",
    ];
    let output = check(&arguments);
    let told = text(&output);
    assert!(told.contains("mlflow/run") && told.contains("metrics.json"), "{told}");
}

#[test]
fn says_what_to_do_when_the_registry_cannot_be_asked() {
    let output =
        check(&["m/1", "--to", "alias:champion", "--registry", "mlflow=http://127.0.0.1:9"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains("check that it runs"), "{}", text(&output));
    for (registry, told) in [
        ("http://x", "mlflow=URL"),
        ("mlflow=x", "is not the address"),
        ("mlflow=http://ann:s3cret@x", "MLFLOW_TRACKING_PASSWORD"),
    ] {
        let output = check(&["m/1", "--to", "alias:champion", "--registry", registry]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(text(&output).contains(told), "{}", text(&output));
    }
}

#[test]
fn an_alias_in_another_case_is_not_taken_for_a_new_one() {
    let mlflow = Mlflow::shared();
    let model = mlflow.name("case-of-alias");
    mlflow.model(&model);
    let version = mlflow.version(&model, &mlflow.run(&[("val_auc", 0.95)]));
    let alias = json!({"name": model, "alias": "champion", "version": version});
    mlflow.api("POST", "registered-models/alias", &alias);
    let registry = format!("mlflow={}", mlflow.url());
    let subject = format!("{model}/1");
    for (target, code) in [("alias:champion", 0), ("alias:Champion", 3)] {
        let output = check(&[&subject, "--to", target, "--registry", &registry]);
        let told = text(&output);
        assert_eq!(output.status.code(), Some(code), "{told}");
        let refused = told.contains("in case alone");
        assert_eq!(refused, code != 0, "{told}");
    }
}
