//! `trust` in the gate file.

use super::folder::Folder;
use super::registry::Registry;

fn trust(policies: &str) -> String {
    format!(
        "trust:\n  keys:\n    - {{name: risk, key: keys/risk.pub}}\n  require:\n    - {{policies: [\"{policies}\"], signed-by: [risk]}}\n"
    )
}

/// A gate whose policy, in a registry, has to be signed; and who has to sign.
pub(crate) fn gated() -> (Registry, Folder, String) {
    let (registry, folder) = (Registry::start(), Folder::new());
    let reference = registry.oci("risk/tenure:1");
    folder.run(&format!("policy push tenure.wasm {reference}")).exits(0);
    std::fs::create_dir_all(folder.path("keys")).unwrap();
    folder.run("policy key new keys/risk").exits(0);
    folder.run("policy key new keys/other").exits(0);
    folder.gate(&reference, "");
    folder.run("policy lock").exits(0);
    folder.gate(&reference, &trust(&registry.oci("*")));
    (registry, folder, reference)
}

#[test]
fn a_policy_without_the_signature_does_not_load() {
    let (_registry, folder, reference) = gated();
    folder.check("").leaves_undecided("untrusted").says("has to be signed by `risk`");
    folder
        .run(&format!("policy sign {reference} --component tenure.wasm --key keys/other.key"))
        .exits(0);
    folder.check("").leaves_undecided("untrusted").says("another key");
    folder.run("config check").exits(2).says("not trusted");
    folder
        .run(&format!("policy sign {reference} --component tenure.wasm --key keys/risk.key"))
        .exits(0);
    // Signed since it was pulled, which is found out.
    folder.check("--offline").leaves_undecided("untrusted");
    folder.check("").exits(0);
    folder.check("--offline").exits(0);
    folder.run("config check --locked").exits(0);
}

#[test]
fn what_is_not_trusted_is_neither_locked_nor_vendored() {
    let (_registry, folder, reference) = gated();
    let lock = folder.text("lockgate.lock");
    folder.run("policy lock --update").exits(3).says("not trusted");
    assert_eq!(folder.text("lockgate.lock"), lock);
    folder.run("policy vendor").exits(3).says("not trusted");
    assert!(!folder.path("vendor").exists());
    folder
        .run(&format!("policy sign {reference} --component tenure.wasm --key keys/risk.key"))
        .exits(0);
    folder.run("policy lock --update").exits(0);
    assert!(folder.text("lockgate.lock").contains("signed-by: [\"risk\"]"));
}

#[test]
fn signatures_are_vendored_with_the_policy_and_verified_without_a_network() {
    let (mut registry, folder, reference) = gated();
    folder
        .run(&format!("policy sign {reference} --component tenure.wasm --key keys/risk.key"))
        .exits(0);
    folder.run("policy vendor").exits(0);
    registry.stop();
    folder.forget();
    folder.check("--offline").exits(0);
    let mut entries = std::fs::read_dir(folder.path("vendor/lockgate")).unwrap();
    let signatures = entries.next().unwrap().unwrap().path().join("signatures.json");
    let sound = std::fs::read_to_string(&signatures).unwrap();
    let other = folder.read("keys/other.pub");
    let risk = folder.read("keys/risk.pub");
    folder.write("keys/risk.pub", other);
    folder.check("").leaves_undecided("untrusted");
    folder.write("keys/risk.pub", risk);
    folder.check("").exits(0);
    std::fs::write(&signatures, sound.replace("\"sig\":\"M", "\"sig\":\"N")).unwrap();
    folder.check("").leaves_undecided("untrusted").says("another key, or was altered");
    std::fs::write(&signatures, "{}").unwrap();
    folder.check("").leaves_undecided("unloadable").says("signatures.json");
    std::fs::remove_file(&signatures).unwrap();
    folder.check("").leaves_undecided("untrusted").says("no signature");
}

#[test]
fn a_file_has_its_signature_beside_it() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path("keys")).unwrap();
    folder.run("policy key new keys/risk --algorithm ed25519").exits(0);
    folder.gate("./tenure.wasm", &trust("./*.wasm"));
    folder.check("").leaves_undecided("untrusted").says("no signature");
    folder.run("policy sign tenure.wasm --key keys/risk.key").exits(0);
    folder.check("").exits(0);
    folder.run("config check").exits(0);
    // Another policy in the same place, with the signature of the first.
    folder.write("tenure.wasm", folder.read("other.wasm"));
    folder.check("").leaves_undecided("untrusted").says("another digest");
}

