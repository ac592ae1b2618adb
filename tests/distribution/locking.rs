//! What tags mean is written down, and nothing else is believed of them.

use super::folder::Folder;
use super::registry::Registry;

fn shared() -> (Registry, Folder, String) {
    let (registry, folder) = (Registry::start(), Folder::new());
    let reference = registry.oci("risk/tenure:1");
    folder.run(&format!("policy push tenure.wasm {reference}")).exits(0);
    folder.gate(&reference, "");
    (registry, folder, reference)
}

#[test]
fn a_tag_is_judged_by_once_it_is_locked() {
    let (_registry, folder, reference) = shared();
    folder.check("").leaves_undecided("unloadable").says("policy lock");
    folder.run("policy lock").exits(0).says("lockgate.lock");
    let lock = folder.text("lockgate.lock");
    let entry = format!("\"{reference}\":");
    for part in [entry.as_str(), "manifest: sha256:", "component: sha256:", "size: "] {
        assert!(lock.contains(part), "no `{part}` in\n{lock}");
    }
    let judged = folder.check("--locked").exits(0);
    assert!(
        lock.contains(judged.policy()["component"]["digest"].as_str().unwrap()),
        "{}",
        judged.policy()
    );
    folder.run("config check --locked").exits(0);
    // Nothing has changed, so nothing is written.
    folder.run("policy lock").exits(0).conceals("written");
    folder.run("policy lock --check").exits(0);
}

#[test]
fn a_digest_needs_no_lock() {
    let (registry, folder, reference) = shared();
    let pinned = folder.run(&format!("policy push tenure.wasm {reference}")).exits(0);
    folder.gate(pinned.line(), "");
    folder.check("--locked").exits(0);
    let both = format!("{reference}@{}", pinned.digest());
    folder.gate(&both, "");
    folder.check("--locked").exits(0);
    // The tag beside a digest says nothing.
    folder.run(&format!("policy push other.wasm {}", registry.oci("risk/tenure:1"))).exits(0);
    folder.forget();
    folder.check("--locked").exits(0);
}

#[test]
fn a_tag_that_moves_changes_nothing_until_it_is_locked_anew() {
    let (_registry, folder, reference) = shared();
    folder.run("policy lock").exits(0);
    let before = folder.check("").exits(0).policy()["component"]["digest"].clone();
    folder.run(&format!("policy push other.wasm {reference}")).exits(0);
    folder.forget();
    assert_eq!(folder.check("--locked").exits(0).policy()["component"]["digest"], before);
    folder.run("policy lock --check").exits(0);
    let lock = folder.text("lockgate.lock");
    folder.run("policy lock --update --check").exits(1).says("and is");
    assert_eq!(folder.text("lockgate.lock"), lock);
    folder.run("policy lock").exits(0);
    assert_eq!(folder.text("lockgate.lock"), lock);
    folder.run("policy lock --update").exits(0);
    assert_ne!(folder.text("lockgate.lock"), lock);
}

#[test]
fn locked_refuses_what_has_drifted() {
    let (registry, folder, reference) = shared();
    for command in
        ["config check", "check fraud-detector/3 --to stage:Production --evidence evidence"]
    {
        folder.run(&format!("{command} --locked")).exits(2).says("used and not locked");
    }
    folder.run("policy lock --check").exits(1).says("used and not locked");
    folder.run("policy lock").exits(0);
    // A lock of what is no longer used says that somebody forgot to lock.
    let second = registry.oci("risk/second:1");
    folder.run(&format!("policy push tenure.wasm {second}")).exits(0);
    folder.gate(&second, "");
    folder.run("config check --locked").exits(2).says(&reference).says("locked and not used");
    folder.run("policy lock").exits(0).says("not used");
    folder.run("config check --locked").exits(0);
    assert!(!folder.text("lockgate.lock").contains(&reference));
    folder.gate("std/metric-threshold", "");
    folder.check("").exits(0);
    folder.check("--locked").exits(2).says("locked and not used");
}

#[test]
fn a_lock_file_that_is_not_sound_is_not_believed() {
    let (_registry, folder, _) = shared();
    folder.run("policy lock").exits(0);
    let sound = folder.text("lockgate.lock");
    folder.write("lockgate.lock", format!("<<<<<<< ours\n{sound}"));
    folder.check("").exits(2).says("lockgate.lock");
    folder.write("lockgate.lock", sound.replace("size: ", "size: 1"));
    folder.check("").leaves_undecided("unloadable");
    folder.write("lockgate.lock", sound.replace("component: sha256:", "component: sha512:"));
    folder.check("").exits(2).says("not a digest");
}

#[test]
fn a_lock_file_that_cannot_be_read_is_written_anew_only_when_asked_to() {
    let (_registry, folder, reference) = shared();
    folder.run("policy lock").exits(0);
    let sound = folder.text("lockgate.lock");
    // What the tag means by now is not what was locked.
    folder.run(&format!("policy push other.wasm {reference}")).exits(0);
    for broken in [
        format!("<<<<<<< ours\n{sound}"),
        sound.replace("version: 1", "version: 9"),
        sound.replace("component: sha256:", "component: sha512:"),
    ] {
        folder.write("lockgate.lock", &broken);
        for more in ["", " --check", " --update --check"] {
            let ran = folder.run(&format!("policy lock{more}")).exits(2);
            ran.says("mend it, or take what is meant now with `lockgate policy lock --update`");
        }
        assert_eq!(folder.text("lockgate.lock"), broken);
    }
    folder.run("policy lock --update").exits(0).says("written to");
    folder.run("policy lock --check").exits(0);
    // Also where there is nothing to lock.
    folder.gate("std/metric-threshold", "");
    folder.write("lockgate.lock", "policies: ?");
    folder.run("policy lock --update").exits(0).says("written to");
    folder.check("--locked").exits(0);
}

#[test]
fn a_gate_file_names_policies_in_registries_by_line_and_column() {
    let folder = Folder::new();
    for (reference, part) in [
        ("oci://registry.example.org/tenure", "which version"),
        ("oci://Registry.example.org/tenure:1", "lower case"),
        ("oci://registry.example.org/tenure@sha256:12", "64 hex digits"),
    ] {
        folder.gate(reference, "");
        folder.run("config check").exits(2).says(part).says("lockgate.yaml:8:14");
    }
}
