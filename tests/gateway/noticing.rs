//! Changes that go around the gateway are noticed by the webhooks of the real MLflow.

use serde_json::{Value, json};

use crate::gateway::{GATE_FILE, Gateway};
use crate::promoting::{Model, model};
use crate::server::{Mlflow, send};

const SECRET: &str = "a secret that the two share";

fn watching(mlflow: &Mlflow) -> Gateway {
    let gateway = Gateway::start_with(
        mlflow.url(),
        GATE_FILE,
        &["--mlflow-webhook-secret-file", "secret"],
        |folder| std::fs::write(folder.join("secret"), format!("{SECRET}\n")).unwrap(),
    );
    let event = |entity: &str, action: &str| json!({"entity": entity, "action": action});
    let webhook = json!({
        "name": mlflow.name("lockgate"),
        "url": format!("{}/v1/webhooks/mlflow", gateway.url),
        "secret": SECRET,
        "events": [
            event("MODEL_VERSION", "CREATED"),
            event("MODEL_VERSION_ALIAS", "CREATED"),
            event("MODEL_VERSION_ALIAS", "DELETED"),
            event("MODEL_VERSION_TAG", "SET"),
            event("MODEL_VERSION_TAG", "DELETED"),
        ],
    });
    mlflow.api("POST", "webhooks", &webhook);
    gateway
}

fn deliveries(gateway: &Gateway, outcome: &str) -> u64 {
    let start = format!("lockgate_mlflow_webhook_deliveries_total{{outcome=\"{outcome}\"}} ");
    let metrics = gateway.metrics();
    let line = metrics.lines().find_map(|line| line.strip_prefix(&start));
    line.map_or(0, |count| count.trim().parse().unwrap())
}

#[test]
fn what_goes_around_the_gateway_is_judged_and_what_goes_through_it_is_not_judged_twice() {
    let mlflow = Mlflow::own(&[]);
    let gateway = watching(&mlflow);
    let Model { name, .. } = &model(&mlflow, "watched");
    let champion = |version: &str| json!({"name": name, "alias": "champion", "version": version});

    let (status, answer) = gateway.change("POST", "registered-models/alias", &champion("1"));
    assert_eq!(status, 200, "{answer}");
    // The alias, and the tag with the decision.
    gateway.until("its own notices come", || deliveries(&gateway, "own") >= 2);
    assert_eq!(gateway.decisions("bypassed"), Vec::<Value>::new());

    mlflow.api("POST", "registered-models/alias", &champion("2"));
    gateway.until("the notice comes", || !gateway.decisions("bypassed").is_empty());
    let found = gateway.decisions("bypassed");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (&found[0]["verdict"], &found[0]["target"], &found[0]["version"]),
        (&json!("deny"), &json!("alias:champion"), &json!("2"))
    );
    let metrics = gateway.metrics();
    assert!(metrics.contains("lockgate_mlflow_bypassed_total{verdict=\"deny\"} 1"), "{metrics}");
    assert!(gateway.log().contains("went around lockgate"), "{}", gateway.log());

    mlflow.api(
        "POST",
        "model-versions/set-tag",
        &json!({"name": name, "version": "2", "key": "deploy", "value": "prod"}),
    );
    gateway.until("the tag is noticed", || gateway.decisions("bypassed").len() == 2);
    mlflow.api("DELETE", "registered-models/alias", &json!({"name": name, "alias": "champion"}));
    gateway.until("the removal is noticed", || {
        gateway.metrics().contains("lockgate_mlflow_bypassed_total{verdict=\"unjudged\"} 1")
    });
}

#[test]
fn a_delivery_that_mlflow_did_not_sign_is_turned_away() {
    let gateway = Gateway::start_with(
        "http://127.0.0.1:9",
        GATE_FILE,
        &["--mlflow-webhook-secret-file", "secret"],
        |folder| std::fs::write(folder.join("secret"), SECRET).unwrap(),
    );
    let event = json!({"entity": "model_version_alias", "action": "created", "data": {"name": "m", "alias": "champion", "version": "1"}});
    let (status, answer) = gateway.send("POST", "/v1/webhooks/mlflow", &event);
    assert_eq!(status, 400, "{answer}");
    assert_eq!(deliveries(&gateway, "headers"), 1);
    assert_eq!(gateway.decisions("bypassed"), Vec::<Value>::new());
    let (status, _) = send(&gateway.url, "GET", "/v1/webhooks/mlflow", None);
    assert_eq!(status, 405);
}

#[test]
fn without_a_secret_no_webhook_is_taken() {
    let gateway = Gateway::start("http://127.0.0.1:9");
    let (status, answer) = gateway.send("POST", "/v1/webhooks/mlflow", &json!({}));
    assert_eq!(status, 404);
    assert!(answer["message"].as_str().unwrap().contains("--mlflow-webhook-secret-file"));
}
