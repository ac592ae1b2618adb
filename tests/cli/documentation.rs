//! What is written is what the binary says.

use std::path::Path;

use lockgate::wasm::standard_names;

use super::folder::{Folder, ran};

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

/// The first thing that a reader tries.
#[test]
fn the_answer_at_the_start_of_the_readme_is_the_one_that_is_given() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let (_, shown) = readme.split_once("```console\n$ cd ").unwrap();
    let (shown, _) = shown.split_once("```").unwrap();
    let (example, shown) = shown.split_once("\n$ lockgate ").unwrap();
    let (command, answer) = shown.split_once("Z\n").unwrap();
    let command = command.replace('\\', " ") + "Z";

    let mut lockgate = Folder::empty().command();
    lockgate.args(command.split_whitespace()).current_dir(root.join(example));
    let said = ran(&mut lockgate).exits(1).stdout;
    let mut rest = said.as_str();
    for part in answer.split("...\n") {
        let Some((_, after)) = rest.split_once(part) else {
            panic!("README.md shows\n{part}and lockgate says\n{said}");
        };
        rest = after;
    }
}

#[test]
fn what_a_policy_is_follows_its_schema() {
    let folder = Folder::empty();
    let schema = folder.run("config schema inspection").exits(0).json();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let listed = folder.run("policy list --format json").exits(0).json();
    let inspected = folder.run("policy inspect std/approvals --format json").exits(0).json();
    for policy in listed.as_array().unwrap().iter().chain([&inspected]) {
        assert_eq!(policy["schema"], "lockgate.dev/policy/v1");
        assert!(validator.is_valid(policy), "{policy:#}");
    }
}
