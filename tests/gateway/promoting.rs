//! Every way to promote a version with MLflow's own Python client, allowed and denied.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::gateway::{GATE_FILE, Gateway};
use crate::server::{Mlflow, python};

/// A model whose version 1 is good enough and whose version 2 is not.
pub(crate) struct Model {
    pub(crate) name: String,
    pub(crate) good_run: String,
    bad_run: String,
}

pub(crate) fn model(mlflow: &Mlflow, stem: &str) -> Model {
    let name = mlflow.name(stem);
    mlflow.model(&name);
    let (good, bad) = (mlflow.run(&[("val_auc", 0.95)]), mlflow.run(&[("val_auc", 0.5)]));
    assert_eq!(mlflow.version(&name, &good), "1");
    assert_eq!(mlflow.version(&name, &bad), "2");
    Model { name, good_run: good.0, bad_run: bad.0 }
}

/// Makes the calls through the gateway; what came of each.
pub(crate) fn client(url: &str, calls: &[(&str, Value)]) -> Vec<Value> {
    client_with(url, &[], calls)
}

/// The same with variables for MLflow's client.
pub(crate) fn client_with(
    url: &str,
    variables: &[(&str, &str)],
    calls: &[(&str, Value)],
) -> Vec<Value> {
    let mut child = Command::new(python())
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/gateway/client.py"))
        .arg(url)
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(json!(calls).to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[track_caller]
pub(crate) fn assert_allowed(results: &[Value]) {
    for result in results {
        assert!(result["ok"].is_string(), "{result}");
    }
}

/// Every call was denied, and its message tells what `told` lists.
#[track_caller]
pub(crate) fn assert_denied(results: &[Value], told: &[&str]) {
    for result in results {
        assert_eq!(result["error_code"], "PERMISSION_DENIED", "{result}");
        let message = result["message"].as_str().unwrap();
        for part in told {
            assert!(message.contains(part), "`{part}` is not in {message}");
        }
    }
}

pub(crate) fn tag_of(mlflow: &Mlflow, model: &str, version: &str, key: &str) -> Option<String> {
    let answer = mlflow.get(&format!("model-versions/get?name={model}&version={version}"));
    let tags = answer["model_version"]["tags"].as_array()?.clone();
    let own = tags.into_iter().find(|tag| tag["key"] == key)?;
    own["value"].as_str().map(str::to_owned)
}

#[test]
fn by_alias() {
    let mlflow = Mlflow::shared();
    let gateway = Gateway::start(mlflow.url());
    let Model { name, .. } = &model(&mlflow, "alias");
    let set = |version: &str| {
        let arguments = json!({"name": name, "alias": "champion", "version": version});
        ("set_registered_model_alias", arguments)
    };
    let delete = ("delete_registered_model_alias", json!({"name": name, "alias": "champion"}));
    let other = json!({"name": name, "alias": "candidate", "version": "2"});
    let results = client(
        &gateway.url,
        &[
            set("2"),
            set("1"),
            set("2"),
            delete,
            ("set_registered_model_alias", other),
            ("delete_registered_model_alias", json!({"name": name, "alias": "candidate"})),
            ("get_model_version_by_alias", json!({"name": name, "alias": "champion"})),
        ],
    );
    assert_denied(
        &[results[0].clone(), results[2].clone()],
        &[
            "lockgate denies",
            "alias:champion",
            "val_auc",
            "0.5",
            "at least 0.9",
            "waiver",
            "lockgate decision show",
        ],
    );
    // The client keeps the whole answer with its exception.
    let id = results[0]["json"]["decision_id"].as_str().unwrap();
    assert!(results[0]["message"].as_str().unwrap().contains(id));
    assert_denied(&results[3..4], &["champion", "removal: deny"]);
    assert_allowed(&[results[1].clone(), results[4].clone(), results[5].clone()]);
    assert!(results[6]["ok"].as_str().unwrap().contains("version='1'"), "{}", results[6]);
    assert_eq!(mlflow.alias(name, "champion").as_deref(), Some("1"));

    let of_model = |decision: &Value| decision["model"] == name.as_str();
    let recorded: Vec<Value> = gateway.decisions("mlflow").into_iter().filter(of_model).collect();
    let with = |verdict: &str| recorded.iter().filter(|one| one["verdict"] == verdict).count();
    assert_eq!((with("deny"), with("allow")), (3, 2), "{recorded:?}");
    let allowed =
        recorded.iter().find(|one| one["target"] == "alias:champion" && one["verdict"] == "allow");
    let tag = tag_of(&mlflow, name, "1", "lockgate.decision.alias.champion");
    assert_eq!(tag.as_deref(), allowed.unwrap()["id"].as_str());
    assert_eq!(tag_of(&mlflow, name, "2", "lockgate.decision.alias.champion"), None);
}

#[test]
fn by_stage() {
    let mlflow = Mlflow::shared();
    let gateway = Gateway::start(mlflow.url());
    let Model { name, .. } = &model(&mlflow, "stage");
    let to = |version: &str, stage: &str, archive: bool| {
        let arguments = json!({"name": name, "version": version, "stage": stage, "archive_existing_versions": archive});
        ("transition_model_version_stage", arguments)
    };
    let results = client(
        &gateway.url,
        &[
            to("2", "Production", false),
            to("1", "production", false),
            to("2", "production", true),
            to("1", "Archived", false),
            to("1", "Staging", false),
            to("2", "Staging", false),
            to("2", "Archived", false),
        ],
    );
    assert_denied(&[results[0].clone(), results[2].clone()], &["stage:Production", "val_auc"]);
    assert_denied(&results[3..5], &["stage:Production", "removal: deny"]);
    assert_allowed(&[results[1].clone(), results[5].clone(), results[6].clone()]);
    let answer = mlflow.get(&format!("model-versions/get?name={name}&version=1"));
    assert_eq!(answer["model_version"]["current_stage"], "Production");
    assert!(tag_of(&mlflow, name, "1", "lockgate.decision.stage.Production").is_some());
}

#[test]
fn by_copy_and_by_creation_in_an_environment() {
    let mlflow = Mlflow::shared();
    let gateway = Gateway::start(mlflow.url());
    let Model { name, good_run, bad_run } = &model(&mlflow, "copy");
    let prod = format!("prod.{name}");
    let copy = |version: &str| {
        let arguments =
            json!({"src_model_uri": format!("models:/{name}/{version}"), "dst_name": prod});
        ("copy_model_version", arguments)
    };
    let create = |run: &str| {
        let arguments =
            json!({"name": prod, "source": format!("runs:/{run}/model"), "run_id": run});
        ("create_model_version", arguments)
    };
    let champion = json!({"name": name, "alias": "champion", "version": "1"});
    let results = client(
        &gateway.url,
        &[
            copy("2"),
            create(bad_run),
            // So that the version has a tag of lockgate's, which the client copies too.
            ("set_registered_model_alias", champion),
            copy("1"),
            create(good_run),
        ],
    );
    // The client puts words of its own before what it was told.
    assert_eq!(results[0]["error_code"], "INTERNAL_ERROR");
    let message = results[0]["message"].as_str().unwrap();
    assert!(message.contains("PERMISSION_DENIED: lockgate denies"), "{message}");
    assert_denied(&results[1..2], &["env:prod", "val_auc", "0.5"]);
    assert_allowed(&results[2..]);
    let answer = mlflow.get(&format!("registered-models/get?name={prod}"));
    assert_eq!(answer["registered_model"]["latest_versions"][0]["version"], "2", "{answer}");
    for version in ["1", "2"] {
        assert!(tag_of(&mlflow, &prod, version, "lockgate.decision.env.prod").is_some());
        assert_eq!(tag_of(&mlflow, &prod, version, "lockgate.decision.alias.champion"), None);
    }
}

#[test]
fn by_tag() {
    let mlflow = Mlflow::shared();
    let gateway = Gateway::start(mlflow.url());
    let Model { name, .. } = &model(&mlflow, "tag");
    let set = |version: &str, key: &str, value: &str| {
        let arguments = json!({"name": name, "version": version, "key": key, "value": value});
        ("set_model_version_tag", arguments)
    };
    let delete = |version: &str, key: &str| {
        ("delete_model_version_tag", json!({"name": name, "version": version, "key": key}))
    };
    let results = client(
        &gateway.url,
        &[
            set("2", "deploy", "prod"),
            set("1", "deploy", "prod"),
            delete("1", "deploy"),
            set("1", "deploy", "dev"),
            set("2", "lockgate.decision.env.prod", "0198c6a5-6f2e-7b1a-9c3d-2f4e5a6b7c8d"),
            set("2", "reviewed", "yes"),
            delete("2", "reviewed"),
        ],
    );
    assert_denied(&results[..1], &["env:prod", "val_auc"]);
    assert_denied(&results[2..4], &["env:prod", "removal: deny"]);
    assert_denied(&results[4..5], &["lockgate writes itself"]);
    assert_allowed(&[results[1].clone(), results[5].clone(), results[6].clone()]);
    assert_eq!(tag_of(&mlflow, name, "1", "deploy").as_deref(), Some("prod"));
}

#[test]
fn by_taking_the_place_of_what_is_there() {
    let mlflow = Mlflow::shared();
    let gateway = Gateway::start(mlflow.url());
    let Model { name, .. } = &model(&mlflow, "remove");
    let free = model(&mlflow, "free").name;
    let champion = json!({"name": name, "alias": "champion", "version": "1"});
    let results = client(
        &gateway.url,
        &[
            ("set_registered_model_alias", champion),
            ("delete_model_version", json!({"name": name, "version": "1"})),
            ("rename_registered_model", json!({"name": name, "new_name": format!("{name}-x")})),
            ("delete_registered_model", json!({"name": name})),
            ("delete_model_version", json!({"name": name, "version": "2"})),
            ("rename_registered_model", json!({"name": free, "new_name": format!("{free}-x")})),
            ("delete_registered_model", json!({"name": format!("{free}-x")})),
            ("delete_registered_model", json!({"name": "never-there"})),
        ],
    );
    assert_denied(&results[1..4], &["alias:champion", "removal: deny"]);
    let decisions = gateway.decisions("mlflow");
    let removals: Vec<_> = decisions.iter().filter(|one| one["movement"] == "removal").collect();
    assert_eq!(removals.len(), 3, "{decisions:?}");
    for removal in &removals {
        assert_eq!(
            (&removal["verdict"], &removal["version"], &removal["target"]),
            (&json!("deny"), &json!("1"), &json!("alias:champion"))
        );
        let id = removal["id"].as_str().unwrap();
        assert!(results[1..4].iter().any(|result| result["json"]["decision_id"] == id), "{id}");
    }
    let id = removals[0]["id"].as_str().unwrap();
    let shown = gateway.lockgate(&["decision", "show", id]);
    for part in [
        &format!("✗ DENY  {name}/1 leaves alias:champion"),
        "gate production",
        "✗ deny    stays",
        "gate `production` keeps what it guards (`removal: deny`)",
        "fix: promote another version to take its place",
    ] {
        assert!(shown.contains(part), "`{part}` is not in {shown}");
    }
    let listed = gateway.lockgate(&["decision", "list"]);
    assert!(listed.contains(&format!("{name}/1 leaves alias:champion")), "{listed}");
    let sarif = gateway.lockgate(&["decision", "show", id, "--format", "sarif"]);
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    let rule = &sarif["runs"][0]["tool"]["driver"]["rules"][0];
    assert_eq!(rule["shortDescription"]["text"], "What a gate guards stays", "{rule}");
    assert_allowed(&[
        results[0].clone(),
        results[4].clone(),
        results[5].clone(),
        results[6].clone(),
    ]);
    assert_eq!(results[7]["error_code"], "RESOURCE_DOES_NOT_EXIST", "{}", results[7]);
    assert_eq!(mlflow.alias(name, "champion").as_deref(), Some("1"));
}

#[test]
fn what_a_gate_lets_go_of_is_on_record_as_well() {
    let mlflow = Mlflow::shared();
    let gate_file = GATE_FILE.replace("    policies:", "    removal: allow\n    policies:");
    let gateway = Gateway::start_with(mlflow.url(), &gate_file, &[], |_| {});
    let Model { name, .. } = &model(&mlflow, "let-go");
    let alias = json!({"name": name, "alias": "champion"});
    let set = json!({"name": name, "alias": "champion", "version": "1"});
    let results = client(
        &gateway.url,
        &[("set_registered_model_alias", set), ("delete_registered_model_alias", alias)],
    );
    assert_allowed(&results);
    assert_eq!(mlflow.alias(name, "champion"), None);
    let decisions = gateway.decisions("mlflow");
    let told: Vec<_> =
        decisions.iter().map(|one| (one["movement"].as_str(), one["verdict"].as_str())).collect();
    assert_eq!(
        told,
        [(Some("removal"), Some("allow")), (Some("promotion"), Some("allow"))],
        "the newest first"
    );
    let id = decisions[1]["id"].as_str().unwrap();
    let sarif = gateway.lockgate(&["decision", "show", id, "--format", "sarif"]);
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    let rule = &sarif["runs"][0]["tool"]["driver"]["rules"][0];
    // Its title, and not its code.
    assert_ne!(rule["shortDescription"]["text"], "threshold", "{rule}");
    assert!(rule["shortDescription"]["text"].as_str().unwrap().contains(' '), "{rule}");
}

#[test]
fn what_promotes_nothing_works_as_before() {
    let mlflow = Mlflow::shared();
    let gateway = Gateway::start(mlflow.url());
    let Model { name, good_run, .. } = &model(&mlflow, "plain");
    let new = mlflow.name("new");
    let results = client(
        &gateway.url,
        &[
            ("search_registered_models", json!({"filter_string": format!("name='{name}'")})),
            ("search_model_versions", json!({"filter_string": format!("name='{name}'")})),
            ("log_metric", json!({"run_id": good_run, "key": "loss", "value": 0.1})),
            ("log_param", json!({"run_id": good_run, "key": "lr", "value": "0.1"})),
            ("search_runs", json!({"experiment_ids": ["0"], "max_results": 3})),
            ("round_trip", json!({"run_id": good_run, "size": 3 << 20})),
            ("list_artifacts", json!({"run_id": good_run})),
            ("create_registered_model", json!({"name": new, "tags": {"team": "risk"}})),
            ("update_registered_model", json!({"name": new, "description": "größer"})),
            ("set_registered_model_tag", json!({"name": new, "key": "a b", "value": "c"})),
            (
                "create_model_version",
                json!({"name": new, "source": format!("runs:/{good_run}/model"), "run_id": good_run}),
            ),
            ("update_model_version", json!({"name": new, "version": "1", "description": "x"})),
            ("create_registered_model", json!({"name": new})),
        ],
    );
    assert_allowed(&results[..12]);
    assert_eq!(results[5]["ok"], "True");
    assert_eq!(results[12]["error_code"], "RESOURCE_ALREADY_EXISTS", "{}", results[12]);
    let answer = mlflow.get(&format!("registered-models/get?name={new}"));
    assert_eq!(answer["registered_model"]["description"], "größer");
}

#[test]
fn prompts_are_registered_and_guarded_as_models_are() {
    let mlflow = Mlflow::shared();
    let gateway = Gateway::start(mlflow.url());
    let name = mlflow.name("prompt");
    let Model { name: model, .. } = &model(&mlflow, "no-prompt");
    let register = |template: &str| {
        let arguments = json!({"name": name, "template": template, "tags": {"team": "risk"}});
        ("register_prompt", arguments)
    };
    let alias =
        |alias: &str| ("set_prompt_alias", json!({"name": name, "alias": alias, "version": 1}));
    let hide =
        json!({"name": model, "version": "1", "key": "mlflow.prompt.is_prompt", "value": "true"});
    let tag = json!({"name": name, "version": "2", "key": "reviewed", "value": "yes"});
    let results = client(
        &gateway.url,
        &[
            register("Is {{this}} fraud?"),
            register("Is {{this}} fraud? Say why."),
            ("set_prompt_version_tag", tag),
            alias("candidate"),
            // It comes from no run, and has no metrics.
            alias("champion"),
            ("set_model_version_tag", hide),
        ],
    );
    assert_allowed(&results[..4]);
    assert_denied(&results[4..5], &["alias:champion", "val_auc"]);
    assert_denied(&results[5..], &["hides a model's versions"]);
    mlflow.api(
        "POST",
        "registered-models/alias",
        &json!({"name": name, "alias": "champion", "version": "1"}),
    );
    let (status, answer) =
        gateway.change("DELETE", "registered-models/delete", &json!({"name": name}));
    let message = answer["message"].as_str().unwrap();
    assert!(status == 403 && message.contains("removal: deny"), "{status} {answer}");
}
