//! `lockgate policy test`.

use std::path::Path;

use lockgate_guests as guests;

use super::folder::Folder;
use super::{CASE, FAILS, PASSES, assert_told, case, one, test};

fn three() -> Folder {
    Folder::empty()
        .file("cases/a-passes.yaml", case(PASSES))
        .file("cases/b-fails.yaml", case(FAILS))
        .file("cases/sub/c-unreadable.yml", case(PASSES).replace("outcome: pass", "outcome: pas"))
}

#[test]
fn tells_each_case_and_what_is_other_than_expected() {
    let ran = test(&three(), "").exits(2);
    assert_told!(ran.stdout);
    assert_eq!(ran.stderr, "");
}

#[test]
fn tells_the_same_to_programs() {
    let ran = test(&three(), "--format json").exits(2);
    assert_told!(ran.stdout);
    let schema: serde_json::Value = lockgate::cases::report::schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(validator.is_valid(&ran.json()));
}

#[test]
fn tells_the_same_to_a_ci_system() {
    let ran = test(&three(), "--format junit --output human=h.txt json=j.json").exits(2);
    assert_told!(ran.stdout);
}

#[test]
fn the_exit_code_is_the_worst_of_the_cases() {
    let folder = three();
    test(&folder, "--filter a-passes").exits(0);
    test(&folder, "--filter b-*").exits(1);
    test(&folder, "--filter sub/*").exits(2);
    test(&folder, "--filter fails --format json").exits(1);
    test(&folder, "--filter fails --format junit").exits(1);
    test(&folder, "--filter none-such").exits(2).says("has a name that fits `none-such`");
}

#[test]
fn writes_reports_to_files_whatever_is_printed() {
    let folder = three();
    test(&folder, "--output junit=cases.xml json=cases.json human=cases.txt").exits(2);
    assert!(folder.text("cases.xml").starts_with("<?xml"));
    assert!(folder.text("cases.json").contains("lockgate.dev/cases/v1"));
    assert!(folder.text("cases.txt").contains("✓ a-passes"));
    let twice = "--output junit=a json=a";
    test(&folder, twice).exits(2).says("--output names `a` twice");
    test(&folder, "--output junit=none/such.xml").exits(2).says("cannot write `none/such.xml`");
    test(&folder, "--format xml").exits(2).says("write `table`, `json` or `junit`");
}

#[test]
fn names_the_rules_that_no_case_holds_the_policy_to() {
    let folder = Folder::empty().file("cases/a.yaml", case(PASSES));
    let ran = test(&folder, "").exits(0);
    assert!(ran.stdout.contains("no case expects a check of complete, sample-size"));
    assert!(ran.stdout.contains("no case breaks measured, threshold"));
    // A part of the cases says nothing of the rest.
    let part = test(&folder, "--filter a").exits(0);
    assert!(!part.stdout.contains("no case"), "{}", part.stdout);
}

#[test]
fn is_coloured_only_where_colour_is_wanted() {
    let folder = three();
    assert!(!test(&folder, "").stdout.contains('\u{1b}'));
    assert!(test(&folder, "--color always").stdout.contains("\u{1b}["));
    assert!(!test(&folder, "--color always --format json").stdout.contains('\u{1b}'));
}

#[test]
fn results_are_in_the_order_of_the_names_on_any_number_of_processors() {
    let mut folder = Folder::empty();
    for number in 0..100 {
        folder = folder.file(&format!("cases/n{number:03}.yaml"), case(PASSES));
    }
    let json = test(&folder, "--format json").exits(0).json();
    let cases = json["cases"].as_array().unwrap();
    let names: Vec<_> = cases.iter().map(|case| case["name"].as_str().unwrap()).collect();
    assert_eq!(names, (0..100).map(|n| format!("n{n:03}")).collect::<Vec<_>>());
}

#[test]
fn a_policy_that_cannot_be_loaded_is_told_apart() {
    let folder = three()
        .file("text.wasm", "text")
        .file("traps.wasm", guests::component(guests::TRAPS_IN_DESCRIBE));
    for (policy, message) in [
        ("text.wasm", "it is not a WebAssembly file"),
        ("traps.wasm", "trapped"),
        ("none.wasm", "No such file"),
        ("std/none", "there is no standard policy"),
    ] {
        folder.run(&format!("policy test {policy} --cases cases")).exits(3).says(message);
    }
}

#[test]
fn says_where_cases_are_looked_for() {
    let folder = Folder::empty().file("honest.wasm", guests::component(guests::HONEST));
    folder.run("policy test std/approvals").exits(2).says("say with --cases where the cases");
    folder.run("policy test honest.wasm").exits(2).says("there are no cases in `cases`");
    folder.run("policy test").exits(2).says("is not a policy project");
    folder.run("policy test honest.wasm --build").exits(2).says("--build is for a project");
    std::fs::create_dir(folder.path("cases")).unwrap();
    folder.run("policy test honest.wasm").exits(2).says("there is no case in `cases`");
    let folder =
        folder.file("cases/a.yaml", guest_case("outcome: [{rule: a-rule, outcome: pass}]"));
    folder.run("policy test honest.wasm").exits(0);
    folder.run("policy test honest.wasm --cases cases/a.yaml").exits(0);
}

