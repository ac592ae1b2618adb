//! The shape of the source: which module may use which, and what is named only in one place.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What each module may use of the others.
const MAY_USE: [(&str, &[&str]); 18] = [
    ("model", &[]),
    ("net", &[]),
    ("text", &[]),
    ("decision", &["model"]),
    ("policy", &["model"]),
    ("evidence", &["model"]),
    ("wasm", &["model", "policy"]),
    ("config", &["model", "decision", "policy", "text"]),
    ("distribution", &["model", "policy", "config", "net", "text"]),
    ("evaluation", &["model", "decision", "policy"]),
    ("project", &["model", "policy", "config", "text"]),
    ("report", &["model", "decision", "evidence", "text"]),
    ("cases", &["model", "decision", "policy", "evidence", "config", "report", "text"]),
    ("registry", &["model", "decision", "evidence", "net"]),
    ("record", &["model", "decision", "evidence", "report", "net"]),
    (
        "server",
        &[
            "model",
            "decision",
            "policy",
            "evidence",
            "config",
            "evaluation",
            "report",
            "registry",
            "record",
            "net",
        ],
    ),
    (
        "cli",
        &[
            "model",
            "decision",
            "policy",
            "evidence",
            "wasm",
            "config",
            "cases",
            "distribution",
            "evaluation",
            "project",
            "report",
            "registry",
            "record",
            "server",
            "text",
        ],
    ),
    ("main.rs", &["cli"]),
];

/// Crates that only some modules may name.
const NAMED_ONLY_IN: [(&str, &[&str]); 15] = [
    ("wasmtime", &["wasm"]),
    ("wasmparser", &["wasm"]),
    ("blake3", &["wasm"]),
    ("clap", &["cli", "main.rs"]),
    ("anyhow", &["cli"]),
    ("cap_std", &["wasm", "evidence", "cases"]),
    ("saphyr_parser", &["config"]),
    ("lockgate_build", &["project"]),
    ("wit_component", &["project"]),
    ("wit_parser", &["project"]),
    ("axum", &["server"]),
    ("docker_credential", &["distribution"]),
    ("http_auth", &["distribution"]),
    ("rusqlite", &["record"]),
    ("tokio_postgres", &["record"]),
];

/// The size past which a file is asked what two things it is.
const LINES: usize = 400;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// A file's code without comments, and up to its unit tests.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]").next().unwrap();
    code.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// Every file of `src` with the module at the top of its path.
fn sources() -> Vec<(String, PathBuf)> {
    let src = root().join("src");
    let module = |path: &Path| {
        let first = path.strip_prefix(&src).unwrap().components().next().unwrap();
        first.as_os_str().to_str().unwrap().to_owned()
    };
    let files = rust_files(&src);
    let files = files.into_iter().filter(|path| !path.ends_with("src/lib.rs"));
    files.map(|path| (module(&path), path)).collect()
}

/// The words that follow `prefix` in some code, also those of a braced list.
fn words_after<'a>(code: &'a str, prefix: &str) -> BTreeSet<&'a str> {
    let word = |text: &'a str| {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        &text[..end]
    };
    let mut words = BTreeSet::new();
    for (at, _) in code.match_indices(prefix) {
        let rest = &code[at + prefix.len()..];
        match rest.strip_prefix('{') {
            None => {
                words.insert(word(rest));
            }
            Some(list) => {
                let list = list.split(';').next().unwrap();
                let mut depth = 0;
                let mut start = true;
                for (position, character) in list.char_indices() {
                    if start && depth == 0 && character.is_alphabetic() {
                        words.insert(word(&list[position..]));
                        start = false;
                    }
                    match character {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        _ => {}
                    }
                }
            }
        }
    }
    words
}

#[test]
fn modules_use_only_what_they_may() {
    let table: BTreeMap<_, _> = MAY_USE.into_iter().collect();
    for (module, path) in sources() {
        let allowed = table.get(module.as_str());
        let allowed = allowed.unwrap_or_else(|| panic!("`{module}` is not in the table"));
        let code = code(&path);
        let used =
            words_after(&code, "crate::").into_iter().chain(words_after(&code, "lockgate::"));
        for other in used.filter(|other| table.contains_key(other)) {
            assert!(
                other == module || allowed.contains(&other),
                "{} uses `{other}`, which `{module}` may not",
                path.display()
            );
        }
    }
}

#[test]
fn what_belongs_to_one_module_is_named_nowhere_else() {
    for (module, path) in sources() {
        let code = code(&path);
        for (name, places) in NAMED_ONLY_IN {
            let named =
                code.contains(&format!("{name}::")) || code.contains(&format!("use {name};"));
            assert!(
                !named || places.contains(&module.as_str()),
                "{} names `{name}`",
                path.display()
            );
        }
    }
}

#[test]
fn there_is_one_unsafe_module() {
    let unsafe_files: Vec<_> = sources()
        .into_iter()
        .filter(|(_, path)| {
            let code = code(path);
            code.contains("unsafe {") || code.contains("unsafe fn") || code.contains("(unsafe_code")
        })
        .map(|(_, path)| path.strip_prefix(root()).unwrap().to_owned())
        .collect();
    assert_eq!(unsafe_files, [Path::new("src/wasm/mapped.rs")]);
}

#[test]
fn the_decision_does_no_io_and_reads_no_clock() {
    for (module, path) in sources() {
        if module != "decision" && module != "model" {
            continue;
        }
        let code = code(&path);
        for name in
            ["std::fs", "std::io", "std::net", "std::env", "Instant", "SystemTime", "async "]
        {
            assert!(!code.contains(name), "{} names `{name}`", path.display());
        }
    }
}

#[test]
fn what_reasons_lead_to_is_said_without_a_catch_all() {
    let code = code(&root().join("src/decision/verdict.rs"));
    assert!(code.contains("match reason"));
    assert!(!code.contains("_ =>"));
}

#[test]
fn main_is_short() {
    let main = std::fs::read_to_string(root().join("src/main.rs")).unwrap();
    assert!(main.lines().count() <= 30);
}

#[test]
fn files_are_one_thing() {
    for (_, path) in sources() {
        let lines = code(&path).lines().count();
        assert!(lines <= LINES, "{} has {lines} lines", path.display());
    }
}

#[test]
fn what_guests_are_made_of_knows_nothing_of_the_host() {
    let mut manifests = vec![
        root().join("sdk/build/Cargo.toml"),
        root().join("sdk/rust/Cargo.toml"),
        root().join("sdk/rust/macros/Cargo.toml"),
    ];
    for entry in std::fs::read_dir(root().join("policies")).unwrap() {
        manifests.push(entry.unwrap().path().join("Cargo.toml"));
    }
    for manifest in manifests {
        let text = std::fs::read_to_string(&manifest).unwrap();
        let names_host = text.lines().any(|line| {
            let name = line.split(['=', '.', ' ']).next().unwrap();
            name == "lockgate" || name == "wasmtime"
        });
        assert!(!names_host, "{} depends on the host", manifest.display());
    }
}
