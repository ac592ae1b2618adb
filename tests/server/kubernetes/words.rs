//! What a server is told beside the address of its model.

use serde_json::{Value, json};

use super::{ask, object, review, serve, service, serving, update};
use crate::served::Served;

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
