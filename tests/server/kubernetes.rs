//! Admission reviews of Kubernetes for the resources of KServe.

mod elsewhere;
mod places;
mod words;

use lockgate_guests as guests;
use serde_json::{Value, json};

use super::http::{post, post_bytes};
use super::served::{Folder, GATE, Served, gate_of};

/// A server whose gates allow what they can judge.
fn serve(arguments: &str) -> Served {
    let folder = Folder::new(&gate_of("honest", "")).guest("honest", guests::HONEST);
    folder.serve(arguments)
}

pub(crate) fn review(version: &str, kind: &str, object: &Value) -> Value {
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": {"group": "serving.kserve.io", "version": version, "kind": kind},
            "resource": {"group": "serving.kserve.io", "version": version, "resource": "x"},
            "namespace": "prod",
            "operation": "CREATE",
            "userInfo": {"username": "alice", "groups": ["system:authenticated"]},
            "object": object,
            "oldObject": null,
            "dryRun": false,
            "options": {"apiVersion": "meta.k8s.io/v1", "kind": "CreateOptions"},
        },
    })
}

fn object(version: &str, kind: &str, spec: Value) -> Value {
    json!({
        "apiVersion": format!("serving.kserve.io/{version}"),
        "kind": kind,
        "metadata": {"name": "fraud", "namespace": "prod"},
        "spec": spec,
    })
}

fn service(spec: Value) -> Value {
    review("v1beta1", "InferenceService", &object("v1beta1", "InferenceService", spec))
}

fn serving(uri: &str) -> Value {
    json!({"predictor": {"model": {"modelFormat": {"name": "sklearn"}, "storageUri": uri}}})
}

pub(crate) fn ask(served: &Served, review: &Value) -> Value {
    let answer = served.post("/k8s/validate", review).is(200).json();
    assert_eq!(answer["apiVersion"], "admission.k8s.io/v1");
    assert_eq!(answer["kind"], "AdmissionReview");
    assert_eq!(answer["response"]["uid"], review["request"]["uid"]);
    answer["response"].clone()
}

pub(crate) fn decided(served: &Served) -> Vec<String> {
    let listed = served.get("/v1/decisions?limit=500").is(200).json();
    let decisions = listed["decisions"].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    decisions
        .iter()
        .map(|one| {
            format!("{}/{} {}", text(&one["model"]), text(&one["version"]), text(&one["target"]))
        })
        .collect()
}

#[test]
fn a_service_is_allowed_or_denied_by_the_gate_of_its_namespace() {
    let served = serve("--kubernetes-environment ml-prod=prod-eu");
    let allowed = ask(&served, &service(serving("models:/fraud/3")));
    assert_eq!(allowed["allowed"], true, "{allowed}");
    assert_eq!(decided(&served), ["fraud/3 env:prod"]);
    let id = allowed["auditAnnotations"]["decisions"].as_str().unwrap();
    let recorded = served.get(&format!("/v1/decisions/{id}")).is(200).json();
    assert_eq!(recorded["origin"], "kubernetes");
    assert_eq!(recorded["decision"]["promotion"]["requested_by"], "alice");

    let mut elsewhere = service(serving("models:/fraud/3"));
    elsewhere["request"]["namespace"] = json!("dev");
    let denied = ask(&served, &elsewhere);
    assert_eq!(denied["allowed"], false);
    assert_eq!(denied["status"]["code"], 403);
    let message = denied["status"]["message"].as_str().unwrap();
    assert!(message.contains("fraud/3 → env:dev") && message.contains("decision "), "{message}");

    elsewhere["request"]["namespace"] = json!("ml-prod");
    assert_eq!(ask(&served, &elsewhere)["allowed"], true);
    assert_eq!(decided(&served)[0], "fraud/3 env:prod-eu");
}

