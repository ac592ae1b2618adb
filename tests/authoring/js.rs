//! Projects in JavaScript, built by the real componentize-js.

use super::tools::{self, CHECK};
use super::{Folder, ran};

/// From nothing to a component in a gate, in a folder that knows nothing of lockgate's sources.
#[test]
fn a_new_project_passes_its_tests_builds_and_judges() {
    let folder = project();
    ran(folder
        .command("node")
        .args(["--test", "--test-reporter=tap"])
        .current_dir(folder.path("js-floor")))
    .exits(0)
    .says("# pass 4")
    .says("# fail 0");
    let built = folder
        .run("policy build js-floor")
        .exits(0)
        .says("policy      js-floor 0.1.0")
        .says("can see     metrics\n");
    assert!(!built.stderr.contains("warning"), "{}", built.stderr);
    folder.run("policy inspect js-floor/js-floor.wasm").exits(0).says("can see     metrics: ");
    folder.run("policy test js-floor").exits(0);

    tools::write_gate(&folder, "js-floor");
    folder
        .run(CHECK)
        .exits(1)
        .says("auc is 0.93, at least the required 0.9")
        .says("recall (region=eu) is 0.91, at least the required 0.8")
        .says("recall (region=us) is 0.74, below the required 0.8")
        .says("fix: train on more data of this slice");

    what_is_declared_and_not_used_is_told_and_imported(&folder);
}

/// Also: the component imports what `reads` says, used or not. And there is no clock while its
/// modules are loaded, natively and within the engine: each would fail the build.
fn what_is_declared_and_not_used_is_told_and_imported(folder: &Folder) {
    folder.write("js-floor/src/clock.js", CLOCK);
    folder.change("js-floor/src/policy.js", "import {", "import \"./clock.js\";\nimport {");
    folder.change("js-floor/policy.yaml", "reads: [metrics]", "reads: [metrics, history]");
    folder
        .run("policy build js-floor -o more.wasm")
        .exits(0)
        .says("names `history`, which the policy does not read");
    folder.run("policy inspect more.wasm").exits(0).says("history: current, transitions");
}

const CLOCK: &str = "
for (const read of [() => Date.now(), () => new Date(), () => Date(), () => Math.random()]) {
  let value;
  try {
    value = read();
  } catch {
    continue;
  }
  throw new Error(`${read} is ${value} at the top level`);
}
";

#[test]
fn an_interface_that_is_not_declared_is_refused_with_the_line_to_write() {
    let folder = project();
    folder.change("js-floor/src/policy.js", "metrics }", "metrics, model }");
    folder.change("js-floor/src/policy.js", "if (slices", "if (model.tag(\"x\") || slices");
    folder
        .run("policy build js-floor")
        .exits(2)
        .says("the policy reads `model`, which `policy.yaml` does not declare")
        .says("write `reads: [model, metrics]` there");
    assert!(!folder.path("js-floor/js-floor.wasm").exists());
}

#[test]
fn what_is_wrong_with_a_policy_is_told_with_its_place() {
    let wrong: [(&str, &str, &[&str]); 8] = [
        ("check.fail(", "check.fail((", &["src/policy.js:", "[ERROR]"]),
        ("from \"lockgate-sdk\"", "from \"lockgate-sdkk\"", &["src/policy.js:1:", "lockgate-sdkk"]),
        ("import {", "import \"node:fs\";\nimport {", &["src/policy.js:1:", "node:fs"]),
        ("    floor: {", "    Floor: {", &["the rule `Floor` is not in kebab-case"]),
        ("additionalProperties: false,", "", &["unknown keys", "additionalProperties"]),
        ("export default", "const policy =", &["default"]),
        ("export default", "Date.now();\nexport default", &["src/policy.js:3:", "has no clock"]),
        (
            "minLength: 1,",
            "properties: {},",
            &["the params take unknown keys in `metric`", "additionalProperties: false"],
        ),
    ];
    for (from, to, told) in wrong {
        let folder = project();
        folder.change("js-floor/src/policy.js", from, to);
        let mut refused = folder.run("policy build js-floor").exits(2).says("failed");
        for part in told {
            refused = refused.says(part);
        }
        assert!(!folder.path("js-floor/js-floor.wasm").exists(), "{to}");
    }
}

