//! Gates that change while the server runs: all or nothing.

use lockgate_guests as guests;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::served::{Folder, GATE, Served, gate_of};

fn verdict(served: &Served, auc: f64) -> Value {
    served.decide(auc).is(200).json()["decision"]["verdict"].clone()
}

fn ready(served: &Served) -> Value {
    served.get("/readyz").is(200).json()
}

#[test]
fn a_changed_gate_file_is_judged_by_without_a_restart() {
    let served = Folder::new(GATE).serve("");
    assert_eq!(verdict(&served, 0.92), "allow");
    served.folder.write("lockgate.yaml", GATE.replace("0.9}", "0.93}"));
    served.until_logged("gates loaded");
    assert_eq!(verdict(&served, 0.92), "deny");
    // Editors and deployments put another file in its place.
    served.folder.write("new", GATE);
    std::fs::rename(served.folder.path("new"), served.folder.path("lockgate.yaml")).unwrap();
    served.until_logged("gates loaded");
    assert_eq!(verdict(&served, 0.92), "allow");
}

#[test]
fn a_broken_gate_file_leaves_the_last_good_one_and_shows() {
    let served = Folder::new(GATE).serve("");
    let digest = ready(&served)["gate_file_digest"].clone();
    for broken in [
        "nonsense".to_owned(),
        String::new(),
        GATE.replace("0.9}", "high}"),
        GATE.replace("auc, min", "auc, minimum"),
        GATE.replace("std/metric-threshold", "std/nowhere"),
        GATE.replace("std/metric-threshold", "./nowhere.wasm"),
    ] {
        served.folder.write("lockgate.yaml", &broken);
        served.until_logged("the gates cannot be used");
        served.until_metric("lockgate_gates_stale", 1.0);
        assert_eq!(verdict(&served, 0.92), "allow", "{broken}");
        assert_eq!(verdict(&served, 0.5), "deny", "{broken}");
        let state = ready(&served);
        assert_eq!(state["gates"], "stale", "{broken}");
        assert_eq!(state["gate_file_digest"], digest);
    }
    served.folder.write("lockgate.yaml", GATE);
    served.until_metric("lockgate_gates_stale", 0.0);
    assert_eq!(ready(&served)["gates"], "loaded");
}

#[test]
fn a_gate_file_that_is_gone_changes_nothing() {
    let served = Folder::new(GATE).serve("");
    std::fs::remove_file(served.folder.path("lockgate.yaml")).unwrap();
    served.until_logged("the gates cannot be used");
    assert_eq!(verdict(&served, 0.5), "deny");
}

#[test]
fn a_changed_policy_is_loaded_or_the_old_one_stays() {
    let folder = Folder::new(&gate_of("policy", "")).guest("policy", guests::HONEST);
    let served = folder.serve("");
    assert_eq!(verdict(&served, 0.5), "allow");
    served.folder.write("policy.wasm", b"\0asm nonsense");
    served.until_logged("the gates cannot be used");
    assert_eq!(verdict(&served, 0.5), "allow");
    served.folder.write("policy.wasm", guests::component(guests::TRAPS_IN_DESCRIBE));
    served.until_logged("the gates cannot be used");
    assert_eq!(verdict(&served, 0.5), "allow");
    served.folder.write("policy.wasm", guests::component(guests::TRAPS));
    served.until_logged("gates loaded");
    assert_eq!(verdict(&served, 0.5), "undecided");
}

#[test]
fn a_signal_and_a_request_have_it_loaded_too() {
    let served = Folder::new(GATE).serve("");
    served.signal(Signal::HUP);
    served.until_metric("lockgate_gate_reloads_total{result=\"loaded\"}", 2.0);
    let answer = served.post("/v1/reload", &json!({})).is(200).json();
    assert_eq!(answer["gate_file_digest"], ready(&served)["gate_file_digest"]);
    served.until_metric("lockgate_gate_reloads_total{result=\"loaded\"}", 3.0);
}

/// Which files the gates are made of is known once they are loaded, and so is what may have changed
/// until then.
#[test]
fn files_that_only_loading_tells_of_are_loaded_once_more() {
    let loaded = |served: &Served, times: f64| {
        served.until_metric("lockgate_gate_reloads_total{result=\"loaded\"}", times);
    };
    let folder = Folder::new(&gate_of("policy", "")).guest("policy", guests::HONEST);
    let served = folder.serve("");
    loaded(&served, 2.0);
    // And never again, until something else happens.
    served.folder.write("policy.wasm", guests::component(guests::TRAPS));
    served.until_logged("gates loaded");
    loaded(&served, 3.0);
    assert_eq!(verdict(&served, 0.5), "undecided");
    // Nor is it told of, as nothing had changed.
    served.signal(Signal::HUP);
    served.until_logged_without("told to load everything anew", "gates loaded");
}

#[test]
fn files_behind_links_are_noticed_as_kubernetes_replaces_them() {
    let folder = Folder::new(GATE);
    let replace = |folder: &Folder, version: &str, gate: &str| {
        std::fs::create_dir(folder.path(version)).unwrap();
        folder.write(&format!("{version}/gates.yaml"), gate);
        std::os::unix::fs::symlink(version, folder.path("tmp")).unwrap();
        std::fs::rename(folder.path("tmp"), folder.path("data")).unwrap();
    };
    replace(&folder, "v1", GATE);
    std::os::unix::fs::symlink("data/gates.yaml", folder.path("gates.yaml")).unwrap();
    let served = folder.serve("--config gates.yaml");
    assert_eq!(verdict(&served, 0.92), "allow");
    replace(&served.folder, "v2", &GATE.replace("0.9}", "0.93}"));
    served.until_logged("gates loaded");
    assert_eq!(verdict(&served, 0.92), "deny");
}

#[test]
fn what_a_gate_file_names_before_it_is_there_is_loaded_once_it_is() {
    let served = Folder::new(GATE).serve("");
    served.folder.write("lockgate.yaml", gate_of("./later", ""));
    served.until_logged("the gates cannot be used");
    assert_eq!(verdict(&served, 0.5), "deny");
    served.folder.write("later.wasm", guests::component(guests::HONEST));
    served.until_logged_without("gates loaded", "the gates cannot be used");
    assert_eq!(verdict(&served, 0.5), "allow");
    assert_eq!(ready(&served)["gates"], "loaded");
    // So are keys.
    let trusting = "trust:
  keys: [{name: team, key: team.pub}]
  require: [{policies: [./later.wasm], signed-by: [team]}]
";
    served.folder.write("lockgate.yaml", gate_of("./later", "") + trusting);
    served.until_logged("the gates cannot be used");
    let made = served.folder.command("policy key new team").output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    served.until_logged("has no signature");
}

#[test]
fn what_can_be_used_again_is_told_though_nothing_has_changed() {
    let folder = Folder::new(GATE);
    folder.token("ci", &["ask"]);
    let tokens = std::fs::read_to_string(folder.path("tokens")).unwrap();
    let served = folder.serve("--tokens tokens");
    served.folder.write("lockgate.yaml", "nonsense");
    served.until_logged("the gates cannot be used");
    served.folder.write("lockgate.yaml", GATE);
    served.until_logged("the gates can be used again");
    served.folder.replace("tokens", "nonsense");
    served.until_logged("the tokens cannot be used");
    served.folder.replace("tokens", tokens);
    served.until_logged("the tokens can be used again");
}
