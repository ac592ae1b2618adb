//! Admission reviews of Kubernetes for the resources of KServe.

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

/// Specifications that name their models, and which.
fn readable() -> Vec<(&'static str, &'static str, Value, &'static [&'static str])> {
    let uri = "models:/fraud/3";
    let mut cases = vec![
        ("v1beta1", "InferenceService", serving(uri), &["3"] as &[_]),
        (
            "v1beta1",
            "InferenceService",
            json!({"predictor": {
                "model": {"storageUri": uri},
                "canaryTrafficPercent": 10,
            }, "transformer": {"containers": [{"image": "t", "name": "kserve-container"}]}}),
            &["3"],
        ),
        (
            "v1beta1",
            "InferenceService",
            json!({"predictor": {"model": {"storageUri": uri}},
                   "canary": [{"trafficPercent": 5, "predictor": {"model": {"storageUri": "models:/fraud/4"}}}]}),
            &["3", "4"],
        ),
        (
            "v1beta1",
            "InferenceService",
            json!({"predictor": {"model": {"storageUri": uri}},
                   "explainer": {"art": {"type": "SquareAttack", "storageUri": "models:/fraud/5"}}}),
            &["3", "5"],
        ),
        (
            "v1beta1",
            "InferenceService",
            json!({"predictor": {"containers": [
                {"name": "kserve-container", "image": "x", "env": [{"name": "STORAGE_URI", "value": uri}]},
            ]}}),
            &["3"],
        ),
        (
            "v1beta1",
            "InferenceService",
            json!({"predictor": {"model": {"modelFormat": {"name": "vllm"}}, "storageUris": [
                {"uri": uri, "mountPath": "/mnt/models"},
                {"uri": "models:/fraud/6", "mountPath": "/mnt/adapter"},
            ]}}),
            &["3", "6"],
        ),
        (
            "v1beta1",
            "InferenceService",
            json!({"predictor": {"model": {"storageUri": uri}, "workerSpec": {"containers": [
                {"name": "worker-container", "image": "x"}]}}}),
            &["3"],
        ),
        (
            "v1alpha1",
            "TrainedModel",
            json!({"inferenceService": "fraud", "model": {"storageUri": uri, "framework": "sklearn", "memory": "1Gi"}}),
            &["3"],
        ),
        (
            "v1alpha1",
            "LLMInferenceService",
            json!({"model": {"uri": uri, "name": "fraud", "lora": {"adapters": [{"uri": "models:/fraud/7", "name": "a"}]}}}),
            &["3", "7"],
        ),
        ("v1alpha2", "LLMInferenceService", json!({"model": {"uri": uri}}), &["3"]),
        (
            "v1alpha2",
            "LLMInferenceServiceConfig",
            json!({"model": {"uri": uri, "lora": {"adapters": [{"uri": "models:/fraud/8"}]}}}),
            &["3", "8"],
        ),
        (
            "v1beta1",
            "InferenceService",
            json!({"predictor": {"model": {"storageUri": uri}},
                   "transformer": {"containers": [{"name": "kserve-container", "image": "x"}],
                                   "storageUris": [{"uri": "models:/fraud/9"}]}}),
            &["3", "9"],
        ),
    ];
    for framework in [
        "sklearn",
        "xgboost",
        "tensorflow",
        "pytorch",
        "triton",
        "onnx",
        "huggingface",
        "pmml",
        "lightgbm",
        "paddle",
    ] {
        let spec = json!({"predictor": {framework: {"storageUri": uri, "resources": {}}}});
        cases.push(("v1beta1", "InferenceService", spec, &["3"]));
    }
    cases
}

#[test]
fn every_place_that_can_name_a_model_is_read() {
    let served = serve("");
    let mut before = 0;
    for (version, kind, spec, expected) in readable() {
        let review = review(version, kind, &object(version, kind, spec.clone()));
        let answer = ask(&served, &review);
        assert_eq!(answer["allowed"], true, "{spec}: {answer}");
        let all = decided(&served);
        let mut new: Vec<_> = all[..all.len() - before].to_vec();
        new.reverse();
        let expected: Vec<_> =
            expected.iter().map(|version| format!("fraud/{version} env:prod")).collect();
        assert_eq!(new, expected, "{spec}");
        before = all.len();
        // One that is not allowed keeps all from being.
        let text = review.to_string().replace("fraud/3", "other/3");
        let denied = ask(&served, &serde_json::from_str(&text).unwrap());
        assert_eq!(denied["allowed"], false, "{spec}");
        before = decided(&served).len().max(before);
    }
}

