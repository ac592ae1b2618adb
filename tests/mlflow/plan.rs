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
    let other = model(&mlflow, "other");
    let source = format!("models:/{other}/1");
    assert_eq!(create(&prod, &source), [format!("{m}/{source} -> env:prod")]);
    assert_eq!(create(&prod, "s3://b/x"), [format!("{m}/s3://b/x -> env:prod")]);
    assert!(create(&m, "s3://b/x").is_empty());
    let tagged =
        json!({"name": m, "source": "s3://b/x", "tags": [{"key": "deploy", "value": "live"}]});
    let tagged = told(&plan(&mlflow, Operation::CreateVersion, &tagged).unwrap());
    assert_eq!(tagged, [format!("{m}/s3://b/x -> env:live")]);
}

/// MLflow looks up what a copy is made of when it makes it, by the name that it has then.
#[test]
fn a_plan_tells_a_version_from_another_that_has_its_name() {
    let mlflow = Mlflow::shared();
    let (good, bad) = (model(&mlflow, "good"), model(&mlflow, "bad"));
    let prod = format!("prod.{good}");
    mlflow.model(&prod);
    let copy = json!({"name": prod, "source": format!("models:/{good}/1")});
    let ask = || plan(&mlflow, Operation::CreateVersion, &copy).unwrap();
    let before = ask();
    assert_eq!(before, ask());
    for (name, new_name) in [(&good, format!("{good}-old")), (&bad, good.clone())] {
        let rename = json!({"name": name, "new_name": new_name});
        mlflow.api("POST", "registered-models/rename", &rename);
    }
    let after = ask();
    assert_eq!((told(&before), before.removals.len()), (told(&after), 0));
    assert_ne!(before, after);
}

