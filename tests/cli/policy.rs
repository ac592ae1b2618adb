//! `lockgate policy`.

use lockgate_guests as guests;

use super::folder::Folder;

#[test]
fn lists_the_standard_policies() {
    let folder = Folder::empty();
    let ran = folder.run("policy list").exits(0);
    assert_eq!(ran.stdout.lines().count(), 8);
    for line in ran.stdout.lines() {
        assert!(line.starts_with("std/") && line.ends_with('.'), "{line}");
    }
    assert_eq!(
        folder.run("policy list --format json").exits(0).json().as_array().unwrap().len(),
        8
    );
}

#[test]
fn shows_what_a_standard_policy_is_and_sees() {
    let ran = Folder::empty().run("policy inspect std/metric-threshold").exits(0);
    insta::with_settings!({filters => vec![
        (r"sha256:[0-9a-f]{64}", "sha256:DIGEST"),
        (r"\d+ KiB", "N KiB"),
        (r"(fuel|memory|table elements|instances): \d+ of", "$1: N of"),
        (r"made with .*(\n {12}.*)*", "made with   TOOLS"),
    ]}, {
        insta::assert_snapshot!(ran.stdout);
    });
    assert_eq!(ran.stderr, "");
}

#[test]
fn the_json_has_the_whole_description() {
    let shown = Folder::empty().run("policy inspect std/approvals --format json").exits(0).json();
    assert_eq!(shown["name"], "approvals");
    assert!(shown["digest"].as_str().unwrap().starts_with("sha256:"));
    assert!(shown["params_schema"]["properties"]["required"].is_object());
    assert_eq!(shown["sees"][0]["interface"], "approvals");
    assert!(shown["cannot_see"].as_array().unwrap().contains(&"metrics".into()));
}

#[test]
fn shows_what_a_policy_needs_of_what_it_may_have() {
    let shown = Folder::empty().run("policy inspect std/approvals --format json").exits(0).json();
    let needs = shown["needs"].as_array().unwrap();
    let names: Vec<&str> = needs.iter().map(|need| need["what"].as_str().unwrap()).collect();
    assert_eq!(names, ["fuel", "memory", "table-elements", "instances"]);
    for need in needs {
        let (amount, limit) = (need["amount"].as_u64().unwrap(), need["limit"].as_u64().unwrap());
        assert!(0 < amount && amount < limit, "{need}");
    }
}

#[test]
fn shows_what_a_policy_was_made_with() {
    let shown = Folder::empty().run("policy inspect std/approvals --format json").exits(0).json();
    let producers = shown["producers"].as_array().unwrap();
    let made_with = |part: &str, name: &str| {
        producers.iter().any(|producer| producer["part"] == part && producer["name"] == name)
    };
    assert!(made_with("language", "Rust"), "{producers:?}");
    assert!(made_with("processed-by", "wit-component"), "{producers:?}");
}

#[test]
fn a_component_file_is_shown_like_a_standard_policy() {
    let folder = Folder::empty().file("honest.wasm", guests::component(guests::HONEST));
    for path in ["honest.wasm", "./honest.wasm"] {
        folder
            .run(&format!("policy inspect {path}"))
            .exits(0)
            .says("a-guest 1.0.0")
            .says("a-rule")
            .says("can see nothing but its params");
    }
    folder.run("policy inspect honest.wasm --format markdown").exits(0).says("## Rules");
}

#[test]
fn a_component_that_cannot_be_described_is_refused_with_the_reason() {
    let folder = Folder::empty()
        .file("traps.wasm", guests::component(guests::TRAPS_IN_DESCRIBE))
        .file("loops.wasm", guests::component(guests::LOOPS_IN_DESCRIBE))
        .file("nonsense.wasm", guests::component(guests::DESCRIBES_NONSENSE))
        .file("text.wasm", "text");
    for (policy, message) in [
        ("traps.wasm", "trapped"),
        ("loops.wasm", "fuel"),
        ("nonsense.wasm", "its `describe` gives"),
        ("text.wasm", "it is not a WebAssembly file"),
        ("none.wasm", "No such file"),
        (".", "is not a file"),
        ("std/none", "there is no standard policy `none`; see `lockgate policy list`"),
        ("std/", "there is no standard policy"),
    ] {
        let ran = folder.run(&format!("policy inspect {policy}")).exits(3).says(message);
        assert_eq!(ran.stdout, "");
        assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    }
}

/// What a component says of itself is printed, so it must not act on the terminal.
#[test]
fn what_a_component_says_does_not_act_on_the_terminal() {
    let escape = guests::HONEST.replace(";;! honest", &format!(";;! honest\n{ESCAPING_TITLE}"));
    let folder = Folder::empty().file("escape.wasm", guests::component(&escape));
    for format in ["text", "markdown", "json"] {
        let ran = folder.run(&format!("policy inspect escape.wasm --format {format}")).exits(0);
        assert!(!ran.stdout.contains('\u{1b}'), "{format}: {}", ran.stdout);
        assert!(ran.stdout.contains("001b") || ran.stdout.contains("{1b}"), "{}", ran.stdout);
    }
}

/// Points the title of the one rule at an escape sequence.
const ESCAPING_TITLE: &str = r#"
  (data (i32.const 1200) "\1b[31mred")
  (data (i32.const 1096) "\b0\04\00\00\08\00\00\00")
"#;