#[test]
fn what_does_not_say_which_version_it_serves_is_refused() {
    let served = serve("");
    let uri = "models:/fraud/3";
    let mut specs: Vec<Value> = [
        "models:/fraud@champion",
        "models:/fraud",
        "models:/fraud/Production",
        "models:/fraud/latest",
        "s3://models/fraud/3",
        "pvc://claim/fraud",
        "hf://org/model",
        "oci://registry/fraud:3",
        "model-registry://fraud",
        "",
    ]
    .into_iter()
    .map(serving)
    .collect();
    specs.extend([
        json!({"predictor": {"model": {"modelFormat": {"name": "sklearn"}}}}),
        json!({"predictor": {"containers": [{"name": "kserve-container", "image": "with-a-model-inside"}]}}),
        json!({"predictor": {"minReplicas": 1}}),
        json!({"predictor": {"newframework": {"storageUri": uri}}}),
        json!({"predictor": {"model": {"storageUri": uri}}, "canary": [{"trafficPercent": 1, "predictor": {"model": {}}}]}),
        json!({"predictor": {"model": {"storage": {"path": "fraud/3", "key": "default"}}}}),
        json!({"predictor": {"model": {"storage": {"path": "fraud/3", "parameters": {"bucket": "other"}}}}}),
        json!({"predictor": {"model": {"storageUri": uri, "storage": {"key": "elsewhere"}}}}),
        json!({"predictor": {"model": {"storageUri": uri, "storageURI": "models:/other/3"}}}),
        json!({"predictor": {"model": {"storageUri": uri}}, "model": {"storageUri": "models:/other/3"}}),
        json!({"predictor": {"model": {"storageUri": uri, "env": [{"name": "STORAGE_URI", "valueFrom": {}}]}}}),
        json!({"predictor": {"model": {"storageUri": 3}}}),
        json!({}),
    ]);
    for spec in specs {
        let answer = ask(&served, &service(spec.clone()));
        assert_eq!(answer["allowed"], false, "{spec}");
        assert!(answer["status"]["message"].as_str().unwrap().starts_with("lockgate"), "{answer}");
    }
    for spec in [
        json!({"baseRefs": [{"name": "base"}]}),
        json!({"model": {"name": "x"}}),
        json!({"model": {"uri": "", "name": "x"}}),
        json!({"model": {"uri": uri, "lora": {"adapters": [{"name": "a"}]}}}),
        json!({"model": {"uri": uri, "lora": {"adapters": [{"uri": uri, "lora": {}}]}}}),
    ] {
        let kind = "LLMInferenceService";
        let answer = ask(&served, &review("v1alpha1", kind, &object("v1alpha1", kind, spec)));
        assert_eq!(answer["allowed"], false, "{answer}");
    }
    assert_eq!(decided(&served), Vec::<String>::new());
}