#[test]
fn versions_that_make_room_in_a_stage_come_to_be_archived() {
    let mlflow = Mlflow::shared();
    let m = model(&mlflow, "archive");
    let ask = |archive: bool| {
        let body = json!({"name": m, "version": "2", "stage": "Production", "archive_existing_versions": archive});
        let plan = plan(&mlflow, Operation::TransitionStage, &body).unwrap();
        let retires: Vec<bool> = plan.moves.iter().map(|moved| moved.retires).collect();
        (told(&plan), retires)
    };
    let arrival = format!("{m}/2 -> stage:Production");
    assert_eq!(ask(false), (vec![arrival.clone()], vec![false]));
    assert_eq!(ask(true), (vec![arrival, format!("{m}/1 -> stage:Archived")], vec![false, true]));
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

const PROMPT: &str = "mlflow.prompt.is_prompt";

/// MLflow leaves all versions of a name out of searches once one has the tag of prompts.
#[test]
fn nothing_is_hidden_by_the_tag_of_prompts() {
    let mlflow = Mlflow::shared();
    let m = model(&mlflow, "hidden");
    let ask = |operation, body: Value| told(&plan(&mlflow, operation, &body).unwrap());
    let everything = [format!("{m}/1 <- stage:Production"), format!("{m}/1 <- alias:champion")];
    assert_eq!(ask(Operation::DeleteModel, json!({"name": m})), everything);
    // Past lockgate, and on the version that is at no target.
    let tag = json!({"name": m, "version": "2", "key": PROMPT, "value": "true"});
    mlflow.api("POST", "model-versions/set-tag", &tag);
    let found = mlflow.get(&format!("model-versions/search?filter=name%3D%27{m}%27"));
    assert_eq!(found.get("model_versions"), None, "this MLflow hides nothing: {found}");
    assert_eq!(ask(Operation::DeleteModel, json!({"name": m})), everything);
    let renamed = ask(Operation::RenameModel, json!({"name": m, "new_name": format!("{m}-x")}));
    assert_eq!(renamed.len(), 4, "{renamed:?}");
    // A version that was deleted keeps its tags, and hides the others still.
    mlflow.api("DELETE", "model-versions/delete", &json!({"name": m, "version": "2"}));
    assert_eq!(ask(Operation::DeleteModel, json!({"name": m})), everything);
}

#[test]
fn what_is_a_prompt_is_one_from_the_start() {
    let mlflow = Mlflow::shared();
    let m = model(&mlflow, "no-prompt");
    let p = mlflow.name("prompt");
    let of =
        |name: &str, value: &str| json!({"name": name, "tags": [{"key": PROMPT, "value": value}]});
    let refused = |operation, body: &Value| {
        let refusal = plan(&mlflow, operation, body).unwrap_err();
        assert!(refusal.message.contains("prompt"), "{body}: {refusal}");
    };
    for key in [PROMPT, "MLflow.prompt.IS_prompt"] {
        let body = json!({"name": m, "version": "1", "key": key, "value": "false"});
        refused(Operation::SetVersionTag, &body);
        let body = json!({"name": m, "version": "1", "key": key});
        refused(Operation::DeleteVersionTag, &body);
        refused(Operation::SetModelTag, &json!({"name": m, "key": key, "value": "true"}));
        refused(Operation::DeleteModelTag, &json!({"name": m, "key": key}));
        let tags = json!([{"key": key, "value": "true"}]);
        let body = json!({"name": m, "source": "dummy-source", "tags": tags});
        refused(Operation::CreateVersion, &body);
    }
    refused(Operation::CreateModel, &of(&p, "True"));
    assert_eq!(plan(&mlflow, Operation::CreateModel, &of(&p, "true")).unwrap(), Plan::default());
    mlflow.api("POST", "registered-models/create", &of(&p, "true"));
    refused(Operation::CreateVersion, &json!({"name": p, "source": "dummy-source"}));
    let mut version = of(&p, "true");
    version["source"] = "dummy-source".into();
    assert_eq!(plan(&mlflow, Operation::CreateVersion, &version).unwrap(), Plan::default());
    // One with versions of which some are gone is guarded as any model.
    for _ in 0..3 {
        mlflow.api("POST", "model-versions/create", &version);
    }
    mlflow.api("DELETE", "model-versions/delete", &json!({"name": p, "version": "2"}));
    let alias = json!({"name": p, "alias": "champion", "version": "1"});
    mlflow.api("POST", "registered-models/alias", &alias);
    assert_eq!(
        told(&plan(&mlflow, Operation::DeleteModel, &json!({"name": p})).unwrap()),
        [format!("{p}/1 <- alias:champion")]
    );
}

#[test]
fn a_new_name_is_ascii_and_one_that_is_there_is_taken_as_it_is() {
    let mlflow = Mlflow::shared();
    let m = mlflow.name("m\u{f6}dell");
    mlflow.model(&m);
    for (operation, body) in [
        (Operation::CreateModel, json!({"name": "pr\u{f3}d.fraud"})),
        (Operation::RenameModel, json!({"name": m, "new_name": "\u{ff50}rod.fraud"})),
    ] {
        let refusal = plan(&mlflow, operation, &body).unwrap_err();
        assert!(refusal.message.contains("write it in ASCII"), "{refusal}");
    }
    let body = json!({"name": m, "new_name": mlflow.name("model")});
    assert_eq!(plan(&mlflow, Operation::RenameModel, &body).unwrap(), Plan::default());
}

#[test]
fn more_moves_than_one_change_may_make_are_refused() {
    let mlflow = Mlflow::shared();
    let m = model(&mlflow, "crowd");
    for number in 0..99 {
        let alias = json!({"name": m, "alias": format!("a{number}"), "version": "1"});
        mlflow.api("POST", "registered-models/alias", &alias);
    }
    let rename = json!({"name": m, "new_name": format!("{m}-x")});
    // With `Production` and `champion`.
    let refusal = plan(&mlflow, Operation::RenameModel, &rename).unwrap_err();
    assert!(refusal.message.contains("101 targets at once"), "{refusal}");
    mlflow.api("DELETE", "registered-models/alias", &json!({"name": m, "alias": "a0"}));
    assert_eq!(plan(&mlflow, Operation::RenameModel, &rename).unwrap().moves.len(), 100);
}
