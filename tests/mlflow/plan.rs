//! What requests would move on a real server.

use lockgate::decision::{Environment, Naming, Patterns, PromotionTag, TagPlace};
use lockgate::registry::mlflow::{Caller, Client, Operation, Plan, Refusal, read};
use serde_json::{Value, json};

use super::server::Mlflow;

fn naming() -> Naming {
    let tag = |key: &str, place, values: Option<&str>, target: &str| PromotionTag {
        key: key.to_owned(),
        place,
        values: values.map(|values| Patterns::in_any_case(vec![values.to_owned()]).unwrap()),
        target: Some(target.parse().unwrap()),
    };
    Naming {
        environments: vec![Environment::new("prod.*").unwrap()],
        tags: vec![
            tag("deploy", TagPlace::Version, Some("live*"), "env:live"),
            tag("live-version", TagPlace::Model, None, "env:live"),
        ],
    }
}

fn plan(mlflow: &Mlflow, operation: Operation, body: &Value) -> Result<Plan, Refusal> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = Client::new(mlflow.url()).unwrap();
    let mutation = read(operation, body.to_string().as_bytes())?;
    runtime.block_on(client.plan(&Caller::default(), &mutation, &naming()))
}

/// `MODEL/VERSION -> TARGET` of each move, `MODEL/VERSION <- TARGET` of each removal.
fn told(plan: &Plan) -> Vec<String> {
    let moves = plan.moves.iter().map(|moved| format!("{} -> {}", moved.subject, moved.target));
    let removals = plan.removals.iter().map(|leave| {
        format!("{}/{} <- {}", leave.model, leave.version.as_deref().unwrap_or("?"), leave.target)
    });
    moves.chain(removals).collect()
}

/// A model with two versions; 1 is in Production and `champion`.
fn model(mlflow: &Mlflow, stem: &str) -> String {
    let name = mlflow.name(stem);
    mlflow.model(&name);
    mlflow.version(&name, &mlflow.run(&[("a", 1.0)]));
    mlflow.version(&name, &mlflow.run(&[("a", 2.0)]));
    let stage = json!({"name": name, "version": "1", "stage": "Production"});
    mlflow.api("POST", "model-versions/transition-stage", &stage);
    let alias = json!({"name": name, "alias": "champion", "version": "1"});
    mlflow.api("POST", "registered-models/alias", &alias);
    name
}

#[test]
fn tells_what_aliases_and_stages_come_to_mean() {
    let mlflow = Mlflow::shared();
    let m = model(&mlflow, "moves");
    let ask = |operation, body: Value| told(&plan(&mlflow, operation, &body).unwrap());
    assert_eq!(
        ask(Operation::SetAlias, json!({"name": m, "alias": "champion", "version": "2"})),
        [format!("{m}/2 -> alias:champion")]
    );
    assert_eq!(
        ask(Operation::DeleteAlias, json!({"name": m, "alias": "champion"})),
        [format!("{m}/1 <- alias:champion")]
    );
    assert!(ask(Operation::DeleteAlias, json!({"name": m, "alias": "nobody"})).is_empty());
    assert_eq!(
        ask(Operation::TransitionStage, json!({"name": m, "version": "2", "stage": "production"})),
        [format!("{m}/2 -> stage:Production")]
    );
    assert_eq!(
        ask(Operation::TransitionStage, json!({"name": m, "version": "1", "stage": "Archived"})),
        [format!("{m}/1 -> stage:Archived"), format!("{m}/1 <- stage:Production")]
    );
    assert_eq!(
        ask(Operation::DeleteVersion, json!({"name": m, "version": "1"})),
        [format!("{m}/1 <- stage:Production"), format!("{m}/1 <- alias:champion")]
    );
    assert_eq!(
        ask(Operation::DeleteModel, json!({"name": m})),
        [format!("{m}/1 <- stage:Production"), format!("{m}/1 <- alias:champion")]
    );
    assert!(
        ask(Operation::UpdateVersion, json!({"name": m, "version": "1", "description": "x"}))
            .is_empty()
    );
    assert!(ask(Operation::DeleteVersion, json!({"name": m, "version": "2"})).is_empty());
}

