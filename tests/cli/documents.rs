//! Pages that are made from what policies say of themselves.

use std::path::Path;

use lockgate::wasm::standard_names;

use crate::bench::{Bench, GATE, GOOD};

/// Holds a page against what is printed; with `UPDATE_DOCS` set, writes it anew.
fn assert_page(name: &str, printed: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/policies").join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, printed).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(page, printed, "docs/policies/{name} is out of date; run `make docs`");
}

#[test]
fn the_pages_of_the_standard_policies_are_what_they_say_of_themselves() {
    let bench = Bench::new(GATE, GOOD);
    for name in standard_names() {
        let policy = format!("std/{name}");
        let ran = bench.run(["policy", "inspect", &policy, "--format", "markdown"]).exits_with(0);
        assert_page(&format!("{name}.md"), &ran.out);
    }
    let list = bench.run(["policy", "list", "--format", "markdown"]).exits_with(0);
    assert_page("README.md", &list.out);
}
