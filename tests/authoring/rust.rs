//! Projects in Rust, built by the real cargo.

use std::path::Path;

use super::{Folder, ran};

/// From nothing to a component, in a folder that knows nothing of lockgate's sources.
#[test]
fn a_new_project_passes_its_tests_and_builds() {
    let folder =
        Folder::with_project("region-floor", "rust").with_crates_of_earlier_tests("region-floor");
    let project = folder.path("region-floor");
    ran(folder.command("cargo").args(["test", "--locked"]).current_dir(&project))
        .exits(0)
        .says("3 passed");
    let ran = folder
        .run("policy build region-floor")
        .exits(0)
        .says("building with rustc")
        .says("checking the component in the sandbox")
        .says("policy      region-floor 0.1.0")
        .says("can see     metrics\n");
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
    // Nothing is left beside the component.
    let names = folder.names("region-floor");
    assert!(names.iter().all(|name| !name.starts_with(".lockgate")), "{names:?}");
    folder
        .run("policy inspect region-floor/region-floor.wasm")
        .exits(0)
        .says("can see     metrics: candidate-named")
        .says("in a gate");

    what_is_not_declared_is_refused_by_name(&folder);
    what_is_declared_and_not_read_is_told(&folder);
    a_policy_of_another_name_is_refused(&folder);
    a_crate_that_is_added_is_built(&folder);
    what_no_longer_compiles_leaves_the_component(&folder);
    a_change_of_the_vendored_sdk_is_what_is_built(&folder);
}

// Each builds upon the crates that were built before, which takes a second and not half a minute.

fn what_is_not_declared_is_refused_by_name(folder: &Folder) {
    let before = std::fs::read(folder.path("region-floor/region-floor.wasm")).unwrap();
    folder.change("region-floor/policy.yaml", "reads: [metrics]", "reads: [model]");
    folder
        .run("policy build region-floor")
        .exits(2)
        .says("the policy reads `metrics.candidate-named`, which `policy.yaml` does not declare")
        .says("write `reads: [model, metrics]` there");
    let after = std::fs::read(folder.path("region-floor/region-floor.wasm")).unwrap();
    assert!(before == after, "a component that was refused has been written");
}

fn what_is_declared_and_not_read_is_told(folder: &Folder) {
    folder.change("region-floor/policy.yaml", "reads: [model]", "reads: [model, metrics]");
    folder
        .run("policy build region-floor -o elsewhere.wasm")
        .exits(0)
        .says("warning: `reads` in `policy.yaml` names `model`, which the policy does not read");
    assert!(folder.path("elsewhere.wasm").is_file());
    folder.change("region-floor/policy.yaml", "reads: [model, metrics]", "reads: [metrics]");
}

fn a_policy_of_another_name_is_refused(folder: &Folder) {
    folder.change("region-floor/policy.yaml", "name: region-floor", "name: floor");
    folder
        .run("policy build region-floor")
        .exits(2)
        .says("the policy calls itself `region-floor`, and `policy.yaml` calls it `floor`");
    assert!(!folder.path("region-floor/floor.wasm").exists());
    folder.change("region-floor/policy.yaml", "name: floor", "name: region-floor");
}

fn a_crate_that_is_added_is_built(folder: &Folder) {
    folder.write("region-floor/other/src/lib.rs", "");
    folder.write(
        "region-floor/other/Cargo.toml",
        "[package]\nname = \"other\"\nversion = \"1.0.0\"\nedition = \"2024\"\n",
    );
    let dependencies = "[dependencies]\n";
    let with_other = format!("{dependencies}other = {{ path = \"other\" }}\n");
    folder.change("region-floor/Cargo.toml", dependencies, &with_other);
    folder.run("policy build region-floor --locked").exits(2).says("--locked");
    folder.run("policy build region-floor").exits(0);
    folder.run("policy build region-floor --locked").exits(0);
    assert!(folder.text("region-floor/Cargo.lock").contains("name = \"other\""));
}

fn what_no_longer_compiles_leaves_the_component(folder: &Folder) {
    let source = folder.text("region-floor/src/lib.rs");
    folder.write("region-floor/src/lib.rs", source.replace("metrics_named", "no_such_method"));
    folder
        .run("policy build region-floor")
        .exits(2)
        .says("no method named `no_such_method`")
        .says("its messages say why");
    assert!(folder.path("region-floor/region-floor.wasm").is_file());
    folder.write("region-floor/src/lib.rs", source);
}

fn a_change_of_the_vendored_sdk_is_what_is_built(folder: &Folder) {
    let wit = "region-floor/vendor/lockgate-sdk/wit/policy.wit";
    let contract = folder.text(wit);
    folder.write(wit, contract.replace("candidate-named: func", "candidate-by-name: func"));
    folder.run("policy build region-floor").exits(2).says("candidate_named");
    folder.write(
        wit,
        contract.replace("package lockgate:policy@1.0.0", "package other:policy@1.0.0"),
    );
    folder.run("policy build region-floor").exits(2);
    std::fs::remove_file(folder.path(wit)).unwrap();
    folder.run("policy build region-floor").exits(2);
}

#[test]
fn without_a_toolchain_the_message_has_the_command_that_installs_one() {
    let folder = Folder::with_project("region-floor", "rust");
    let mut command = folder.command(env!("CARGO_BIN_EXE_lockgate"));
    command.args(["policy", "build", "region-floor"]).env("PATH", "").env_remove("RUSTC");
    ran(&mut command)
        .exits(2)
        .says("there is no `rustc` in `PATH`")
        .says("rustup target add wasm32-unknown-unknown");
}

/// The lock file of a new project holds what lockgate itself is built and audited with.
#[test]
fn the_lock_of_a_new_project_is_lockgates_own() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Folder::with_project("lock-of-template", "rust");
    std::fs::copy(root.join("Cargo.lock"), folder.path("lock-of-template/Cargo.lock")).unwrap();
    // Cargo drops what the project does not need, and keeps the versions of what it does.
    let mut cargo = folder.command("cargo");
    cargo.args(["metadata", "--format-version", "1"]).current_dir(folder.path("lock-of-template"));
    ran(&mut cargo).exits(0);
    let current =
        folder.text("lock-of-template/Cargo.lock").replace("lock-of-template", "{{name}}");
    let path = root.join("sdk/templates/rust/Cargo.lock");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let published = std::fs::read_to_string(path).unwrap_or_default();
    assert!(published == current, "`make docs` writes it anew");
}