/// What stands beside an address that may be served, and has KServe, or the server that it starts,
/// take another model than that.
fn leading_elsewhere() -> Vec<Value> {
    let told = |more: Value| {
        let mut model = json!({"storageUri": "models:/fraud/3"});
        model.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"model": model})
    };
    let beside = |more: Value| {
        let mut predictor = json!({"model": {"storageUri": "models:/fraud/3"}});
        predictor.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        predictor
    };
    let internal = |name: &str| format!("internal.serving.kserve.io/{name}");
    let mut predictors = vec![
        told(json!({"args": ["--model_id=org/other"]})),
        told(json!({"args": ["--model_dir", "/other"]})),
        told(json!({"args": ["--lora-modules", "a=/other"]})),
        told(json!({"command": ["sh", "-c", "vllm serve org/other"]})),
        told(json!({"args": ["s3://models/other/3"]})),
        told(json!({"env": [{"name": "MODEL_ID", "value": "org/other"}]})),
        told(
            json!({"env": [{"name": "MLSERVER_MODEL_URI", "valueFrom": {"configMapKeyRef": {"name": "a", "key": "b"}}}]}),
        ),
        told(json!({"env": [{"name": "VLLM_ADDITIONAL_ARGS", "value": "--model org/other"}]})),
        told(json!({"envFrom": [{"configMapRef": {"name": "other"}}]})),
        // Kubernetes and KServe fill words in with what stands elsewhere.
        told(
            json!({"args": ["$(EXTRA)"], "env": [{"name": "EXTRA", "value": "--model_id=org/other"}]}),
        ),
        told(
            json!({"args": ["$(A)=org/other"], "env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "a", "key": "b"}}}]}),
        ),
        told(json!({"env": [{"name": "EXTRA", "value": "--model_id=org/other"}]})),
        told(json!({"env": [{"name": "A", "value": "--model_id"}]})),
        told(json!({"args": ["--mod{{/* */}}el_id=org/other"]})),
        told(json!({"args": ["{{.Annotations.extra}}"]})),
        beside(json!({"labels": {"a": "{{ printf `%c` 34 }}"}})),
        told(json!({"volumeMounts": [{"name": "mine", "mountPath": "/mnt/models/1"}]})),
        told(json!({"volumeMounts": [{"name": "mine", "mountPath": "/mnt"}]})),
        told(json!({"volumeDevices": [{"name": "mine", "devicePath": "/mnt/models"}]})),
        beside(json!({"initContainers": [{"name": "storage-initializer", "image": "mine"}]})),
        beside(json!({"containers": [{"name": "modelcar", "image": "mine"}]})),
        beside(json!({"volumes": [{"name": "kserve-provision-location", "emptyDir": {}}]})),
        beside(json!({"containers": [{"name": "a", "image": "x",
            "volumeMounts": [{"name": "kserve-provision-location", "mountPath": "/elsewhere"}]}]})),
        beside(
            json!({"containers": [{"name": "a", "image": "x", "args": ["--model-id", "org/other"]}]}),
        ),
        beside(json!({"workerSpec": {"containers": [{"name": "worker-container",
            "env": [{"name": "MODEL_DIR", "value": "/other"}]}]}})),
        beside(json!({"workerSpec": {"initContainers": [{"name": "storage-initializer"}]}})),
        json!({"storageUris": [{"uri": "models:/fraud/3", "mountPath": ""}],
               "model": {"args": ["--model_dir=/other"]}}),
        json!({"storageUris": [{"uri": "models:/fraud/3", "mountPath": "/"}], "model": {}}),
        json!({"storageUris": [{"uri": "models:/fraud/3", "mountPath": "/."}], "model": {}}),
        json!({"storageUris": [{"uri": "models:/fraud/3", "mountPath": "models"}], "model": {}}),
        json!({"storageUris": [{"uri": "models:/fraud/3", "mountPath": "/models"}],
               "model": {"volumeMounts": [{"name": "mine", "mountPath": "/models/sub"}]}}),
    ];
    for name in [
        "storage-initializer-sourceuri",
        "storage-spec",
        "storage-spec-key",
        "storage-spec-param",
        "storage-container-name",
        "localmodel-pvc-name",
        "agent",
        "modelDir",
        "configVolumeName",
    ] {
        predictors.push(beside(json!({"annotations": {internal(name): "x"}})));
    }
    predictors.push(beside(json!({"labels": {internal("localmodel"): "x"}})));
    predictors
}

#[test]
fn what_can_lead_to_another_model_than_the_address_is_refused() {
    let served = serve("");
    for predictor in leading_elsewhere() {
        for spec in [
            json!({"predictor": predictor}),
            json!({"predictor": {"model": {"storageUri": "models:/fraud/3"}},
                   "canary": [{"trafficPercent": 1, "predictor": predictor}]}),
        ] {
            let answer = ask(&served, &service(spec.clone()));
            assert_eq!(answer["allowed"], false, "{spec}");
        }
    }
    // What stands before a model can be a model's server itself.
    for container in [
        json!({"args": ["--model_id=org/other"]}),
        json!({"env": [{"name": "MODEL_ID", "value": "org/other"}]}),
        json!({"envFrom": [{"secretRef": {"name": "a"}}]}),
    ] {
        let mut container = container;
        container["name"] = json!("kserve-container");
        for part in ["transformer", "explainer"] {
            let spec = json!({"predictor": {"model": {"storageUri": "models:/fraud/3"}},
                              part: {"containers": [container]}});
            assert_eq!(ask(&served, &service(spec.clone()))["allowed"], false, "{spec}");
        }
    }
    // KServe fills its runtimes in with annotations.
    let mut annotated = service(serving("models:/fraud/3"));
    annotated["request"]["object"]["metadata"]["annotations"] =
        json!({"modelFormat": "sklearn\",\"--model_dir=/other"});
    assert_eq!(ask(&served, &annotated)["allowed"], false);
    let llm = |more: Value| {
        let mut spec = json!({"model": {"uri": "models:/fraud/3"}});
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        spec
    };
    let told = |args: &str| json!({"containers": [{"name": "main", "args": [args]}]});
    for spec in [
        llm(json!({"storageInitializer": {"enabled": false}})),
        llm(json!({"template": told("--model=org/other")})),
        llm(json!({"worker": told("--model=org/other")})),
        llm(json!({"prefill": {"template": told("--lora-modules=a=/other")}})),
        llm(json!({"prefill": {"worker": told("--model=org/other")}})),
        llm(
            json!({"template": {"initContainers": [{"name": "storage-initializer", "image": "mine"}]}}),
        ),
        llm(json!({"template": {"containers": [{"name": "main",
            "env": [{"name": "VLLM_ADDITIONAL_ARGS", "value": "--model org/other"}]}]}})),
        llm(json!({"template": {"containers": [{"name": "main",
            "volumeMounts": [{"name": "mine", "mountPath": "/mnt/lora/a"}]}]}})),
        llm(json!({"annotations": {"internal.serving.kserve.io/agent": "x"}})),
        llm(json!({"later": {"uri": "models:/other/3"}})),
        llm(json!({"template": told("$(EXTRA)")})),
        llm(json!({"template": told("{{ .ObjectMeta.Annotations.extra }}")})),
        llm(json!({"model": {"uri": "models:/fraud/3", "name": "a\\\" --model org/other \\\""}})),
        llm(json!({"router": {"scheduler": {"template": told("--model=org/other")}}})),
        llm(
            json!({"router": {"scheduler": {"tokenizer": {"template": told("--model=org/other")}}}}),
        ),
        llm(json!({"router": {"scheduler": {"pool": {"ref": {"name": "other"}}}}})),
        llm(json!({"router": {"scheduler": {"pool": {"spec": {"selector": {}}}}}})),
        llm(json!({"router": {"scheduler": {"later": {}}}})),
        llm(json!({"router": {"route": {"http": {"refs": [{"name": "other"}]}}}})),
        llm(json!({"router": {"route": {"http": {"spec": {"rules": [
            {"backendRefs": [{"name": "fraud", "namespace": "dev", "port": 8000}]}]}}}}})),
        llm(json!({"router": {"ingress": {"refs": [{"name": "other"}]}}})),
        llm(json!({"router": {"later": {}}})),
    ] {
        for kind in ["LLMInferenceService", "LLMInferenceServiceConfig"] {
            let review = review("v1alpha2", kind, &object("v1alpha2", kind, spec.clone()));
            assert_eq!(ask(&served, &review)["allowed"], false, "{spec}");
        }
    }
    assert_eq!(decided(&served), Vec::<String>::new());
}

/// A predictor whose server is told something more.
fn told(more: Value) -> Value {
    let mut model = json!({"modelFormat": {"name": "a"}, "storageUri": "models:/fraud/3"});
    model.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"predictor": {"model": model}})
}

