//! Every place of a resource that can name a model.

use serde_json::{Value, json};

use super::{ask, decided, object, review, serve, service, serving};

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