#[test]
fn a_file_that_is_locked_is_not_replaced_by_another_of_the_same_signer() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path("keys")).unwrap();
    folder.run("policy key new keys/risk").exits(0);
    folder.gate("./policies/tenure.wasm", &trust("./policies/*.wasm"));
    folder.write("policies/tenure.wasm", folder.read("tenure.wasm"));
    folder.run("policy lock").exits(3).says("no signature");
    folder.run("policy sign policies/tenure.wasm --key keys/risk.key").exits(0);
    // Not locked yet, it is as good as its signature.
    folder.check("").exits(0);
    folder.check("--locked").exits(2).says("`./policies/tenure.wasm` is used and not locked");
    folder.run("policy lock --check").exits(1);
    folder.run("policy lock").exits(0).says("`./policies/tenure.wasm` is sha256:");
    let lock = folder.text("lockgate.lock");
    for part in ["version: 2", "component: sha256:", "size: ", "signed-by: [\"risk\"]"] {
        assert!(lock.contains(part), "no `{part}` in\n{lock}");
    }
    folder.run("policy lock --check").exits(0);
    folder.check("--locked").exits(0);
    // The team has signed this one, too.
    folder.write("policies/tenure.wasm", folder.read("other.wasm"));
    folder.run("policy sign policies/tenure.wasm --key keys/risk.key").exits(0);
    for locked in ["", "--locked"] {
        folder.check(locked).leaves_undecided("unloadable").says("policy lock --update");
    }
    folder.run("policy lock").exits(0);
    assert_eq!(folder.text("lockgate.lock"), lock);
    folder.run("policy lock --update --check").exits(1).says("and is");
    folder.run("policy lock --update").exits(0);
    folder.run("config check --locked").exits(2).says("auc");
    // What nobody has to have signed needs no lock.
    folder.gate("./policies/tenure.wasm", "");
    folder.write("policies/tenure.wasm", folder.read("tenure.wasm"));
    folder.run("policy lock").exits(0).says("is not used");
    assert!(folder.text("lockgate.lock").contains("version: 1"));
    folder.check("--locked").exits(0);
}

#[test]
fn a_policy_that_trust_says_nothing_of_is_an_error() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path("keys")).unwrap();
    folder.run("policy key new keys/risk").exits(0);
    folder.gate("./tenure.wasm", &trust("./policies/*"));
    folder.run("config check").exits(2).says("no entry of `trust` covers").says(":8:14");
    folder.gate("./tenure.wasm", &(trust("./policies/*") + "  unsigned: [tenure.wasm]\n"));
    folder.check("").exits(0);
    // What is in the binary needs none.
    folder.gate("std/metric-threshold", &trust("./policies/*"));
    folder.check("").exits(0);
}

#[test]
fn keys_that_cannot_be_used_are_errors_of_the_gate_file() {
    let folder = Folder::new();
    folder.gate("./tenure.wasm", &trust("*"));
    folder.check("").exits(2).says("keys/risk.pub").says("lockgate.yaml:12:25");
    folder.write("keys/risk.pub", "no key");
    folder.run("config check").exits(2).says("no public key");
    folder.run("policy key new signer").exits(0);
    let pem = folder.text("signer.pub").replace('\n', "\n        ");
    let inline = format!(
        "trust:\n  keys:\n    - name: risk\n      key: |\n        {}\n  require:\n    - {{policies: [\"*\"], signed-by: [risk]}}\n",
        pem.trim()
    );
    folder.gate("./tenure.wasm", &inline);
    folder.check("").leaves_undecided("untrusted");
    folder.run("policy sign tenure.wasm --key signer.key").exits(0);
    folder.check("").exits(0);
}

#[test]
fn trust_itself_is_read_with_care() {
    let folder = Folder::new();
    for (more, part) in [
        (trust("std/*"), "in the binary"),
        (trust("*").replace("signed-by: [risk]", "signed-by: [rsk]"), "did you mean `risk`?"),
        (trust("*").replace("signed-by: [risk]", "signed-by: []"), "signed-by"),
        (trust("*").replace("signed-by", "signed_by"), "signed_by"),
        (trust("*").replace("name: risk", "name: 'a b'"), "not the name of a key"),
        (trust("["), "pattern"),
        (
            trust("*").replace("  require", "    - {name: risk, key: keys/other.pub}\n  require"),
            "two keys are called `risk`",
        ),
    ] {
        folder.gate("std/metric-threshold", &more);
        folder.run("config check").exits(2).says(part);
    }
}