/// An LLM whose server is told something more.
fn llm_told(more: Value) -> Value {
    let mut container = json!({"name": "main"});
    container.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"model": {"uri": "models:/fraud/3"}, "template": {"containers": [container]}})
}

/// Whether resources are allowed, and the message where not.
fn answers(served: &Served, version: &str, kind: &str, specs: &[Value], allowed: bool) {
    for spec in specs {
        let answer = ask(served, &review(version, kind, &object(version, kind, spec.clone())));
        assert_eq!(answer["allowed"], allowed, "{kind} {spec}: {answer}");
    }
}

#[test]
fn a_command_and_its_arguments_are_read_as_one_list() {
    let served = serve("");
    let split = [
        json!({"command": ["vllm", "serve"], "args": ["org/other"]}),
        json!({"command": ["vllm"], "args": ["serve", "org/other"]}),
        json!({"command": ["server", "--model_id"], "args": ["org/other"]}),
        json!({"command": ["mlserver"], "args": ["start", "/other"]}),
    ];
    let of_service: Vec<Value> = split.iter().cloned().map(told).collect();
    let of_llm: Vec<Value> = split.iter().cloned().map(llm_told).collect();
    let of_runtime: Vec<Value> = split.iter().map(|said| json!({"containers": [said]})).collect();
    answers(&served, "v1beta1", "InferenceService", &of_service, false);
    answers(&served, "v1alpha1", "ServingRuntime", &of_runtime, false);
    for version in ["v1alpha1", "v1alpha2"] {
        answers(&served, version, "LLMInferenceService", &of_llm, false);
        answers(&served, version, "LLMInferenceServiceConfig", &of_llm, false);
    }
    let plain = [
        json!({"command": ["vllm", "serve"], "args": ["/mnt/models", "--port", "8000"]}),
        json!({"command": ["vllm", "serve"], "args": ["--model=/mnt/models", "--port=8000"]}),
        json!({"command": ["mlserver"], "args": ["start", "/mnt/models"]}),
    ];
    let plain: Vec<Value> = plain.into_iter().map(told).collect();
    answers(&served, "v1beta1", "InferenceService", &plain, true);
    // The message says in which of the lists.
    let answer = ask(&served, &service(of_service[0].clone()));
    let message = answer["status"]["message"].as_str().unwrap();
    assert!(message.contains("spec.predictor.model.args: `org/other`"), "{message}");
}

