//! Compiled policies are kept, and a cache that cannot be used costs time and nothing else.

use std::os::unix::fs::PermissionsExt;

use super::folder::Folder;

/// Runs a check with a cache of its own, and gives what was said on standard error.
fn said(folder: &Folder, more: &str) -> String {
    let line = format!("check fraud-detector/3 --to Production --evidence evidence {more}");
    let output = folder.command().args(line.split_whitespace()).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_cold_start_says_what_it_compiles_and_a_warm_one_nothing() {
    let folder = Folder::with_auc(0.95);
    let note = "note: compiling std/metric-threshold for this machine (kept for next time)\n";
    assert_eq!(said(&folder, "--cache-dir cache"), note);
    assert_eq!(said(&folder, "--cache-dir cache"), "");
}

#[test]
fn what_another_command_has_compiled_is_used() {
    let folder = Folder::with_auc(0.95);
    let line = "policy inspect std/metric-threshold --cache-dir cache";
    let output = folder.command().args(line.split_whitespace()).output().unwrap();
    assert!(String::from_utf8(output.stderr).unwrap().contains("compiling"));
    assert_eq!(said(&folder, "--cache-dir cache"), "");
}

#[test]
fn without_a_cache_nothing_is_kept_or_said() {
    let folder = Folder::with_auc(0.95);
    let line = "check fraud-detector/3 --to Production --evidence evidence --no-cache";
    let output = folder
        .command()
        .env_remove("LOCKGATE_CACHE_DIR")
        .env("XDG_CACHE_HOME", folder.path("caches"))
        .args(line.split_whitespace())
        .output()
        .unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
    assert!(!folder.path("caches").exists());
}

#[test]
fn the_cache_is_the_users_where_none_is_named() {
    let folder = Folder::with_auc(0.95);
    for (variable, home, cache) in
        [("XDG_CACHE_HOME", "caches", "caches/lockgate"), ("HOME", "home", "home/.cache/lockgate")]
    {
        let output = folder
            .command()
            .env_remove("LOCKGATE_CACHE_DIR")
            .env(variable, folder.path(home))
            .args("check fraud-detector/3 --to Production --evidence evidence".split(' '))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0));
        let mode = std::fs::metadata(folder.path(cache)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}

#[test]
fn a_cache_that_cannot_be_used_is_told_and_the_decision_goes_on() {
    let folder = Folder::with_auc(0.95).file("file", "");
    std::fs::create_dir(folder.path("open")).unwrap();
    let everybody = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(folder.path("open"), everybody).unwrap();
    for (directory, message) in
        [("file", "`file` cannot be used"), ("open", "others can write in it")]
    {
        let said = said(&folder, &format!("--cache-dir {directory}"));
        assert!(said.starts_with("warning: ") && said.contains(message), "{said}");
        // Nothing is kept, and nothing says so.
        assert!(!said.contains("kept for next time"), "{said}");
    }
    assert!(std::fs::read_dir(folder.path("open")).unwrap().next().is_none());
}

#[test]
fn where_no_cache_can_be_is_told() {
    let folder = Folder::with_auc(0.95);
    let line = "check fraud-detector/3 --to Production --evidence evidence";
    let output = folder.command().env_remove("LOCKGATE_CACHE_DIR").args(line.split(' ')).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("warning: no cache directory is known"), "{said}");
}

#[test]
fn a_damaged_cache_is_compiled_anew_and_gives_the_same() {
    let folder = Folder::with_auc(0.95);
    said(&folder, "--cache-dir cache");
    for entry in std::fs::read_dir(folder.path("cache")).unwrap() {
        std::fs::write(entry.unwrap().path(), "damaged").unwrap();
    }
    assert!(said(&folder, "--cache-dir cache").contains("compiling"));
    assert_eq!(said(&folder, "--cache-dir cache"), "");
}