#[test]
fn a_rename_takes_everything_away_and_brings_it_to_the_new_name() {
    let mlflow = Mlflow::shared();
    let m = model(&mlflow, "rename");
    let n = mlflow.name("renamed");
    let body = json!({"name": m, "new_name": n});
    assert_eq!(
        told(&plan(&mlflow, Operation::RenameModel, &body).unwrap()),
        [
            format!("{n}/1 -> stage:Production"),
            format!("{n}/1 -> alias:champion"),
            format!("{m}/1 <- stage:Production"),
            format!("{m}/1 <- alias:champion"),
        ]
    );
    let body = json!({"name": m, "new_name": format!("prod.{n}")});
    let arrivals = told(&plan(&mlflow, Operation::RenameModel, &body).unwrap());
    assert!(arrivals.contains(&format!("{n}/2 -> env:prod")), "{arrivals:?}");
}

#[test]
fn a_version_under_the_name_of_an_environment_is_a_promotion() {
    let mlflow = Mlflow::shared();
    let m = model(&mlflow, "copy");
    let prod = format!("prod.{m}");
    mlflow.model(&prod);
    let create = |name: &str, source: &str| {
        told(
            &plan(&mlflow, Operation::CreateVersion, &json!({"name": name, "source": source}))
                .unwrap(),
        )
    };
    assert_eq!(create(&prod, &format!("models:/{m}/2")), [format!("{m}/2 -> env:prod")]);
    assert_eq!(create(&prod, "models:/other/1"), [format!("{m}/models:/other/1 -> env:prod")]);
    assert_eq!(create(&prod, "s3://b/x"), [format!("{m}/s3://b/x -> env:prod")]);
    assert!(create(&m, "s3://b/x").is_empty());
    let tagged =
        json!({"name": m, "source": "s3://b/x", "tags": [{"key": "deploy", "value": "live"}]});
    let tagged = told(&plan(&mlflow, Operation::CreateVersion, &tagged).unwrap());
    assert_eq!(tagged, [format!("{m}/s3://b/x -> env:live")]);
}

#[test]
fn a_tag_that_the_gate_file_names_is_a_promotion() {
    let mlflow = Mlflow::shared();
    let m = model(&mlflow, "tags");
    let set = |version: &str, key: &str, value: &str| {
        let body = json!({"name": m, "version": version, "key": key, "value": value});
        (plan(&mlflow, Operation::SetVersionTag, &body), body)
    };
    assert!(told(&set("2", "team", "risk").0.unwrap()).is_empty());
    assert!(told(&set("2", "deploy", "dev").0.unwrap()).is_empty());
    let (planned, body) = set("2", "deploy", "live-eu");
    assert_eq!(told(&planned.unwrap()), [format!("{m}/2 -> env:live")]);
    mlflow.api("POST", "model-versions/set-tag", &body);
    assert_eq!(told(&set("2", "deploy", "dev").0.unwrap()), [format!("{m}/2 <- env:live")]);
    let body = json!({"name": m, "version": "2", "key": "deploy"});
    let planned = plan(&mlflow, Operation::DeleteVersionTag, &body).unwrap();
    assert_eq!(told(&planned), [format!("{m}/2 <- env:live")]);
    for key in ["Deploy", "d\u{e9}ploy"] {
        assert!(set("2", key, "live").0.is_err(), "{key}");
    }
    let body = json!({"name": m, "key": "live-version", "value": "2"});
    let planned = plan(&mlflow, Operation::SetModelTag, &body).unwrap();
    assert_eq!(told(&planned), [format!("{m}/2 -> env:live")]);
    let body = json!({"name": m, "key": "live-version", "value": "two"});
    assert!(plan(&mlflow, Operation::SetModelTag, &body).is_err());
}

#[test]
fn an_alias_in_another_case_is_refused() {
    let mlflow = Mlflow::shared();
    let m = model(&mlflow, "case");
    let body = json!({"name": m, "alias": "Champion", "version": "2"});
    let refusal = plan(&mlflow, Operation::SetAlias, &body).unwrap_err();
    assert!(refusal.message.contains("differs from `champion` in case alone"), "{refusal}");
}

#[test]
fn what_cannot_be_looked_up_is_refused() {
    let mlflow = Mlflow::shared();
    let body = json!({"name": "no-such-model", "alias": "a", "version": "2"});
    let refusal = plan(&mlflow, Operation::SetAlias, &body).unwrap_err();
    assert!(refusal.message.contains("no-such-model"), "{refusal}");
}