#[test]
fn a_model_that_is_served_by_its_place_is_the_first_word_or_refused() {
    let served = serve("");
    let refused = [
        json!({"args": ["vllm", "serve", "--port", "8000", "org/other"]}),
        json!({"args": ["vllm", "serve", "--enforce-eager", "org/other"]}),
        json!({"args": ["vllm", "serve", "--download-dir", "/mnt/models", "org/other"]}),
        json!({"command": ["python3", "-m", "vllm.entrypoints.cli.main", "serve", "org/other"]}),
        json!({"command": ["sh", "-c", "vllm serve /mnt/models & vllm serve org/other"]}),
        json!({"command": ["sh", "-c", "vllm serve \"$@\""]}),
        json!({"command": ["vllm", "launch", "render", "org/other"]}),
        json!({"command": ["trtllm-serve", "org/other"]}),
        // The command can be the image's, or the runtime's.
        json!({"args": ["org/other"]}),
        json!({"args": ["/other", "--port=8000"]}),
        json!({"args": ["--port", "8000", "org/other"]}),
        json!({"args": ["--enforce-eager", "org/other"]}),
        json!({"args": ["--trust-remote-code", "/other"]}),
    ];
    let of_service: Vec<Value> = refused.iter().cloned().map(told).collect();
    let of_llm: Vec<Value> = refused.iter().cloned().map(llm_told).collect();
    answers(&served, "v1beta1", "InferenceService", &of_service, false);
    answers(&served, "v1alpha2", "LLMInferenceService", &of_llm, false);
    let marks = ["{{.Annotations.extra}}", "{{ .Labels.extra }}"]
        .map(|mark| json!({"containers": [{"name": "a", "args": ["--http_port=8080", mark]}]}));
    answers(&served, "v1alpha1", "ServingRuntime", &marks, false);
    let allowed = [
        json!({"args": ["vllm", "serve", "/mnt/models", "--chat-template", "a/b.jinja"]}),
        json!({"args": ["/mnt/models", "--port", "8000"]}),
        json!({"args": ["--served-model-name", "org/fraud", "--root-path", "/v1"]}),
        json!({"args": ["torchserve", "--start", "--model-store=/mnt/models/model-store"]}),
        json!({"command": ["/usr/bin/server", "/app/main.py"], "args": ["--port", "8000"]}),
        json!({"command": ["sh", "-c"], "args": ["cd /app && exec python main.py"]}),
    ];
    let allowed: Vec<Value> = allowed.into_iter().map(told).collect();
    answers(&served, "v1beta1", "InferenceService", &allowed, true);
}

#[test]
fn what_is_mounted_is_compared_by_the_path_it_comes_to_lie_at() {
    let served = serve("");
    for (path, allowed) in [
        ("/mnt/./models/model.joblib", false),
        ("/./mnt/models", false),
        ("/mnt//models/", false),
        ("mnt/models", false),
        ("/mnt/.", false),
        ("/mnt/./other", true),
    ] {
        let mounts = json!({"volumeMounts": [{"name": "v", "mountPath": path, "subPath": "m"}]});
        answers(&served, "v1beta1", "InferenceService", &[told(mounts.clone())], allowed);
        answers(&served, "v1alpha1", "LLMInferenceService", &[llm_told(mounts)], allowed);
    }
}

