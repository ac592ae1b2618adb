//! When something fails nothing moves, and the client is told in words.

use std::net::TcpListener;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Response};
use serde_json::{Value, json};

use crate::gateway::{GATE_FILE, Gateway};
use crate::promoting::{Model, model};
use crate::server::{Mlflow, send};
use crate::upstream::Upstream;
use crate::wire::Wire;

fn set(gateway: &Gateway, name: &str, version: &str) -> (u16, Value) {
    let body = json!({"name": name, "alias": "champion", "version": version});
    gateway.change("POST", "registered-models/alias", &body)
}

/// The answer is one that MLflow's client shows and does not repeat.
#[track_caller]
fn assert_undecided((status, answer): &(u16, Value), told: &str) {
    assert_eq!(
        (*status, answer["error_code"].as_str()),
        (403, Some("PERMISSION_DENIED")),
        "{answer}"
    );
    let message = answer["message"].as_str().unwrap();
    assert!(message.contains(told), "{message}");
}

#[test]
fn a_registry_that_is_down_moves_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let gateway = Gateway::start(&url);
    assert_undecided(&set(&gateway, "fraud", "1"), "could not be looked up");
    let (status, answer) = send(&gateway.url, "GET", "/api/2.0/mlflow/runs/search", None);
    assert_eq!((status, answer["error_code"].as_str()), (503, Some("TEMPORARILY_UNAVAILABLE")));
}

#[test]
fn a_policy_that_hangs_allows_nothing() {
    let mlflow = Mlflow::shared();
    let Model { name, .. } = &model(&mlflow, "hang");
    let gates = "\
version: 1
gates:
  - name: production
    models: ['*']
    targets: [alias:champion]
    policies:
      - use: hangs.wasm
        limits: {fuel: 50000000000, deadline-ms: 300}
";
    let gateway = Gateway::start_with(mlflow.url(), gates, &[], |folder| {
        let guest = lockgate_guests::component(lockgate_guests::LOOPS_FOREVER);
        std::fs::write(folder.join("hangs.wasm"), guest).unwrap();
    });
    assert_undecided(&set(&gateway, name, "1"), "could not decide");
    assert_eq!(mlflow.alias(name, "champion"), None);
    // It is still there for others.
    assert_eq!(send(&gateway.url, "GET", "/version", None).0, 200);
}

/// A registry that answers questions, and whose changes come to nothing.
fn answers_to_questions(request: &crate::upstream::Seen) -> Option<Response<Body>> {
    let version = json!({"name": "fraud", "version": "1", "current_stage": "None", "source": "s3://b/m", "run_id": ""});
    let answer = match request.target.split('?').next().unwrap_or_default() {
        "/api/2.0/mlflow/registered-models/get" => {
            json!({"registered_model": {"name": "fraud", "latest_versions": [version]}})
        }
        "/api/2.0/mlflow/model-versions/get" => json!({"model_version": version}),
        "/api/2.0/mlflow/model-versions/get-download-uri" => json!({"artifact_uri": "s3://b/m"}),
        _ if request.method == Method::GET => json!({}),
        _ => return None,
    };
    Some(Response::new(Body::from(answer.to_string())))
}

#[test]
fn a_change_that_mlflow_does_not_answer_is_told_of_without_asking_for_another_try() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let upstream = runtime.block_on(Upstream::start_with(answers_to_questions));
    let url = format!("http://{}", upstream.address);
    let gates = GATE_FILE.replace("alias:champion, ", "");
    let gateway = Gateway::start_with(&url, &gates, &["--mlflow-timeout", "3"], |_| {});
    let answer = set(&gateway, "fraud", "1");
    assert_undecided(&answer, "look in MLflow whether it was done");
    // What was sent on says where the client is, and is what was judged.
    let sent = upstream.seen().into_iter().find(|seen| seen.method == Method::POST).unwrap();
    assert_eq!(sent.headers["x-forwarded-for"], "127.0.0.1");
    assert_eq!(
        sent.body.as_deref(),
        Some(&br#"{"alias":"champion","name":"fraud","version":"1"}"#[..])
    );
}

#[test]
fn what_is_passed_on_is_in_the_log_where_mlflow_fails_and_not_otherwise() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let upstream = runtime.block_on(Upstream::start_with(|seen| {
        seen.target.starts_with("/answers").then(|| Response::new(Body::empty()))
    }));
    let url = format!("http://{}", upstream.address);
    let gateway = Gateway::start_with(&url, GATE_FILE, &["--mlflow-timeout", "1"], |_| {});
    let ask = |target: &str| {
        let request = format!(
            "GET {target}?token=secret HTTP/1.1\r\nHost: a\r\nX-Request-Id: from-outside-1\r\n\r\n"
        );
        runtime.block_on(async {
            let mut wire = Wire::open(gateway.address()).await;
            wire.send(request).await;
            wire.answer().await.status
        })
    };
    assert_eq!((ask("/answers"), ask("/silent")), (200, 504));
    let log = gateway.log();
    let line = log.lines().find(|line| line.contains("MLflow failed")).unwrap();
    for part in ["WARN", "from-outside-1", "/silent", "status=504", "no answer within 1s"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(!log.contains("/answers") && !log.contains("secret"), "{log}");
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    let gateway = Gateway::start("http://127.0.0.1:9");
    let body = json!({"name": "m".repeat(3 << 20), "alias": "a", "version": "1"});
    let (status, answer) = gateway.change("POST", "registered-models/alias", &body);
    assert_eq!(status, 413, "{answer}");
    assert!(answer["message"].as_str().unwrap().contains("at most"), "{answer}");
}

#[test]
fn promotions_of_one_model_do_not_overtake_each_other() {
    let mlflow = Mlflow::shared();
    let Model { name, .. } = &model(&mlflow, "race");
    let gateway = Gateway::start(mlflow.url());
    std::thread::scope(|scope| {
        for version in ["1", "2", "1", "2", "1", "2"] {
            let gateway = &gateway;
            scope.spawn(move || {
                let (status, answer) = set(gateway, name, version);
                assert_eq!(status == 200, version == "1", "{answer}");
            });
        }
    });
    assert_eq!(mlflow.alias(name, "champion").as_deref(), Some("1"));
}

#[test]
fn a_change_whose_judging_takes_too_long_is_not_made() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let upstream = runtime.block_on(Upstream::start_with(|_| None));
    let url = format!("http://{}", upstream.address);
    let gateway = Gateway::start_with(&url, GATE_FILE, &["--mlflow-timeout", "1"], |_| {});
    assert_undecided(&set(&gateway, "fraud", "1"), "within 1 s (`--mlflow-timeout`)");
    assert!(upstream.seen().iter().all(|seen| seen.method == Method::GET));
}

#[test]
fn a_change_whose_body_comes_too_slowly_is_not_waited_for() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let upstream = runtime.block_on(Upstream::plain());
    let url = format!("http://{}", upstream.address);
    let gateway = Gateway::start_with(&url, GATE_FILE, &["--body-timeout", "1"], |_| {});
    let (status, head) = runtime.block_on(async {
        let mut wire = Wire::open(gateway.address()).await;
        let head = "POST /api/2.0/mlflow/registered-models/alias HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n";
        wire.send(head).await;
        // A byte now and then, until it is answered.
        loop {
            tokio::select! {
                answer = wire.head() => break answer.unwrap(),
                () = tokio::time::sleep(Duration::from_millis(50)) => {}
            }
            wire.try_send(" ").await;
        }
    });
    assert_eq!(status, 408, "{head}");
    assert!(upstream.seen().is_empty());
}
