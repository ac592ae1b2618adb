//! Evidence from a real server.

use lockgate::decision::{Environment, Naming};
use lockgate::evidence::Frozen;
use lockgate::model::{Target, Undecided};
use lockgate::registry::mlflow::{Caller, Client, Move, decision_key};
use serde_json::json;

use super::between::Between;
use super::server::Mlflow;

fn collect(mlflow: &Mlflow, moved: &Move, naming: &Naming) -> Result<Frozen, Vec<Undecided>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = Client::new(mlflow.url()).unwrap();
    runtime.block_on(client.collect(&Caller::default(), moved, naming, Vec::new()))
}

fn asked(model: &str, version: &str, target: &str) -> Move {
    Move::asked(model, version, &target.parse().unwrap(), &Naming::default())
}

fn refused(result: Result<Frozen, Vec<Undecided>>) -> String {
    let reasons = result.expect_err("evidence was taken");
    reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[test]
fn the_version_its_run_and_the_files_of_the_run_become_one_snapshot() {
    let mlflow = Mlflow::shared();
    let model = mlflow.name("fraud");
    mlflow.model(&model);
    let old = mlflow.run(&[("val_auc", 0.9)]);
    let new = mlflow.run(&[("val_auc", 0.93), ("latency", 40.0)]);
    let content = json!({"lockgate": "evidence/v1", "tests": [{"suite": "drift", "name": "psi", "status": "pass"}]});
    mlflow.artifact(&new.0, "lockgate/sub%20folder/drift%25.json", content.to_string().as_bytes());
    mlflow.artifact(&new.0, "other/notes.txt", b"no evidence");
    let first = mlflow.version(&model, &old);
    let second = mlflow.version(&model, &new);
    let alias = json!({"name": model, "alias": "champion", "version": first});
    mlflow.api("POST", "registered-models/alias", &alias);
    let tag = |key: &str, value: &str| {
        let body = json!({"name": model, "version": second, "key": key, "value": value});
        mlflow.api("POST", "model-versions/set-tag", &body);
    };
    tag("owner", "ann");
    tag("lockgate.approval.risk", r#"{"approver": "bo", "role": "risk", "at": "2026-11-01"}"#);
    let staging: Target = "stage:Staging".parse().unwrap();
    tag(&decision_key(&staging), "0198c6a5-6f2e-7b1a-9c3d-2f4e5a6b7c8d");

    let moved = asked(&model, &second, "alias:champion");
    let snapshot = collect(&mlflow, &moved, &Naming::default()).unwrap().snapshot;
    let sources: Vec<&str> = snapshot.sources.iter().map(|source| &*source.name).collect();
    assert_eq!(
        sources,
        [
            "lockgate/sub folder/drift%.json",
            "mlflow/approvals",
            "mlflow/history",
            "mlflow/model-version",
            "mlflow/registered-model",
            "mlflow/run",
            "baseline/mlflow/run",
        ]
    );
    assert_eq!(snapshot.candidate.len(), 2);
    assert_eq!(snapshot.baseline[0].value, 0.9);
    assert_eq!(snapshot.current.as_deref(), Some(first.as_str()));
    assert_eq!(snapshot.metadata.owner.as_deref(), Some("ann"));
    assert_eq!(snapshot.tests[0].name, "psi");
    assert_eq!(snapshot.approvals[0].approver, "bo");
    assert_eq!(snapshot.transitions[0].target, staging);
}

#[test]
fn the_same_state_of_the_registry_gives_the_same_snapshot() {
    let mlflow = Mlflow::shared();
    let model = mlflow.name("same");
    mlflow.model(&model);
    let version = mlflow.version(&model, &mlflow.run(&[("a", 1.0)]));
    let moved = asked(&model, &version, "stage:Production");
    let digest = || collect(&mlflow, &moved, &Naming::default()).unwrap().digest;
    assert_eq!(digest(), digest());
}

/// Files come one at a time from few servers as fast as several; whichever comes first, the
/// snapshot is the same.
#[test]
fn files_of_a_run_are_fetched_some_at_a_time_and_make_the_same_snapshot() {
    let mlflow = Mlflow::shared();
    let model = mlflow.name("many");
    mlflow.model(&model);
    let run = mlflow.run(&[("a", 1.0)]);
    for number in 0..12 {
        let content = json!({"lockgate": "evidence/v1", "tests": [{"suite": "s", "name": format!("t{number}"), "status": "pass"}]});
        let path = format!("lockgate/{}/{number}.json", number % 3);
        mlflow.artifact(&run.0, &path, content.to_string().as_bytes());
    }
    let version = mlflow.version(&model, &run);
    let moved = asked(&model, &version, "stage:Production");
    let direct = collect(&mlflow, &moved, &Naming::default()).unwrap();
    let between = Between::start(mlflow.url());
    let through =
        collect(&mlflow.seen_from(&between.url, &[]), &moved, &Naming::default()).unwrap();
    assert_eq!(direct.digest, through.digest);
    assert_eq!(through.snapshot.tests.len(), 12);
    // The first waits until a second is there; more than four never are.
    assert!((2..=4).contains(&between.most()), "{}", between.most());
}

/// MLflow takes any run beside files that are elsewhere, so a good run could vouch for bad files.
#[test]
fn a_run_does_not_speak_for_files_that_are_not_its_own() {
    let mlflow = Mlflow::shared();
    let model = mlflow.name("foreign");
    mlflow.model(&model);
    let (run, _) = mlflow.run(&[("val_auc", 0.99)]);
    let body = json!({"name": model, "source": "s3://elsewhere/model", "run_id": run});
    mlflow.api("POST", "model-versions/create", &body);
    let told =
        refused(collect(&mlflow, &asked(&model, "1", "stage:Production"), &Naming::default()));
    assert!(told.contains("its files are not of it but at `s3://elsewhere/model`"), "{told}");
}

/// MLflow settles where the files of a copy are when it makes it; the version that it was made of
/// is told by name alone, and whoever may delete a model may give its name to another.
#[test]
fn a_version_does_not_speak_for_a_copy_of_another_that_had_its_name() {
    let mlflow = Mlflow::shared();
    let (model, lent) = (mlflow.name("copied"), mlflow.name("lent"));
    mlflow.model(&model);
    let copy = |source: &str| {
        let body = json!({"name": model, "source": source});
        let answer = mlflow.api("POST", "model-versions/create", &body);
        answer["model_version"]["version"].as_str().unwrap().to_owned()
    };
    let collect = |version: &str| {
        collect(&mlflow, &asked(&model, version, "stage:Production"), &Naming::default())
    };
    let good = mlflow.run(&[("val_auc", 0.99)]);
    mlflow.model(&lent);
    mlflow.api("POST", "model-versions/create", &json!({"name": lent, "source": "s3://bad/model"}));
    let bad_copy = copy(&format!("models:/{lent}/1"));
    assert!(collect(&bad_copy).unwrap().snapshot.candidate.is_empty());
    mlflow.api("DELETE", "registered-models/delete", &json!({"name": lent}));
    mlflow.model(&lent);
    mlflow.version(&lent, &good);
    let good_copy = copy(&format!("models:/{lent}/1"));
    assert_eq!(collect(&good_copy).unwrap().snapshot.candidate[0].value, 0.99);
    let told = refused(collect(&bad_copy));
    assert!(told.contains("its files are at `s3://bad/model`"), "{told}");
    assert!(told.contains("register it again"), "{told}");
}

#[test]
fn a_run_does_not_speak_for_a_logged_model_of_another_run() {
    let mlflow = Mlflow::shared();
    let model = mlflow.name("logged");
    mlflow.model(&model);
    let (good, _) = mlflow.run(&[("val_auc", 0.99)]);
    let (bad, _) = mlflow.run(&[("val_auc", 0.1)]);
    let logged = json!({"experiment_id": "0", "name": "m", "source_run_id": bad});
    let logged = mlflow.api("POST", "logged-models", &logged);
    let id = logged["model"]["info"]["model_id"].as_str().unwrap().to_owned();
    let ready = json!({"model_id": id, "status": "LOGGED_MODEL_READY"});
    mlflow.api("PATCH", &format!("logged-models/{id}"), &ready);
    let register = |run: &str| {
        let source = format!("models:/{id}");
        let body = json!({"name": model, "source": source, "model_id": id, "run_id": run});
        mlflow.api("POST", "model-versions/create", &body);
    };
    register(&good);
    register(&bad);
    let told = refused(collect(&mlflow, &asked(&model, "1", "alias:a"), &Naming::default()));
    assert!(told.contains(&format!("it names the run `{good}`")), "{told}");
    let snapshot = collect(&mlflow, &asked(&model, "2", "alias:a"), &Naming::default()).unwrap();
    assert_eq!(snapshot.snapshot.candidate[0].value, 0.1);
}

#[test]
fn a_run_that_was_deleted_is_no_evidence() {
    let mlflow = Mlflow::shared();
    let model = mlflow.name("gone");
    mlflow.model(&model);
    let run = mlflow.run(&[("val_auc", 0.99)]);
    let version = mlflow.version(&model, &run);
    mlflow.api("POST", "runs/delete", &json!({"run_id": run.0}));
    let told = refused(collect(&mlflow, &asked(&model, &version, "alias:a"), &Naming::default()));
    assert!(told.contains("is a deleted run"), "{told}");
}

#[test]
fn a_version_that_is_not_there_is_named() {
    let mlflow = Mlflow::shared();
    let told =
        refused(collect(&mlflow, &asked("no-such-model", "7", "alias:a"), &Naming::default()));
    assert!(told.contains("404") && told.contains("no-such-model"), "{told}");
}

#[test]
fn a_file_that_is_no_evidence_stops_the_decision() {
    let mlflow = Mlflow::shared();
    let model = mlflow.name("junk");
    mlflow.model(&model);
    let run = mlflow.run(&[("val_auc", 0.99)]);
    mlflow.artifact(&run.0, "lockgate/report.json", b"{\"a\": 1, \"a\": 2}");
    let version = mlflow.version(&model, &run);
    let told = refused(collect(&mlflow, &asked(&model, &version, "alias:a"), &Naming::default()));
    assert!(told.contains("`lockgate/report.json`") && told.contains("twice"), "{told}");
}

#[test]
fn an_approval_that_cannot_be_read_stops_the_decision() {
    let mlflow = Mlflow::shared();
    let model = mlflow.name("approval");
    mlflow.model(&model);
    let version = mlflow.version(&model, &mlflow.run(&[("val_auc", 0.99)]));
    let body =
        json!({"name": model, "version": version, "key": "lockgate.approval.1", "value": "ok"});
    mlflow.api("POST", "model-versions/set-tag", &body);
    let told = refused(collect(&mlflow, &asked(&model, &version, "alias:a"), &Naming::default()));
    assert!(told.contains("lockgate.approval.1") && told.contains("write it as"), "{told}");
}

#[test]
fn an_environment_that_is_a_model_gives_the_baseline_of_its_newest_version() {
    let mlflow = Mlflow::shared();
    let base = mlflow.name("env");
    let prod = format!("prod.{base}");
    mlflow.model(&base);
    mlflow.model(&prod);
    let (old, new) = (mlflow.run(&[("val_auc", 0.8)]), mlflow.run(&[("val_auc", 0.9)]));
    mlflow.version(&base, &old);
    mlflow.version(&base, &new);
    let copy = json!({"name": prod, "source": format!("models:/{base}/1"), "run_id": old.0});
    mlflow.api("POST", "model-versions/create", &copy);
    let naming =
        Naming { environments: vec![Environment::new("prod.*").unwrap()], ..Naming::default() };
    let moved = Move::asked(&base, "2", &"env:prod".parse().unwrap(), &naming);
    assert_eq!(moved.model, prod);
    let snapshot = collect(&mlflow, &moved, &naming).unwrap().snapshot;
    assert_eq!(snapshot.current.as_deref(), Some("1"));
    assert_eq!((snapshot.candidate[0].value, snapshot.baseline[0].value), (0.9, 0.8));
    // The copy has the run of what it is a copy of.
    let copied = collect(&mlflow, &asked(&prod, "1", "alias:a"), &naming).unwrap().snapshot;
    assert_eq!(copied.candidate[0].value, 0.8);
}

#[test]
fn a_server_that_is_not_there_is_an_error_that_names_it() {
    let client = Client::new("http://127.0.0.1:9").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let moved = asked("m", "1", "alias:a");
    let (caller, naming) = (Caller::default(), Naming::default());
    let collected = client.collect(&caller, &moved, &naming, Vec::new());
    let told = refused(runtime.block_on(collected));
    assert!(told.contains("`http://127.0.0.1:9` cannot be reached"), "{told}");
}