#[test]
fn an_update_of_annotations_alone_is_read_too() {
    let served = serve("");
    let annotated = |old: Value, new: Value| {
        let mut review = update(serving("models:/fraud/3"), serving("models:/fraud/3"));
        review["request"]["object"]["metadata"]["annotations"] = new;
        review["request"]["oldObject"]["metadata"]["annotations"] = old;
        review
    };
    let extra = json!({"extra": "--model_id=org/other"});
    assert_eq!(ask(&served, &annotated(json!({}), extra.clone()))["allowed"], false);
    // One that was there before stays as it is, and can be taken off.
    assert_eq!(ask(&served, &annotated(extra.clone(), extra.clone()))["allowed"], true);
    assert_eq!(ask(&served, &annotated(extra, json!({})))["allowed"], true);
    let note = json!({"example.org/note": "--model_id=org/other"});
    assert_eq!(ask(&served, &annotated(json!({}), note))["allowed"], true);
    assert_eq!(ask(&served, &annotated(json!({}), json!({"a": "sklearn"})))["allowed"], true);
}

#[test]
fn an_address_is_seen_wherever_in_a_word_it_stands() {
    let served = serve("");
    let words = [
        "--model-loader-extra-config={\"tensorizer_uri\":\"s3://other/m\"}",
        "--model-loader-extra-config={\"tensorizer_dir\":\"/other\"}",
        "--model-loader-extra-config.tensorizer_dir=/other",
        "--foo={\"uri\":\"s3://other/m\"}",
        "--foo={\"uri\":\"s3:\\/\\/other\"}",
        "--foo={\"uri\":\"\\u00733://other\"}",
        "--foo=a,s3://other/m",
        "--foo=a=S3://other/m",
        "--foo=[file:///other]",
    ];
    let mut specs: Vec<Value> = words.iter().map(|word| told(json!({"args": [word]}))).collect();
    specs.extend(words.iter().map(|word| told(json!({"env": [{"name": "A", "value": word}]}))));
    answers(&served, "v1beta1", "InferenceService", &specs, false);
    let allowed = [
        "--model-loader-extra-config={\"enable_multithread_load\": true, \"num_threads\": 8}",
        "--kv-transfer-config={\"kv_connector\":\"NixlConnector\",\"kv_role\":\"kv_both\"}",
        "--otlp-traces-endpoint=http://collector:4317",
    ]
    .map(|word| told(json!({"args": [word]})));
    answers(&served, "v1beta1", "InferenceService", &allowed, true);
    let held = "--model-loader-extra-config '{\"enable_multithread_load\": true}' --port=8000";
    let held = told(json!({"env": [{"name": "VLLM_ADDITIONAL_ARGS", "value": held}]}));
    answers(&served, "v1beta1", "InferenceService", &[held], true);
}

#[test]
fn what_stands_before_a_model_may_ask_one_of_the_namespace_alone() {
    let served = serve("");
    let told = |part: &str, args: Value| {
        json!({"predictor": {"model": {"storageUri": "models:/fraud/3"}},
               part: {"containers": [{"name": "kserve-container", "image": "x", "args": args}]}})
    };
    for part in ["transformer", "explainer"] {
        for (host, allowed) in [
            ("other.elsewhere.svc.cluster.local", false),
            ("models.example.org:8080", false),
            ("3232235777", false),
            ("fraud-predictor.prod.svc.cluster.local", true),
            ("localhost:8085", true),
            ("127.0.0.1:8085", true),
        ] {
            let specs = [
                told(part, json!([format!("--predictor_host={host}")])),
                told(part, json!(["--predictor_host", host])),
            ];
            answers(&served, "v1beta1", "InferenceService", &specs, allowed);
        }
    }
    let short = told("transformer", json!(["--predictor_h=other.elsewhere"]));
    answers(&served, "v1beta1", "InferenceService", &[short], false);
}

#[test]
fn a_scheduler_may_pick_from_no_other_pool() {
    let served = serve("");
    let told = |args: Value| {
        let template = json!({"containers": [{"name": "main", "args": args}]});
        json!({"model": {"uri": "models:/fraud/3"}, "router": {"scheduler": {"template": template}}})
    };
    let own = json!([
        "--pool-name",
        "{{ ChildName .ObjectMeta.Name `-inference-pool` }}",
        "--pool-namespace",
        "{{ .ObjectMeta.Namespace }}",
        "{{ if .GlobalConfig.EnableTLS }}--secure-serving=true{{- end }}",
    ]);
    let refused = [
        told(json!(["--pool-name=other", "--pool-namespace=elsewhere"])),
        told(json!(["--pool-name", "other"])),
        told(json!(["--pool-namespace", "elsewhere"])),
        told(json!(["--endpoint-selector=app=other"])),
    ];
    for kind in ["LLMInferenceService", "LLMInferenceServiceConfig"] {
        answers(&served, "v1alpha2", kind, &refused, false);
    }
    let filled = told(json!(["--pool-name", "{{ .Spec.Model.Name }}"]));
    answers(&served, "v1alpha2", "LLMInferenceServiceConfig", &[filled], false);
    let hidden = told(json!(["{{ if .GlobalConfig.EnableTLS }}--model=org/other{{- end }}"]));
    answers(&served, "v1alpha2", "LLMInferenceServiceConfig", &[hidden], false);
    answers(&served, "v1alpha2", "LLMInferenceServiceConfig", &[told(own)], true);
}

