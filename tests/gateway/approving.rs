//! Approvals are set in one's own name.

use serde_json::{Value, json};

use crate::gateway::{GATE_FILE, Gateway};
use crate::server::{Mlflow, send_with};

/// Sets an approval of version 1 of a model in this name.
fn approve(
    gateway: &Gateway,
    model: &str,
    approver: &str,
    headers: &[(&'static str, &str)],
) -> (u16, Value) {
    let value = json!({"approver": approver, "role": "risk", "at": "2026-11-23"}).to_string();
    let body = json!({"name": model, "version": "1", "key": "lockgate.approval.1", "value": value});
    let route = "/api/2.0/mlflow/model-versions/set-tag";
    send_with(&gateway.url, "POST", route, Some(body.to_string().into_bytes()), headers)
}

fn model(mlflow: &Mlflow) -> String {
    let model = mlflow.name("approving");
    mlflow.model(&model);
    mlflow.version(&model, &mlflow.run(&[("val_auc", 0.99)]));
    model
}

fn tags(mlflow: &Mlflow, model: &str) -> String {
    let held = mlflow.get(&format!("model-versions/get?name={model}&version=1"));
    held["model_version"]["tags"].to_string()
}

#[test]
fn nobody_approves_in_the_name_of_another() {
    let mlflow = Mlflow::shared();
    let gateway = Gateway::start(mlflow.url());
    let model = model(&mlflow);
    // `ann:x`; this MLflow asks nobody who they are.
    let ann = [("authorization", "Basic YW5uOng=")];
    let (status, answer) = approve(&gateway, &model, "bo", &ann);
    let message = answer["message"].as_str().unwrap();
    assert!(status == 403 && message.contains("in the name of `bo`"), "{status} {answer}");
    // `eve:pw` to MLflow's server, and no base64 to others.
    for eve in ["Basic ZXZlOnB3MR==", "Basic ZX!ZlOnB3"] {
        let (status, answer) = approve(&gateway, &model, "bo", &[("authorization", eve)]);
        let message = answer["message"].as_str().unwrap();
        assert!(status == 400 && message.contains("cannot be read"), "{status} {answer}");
    }
    assert_eq!(approve(&gateway, &model, "ann", &ann), (200, json!({})));
    let tags = tags(&mlflow, &model);
    assert!(tags.contains("ann") && !tags.contains("bo\\"), "{tags}");
}

#[test]
fn where_a_header_says_who_asks_nobody_approves_without_it() {
    let mlflow = Mlflow::shared();
    let options = ["--mlflow-user-header", "x-user"];
    let gateway = Gateway::start_with(mlflow.url(), GATE_FILE, &options, |_| {});
    let model = model(&mlflow);
    for (headers, told) in [
        (vec![], "says not who asks"),
        (vec![("authorization", "Basic YW5uOng=")], "says not who asks"),
        (vec![("x-user", " ")], "cannot be read"),
        (vec![("x-user", "bo")], "in the name of `ann`"),
    ] {
        let (status, answer) = approve(&gateway, &model, "ann", &headers);
        let message = answer["message"].as_str().unwrap();
        assert!(matches!(status, 400 | 403) && message.contains(told), "{headers:?}: {answer}");
    }
    assert!(!tags(&mlflow, &model).contains("ann"));
    assert_eq!(approve(&gateway, &model, "ann", &[("x-user", "ann")]), (200, json!({})));
}
