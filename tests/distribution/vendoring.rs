//! Policies without a network.

use super::folder::Folder;
use super::registry::Registry;

fn vendored() -> (Registry, Folder, String) {
    let (registry, folder) = (Registry::start(), Folder::new());
    let reference = registry.oci("risk/tenure:1");
    folder.run(&format!("policy push tenure.wasm {reference}")).exits(0);
    folder.gate(&reference, "");
    folder.run("policy lock").exits(0);
    folder.run("policy vendor").exits(0).says("1 policy in vendor/lockgate");
    folder.forget();
    (registry, folder, reference)
}

/// The only folder in the store.
fn kept(folder: &Folder) -> String {
    let mut entries = std::fs::read_dir(folder.path("vendor/lockgate")).unwrap();
    let name = entries.next().unwrap().unwrap().file_name().into_string().unwrap();
    assert!(entries.next().is_none());
    format!("vendor/lockgate/{name}")
}

#[test]
fn what_is_vendored_needs_no_network() {
    let (mut registry, folder, _) = vendored();
    registry.stop();
    folder.check("--locked --offline").exits(0);
    folder.forget();
    folder.check("").exits(0);
}

#[test]
fn what_is_in_the_cache_needs_no_network() {
    let (mut registry, folder, _) = vendored();
    std::fs::remove_dir_all(folder.path("vendor")).unwrap();
    folder.check("--offline").leaves_undecided("unloadable").says("--offline");
    folder.check("").exits(0);
    registry.stop();
    folder.check("--offline --locked").exits(0);
    folder.forget();
    folder.check("").leaves_undecided("unloadable").says("cannot be reached");
}

#[test]
fn what_is_vendored_is_held_against_its_digests_each_time() {
    let (mut registry, folder, _) = vendored();
    registry.stop();
    let place = kept(&folder);
    for file in ["component.wasm", "manifest.json"] {
        let name = format!("{place}/{file}");
        let sound = folder.read(&name);
        folder.check("").exits(0);
        folder.damage(&name);
        folder.check("").leaves_undecided("unloadable").says("changed or cut short");
        folder.write(&name, &sound[..sound.len() / 2]);
        folder.check("").leaves_undecided("unloadable").says("changed or cut short");
        folder.write(&name, &sound);
    }
    folder.check("").exits(0);
}

#[test]
fn another_policy_is_not_taken_for_the_one_that_is_vendored() {
    let (_registry, folder, _) = vendored();
    let place = kept(&folder);
    folder.write(&format!("{place}/component.wasm"), folder.read("other.wasm"));
    folder.check("").leaves_undecided("unloadable").says("changed or cut short");
}

#[test]
fn what_is_broken_in_the_cache_is_pulled_again() {
    let (_registry, folder, _) = vendored();
    std::fs::remove_dir_all(folder.path("vendor")).unwrap();
    folder.check("").exits(0);
    let mut entries = std::fs::read_dir(folder.path("cache/policies")).unwrap();
    let place = entries.next().unwrap().unwrap().path();
    for (file, said) in [
        ("component.wasm", "changed or cut short"),
        ("manifest.json", "changed or cut short"),
        ("signatures.json", "signatures.json"),
    ] {
        std::fs::write(place.join(file), "damaged").unwrap();
        folder.check("--offline").leaves_undecided("unloadable").says(said);
        folder.check("").exits(0);
        folder.check("--offline").exits(0);
    }
}

#[test]
fn what_others_can_write_to_holds_no_policies() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_registry, folder, _) = vendored();
    std::fs::remove_dir_all(folder.path("vendor")).unwrap();
    std::fs::create_dir(folder.path("cache")).unwrap();
    let mode = |mode| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(folder.path("cache"), mode).unwrap();
    };
    mode(0o777);
    let ran = folder.check("").exits(0);
    assert_eq!(ran.stderr.matches("others can write in it").count(), 1, "{}", ran.stderr);
    folder.run("policy lock --update").exits(0);
    assert!(!folder.path("cache/policies").exists());
    mode(0o700);
    folder.check("").exits(0);
    mode(0o777);
    folder.check("--offline").leaves_undecided("unloadable").says("--offline");
}

#[test]
fn what_is_no_longer_used_goes() {
    let (registry, folder, _) = vendored();
    let first = kept(&folder);
    let second = registry.oci("risk/second:1");
    folder.run(&format!("policy push other.wasm {second}")).exits(0);
    folder.gate(&second, "");
    folder.run("policy vendor").exits(2).says("policy lock");
    folder.run("policy lock").exits(0);
    folder.write("vendor/lockgate/README", "ours");
    folder.run("policy vendor").exits(0).says("1 policy removed");
    assert!(!folder.path(&first).exists() && folder.path("vendor/lockgate/README").exists());
}
