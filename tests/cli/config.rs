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

/// Every document has its schema, and the published one is that of this version.
#[test]
fn the_schemas_are_the_published_ones() {
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/schema");
    let folder = Folder::empty();
    let documents =
        ["gate", "evidence", "report", "policy", "case", "cases", "bench", "inspection"];
    for document in documents {
        let path = schemas.join(document).with_extension("schema.json");
        let printed = folder.run(&format!("config schema {document}")).exits(0).stdout;
        // The tests of the others write them.
        if document == "inspection" && std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(&path, &printed).unwrap();
        }
        let published = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(published == printed, "{}: `make docs` writes it anew", path.display());
    }
    assert_eq!(std::fs::read_dir(&schemas).unwrap().count(), documents.len());
    let gate = folder.run("config schema gate").stdout;
    assert_eq!(folder.run("config schema").exits(0).stdout, gate);
    folder
        .run("config schema params")
        .exits(2)
        .says(&format!("[possible values: {}]", documents.join(", ")));
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
