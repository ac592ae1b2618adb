//! Changes that go around the gateway are noticed by the webhooks of the real MLflow.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::http::Response;
use serde_json::{Value, json};

use crate::gateway::{GATE_FILE, Gateway};
use crate::promoting::{Model, model};
use crate::server::{Mlflow, send, send_with};
use crate::upstream::Upstream;

const SECRET: &str = "a secret that the two share";

fn watching(mlflow: &Mlflow) -> Gateway {
    watching_with(mlflow, &[])
}

/// A gateway that takes the notices of MLflow, with further options.
fn watching_with(mlflow: &Mlflow, options: &[&str]) -> Gateway {
    let secret = ["--mlflow-webhook-secret-file", "secret"];
    let options: Vec<&str> = secret.iter().chain(options).copied().collect();
    let gateway = Gateway::start_with(mlflow.url(), GATE_FILE, &options, |folder| {
        std::fs::write(folder.join("secret"), format!("{SECRET}\n")).unwrap();
    });
    subscribe(mlflow, &format!("{}/v1/webhooks/mlflow", gateway.url));
    gateway
}

/// Has MLflow give notice of changes at an address.
fn subscribe(mlflow: &Mlflow, url: &str) -> String {
    let event = |entity: &str, action: &str| json!({"entity": entity, "action": action});
    let webhook = json!({
        "name": mlflow.name("lockgate"),
        "url": url,
        "secret": SECRET,
        "events": [
            event("MODEL_VERSION", "CREATED"),
            event("MODEL_VERSION_ALIAS", "CREATED"),
            event("MODEL_VERSION_ALIAS", "DELETED"),
            event("MODEL_VERSION_TAG", "SET"),
            event("MODEL_VERSION_TAG", "DELETED"),
            event("PROMPT_VERSION", "CREATED"),
            event("PROMPT_ALIAS", "CREATED"),
            event("PROMPT_ALIAS", "DELETED"),
            event("PROMPT_VERSION_TAG", "SET"),
            event("PROMPT_VERSION_TAG", "DELETED"),
        ],
    });
    let answer = mlflow.api("POST", "webhooks", &webhook);
    answer["webhook"]["webhook_id"].as_str().unwrap().to_owned()
}

fn second() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn deliveries(gateway: &Gateway, outcome: &str) -> u64 {
    let start = format!("lockgate_mlflow_webhook_deliveries_total{{outcome=\"{outcome}\"}} ");
    let metrics = gateway.metrics();
    let line = metrics.lines().find_map(|line| line.strip_prefix(&start));
    line.map_or(0, |count| count.trim().parse().unwrap())
}

/// How much went around the gateway, whatever was decided on it.
fn bypassed(gateway: &Gateway) -> u64 {
    let metrics = gateway.metrics();
    let lines = metrics.lines().filter(|line| line.starts_with("lockgate_mlflow_bypassed_total{"));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
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
    gateway.until("the removal is noticed", || gateway.decisions("bypassed").len() == 3);
    let removal = &gateway.decisions("bypassed")[0];
    assert_eq!(
        (&removal["movement"], &removal["verdict"], &removal["target"]),
        (&json!("removal"), &json!("deny"), &json!("alias:champion"))
    );
}

#[test]
fn what_is_set_back_by_hand_is_not_taken_for_what_the_gateway_did_before() {
    let mlflow = Mlflow::own(&[]);
    let gateway = watching(&mlflow);
    let Model { name, good_run, .. } = &model(&mlflow, "set-back");
    let good =
        json!({"name": name, "source": format!("runs:/{good_run}/model"), "run_id": good_run});
    mlflow.api("POST", "model-versions/create", &good);
    let champion = |version: &str| json!({"name": name, "alias": "champion", "version": version});
    for version in ["1", "3"] {
        let (status, answer) =
            gateway.change("POST", "registered-models/alias", &champion(version));
        assert_eq!(status, 200, "{answer}");
    }
    gateway.until("its own notices come", || deliveries(&gateway, "own") >= 4);
    // MLflow tells the second of a change and no more.
    let then = second();
    gateway.until("a second passes", || second() > then);
    mlflow.api("POST", "registered-models/alias", &champion("1"));
    gateway.until("the notice comes", || gateway.decisions("bypassed").len() == 1);
    assert_eq!(gateway.decisions("bypassed")[0]["version"], "1");
}