#[test]
fn what_a_gate_only_warns_of_is_told_to_whoever_applies() {
    let gates = "\
version: 1
gates:
  - name: serving
    models: [\"*\"]
    targets: [env:prod]
    policies:
      - use: ./honest.wasm
      - use: std/model-metadata
        enforce: warn
        params: {required: [owner, license, framework, description, source-run]}
";
    let served = Folder::new(gates).guest("honest", guests::HONEST).serve("");
    let allowed = ask(&served, &service(serving("models:/fraud/3")));
    assert_eq!(allowed["allowed"], true, "{allowed}");
    let warnings: Vec<&str> =
        allowed["warnings"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(
        warnings[0].starts_with("lockgate, of fraud/3: model-metadata: ")
            && warnings[0].contains("`owner`"),
        "{warnings:#?}"
    );
    assert_eq!((warnings.len(), warnings[3]), (4, "lockgate, of fraud/3: and 2 more"));
    assert_eq!(ask(&serve(""), &service(serving("models:/fraud/3")))["warnings"], Value::Null);
}

#[test]
fn a_gate_that_wants_evidence_is_not_passed_without() {
    let served = Folder::new(GATE).serve("");
    let denied = ask(&served, &service(serving("models:/fraud/3")));
    assert_eq!(denied["allowed"], false, "{denied}");
}

#[test]
fn addresses_of_a_form_that_the_operator_gave_are_read() {
    let served = serve(
        "--storage-uri s3://models/{model}/{version} --storage-uri storage:prod/{model}/{version}",
    );
    assert_eq!(ask(&served, &service(serving("s3://models/fraud/3")))["allowed"], true);
    assert_eq!(ask(&served, &service(serving("s3://other/fraud/3")))["allowed"], false);
    assert_eq!(ask(&served, &service(serving("models:/fraud/4")))["allowed"], true);
    let stored = json!({"predictor": {"model": {"storage": {"path": "fraud/5", "key": "prod"}}}});
    assert_eq!(ask(&served, &service(stored))["allowed"], true);
    assert_eq!(decided(&served), ["fraud/5 env:prod", "fraud/4 env:prod", "fraud/3 env:prod"]);
}

#[test]
fn models_are_taken_from_registries_that_the_operator_named() {
    let served = serve("--model-registry registry.kubeflow.svc:8080");
    for (uri, allowed) in [
        ("model-registry://registry.kubeflow.svc:8080/fraud/3", true),
        ("model-registry://evil.example:8080/fraud/3", false),
        ("model-registry://registry.kubeflow.svc/fraud/3", false),
        // Kubeflow takes the first for a host if somebody answers there.
        ("model-registry://fraud/3", false),
    ] {
        let answer = ask(&served, &service(serving(uri)));
        assert_eq!(answer["allowed"], allowed, "{uri}: {answer}");
        let message = answer["status"]["message"].as_str().unwrap_or_default();
        assert!(allowed || message.contains("HOST") || message.contains("--model-registry"));
    }
    assert_eq!(decided(&served), ["fraud/3 env:prod"]);
}

#[test]
fn labels_may_agree_and_not_disagree() {
    let served = serve("");
    for (model, version, allowed) in
        [("fraud", "3", true), ("fraud", "4", false), ("other", "3", false)]
    {
        let mut review = service(serving("models:/fraud/3"));
        review["request"]["object"]["metadata"]["labels"] =
            json!({"lockgate.dev/model": model, "lockgate.dev/version": version, "app": "x"});
        assert_eq!(ask(&served, &review)["allowed"], allowed, "{model}/{version}");
    }
}

fn update(old: Value, new: Value) -> Value {
    let mut review = service(new);
    review["request"]["operation"] = json!("UPDATE");
    review["request"]["oldObject"] = object("v1beta1", "InferenceService", old);
    review
}

#[test]
fn an_update_is_judged_when_it_changes_the_model() {
    let served = serve(
        "--storage-uri storage:a/{model}/{version} --storage-uri storage:b/{model}/{version}",
    );
    let (old, new) = (serving("models:/other/3"), serving("models:/other/4"));
    assert_eq!(ask(&served, &update(old.clone(), new.clone()))["allowed"], false);
    assert_eq!(decided(&served), ["other/4 env:prod"]);

    let mut scaled = old.clone();
    scaled["predictor"]["minReplicas"] = json!(3);
    assert_eq!(ask(&served, &update(old.clone(), scaled))["allowed"], true);
    // A finalizer is taken off whatever is served.
    let opaque = json!({"predictor": {"containers": [{"name": "c", "image": "x"}]}});
    assert_eq!(ask(&served, &update(opaque.clone(), opaque.clone()))["allowed"], true);
    let mut other = opaque.clone();
    other["predictor"]["containers"][0]["image"] = json!("y");
    assert_eq!(ask(&served, &update(opaque, other))["allowed"], false);
    // The same path under another key is another model.
    let stored =
        |key: &str| json!({"predictor": {"model": {"storage": {"path": "other/3", "key": key}}}});
    assert_eq!(ask(&served, &update(stored("a"), stored("b")))["allowed"], false);
    assert_eq!(decided(&served).len(), 2);
    // A second model beside the first is one more.
    let mut canary = old.clone();
    canary["canary"] = json!([{"trafficPercent": 1, "predictor": new["predictor"]}]);
    assert_eq!(ask(&served, &update(old.clone(), canary))["allowed"], false);
    // So is what only a note to KServe leads to.
    let mut noted = update(old.clone(), old);
    noted["request"]["object"]["metadata"]["annotations"] =
        json!({"internal.serving.kserve.io/localmodel-pvc-name": "mine"});
    assert_eq!(ask(&served, &noted)["allowed"], false);
}

#[test]
fn what_serves_nothing_new_passes_unjudged() {
    let served = serve("");
    let mut deleted = service(serving("models:/other/3"));
    deleted["request"]["operation"] = json!("DELETE");
    deleted["request"]["object"] = Value::Null;
    let mut status = service(serving("models:/other/3"));
    status["request"]["operation"] = json!("UPDATE");
    status["request"]["subResource"] = json!("status");
    for review in [deleted, status] {
        assert_eq!(ask(&served, &review)["allowed"], true, "{review}");
    }
    assert_eq!(decided(&served), Vec::<String>::new());
}

#[test]
fn a_graph_stays_within_its_namespace() {
    let served = serve("");
    let graph = |step: Value| {
        let spec = json!({"nodes": {"root": {"routerType": "Sequence", "steps": [step]}}});
        review("v1alpha1", "InferenceGraph", &object("v1alpha1", "InferenceGraph", spec))
    };
    for (step, allowed) in [
        (json!({"serviceName": "fraud"}), true),
        (json!({"nodeName": "other"}), true),
        (json!({"serviceUrl": "http://fraud.prod.svc.cluster.local/v1"}), true),
        (json!({"serviceUrl": "http://fraud.prod:8080/"}), true),
        (json!({"serviceUrl": "http://fraud.dev.svc.cluster.local"}), false),
        (json!({"serviceUrl": "https://models.example.org"}), false),
        (json!({"serviceUrl": "http://fraud.prod.svc.cluster.local@example.org"}), false),
        (json!({"serviceUrl": "http://10.0.0.1:80"}), false),
        (json!({"serviceUrl": "http://3232235777/"}), false),
    ] {
        assert_eq!(ask(&served, &graph(step.clone()))["allowed"], allowed, "{step}");
    }
}

#[test]
fn resources_and_operations_that_are_not_known_are_refused() {
    let served = serve("");
    let mut pod = service(serving("models:/fraud/3"));
    pod["request"]["kind"] = json!({"group": "", "version": "v1", "kind": "Pod"});
    let mut later = service(serving("models:/fraud/3"));
    later["request"]["kind"]["version"] = json!("v2");
    let mut connect = service(serving("models:/fraud/3"));
    connect["request"]["operation"] = json!("CONNECT");
    let mut disguised = service(serving("models:/fraud/3"));
    disguised["request"]["object"]["kind"] = json!("TrainedModel");
    let mut nowhere = service(serving("models:/fraud/3"));
    nowhere["request"]["namespace"] = json!("");
    let mut nothing = service(serving("models:/fraud/3"));
    nothing["request"]["object"] = Value::Null;
    for review in [pod, later, connect, disguised, nowhere, nothing] {
        assert_eq!(ask(&served, &review)["allowed"], false, "{review}");
    }
    assert_eq!(decided(&served), Vec::<String>::new());
}

#[test]
fn a_trial_is_judged_and_not_put_on_record() {
    let served = serve("");
    for (uri, allowed) in [("models:/fraud/3", true), ("models:/other/3", false)] {
        let mut review = service(serving(uri));
        review["request"]["dryRun"] = json!(true);
        let answer = ask(&served, &review);
        assert_eq!(answer["allowed"], allowed, "{answer}");
        assert_eq!(answer["auditAnnotations"], Value::Null);
    }
    assert_eq!(decided(&served), Vec::<String>::new());
}

#[test]
fn what_is_no_review_is_a_problem() {
    let served = serve("");
    for body in [
        "",
        "{}",
        "[]",
        "{\"apiVersion\":\"admission.k8s.io/v1beta1\",\"kind\":\"AdmissionReview\",\"request\":{}}",
    ] {
        let request = post_bytes("/k8s/validate", body.as_bytes());
        let request = request.header("content-type", "application/json");
        served.send(&request).refused(400, "invalid_request");
    }
}

#[test]
fn an_undecided_review_is_denied() {
    let folder = Folder::new(&gate_of("traps", "")).guest("traps", guests::TRAPS);
    let served = folder.serve("");
    let answer = ask(&served, &service(serving("models:/fraud/3")));
    assert_eq!(answer["allowed"], false);
    let message = answer["status"]["message"].as_str().unwrap();
    assert!(message.contains("could not decide"), "{message}");
}

#[test]
fn credentials_are_asked_for_unless_told_not_to() {
    let review = service(serving("models:/fraud/3"));
    for (more, status) in [("", 401), ("--kubernetes-without-credentials", 200)] {
        let folder = Folder::new(&gate_of("honest", "")).guest("honest", guests::HONEST);
        folder.token("ci", &["ask"]);
        let served = folder.serve(&format!("--tokens tokens {more}"));
        assert_eq!(served.send(&post("/k8s/validate", &review)).status, status);
        // Nothing else is open because of it.
        served.get("/v1/decisions").refused(401, "unauthenticated");
    }
}
