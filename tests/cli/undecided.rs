//! Exit code 3: what could not be judged is never allowed.

use lockgate_guests as guests;

use super::folder::{AT, Folder, GATE, Ran, gate_of, metrics};

/// A digest of some artifact.
fn digest(digit: &str) -> String {
    format!("sha256:{}", digit.repeat(64))
}

#[test]
fn evidence_that_is_not_there_is_undecided() {
    Folder::with_gate(GATE).check("").exits(3).says("`evidence` could not be read");
    let folder = Folder::with_auc(0.95);
    folder.check("--evidence nowhere.json").exits(3).says("`nowhere.json` could not be read");
    std::fs::create_dir(folder.path("empty")).unwrap();
    folder.check("--evidence empty").exits(3).says("is a directory without evidence");
}

#[test]
fn evidence_that_cannot_be_understood_is_undecided_with_its_name_and_place() {
    for (content, message) in [
        ("{\"lockgate\": \"evidence/v1\",\n  \"metrics\": [}", "line 2"),
        (r#"{"lockgate": "evidence/v1", "metrics": [{"name": 1}]}"#, "line 1, column 50"),
        (r#"{"lockgate": "evidence/v1", "metrics": [], "metrics": []}"#, "metrics"),
        (r#"{"something": "else"}"#, "is in no format that lockgate knows"),
        ("", "is empty; remove it or write it again"),
        ("[1", "line 1"),
    ] {
        Folder::with_auc(0.95)
            .file("evidence/other.json", content)
            .check("")
            .exits(3)
            .says("evidence `other.json` could not be read")
            .says(message);
    }
}

#[test]
fn evidence_about_another_artifact_or_version_is_undecided() {
    let about = |subject: &str| {
        metrics(0.95).replace("\"metrics\"", &format!("\"subject\": {{{subject}}}, \"metrics\""))
    };
    let other = about(&format!("\"digest\": \"{}\"", digest("b")));
    let folder = Folder::with_gate(GATE).file("evidence/metrics.json", other);
    folder.check(&format!("--digest {}", digest("a"))).exits(3).says("is about something else");
    folder.check(&format!("--digest {}", digest("b"))).exits(0);
    let other = about("\"model\": \"fraud-detector\", \"version\": \"2\"");
    Folder::with_gate(GATE)
        .file("evidence/metrics.json", other)
        .check("")
        .exits(3)
        .says("is about something else");
}

fn dated(require: &str, collected_at: &str) -> Ran {
    let gate_file =
        GATE.replace("    policies", &format!("    require: {{{require}}}\n    policies"));
    let evidence = metrics(0.95)
        .replace("\"metrics\"", &format!("\"collected_at\": \"{collected_at}\", \"metrics\""));
    Folder::with_gate(&gate_file).file("evidence/metrics.json", evidence).check("")
}

#[test]
fn evidence_that_is_too_old_or_from_the_future_is_undecided() {
    dated("metrics: 7d", "2026-11-16T12:00:00Z").exits(0);
    dated("metrics: 7d", "2026-11-16T11:59:59Z")
        .exits(3)
        .says("is 7 d old, 1 s more than gate `production` allows");
    dated("metrics: 7d", "2026-11-24T12:00:00Z").exits(3).says("after the evaluation time");
}

#[test]
fn evidence_that_the_gate_requires_and_nobody_gives_is_undecided() {
    dated("security: any", AT).exits(3).says("requires security evidence and none was given");
    let gate_file = GATE.replace("    policies", "    require: {metrics: 7d}\n    policies");
    Folder::with_gate(&gate_file)
        .file("evidence/metrics.json", metrics(0.95))
        .check("")
        .exits(3)
        .says("does not say when it was made");
}

/// The gate of one component, and evidence that it does not read.
fn guest(component: &[u8], more: &str) -> Folder {
    let gate_file = gate_of(&format!("      - use: ./policies/guest.wasm\n{more}"));
    Folder::with_gate(&gate_file)
        .file("policies/guest.wasm", component)
        .file("evidence/metrics.json", metrics(0.95))
}

#[test]
fn an_honest_component_is_allowed() {
    guest(&guests::component(guests::HONEST), "").check("").exits(0).says("guest");
}

#[test]
fn a_component_that_cannot_be_loaded_is_undecided_and_fails_config_check() {
    let unknown = guests::component(guests::TRAPS_IN_DESCRIBE);
    for (bytes, message) in
        [(b"no component".to_vec(), "it is not a WebAssembly file"), (unknown, "unreachable")]
    {
        let folder = guest(&bytes, "");
        folder.check("").exits(3).says(message);
        folder.run("config check").exits(2).says("gate `production`, policy `guest`").says(message);
    }
    let folder = Folder::with_gate(&gate_of("      - use: ./none.wasm\n"))
        .file("evidence/metrics.json", metrics(0.95));
    folder.check("").exits(3).says("none.wasm");
    folder.run("config check").exits(2).says("none.wasm");
}

#[test]
fn a_policy_that_does_not_come_to_an_answer_is_undecided() {
    for (source, more, message) in [
        (guests::TRAPS, "", "the policy trapped"),
        (
            guests::LOOPS_FOREVER,
            "        limits: {fuel: 1000000}\n",
            "used up its 1000000 units of fuel",
        ),
        (guests::ALLOCATES_WITHOUT_END, "        limits: {memory-mib: 1}\n", "`limits.memory-mib`"),
        (guests::RETURNS_NO_CHECK, "", "the policy checked nothing"),
        (guests::RETURNS_A_NAN, "", "breaks the contract"),
    ] {
        guest(&guests::component(source), more).check("").exits(3).says("UNDECIDED").says(message);
    }
}

/// A policy that only warns and cannot judge is shown, and does not stop the others.
#[test]
fn a_warning_policy_that_traps_is_shown_and_allows_with_the_rest() {
    let gate_file = format!("{GATE}      - {{use: ./guest.wasm, enforce: warn}}\n");
    Folder::with_gate(&gate_file)
        .file("guest.wasm", guests::component(guests::TRAPS))
        .file("evidence/metrics.json", metrics(0.95))
        .check("")
        .exits(0)
        .says("the policy trapped");
}

#[test]
fn a_denial_outweighs_what_could_not_be_judged() {
    let gate_file = format!("{GATE}      - use: ./guest.wasm\n");
    Folder::with_gate(&gate_file)
        .file("guest.wasm", guests::component(guests::TRAPS))
        .file("evidence/metrics.json", metrics(0.5))
        .check("")
        .exits(1)
        .says("the policy trapped");
}

#[test]
fn params_that_the_policy_itself_refuses_are_undecided() {
    let gate_file = GATE.replace(", min: 0.9", "");
    Folder::with_gate(&gate_file)
        .file("evidence/metrics.json", metrics(0.95))
        .check("")
        .exits(3)
        .says("has neither `min` nor `max`");
}
