//! Names and surroundings that nobody expects.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::folder::{Folder, GATE, finished, gate_of, metrics};

const NOT_UTF8: &[u8] = b"no-\xff-text";

#[test]
fn names_that_are_no_text_give_an_answer() {
    let folder = Folder::with_auc(0.95);
    let name = OsStr::from_bytes(NOT_UTF8);
    let check = ["check", "fraud-detector/3", "--to", "Production"].map(OsStr::new);
    let with = |more: &[&OsStr]| folder.run_with(check.iter().copied().chain(more.iter().copied()));
    let evidence = [OsStr::new("--evidence"), OsStr::new("evidence")];

    with(&[OsStr::new("--evidence"), name]).exits(3);
    with(&[evidence[0], evidence[1], OsStr::new("--config"), name]).exits(2);
    with(&[evidence[0], evidence[1], OsStr::new("--format"), name]).exits(2);
    with(&[evidence[0], evidence[1], OsStr::new("--cache-dir"), name]).exits(0);
    folder.run_with([OsStr::new("policy"), OsStr::new("inspect"), name]).exits(2);
    folder.run_with([OsStr::new("check"), name]).exits(2);
    Folder::empty().run_with([OsStr::new("init"), name]).exits(0);
    folder.run_with([name]).exits(2);
}

#[test]
fn evidence_whose_name_is_no_text_is_undecided() {
    let folder = Folder::with_auc(0.95);
    let name = folder.path("evidence").join(OsStr::from_bytes(NOT_UTF8));
    std::fs::write(name, metrics(0.95)).unwrap();
    folder.check("").exits(3);
}

#[test]
fn a_gate_file_at_a_path_that_is_no_text_works() {
    let folder = Folder::with_auc(0.95);
    let name = OsStr::from_bytes(NOT_UTF8);
    std::fs::write(folder.path(".").join(name), GATE).unwrap();
    let output = folder.command().env("LOCKGATE_CONFIG", name).args(["config", "check"]).output();
    finished(output.unwrap()).exits(0);
}

#[test]
fn names_with_escapes_and_line_breaks_do_nothing_but_show_themselves() {
    let name = "evidence/\u{1b}[31m\n::error::x.json";
    let folder = Folder::with_auc(0.95).file(name, "{");
    for format in ["table", "json", "sarif", "junit", "markdown", "github"] {
        let ran = folder.check(&format!("--format {format}")).exits(3);
        assert!(!ran.stdout.contains('\u{1b}'), "{format}: {}", ran.stdout);
        assert!(!ran.stdout.contains("\n::error::x"), "{format}: {}", ran.stdout);
    }
    for arguments in [
        ["evidence", "show", name],
        ["policy", "inspect", name],
        ["init", "no\u{1b}/folder\n::error::x", "--color=never"],
        ["config", "check", "--config=no\u{1b}where"],
    ] {
        let ran = folder.run_with(arguments);
        assert!(!ran.stderr.contains('\u{1b}'), "{arguments:?}: {}", ran.stderr);
        assert!(!ran.stderr.contains("\n::"), "{arguments:?}: {}", ran.stderr);
    }
}

/// What is wrong with a file is told in the file's own words.
#[test]
fn errors_of_files_do_nothing_but_show_what_they_quote() {
    const HOSTILE: &str = "oci://x\\n::error::pwned \\e[31m##[add-mask]\\u202e";
    let gate = |policy: &str| gate_of(&format!("      - use: \"{policy}\"\n"));
    let lock = |policies: &str| format!("version: 1\npolicies: {{{policies}}}\n");
    let pin = "{manifest: x, component: x, size: 1}";
    let project = "version: 1\nname: a\nlanguage: rust\nreads: []\n";
    let raw = "a: \u{1b}[31m ::error:: ##[add-mask]x\r::error::pwned\n\u{202e}b: [\n";
    for (name, text, arguments) in [
        ("lockgate.yaml", gate(HOSTILE), "config check"),
        ("lockgate.yaml", gate(&format!("{HOSTILE}.wasm")), "config check"),
        ("lockgate.yaml", format!("{raw}{GATE}"), "config check"),
        ("lockgate.lock", lock(&format!("\"{HOSTILE}\": {pin}")), "config check --locked"),
        ("lockgate.lock", lock(&format!("\"{HOSTILE}\": {pin}")), "policy lock"),
        ("lockgate.lock", lock(&format!("\"{HOSTILE}\": {pin}")), "policy vendor"),
        (
            "lockgate.lock",
            lock(&format!("\"oci://r.example/a:1\": {{\"{HOSTILE}\": 1}}")),
            "policy lock",
        ),
        ("lockgate.lock", raw.to_owned(), "config check --locked"),
        ("policy.yaml", format!("{project}source: \"{HOSTILE}\"\n"), "policy build"),
        ("policy.yaml", format!("{project}\"{HOSTILE}\": 1\n"), "policy build"),
        ("policy.yaml", raw.to_owned(), "policy build"),
    ] {
        let folder = Folder::with_gate(GATE).file(name, &text);
        let ran = folder.run(arguments).exits(2);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!said.contains(acts) && !said.contains("##["), "{text:?}: {said:?}");
        let commands = said.lines().filter(|line| line.trim_start().starts_with("::"));
        assert_eq!(commands.count(), 0, "{text:?}: {said}");
        assert!(!said.is_empty());
    }
}

#[test]
fn names_that_look_like_options_or_lead_elsewhere_are_names() {
    let folder = Folder::with_auc(0.95).file("-e/metrics.json", metrics(0.95));
    folder.run("check fraud-detector/3 --to Production --evidence=-e").exits(0);
    folder.run("check fraud-detector/3 --to Production --evidence ./-e").exits(0);
    folder.run("check -- -model/3 --to").exits(2);
    folder
        .run("check ../../etc/passwd/3 --to Production --evidence evidence")
        .exits(1)
        .says("no gate matches");
}

#[test]
fn a_model_name_may_have_slashes_of_its_own() {
    Folder::with_auc(0.95)
        .run("check fraud/eu/detector/3 --to Production --evidence evidence")
        .exits(0);
}

#[test]
fn empty_variables_are_as_good_as_none() {
    let folder = Folder::with_auc(0.95);
    let output = folder
        .command()
        .env("XDG_CACHE_HOME", "")
        .env("HOME", "")
        .env("NO_COLOR", "")
        .args("check fraud-detector/3 --to Production --evidence evidence".split(' '))
        .output();
    finished(output.unwrap()).exits(0);
}
