//! Projects in Python, built by the real componentize-py.

use super::tools::{self, CHECK};
use super::{Folder, ran};

/// From nothing to a component in a gate, in a folder that knows nothing of lockgate's sources.
#[test]
fn a_new_project_passes_its_tests_builds_and_judges() {
    let folder = project();
    let pytest = folder.path("python-floor/.venv/bin/pytest");
    ran(folder.command(pytest).current_dir(folder.path("python-floor"))).exits(0).says("4 passed");
    let built = folder
        .run("policy build python-floor")
        .exits(0)
        .says("policy      python-floor 0.1.0")
        .says("can see     metrics\n");
    assert!(!built.stderr.contains("warning"), "{}", built.stderr);
    let component = "python-floor/python-floor.wasm";
    folder.run(&format!("policy inspect {component}")).exits(0).says("can see     metrics: ");
    folder.run("policy test python-floor").exits(0);

    tools::write_gate(&folder, "python-floor");
    folder
        .run(CHECK)
        .exits(1)
        .says("auc is 0.93, at least the required 0.9")
        .says("recall (region=eu) is 0.91, at least the required 0.8")
        .says("recall (region=us) is 0.74, below the required 0.8")
        .says("fix: train on more data of this slice");

    what_is_declared_and_not_used_is_told_and_imported(&folder);
}

/// Also: the component imports what `reads` says, used or not.
fn what_is_declared_and_not_used_is_told_and_imported(folder: &Folder) {
    folder.change("python-floor/policy.yaml", "reads: [metrics]", "reads: [metrics, history]");
    folder
        .run("policy build python-floor -o more.wasm")
        .exits(0)
        .says("names `history`, which the policy does not read");
    folder.run("policy inspect more.wasm").exits(0).says("history: current, transitions");
}

#[test]
fn an_interface_that_is_not_declared_is_refused_with_the_line_to_write() {
    let folder = project();
    folder.change("python-floor/src/policy.py", "check, metrics,", "check, metrics, model,");
    folder
        .run("policy build python-floor")
        .exits(2)
        .says("the policy reads `model`, which `policy.yaml` does not declare")
        .says("write `reads: [model, metrics]` there");
    assert!(!folder.path("python-floor/python-floor.wasm").exists());
}

#[test]
fn what_is_wrong_with_a_policy_is_told_with_its_place() {
    let wrong: [(&str, &str, &[&str]); 5] = [
        ("    return made.", "    return (made.", &["src/policy.py\", line 41", "SyntaxError"]),
        ("import Check,", "import Checkk,", &["src/policy.py\", line 3", "Checkk"]),
        ("\nfrom lockgate", "\nimport numpy\nfrom lockgate", &["No module named 'numpy'"]),
        (
            "= param(\"Name of the metric.\", min_length=1)",
            "",
            &["`Params.metric` has no description"],
        ),
        ("@policy(", "policy(", &["no function with `@policy(…)`"]),
    ];
    for (from, to, told) in wrong {
        let folder = project();
        folder.change("python-floor/src/policy.py", from, to);
        let mut refused = folder.run("policy build python-floor").exits(2).says("failed");
        for part in told {
            refused = refused.says(part);
        }
        assert!(!folder.path("python-floor/python-floor.wasm").exists(), "{to}");
    }
}

#[test]
fn tools_that_are_missing_are_named_with_what_installs_them() {
    let folder = Folder::with_project("python-floor", "python");
    let installs = "run `python3 -m venv .venv && .venv/bin/pip install -r requirements-dev.txt`";
    let mut lockgate = folder.command(env!("CARGO_BIN_EXE_lockgate"));
    lockgate.args(["policy", "build", "python-floor"]).env_remove("VIRTUAL_ENV");
    ran(&mut lockgate)
        .exits(2)
        .says("`componentize-py` is missing, which building a policy in python needs")
        .says(installs);
    ran(lockgate.env("PATH", folder.path("empty"))).exits(2).says("Python is missing");
}

/// The tests of the SDK itself, in a copy: they leave something behind.
#[test]
fn the_sdk_passes_its_own_tests() {
    let folder = Folder::empty();
    tools::copy("sdk/python", &folder.path("sdk/python"));
    tools::copy("sdk/conformance", &folder.path("sdk/conformance"));
    let mut pytest = folder.command(tools::installed("python").join("bin/pytest"));
    ran(pytest.current_dir(folder.path("sdk/python"))).exits(0).says(" passed");
}

fn project() -> Folder {
    let folder = Folder::with_project("python-floor", "python");
    tools::give_venv(&folder, "python-floor");
    folder
}