#[test]
fn a_project_names_its_component_and_its_cases() {
    let manifest = "version: 1\nname: a-guest\nlanguage: rust\nreads: []\ncases: my-cases\n";
    let folder = Folder::empty()
        .file("policy.yaml", manifest)
        .file("my-cases/a.yaml", guest_case("outcome: [{rule: a-rule, outcome: pass}]"));
    folder.run("policy test").exits(2).says("make it with `lockgate policy build`");
    let folder = folder.file("a-guest.wasm", guests::component(guests::HONEST));
    assert_eq!(folder.run("policy test").exits(0).stderr, "");
    folder.run("policy test . --cases my-cases/a.yaml").exits(0);
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(60);
    let changed = std::fs::File::options().write(true).open(folder.path("policy.yaml")).unwrap();
    changed.set_modified(later).unwrap();
    folder.run("policy test").exits(0).says("`./policy.yaml` is newer than the component");
    let folder = folder.file("policy.yaml", "version: 2\n");
    folder.run("policy test").exits(2).says("policy.yaml:1");
}

fn guest_case(expect: &str) -> String {
    CASE.replace("params: {metrics: [{name: auc, min: 0.9}]}\n", "")
        + &format!("expect: {{{expect}}}\n")
}

/// What a guest of one kind answers, held against what is expected of it.
#[test]
fn reasons_for_no_answer_can_be_expected() {
    for (guest, expect) in [
        (guests::REFUSES_ITS_PARAMS, "refusal: {params: a-rule}"),
        (guests::REFUSES_THE_EVIDENCE, "refusal: {evidence: \"^a-rule$\"}"),
        (guests::TRAPS, "undecided: trap"),
        (guests::TRAPS, "undecided: {reason: trap, message: unreachable}"),
        (guests::LOOPS_FOREVER, "undecided: fuel_exhausted"),
        (guests::RETURNS_NO_CHECK, "undecided: nothing_checked"),
        (guests::RETURNS_A_NAN, "undecided: output_invalid"),
    ] {
        let folder = Folder::empty()
            .file("guest.wasm", guests::component(guest))
            .file("cases/a.yaml", guest_case(expect));
        folder.run("policy test guest.wasm").exits(0);
        let other = guest_case("outcome: [{rule: a-rule, outcome: pass}]");
        let folder = folder.file("cases/a.yaml", other);
        folder.run("policy test guest.wasm").exits(1).says("- pass a-rule");
    }
}

#[test]
fn the_limits_of_a_case_hold() {
    let limited =
        guest_case("undecided: fuel_exhausted").replace("expect", "limits: {fuel: 1}\nexpect");
    let folder = Folder::empty()
        .file("guest.wasm", guests::component(guests::HONEST))
        .file("cases/a.yaml", limited);
    folder.run("policy test guest.wasm").exits(0);
}

/// A gate would refuse them before the policy saw them.
#[test]
fn params_that_do_not_fit_the_schema_are_refused() {
    let wrong = |expect: &str| case(expect).replace("min: 0.9", "mni: 0.9");
    one(&wrong(PASSES)).exits(1).says("+ refusal of the params unknown key `mni`");
    one(&wrong("  refusal: {params: \"unknown key `mni`\"}\n")).exits(0);
    one(&wrong("  refusal: {evidence: mni}\n")).exits(1);
}

#[test]
fn a_few_rules_can_be_expected_and_the_others_left_alone() {
    for (expect, code) in [
        ("  rules: {threshold: pass}\n", 0),
        ("  rules: {threshold: pass, complete: none}\n", 0),
        ("  rules: {threshold: [{about: auc, outcome: pass, message: \"0\\\\.95\"}]}\n", 0),
        ("  rules: {threshold: fail}\n", 1),
        ("  rules: {threshold: none}\n", 1),
        ("  rules: {complete: pass}\n", 1),
        ("  rules: {threshold: [{outcome: pass}]}\n", 1),
        ("  rules: {threshold: []}\n", 1),
        ("  rules: {treshold: pass}\n", 2),
    ] {
        one(&case(expect)).exits(code);
    }
    one(&case("  rules: {treshold: pass}\n"))
        .exits(2)
        .says("the policy `metric-threshold` has no rule `treshold`")
        .says("did you mean `threshold`?");
    one(&case("  rules: {threshold: none}\n"))
        .says("- no check of threshold + pass threshold: auc auc is 0.95");
}

#[test]
fn every_line_of_an_expected_list_counts() {
    for expect in [
        "  outcome:\n    - {rule: measured, about: auc, outcome: pass}\n",
        "  outcome: []\n",
        "  outcome:\n    - {rule: measured, outcome: pass}\n    - {rule: threshold, about: auc, outcome: pass}\n",
        "  outcome:\n    - {rule: threshold, about: auc, outcome: pass}\n    - {rule: measured, about: auc, outcome: pass}\n",
        "  outcome:\n    - {rule: measured, about: auc, outcome: pass}\n    - {rule: threshold, about: auc, outcome: pass, message: \"0\\\\.96\"}\n",
        "  refusal: {evidence: x}\n",
        "  undecided: trap\n",
    ] {
        one(&case(expect)).exits(1);
    }
    one(&case(PASSES)).exits(0);
}

#[test]
fn the_cases_of_the_standard_policies_pass() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    for name in lockgate::wasm::standard_names() {
        let cases = folder.join(name).join("cases");
        let arguments = [
            "policy".into(),
            "test".into(),
            format!("std/{name}"),
            "--cases".into(),
            cases.display().to_string(),
        ];
        let ran = Folder::empty().run_with(arguments).exits(0);
        assert!(!ran.stdout.contains("no case"), "{}", ran.stdout);
    }
}
