//! Approvals are set in one's own name.

use serde_json::json;

use crate::gateway::Gateway;
use crate::server::{Mlflow, send_with};

#[test]
fn nobody_approves_in_the_name_of_another() {
    let mlflow = Mlflow::shared();
    let gateway = Gateway::start(mlflow.url());
    let model = mlflow.name("approving");
    mlflow.model(&model);
    let version = mlflow.version(&model, &mlflow.run(&[("val_auc", 0.99)]));
    let approve = |approver: &str| {
        let value = json!({"approver": approver, "role": "risk", "at": "2026-11-23"}).to_string();
        let body = json!({"name": model, "version": version, "key": "lockgate.approval.1", "value": value});
        // `ann:x`; this MLflow asks nobody who they are.
        let ann = ("authorization", "Basic YW5uOng=");
        let route = "/api/2.0/mlflow/model-versions/set-tag";
        send_with(&gateway.url, "POST", route, Some(body.to_string().into_bytes()), &[ann])
    };
    let (status, answer) = approve("bo");
    let message = answer["message"].as_str().unwrap();
    assert!(status == 403 && message.contains("in the name of `bo`"), "{status} {answer}");
    assert_eq!(approve("ann"), (200, json!({})));
    let held = mlflow.get(&format!("model-versions/get?name={model}&version={version}"));
    let tags = held["model_version"]["tags"].to_string();
    assert!(tags.contains("ann") && !tags.contains("bo\\"), "{tags}");
}
