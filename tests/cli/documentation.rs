//! The pages of `docs/policies/` are what the components say of themselves.

use std::path::Path;

use lockgate::wasm::standard_names;

use super::folder::Folder;

/// `make docs` writes them anew.
#[test]
fn the_pages_of_the_standard_policies_are_what_the_binary_prints() {
    let folder = Folder::empty();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/policies");
    let mut pages = vec![(docs.join("README.md"), "policy list --format markdown".to_owned())];
    pages.extend(standard_names().map(|name| {
        (
            docs.join(name).with_extension("md"),
            format!("policy inspect std/{name} --format markdown"),
        )
    }));
    for (page, command) in &pages {
        let printed = folder.run(command).exits(0).stdout;
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::create_dir_all(&docs).unwrap();
            std::fs::write(page, &printed).unwrap();
        }
        let written = std::fs::read_to_string(page).unwrap_or_default();
        assert!(
            written == printed,
            "{} is not what `lockgate {command}` prints; `make docs` writes it anew",
            page.display()
        );
    }
    for entry in std::fs::read_dir(&docs).unwrap() {
        let path = entry.unwrap().path();
        assert!(pages.iter().any(|(page, _)| *page == path), "{} is no page", path.display());
    }
}
