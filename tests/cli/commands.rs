//! Usage, configuration and the commands around `check`.

use std::os::unix::ffi::OsStringExt;

use crate::bench::{Bench, GATE, GOOD};

#[test]
fn wrong_usage_exits_with_2() {
    let bench = Bench::new(GATE, GOOD);
    for arguments in [
        vec!["nonsense"],
        vec!["check"],
        vec!["check", "no-version", "--to", "x", "--evidence", "evidence"],
        vec!["check", "a/1", "--to", "role:x", "--evidence", "evidence"],
        vec!["check", "a/1", "--to", "x", "--evidence", "evidence", "--format", "xml"],
        vec!["check", "a/1", "--to", "x", "--evidence", "evidence", "--at", "yesterday"],
        vec!["check", "a/1", "--to", "x", "--evidence", "evidence", "--digest", "md5:0"],
        vec!["check", "a/1", "--to", "x", "--evidence", "evidence", "--output", "sarif"],
    ] {
        let ran = bench.run(&arguments).exits_with(2);
        assert!(ran.err.starts_with("error: "), "{}", ran.err);
    }
}

#[test]
fn a_missing_gate_file_says_how_to_get_one() {
    let bench = Bench::new(GATE, GOOD);
    bench.check(&["--config", "other.yaml"]).exits_with(2).tells("lockgate init");
}

#[test]
fn everything_wrong_with_a_gate_file_is_told_in_one_run_with_its_place() {
    let gate = GATE
        .replace("min: 0.9", "mim: 0.9")
        .replace("{metrics: 7d}", "{metrics: soon}")
        .replace("version: 1", "version: 1\nunmatched: maybe");
    let bench = Bench::new(&gate, GOOD);
    for arguments in
        [vec!["config", "check"], vec!["check", "a/1", "--to", "x", "--evidence", "evidence"]]
    {
        let ran = bench.run(arguments).exits_with(2);
        for text in ["lockgate.yaml:2:12", "lockgate.yaml:7:24", "`mim`", "lockgate.yaml:10:"] {
            assert!(ran.err.contains(text), "{text:?} is not in\n{}", ran.err);
        }
    }
}

#[test]
fn a_waiver_of_a_rule_that_the_policy_lacks_is_refused() {
    let waiver = "waivers:\n  - {policy: metric-threshold, rule: treshold, models: [\"*\"], reason: r, ticket: T-1, approved-by: b, expires: 2030-01-01}\n";
    let bench = Bench::new(&format!("{GATE}{waiver}"), GOOD);
    bench.run(["config", "check"]).exits_with(2).tells("`treshold`").tells("`threshold`");
}

#[test]
fn config_check_loads_every_policy() {
    let bench = Bench::new(GATE, GOOD);
    bench.run(["config", "check"]).exits_with(0).says("1 gate, 1 policy, 0 waivers");
    bench.write("lockgate.yaml", format!("{GATE}      - use: missing.wasm\n"));
    bench.run(["config", "check"]).exits_with(2).tells("missing.wasm");
}

#[test]
fn component_paths_are_relative_to_the_gate_file() {
    let bench = Bench::new(GATE, GOOD);
    bench.write("gates/lockgate.yaml", format!("{GATE}      - use: own.wasm\n"));
    bench.write("gates/own.wasm", lockgate_guests::component(lockgate_guests::HONEST));
    bench.check(&["--config", "gates/lockgate.yaml"]).exits_with(0);
}

#[test]
fn init_writes_a_sound_file_and_never_replaces_one() {
    let bench = Bench::new(GATE, GOOD);
    bench.run(["init"]).exits_with(2).tells("there already");
    assert_eq!(bench.read("lockgate.yaml"), GATE);
    bench.run(["init", "first.yaml"]).exits_with(0);
    bench.run(["config", "check", "--config", "first.yaml"]).exits_with(0);
}

