//! Admission reviews that are judged by what MLflow says of a version.

use std::net::TcpListener;

use axum::http::Method;
use serde_json::{Value, json};

use crate::gateway::{GATE_FILE, Gateway};
use crate::promoting::{Model, model};
use crate::server::{Mlflow, send};
use crate::upstream::Upstream;

fn review(gateway: &Gateway, uri: &str) -> Value {
    let review = json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": {"group": "serving.kserve.io", "version": "v1beta1", "kind": "InferenceService"},
            "namespace": "prod",
            "operation": "CREATE",
            "userInfo": {"username": "alice"},
            "object": {
                "apiVersion": "serving.kserve.io/v1beta1",
                "kind": "InferenceService",
                "metadata": {"name": "fraud", "namespace": "prod"},
                "spec": {"predictor": {"model": {"storageUri": uri}}},
            },
        },
    });
    let (status, answer) = gateway.send("POST", "/k8s/validate", &review);
    assert_eq!(status, 200, "{answer}");
    answer["response"].clone()
}

#[track_caller]
fn assert_denied(answer: &Value, told: &str) {
    assert_eq!(answer["allowed"], false, "{answer}");
    let message = answer["status"]["message"].as_str().unwrap();
    assert!(message.contains(told), "`{told}` is not in {message}");
}

#[test]
fn a_version_is_served_when_its_run_in_mlflow_is_good_enough() {
    let mlflow = Mlflow::shared();
    let Model { name, .. } = &model(&mlflow, "admit");
    let gateway = Gateway::start(mlflow.url());
    let allowed = review(&gateway, &format!("models:/{name}/1"));
    assert_eq!(allowed["allowed"], true, "{allowed}");
    let denied = review(&gateway, &format!("models:/{name}/2"));
    assert_denied(&denied, "val_auc is 0.5, below the required 0.9");
    assert_denied(&review(&gateway, &format!("models:/{name}/9")), "could not decide");
    assert_denied(&review(&gateway, "models:/nobody-knows-it/1"), "could not decide");

    // What was judged stands on record with what MLflow said.
    let decisions = gateway.decisions("kubernetes");
    assert_eq!(decisions.len(), 4, "{decisions:?}");
    let id = allowed["auditAnnotations"]["decisions"].as_str().unwrap();
    let (_, recorded) = send(&gateway.url, "GET", &format!("/v1/decisions/{id}"), None);
    let sources = recorded["decision"]["evidence"]["sources"].to_string();
    assert!(sources.contains("mlflow/run"), "{recorded}");
}

/// A model of another registry is another model, whatever its name.
#[test]
fn what_mlflow_says_counts_for_its_own_models_and_those_of_forms_that_the_operator_gave() {
    let mlflow = Mlflow::shared();
    let Model { name, .. } = &model(&mlflow, "namesake");
    let registry = "registry.example:8080";
    let options = ["--model-registry", registry, "--storage-uri", "s3://b/{model}/{version}"];
    let gateway = Gateway::start_with(mlflow.url(), GATE_FILE, &options, |_| {});
    let denied = review(&gateway, &format!("model-registry://{registry}/{name}/1"));
    assert_denied(&denied, "no evidence names it");
    let allowed = review(&gateway, &format!("s3://b/{name}/1"));
    assert_eq!(allowed["allowed"], true, "{allowed}");
}

/// An alias may mean another version tomorrow, and KServe would load that unasked.
#[test]
fn an_alias_is_refused_however_good_the_version_is_that_it_means_today() {
    let mlflow = Mlflow::shared();
    let Model { name, .. } = &model(&mlflow, "alias-served");
    let gateway = Gateway::start(mlflow.url());
    let champion = json!({"name": name, "alias": "champion", "version": "1"});
    assert_eq!(gateway.change("POST", "registered-models/alias", &champion).0, 200);
    let answer = review(&gateway, &format!("models:/{name}@champion"));
    assert_denied(&answer, "what may mean another tomorrow");
    assert!(gateway.decisions("kubernetes").is_empty());
}

#[test]
fn a_registry_that_is_down_or_hangs_has_nothing_served() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let hanging = runtime.block_on(Upstream::start_with(|_| None));
    for address in [gone, hanging.address] {
        let options = ["--request-timeout", "2"];
        let gateway =
            Gateway::start_with(&format!("http://{address}"), GATE_FILE, &options, |_| {});
        assert_denied(&review(&gateway, "models:/fraud/1"), "could not decide");
        // Others are answered as ever.
        assert_eq!(send(&gateway.url, "GET", "/livez", None).0, 200);
        assert_denied(&review(&gateway, "models:/fraud"), "models:/NAME/VERSION");
    }
    assert!(hanging.seen().iter().all(|seen| seen.method == Method::GET));
}