#[test]
fn tools_that_are_missing_are_named_with_what_installs_them() {
    let folder = Folder::with_project("js-floor", "js");
    folder
        .run("policy build js-floor")
        .exits(2)
        .says("`esbuild` is missing, which building a policy in js needs")
        .says("run `npm install` in the project");
    let mut lockgate = folder.command(env!("CARGO_BIN_EXE_lockgate"));
    lockgate.args(["policy", "build", "js-floor"]).env("PATH", folder.path("empty"));
    ran(&mut lockgate).exits(2).says("Node.js is missing").says("install version 20 or newer");
}

/// As `docs/authors/javascript.md` says.
#[test]
fn a_project_in_typescript_is_checked_tested_and_read_by_the_bundler() {
    let page = include_str!("../../docs/authors/javascript.md");
    let typescript = page.split_once("## TypeScript").unwrap().1;
    let block = |language: &str, at: usize| {
        let fence = format!("```{language}\n");
        typescript.split(&fence).nth(at).unwrap().split("```").next().unwrap().to_owned()
    };
    let folder = project();
    let source = folder.text("js-floor/src/policy.js");
    let kept = source.find("export default").unwrap()..source.find("/** The check of").unwrap();
    let types = block("ts", 1);
    let (imports, judge) = types.split_once("\n\n").unwrap();
    std::fs::remove_file(folder.path("js-floor/src/policy.js")).unwrap();
    let source = format!("{imports}\n\n{}{judge}", &source[kept]);
    folder.write("js-floor/src/policy.ts", &source);
    folder.write("js-floor/tsconfig.json", block("json", 1));
    let tsc = || {
        let tsc = tools::installed("js").join("node_modules/.bin/tsc");
        ran(folder.command(tsc).current_dir(folder.path("js-floor")))
    };
    tsc().exits(0);
    folder.change("js-floor/src/policy.ts", "judge(measured, min)", "judge(measured, mni)");
    tsc().exits(1).says("Cannot find name 'mni'");
    folder.write("js-floor/src/policy.ts", &source);

    let script = block("json", 2);
    folder.change(
        "js-floor/package.json",
        "\"scripts\": {\n    \"test\": \"node --test\"\n  }",
        script.trim_end(),
    );
    ran(folder.command("npm").arg("test").current_dir(folder.path("js-floor")))
        .exits(0)
        .says("pass 4");

    let yaml = folder.text("js-floor/policy.yaml").replace("reads: [metrics]", "reads: [model]");
    folder.write("js-floor/policy.yaml", yaml + &block("yaml", 1));
    folder.run("policy build js-floor").exits(2).says("the policy reads `metrics`");
}

#[test]
fn the_lock_file_fits_any_registry() {
    let lock = Folder::with_project("js-floor", "js").text("js-floor/package-lock.json");
    assert!(lock.contains("\"integrity\": \"sha512-"));
    assert!(!lock.contains("\"resolved\": \"http"));
}

#[test]
fn a_source_that_is_not_there_is_named() {
    let folder = project();
    std::fs::remove_file(folder.path("js-floor/src/policy.js")).unwrap();
    folder.run("policy build js-floor").exits(2).says("src/policy.js`: No such file");
}

/// The tests of the SDK itself, in a copy: its tools are not beside its sources.
#[test]
fn the_sdk_passes_its_own_tests_and_its_types_fit() {
    let folder = Folder::empty();
    tools::copy("sdk/js", &folder.path("sdk/js"));
    tools::copy("sdk/conformance", &folder.path("sdk/conformance"));
    let modules = tools::installed("js").join("node_modules");
    std::os::unix::fs::symlink(&modules, folder.path("sdk/js/node_modules")).unwrap();
    let mut node = folder.command("node");
    node.args([
        "--test",
        "--test-reporter=tap",
        "tests/clock.test.js",
        "tests/conformance.test.js",
        "tests/policy.test.js",
    ]);
    ran(node.current_dir(folder.path("sdk/js"))).exits(0).says("# fail 0");
    let mut types = folder.command(modules.join(".bin/tsc"));
    ran(types.args(["--project", "tests"]).current_dir(folder.path("sdk/js"))).exits(0);
}

fn project() -> Folder {
    let folder = Folder::with_project("js-floor", "js");
    tools::give_node_modules(&folder, "js-floor");
    folder
}
