//! What stands beside an address and leads to another model.

use serde_json::{Value, json};

use super::{ask, decided, object, review, serve, service, serving};

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
