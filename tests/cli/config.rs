//! `lockgate init` and `lockgate config`.

use std::path::Path;

use super::folder::{Folder, GATE};

#[test]
fn init_writes_a_gate_file_that_passes_its_check() {
    let folder = Folder::empty();
    folder.run("init").exits(0).says("wrote lockgate.yaml").says("lockgate config check");
    folder
        .run("config check")
        .exits(0)
        .says("lockgate.yaml: 1 gate, 2 policies, 0 waivers: all well");
    folder.run("init gates/other.yaml").exits(2).says("cannot write `gates/other.yaml`");
    folder.run("init other.yaml").exits(0);
    assert_eq!(folder.text("other.yaml"), folder.text("lockgate.yaml"));
}

#[test]
fn init_leaves_a_file_alone_that_is_there() {
    let folder = Folder::with_gate("mine");
    folder.run("init").exits(2).says("`lockgate.yaml` is there already");
    assert_eq!(folder.text("lockgate.yaml"), "mine");
    let link = Folder::empty();
    std::os::unix::fs::symlink(link.path("elsewhere"), link.path("lockgate.yaml")).unwrap();
    link.run("init").exits(2).says("is there already");
    assert!(!link.path("elsewhere").exists());
}

#[test]
fn the_schemas_are_the_published_ones() {
    let published = |name: &str| {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/schema").join(name);
        std::fs::read_to_string(file).unwrap()
    };
    let folder = Folder::empty();
    for (of, name) in [
        ("", "gate.schema.json"),
        ("gate", "gate.schema.json"),
        ("evidence", "evidence.schema.json"),
        ("report", "report.schema.json"),
        ("policy", "policy.schema.json"),
    ] {
        let printed = folder.run(&format!("config schema {of}")).exits(0).stdout;
        assert_eq!(printed, published(name), "{name}");
    }
    folder
        .run("config schema params")
        .exits(2)
        .says("[possible values: gate, evidence, report, policy]");
}

#[test]
fn config_check_counts_what_it_held() {
    let folder = Folder::with_gate(GATE);
    let ran = folder.run("config check").exits(0);
    assert_eq!(ran.stdout, "lockgate.yaml: 1 gate, 1 policy, 0 waivers: all well\n");
    assert_eq!(ran.stderr, "");
}

#[test]
fn a_directory_is_no_gate_file() {
    Folder::empty().run("config check --config .").exits(2).says("cannot be read");
}