#[test]
fn options_and_variables_of_kserves_own_servers_name_no_other_model() {
    let served = serve("");
    let mut refused = Vec::new();
    for words in [
        &["--ts-config=/other/config.properties"] as &[_],
        &["--ts-conf", "/other/config.properties"],
        &["mlserver", "start", "/other"],
        &["-sc", "{\"model\":\"org/draft\"}"],
        &["-s", "{\"model\":\"org/draft\"}"],
        &["--speculative-config.model=org/draft"],
        &["--enable-lora", "--lora-modul", "a=org/other"],
        &["--speculative-conf", "{\"model\":\"org/draft\"}"],
        &["--tokeniz", "org/other"],
    ] {
        refused.push(told(json!({"args": words})));
    }
    for (name, value) in [
        ("TS_CONFIG_FILE", "/other/config.properties"),
        ("TS_LOAD_MODELS", "m=https://example.org/m.mar"),
        ("MLSERVER_MODEL_HUGGINGFACE_PRETRAINED_MODEL", "org/other"),
        ("MLSERVER_MODEL_PARAMETERS", "{\"uri\":\"/other\"}"),
        ("MLSERVER_MODEL_EXTRA", "{\"pretrained_model\":\"org/other\"}"),
        ("VLLM_ALLOW_RUNTIME_LORA_UPDATING", "True"),
        ("VLLM_LORA_RESOLVER_CACHE_DIR", "/other"),
    ] {
        refused.push(told(json!({"env": [{"name": name, "value": value}]})));
    }
    answers(&served, "v1beta1", "InferenceService", &refused, false);
    let allowed = [
        json!({"args": ["torchserve", "--start", "--ts-config=/mnt/models/config/config.properties"]}),
        json!({"env": [{"name": "TS_CONFIG_FILE", "value": "/mnt/models/config.properties"}]}),
        json!({"env": [{"name": "MLSERVER_MODEL_IMPLEMENTATION", "value": "mlserver_sklearn.SKLearnModel"}]}),
    ]
    .map(told);
    answers(&served, "v1beta1", "InferenceService", &allowed, true);
}

#[test]
fn what_is_run_beside_a_server_is_read_as_its_command() {
    let served = serve("");
    let exec = |script: &str| json!({"exec": {"command": ["sh", "-c", script]}});
    let holders = |script: &str| {
        [
            json!({"lifecycle": {"postStart": exec(script)}}),
            json!({"lifecycle": {"preStop": exec(script)}}),
            json!({"livenessProbe": exec(script)}),
            json!({"readinessProbe": exec(script)}),
            json!({"startupProbe": exec(script)}),
        ]
    };
    let other = holders("python -m huggingfaceserver --model_id=org/other");
    answers(&served, "v1beta1", "InferenceService", &other.clone().map(told), false);
    answers(&served, "v1alpha2", "LLMInferenceService", &other.map(llm_told), false);
    let plain = holders("sleep 15");
    answers(&served, "v1beta1", "InferenceService", &plain.map(told), true);
    let later = json!({"lifecycle": {"postStart": {"later": {}}}});
    answers(&served, "v1beta1", "InferenceService", &[told(later)], false);
}

