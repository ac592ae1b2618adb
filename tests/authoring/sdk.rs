//! What is held of the SDKs from outside.

use std::path::Path;

use wit_parser::{Resolve, TypeDefKind};

use super::{Folder, built_crates, ran};

/// Packs both crates as for a registry, and builds them from what was packed.
#[test]
fn the_rust_sdk_can_be_published() {
    let folder = Folder::empty();
    let mut cargo = folder.command("cargo");
    cargo
        .args(["package", "--locked", "--allow-dirty"])
        .args(["-p", "lockgate-sdk", "-p", "lockgate-sdk-macros", "--target-dir"])
        .arg(built_crates())
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")));
    ran(&mut cargo).exits(0).says("Packaged");
}

/// Each package that can be had by itself brings its licence, and so does what `policy new` vendors.
#[test]
fn every_package_has_the_licence() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let licence = std::fs::read(root.join("LICENSE")).unwrap();
    for package in ["js", "python", "rust", "rust/macros", "build"] {
        let copy = std::fs::read(root.join("sdk").join(package).join("LICENSE")).unwrap();
        assert!(copy == licence, "sdk/{package}/LICENSE is not a copy of LICENSE");
    }
    let folder = Folder::empty();
    for language in ["rust", "js", "python"] {
        folder.run(&format!("policy new {language}-floor --lang {language}")).exits(0);
        let vendored = format!("{language}-floor/vendor/lockgate-sdk/LICENSE");
        assert!(std::fs::read(folder.path(vendored)).unwrap() == licence);
    }
}

/// An editor shows them where the field is used. In Rust they are the contract's own.
#[test]
fn every_field_of_the_contract_has_words_in_each_sdk() {
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk");
    let text = |path: &str| std::fs::read_to_string(sdk.join(path)).unwrap();
    let javascript = text("js/src/index.d.ts");
    let python = ["_types", "_check", "_policy"]
        .map(|module| text(&format!("python/src/lockgate_sdk/{module}.py")))
        .concat();
    let mut contract = Resolve::default();
    contract.push_file(sdk.join("wit/policy.wit")).unwrap();
    let mut without = Vec::new();
    for (_, definition) in &contract.types {
        let (Some(record), TypeDefKind::Record(fields)) = (&definition.name, &definition.kind)
        else {
            continue;
        };
        let class = match record.as_str() {
            "check" => "CheckResult".to_owned(),
            "rule" => "RuleText".to_owned(),
            other => capitalized(other),
        };
        for field in &fields.fields {
            // A rule's code is its key in JavaScript, and the name of its member in Python.
            if (record.as_str(), field.name.as_str()) == ("rule", "code") {
                continue;
            }
            let camel = format!("{}{}", &field.name[..1], &capitalized(&field.name)[1..]);
            let block = between(&javascript, &format!("export interface {class} {{\n"), "\n}\n");
            if !around(block, &format!("  {camel}: ")).0.ends_with("*/") {
                without.push(format!("JavaScript: {class}.{camel}"));
            }
            let block = between(&python, &format!("class {class}:\n"), "\n\n\n");
            let snake = field.name.replace('-', "_");
            if !around(block, &format!("    {snake}: ")).1.starts_with("    \"\"\"") {
                without.push(format!("Python: {class}.{snake}"));
            }
        }
    }
    assert!(without.is_empty(), "fields without words:\n{}", without.join("\n"));
}

/// `model-version` as `ModelVersion`.
fn capitalized(kebab: &str) -> String {
    kebab.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let rest = text.split_once(start).unwrap_or_else(|| unreachable!("no `{start}`")).1;
    rest.split_once(end).map_or(rest, |(block, _)| block)
}

/// The lines before and after the one that starts like this, each empty where there is none.
fn around<'a>(text: &'a str, start: &str) -> (&'a str, &'a str) {
    let lines: Vec<&str> = text.lines().collect();
    let Some(at) = lines.iter().position(|line| line.starts_with(start)) else {
        return ("", "");
    };
    let line = |at: Option<usize>| at.and_then(|at| lines.get(at).copied()).unwrap_or_default();
    (line(at.checked_sub(1)), line(at.checked_add(1)))
}