#[test]
fn published_schemas_are_what_the_command_prints() {
    let bench = Bench::new(GATE, GOOD);
    for name in ["gate", "evidence", "report"] {
        let printed = bench.run(["config", "schema", name]).exits_with(0).out;
        let file = format!("{}/sdk/schema/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
        assert_eq!(printed, std::fs::read_to_string(file).unwrap(), "{name}");
    }
}

#[test]
fn the_canonical_snapshot_is_what_the_digest_is_of() {
    let bench = Bench::new(GATE, GOOD);
    let ran = bench.run(["evidence", "show", "evidence", "--canonical"]).exits_with(0);
    let digest = lockgate::model::Digest::of(ran.out.as_bytes());
    ran.tells(&digest.to_string());
}

#[test]
fn evidence_show_exits_with_3_and_names_every_file_that_cannot_be_read() {
    let bench = Bench::new(GATE, "{");
    bench.write("evidence/other.json", "[]");
    let ran = bench.run(["evidence", "show", "evidence"]).exits_with(3);
    ran.tells("metrics.json").tells("other.json");
}

#[test]
fn policy_list_and_inspect_show_what_a_policy_is() {
    let bench = Bench::new(GATE, GOOD);
    bench.run(["policy", "list"]).exits_with(0).says("std/metric-threshold");
    let ran = bench.run(["policy", "inspect", "std/metric-threshold"]).exits_with(0);
    ran.says("can see     metrics")
        .says("cannot see  approvals")
        .says("sha256:")
        .says("metrics[].min");
    let ran = bench.run(["policy", "inspect", "std/model-scan", "--format", "json"]).exits_with(0);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["sees"][0]["interface"], "security");
}

#[test]
fn policy_inspect_of_what_is_no_policy_exits_with_2() {
    let bench = Bench::new(GATE, GOOD);
    bench.run(["policy", "inspect", "std/nonesuch"]).exits_with(2).tells("`nonesuch`");
    bench.run(["policy", "inspect", "missing.wasm"]).exits_with(2).tells("missing.wasm");
    bench.run(["policy", "inspect", "lockgate.yaml"]).exits_with(2).tells("not a WebAssembly file");
    bench.write("hostile.wasm", lockgate_guests::component(lockgate_guests::TRAPS_IN_DESCRIBE));
    bench.run(["policy", "inspect", "hostile.wasm"]).exits_with(2).tells("trapped");
}

#[test]
fn a_cold_start_says_what_it_compiles_and_a_warm_one_nothing() {
    let bench = Bench::new(GATE, GOOD);
    let cache = bench.path().join("cache");
    let cache = cache.to_str().unwrap();
    bench.check(&["--cache-dir", cache]).exits_with(0).tells("compiling std/metric-threshold");
    assert_eq!(bench.check(&["--cache-dir", cache]).exits_with(0).err, "");
}

#[test]
fn a_cache_that_cannot_be_used_costs_a_warning() {
    let bench = Bench::new(GATE, GOOD);
    let file = bench.write("a-file", "");
    let ran = bench.check(&["--cache-dir", file.to_str().unwrap()]).exits_with(0);
    ran.tells("warning: ").tells("a-file");
    let mut command = bench.command();
    command.env_remove("LOCKGATE_CACHE_DIR").args(["check", "fraud-detector/3", "--no-cache"]);
    command.args(["--to", "Production", "--at", crate::bench::AT, "--evidence", "evidence"]);
    let ran = crate::bench::Ran::of(command.output().unwrap()).exits_with(0);
    assert_eq!(ran.err, "");
}

#[test]
fn arguments_that_are_no_unicode_are_told_of() {
    let bench = Bench::new(GATE, GOOD);
    let name = std::ffi::OsString::from_vec(vec![b'x', 0xff]);
    let mut arguments: Vec<std::ffi::OsString> =
        ["check", "fraud-detector/3", "--to", "Production", "--evidence"].map(Into::into).into();
    arguments.push(name);
    bench.run(arguments).exits_with(3);
}

#[test]
fn completions_are_there_for_every_shell() {
    let bench = Bench::new(GATE, GOOD);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = bench.run(["completions", shell]).exits_with(0);
        assert!(ran.out.contains("lockgate"), "{shell}");
    }
}

#[test]
fn every_command_has_help_that_teaches() {
    let bench = Bench::new(GATE, GOOD);
    for command in [
        "",
        "check",
        "init",
        "config",
        "config check",
        "config schema",
        "evidence",
        "evidence show",
        "policy",
        "policy list",
        "policy inspect",
        "completions",
    ] {
        let ran = bench.run(command.split_whitespace().chain(["--help"])).exits_with(0);
        let name = format!("help {command}").trim().replace(' ', "-");
        insta::with_settings!({ filters => vec![(r"[ \t]+\n", "\n")] }, {
            insta::assert_snapshot!(name, ran.out);
        });
    }
}