#[test]
fn a_gateway_that_was_started_anew_finds_on_record_what_it_did_before() {
    let mlflow = Mlflow::own(&[]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let kept = runtime.block_on(Upstream::start(|_| Response::new(Body::from("{}"))));
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("record.db");
    let options = ["--record", record.to_str().unwrap()];
    let start = || {
        let secret = ["--mlflow-webhook-secret-file", "secret"];
        let options: Vec<&str> = secret.iter().chain(&options).copied().collect();
        Gateway::start_with(mlflow.url(), GATE_FILE, &options, |folder| {
            std::fs::write(folder.join("secret"), SECRET).unwrap();
        })
    };
    // The notices are kept until the gateway is there again.
    subscribe(&mlflow, &format!("http://{}", kept.address));
    let Model { name, .. } = &model(&mlflow, "restarted");
    let gateway = start();
    let champion = json!({"name": name, "alias": "champion", "version": "1"});
    let (status, answer) = gateway.change("POST", "registered-models/alias", &champion);
    assert_eq!(status, 200, "{answer}");
    let of_alias = |body: &[u8]| String::from_utf8_lossy(body).contains("model_version_alias");
    let notice = || kept.seen().into_iter().find(|seen| of_alias(seen.body.as_deref().unwrap()));
    gateway.until("MLflow gives notice", || notice().is_some());
    drop(gateway);

    let gateway = start();
    let notice = notice().unwrap();
    let headers: Vec<(&'static str, &str)> =
        ["x-mlflow-signature", "x-mlflow-delivery-id", "x-mlflow-timestamp"]
            .map(|name| (name, notice.headers[name].to_str().unwrap()))
            .into();
    let body = notice.body.map(Vec::from);
    let (status, answer) = send_with(&gateway.url, "POST", "/v1/webhooks/mlflow", body, &headers);
    assert_eq!((status, &answer["outcome"]), (200, &json!("recorded")), "{answer}");
    assert_eq!(gateway.decisions("bypassed"), Vec::<Value>::new());
    assert_eq!(gateway.decisions("mlflow").len(), 1);
}

/// As a gateway that was started anew: it has done nothing of what it is told, and shares the
/// record with the one that has.
#[test]
fn what_another_gateway_allowed_is_no_bypass_and_what_none_has_allowed_is() {
    let mlflow = Mlflow::own(&[]);
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("shared.db");
    let options = ["--record", record.to_str().unwrap()];
    let other = Gateway::start_with(
        mlflow.url(),
        &GATE_FILE.replace("    policies:", "    removal: allow\n    policies:"),
        &options,
        |_| {},
    );
    let gateway = watching_with(&mlflow, &options);
    let Model { name, good_run, .. } = &model(&mlflow, "elsewhere");
    let good =
        json!({"name": name, "source": format!("runs:/{good_run}/model"), "run_id": good_run});
    let champion = |version: &str| json!({"name": name, "alias": "champion", "version": version});
    let prod = format!("prod.{name}");
    mlflow.model(&prod);
    mlflow.api("POST", "model-versions/create", &good);
    gateway.until("versions are noticed", || deliveries(&gateway, "unguarded") >= 3);

    // Each is told twice: the change, and the tag with the decision; a removal has no tag.
    let copy = json!({"name": prod, "source": format!("models:/{name}/1")});
    let deploy = json!({"name": name, "version": "3", "key": "deploy", "value": "prod"});
    let alias = json!({"name": name, "alias": "champion"});
    let changes = [
        ("POST", "registered-models/alias", champion("1"), 2),
        ("POST", "registered-models/alias", champion("3"), 4),
        ("POST", "model-versions/create", copy, 6),
        ("POST", "model-versions/set-tag", deploy, 8),
        ("DELETE", "registered-models/alias", alias, 9),
    ];
    for (method, route, body, recorded) in changes {
        let (status, answer) = other.change(method, route, &body);
        assert_eq!(status, 200, "{route} {body}: {answer}");
        gateway.until("it is found on record", || deliveries(&gateway, "recorded") == recorded);
    }
    assert_eq!(gateway.decisions("bypassed"), Vec::<Value>::new());
    assert_eq!(bypassed(&gateway), 0);

    // Version 1 was allowed some seconds ago, and is not what the alias was last allowed to mean.
    mlflow.api("POST", "registered-models/alias", &champion("1"));
    gateway.until("it is noticed", || gateway.decisions("bypassed").len() == 1);
    // A tag that names a decision is no proof of one.
    let allowed = other.decisions("mlflow").into_iter().find(|one| one["verdict"] == "allow");
    let id = allowed.unwrap()["id"].clone();
    let tag = json!({"name": name, "version": "2", "key": "lockgate.decision.alias.champion", "value": id});
    mlflow.api("POST", "model-versions/set-tag", &tag);
    gateway.until("the tag is noticed", || {
        gateway.metrics().contains("lockgate_mlflow_bypassed_total{verdict=\"unjudged\"} 1")
    });
    mlflow.api("POST", "registered-models/alias", &champion("2"));
    gateway.until("the bad one is noticed", || gateway.decisions("bypassed").len() == 2);
    assert_eq!(gateway.decisions("bypassed")[0]["verdict"], "deny");

    // What was allowed a moment ago is no explanation once somebody has gone around it.
    let (status, answer) = other.change("POST", "registered-models/alias", &champion("3"));
    assert_eq!(status, 200, "{answer}");
    gateway.until("it is found on record", || deliveries(&gateway, "recorded") == 11);
    for (version, noticed) in [("2", 3), ("3", 4)] {
        mlflow.api("POST", "registered-models/alias", &champion(version));
        gateway.until("it is noticed", || gateway.decisions("bypassed").len() == noticed);
        assert_eq!(gateway.decisions("bypassed")[0]["version"], version);
    }
}

#[test]
fn a_webhook_that_is_tested_raises_no_alarm() {
    let mlflow = Mlflow::own(&[]);
    let gateway = watching(&mlflow);
    let webhook = subscribe(&mlflow, &format!("{}/v1/webhooks/mlflow", gateway.url));
    for (entity, action) in [
        ("MODEL_VERSION", "CREATED"),
        ("MODEL_VERSION_ALIAS", "CREATED"),
        ("MODEL_VERSION_TAG", "SET"),
    ] {
        let test = json!({"event": {"entity": entity, "action": action}});
        let answer = mlflow.api("POST", &format!("webhooks/{webhook}/test"), &test);
        assert_eq!(answer["result"]["success"], true, "{answer}");
    }
    assert_eq!(deliveries(&gateway, "test"), 3);
    assert_eq!(bypassed(&gateway), 0);
    assert!(!gateway.log().contains("went around"), "{}", gateway.log());
}

/// MLflow gives notice of prompts by other words, and of a model too once it has the tag of one.
#[test]
fn no_tag_keeps_a_change_from_being_noticed() {
    let mlflow = Mlflow::own(&[]);
    let gateway = watching(&mlflow);
    let Model { name, .. } = &model(&mlflow, "blinded");
    let tag = json!({"name": name, "key": "mlflow.prompt.is_prompt", "value": "true"});
    mlflow.api("POST", "registered-models/set-tag", &tag);
    let champion = json!({"name": name, "alias": "champion", "version": "2"});
    mlflow.api("POST", "registered-models/alias", &champion);
    gateway.until("it is noticed", || gateway.decisions("bypassed").len() == 1);
    assert_eq!(gateway.decisions("bypassed")[0]["target"], "alias:champion");
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
