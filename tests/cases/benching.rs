//! `lockgate policy bench`.

use super::folder::Folder;
use super::{FAILS, PASSES, case};

fn folder() -> Folder {
    Folder::empty().file("cases/a.yaml", case(PASSES)).file("cases/b.yaml", case(FAILS))
}

#[test]
fn tells_cold_cached_and_warm_apart() {
    let folder = folder();
    let bench = "policy bench std/metric-threshold --cases cases --runs 50";
    let ran = folder.run(bench).exits(0);
    for row in ["cold (compile)", "cached (map)", "warm (evaluate)", "fuel a run", "memory at most"]
    {
        assert!(ran.stdout.contains(row), "{}", ran.stdout);
    }
    let json = folder.run(&format!("{bench} --format json")).exits(0).json();
    let validator = jsonschema::validator_for(&lockgate::cases::Bench::schema()).unwrap();
    assert!(validator.is_valid(&json), "{json:#}");
    assert_eq!(json["schema"], "lockgate.dev/bench/v1");
    assert_eq!(json["warm"]["runs"], 50);
    assert_eq!(json["cases"], 2);
    for times in ["cold", "cached", "warm"] {
        let time = |key: &str| json[times][key].as_u64().unwrap();
        assert!(time("p50_ns") > 0 && time("p50_ns") <= time("p99_ns"), "{json:#}");
        assert!(time("p99_ns") <= time("max_ns"), "{json:#}");
    }
    assert!(json["fuel"]["least"].as_u64().unwrap() > 0);
}

#[test]
fn nothing_is_cached_without_a_cache() {
    let bench = "policy bench std/metric-threshold --cases cases --runs 1 --no-cache --format json";
    let folder = folder();
    let mut process = folder.command();
    process.env_remove("LOCKGATE_CACHE_DIR").args(bench.split(' '));
    let ran = super::folder::ran(&mut process).exits(0);
    assert_eq!(ran.json()["cached"], serde_json::Value::Null);
    // Every case is run once, whatever was asked for.
    assert_eq!(ran.json()["warm"]["runs"], 2);
}

#[test]
fn what_cannot_be_measured_is_told() {
    let folder = folder().file("cases/c.yaml", "no").file("text.wasm", "text");
    folder.run("policy bench std/metric-threshold --cases cases").exits(2).says("cases/c.yaml");
    folder
        .run("policy bench text.wasm --cases cases/a.yaml")
        .exits(3)
        .says("not a WebAssembly file");
    folder
        .run("policy bench std/metric-threshold --cases cases --duration 3h")
        .exits(2)
        .says("write a time such as `500ms`");
}