#[test]
fn a_server_may_be_told_what_does_not_name_a_model() {
    let served = serve("");
    let spec = json!({"predictor": {
        "model": {
            "modelFormat": {"name": "huggingface"},
            "runtime": "kserve-huggingfaceserver",
            "storageUri": "models:/fraud/3",
            "args": ["--model_name=fraud", "--model_dir=/mnt/models", "--max-model-len=4096"],
            "env": [{"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}],
            "volumeMounts": [{"name": "shm", "mountPath": "/dev/shm"}],
            "resources": {"limits": {"cpu": "1"}},
        },
        "volumes": [{"name": "shm", "emptyDir": {"medium": "Memory"}}],
        "containers": [{"name": "transformer-container", "image": "x", "args": ["--predictor_protocol=v2"]}],
        "annotations": {"prometheus.io/scrape": "true"},
    }});
    assert_eq!(ask(&served, &service(spec))["allowed"], true);
}

#[test]
fn an_llm_may_be_reached_by_what_kserve_makes_for_it() {
    let served = serve("");
    let told = json!({"containers": [{"name": "main", "args": ["--grpc-port", "9002"]}]});
    for router in [
        json!({"gateway": {}, "route": {}, "scheduler": {}}),
        json!({"gateway": {"refs": [{"name": "shared", "namespace": "gateways"}]},
               "route": {"http": {}, "group": "fraud", "weight": 10},
               "ingress": {},
               "scheduler": {"pool": {}, "replicas": 2, "template": told.clone(),
                             "tokenizer": {"template": told.clone()}}}),
    ] {
        let spec =
            json!({"model": {"uri": "models:/fraud/3", "name": "org/fraud"}, "router": router});
        let kind = "LLMInferenceService";
        let answer = ask(&served, &review("v1alpha2", kind, &object("v1alpha2", kind, spec)));
        assert_eq!(answer["allowed"], true, "{answer}");
    }
}

#[test]
fn what_kserve_notes_of_a_copy_on_its_nodes_is_taken_for_the_model_of_the_resource_alone() {
    let served = serve("");
    let noted = |source: &str, spec: Value| {
        let mut review = service(spec);
        let internal = |name: &str| format!("internal.serving.kserve.io/{name}");
        let metadata = &mut review["request"]["object"]["metadata"];
        metadata["labels"] = json!({internal("localmodel"): "fraud"});
        metadata["annotations"] = json!({
            internal("localmodel-sourceuri"): source,
            internal("localmodel-pvc-name"): "fraud-gpu",
        });
        review
    };
    let uri = "models:/fraud/3";
    assert_eq!(ask(&served, &noted(uri, serving(uri)))["allowed"], true);
    let listed = json!({"predictor": {"model": {}, "storageUris": [{"uri": uri}]}});
    for review in [
        noted("models:/other/3", serving(uri)),
        noted("models:/fraud/", serving("models:/fraud/31")),
        noted(uri, listed),
    ] {
        assert_eq!(ask(&served, &review)["allowed"], false, "{review}");
    }
}

#[test]
fn a_runtime_names_no_model_itself() {
    let served = serve("");
    let runtime = |container: Value, more: Value| {
        let mut spec = json!({
            "supportedModelFormats": [{"name": "sklearn", "version": "1", "autoSelect": true}],
            "containers": [container],
        });
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        review("v1alpha1", "ServingRuntime", &object("v1alpha1", "ServingRuntime", spec))
    };
    let told = |args: &[&str]| json!({"name": "kserve-container", "image": "x", "args": args});
    let usual = told(&["--model_name={{.Name}}", "--model_dir=/mnt/models"]);
    assert_eq!(ask(&served, &runtime(usual.clone(), json!({})))["allowed"], true);
    let filled = told(&[
        "sh -c",
        "exec serve --model_dir=${MODEL_DIR}",
        "--framework={{.Annotations.modelFormat}}",
    ]);
    assert_eq!(ask(&served, &runtime(filled, json!({})))["allowed"], true);
    let env = |name: &str, value: &str| json!({"name": "kserve-container", "env": [{"name": name, "value": value}]});
    let worker = json!({"workerSpec": {"containers": [told(&["--model=org/other"])]}});
    for review in [
        runtime(told(&["--model_id=org/other"]), json!({})),
        runtime(told(&["--model=$(X)"]), json!({})),
        runtime(told(&["$(A)", "org/other"]), json!({})),
        runtime(told(&["$(A)=org/other"]), json!({})),
        runtime(told(&["--model={{.Annotations.path}}"]), json!({})),
        runtime(told(&["{{ index .Annotations `a/b` }}"]), json!({})),
        runtime(env("STORAGE_URI", "models:/fraud/3"), json!({})),
        runtime(env("MODEL_ID", "org/other"), json!({})),
        runtime(usual.clone(), json!({"annotations": {"internal.serving.kserve.io/agent": "x"}})),
        runtime(usual.clone(), worker),
        runtime(usual.clone(), json!({"initContainers": [{"name": "storage-initializer"}]})),
        runtime(
            usual.clone(),
            json!({"builtInAdapter": {"env": [{"name": "MODEL_DIR", "value": "/x"}]}}),
        ),
        runtime(usual, json!({"later": 1})),
    ] {
        assert_eq!(ask(&served, &review)["allowed"], false, "{review}");
    }
    assert_eq!(decided(&served), Vec::<String>::new());
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
