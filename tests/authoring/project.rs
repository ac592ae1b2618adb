//! What is the same in every language.

use super::Folder;

#[test]
fn a_new_project_says_what_to_do_next() {
    let folder = Folder::empty();
    let ran = folder.run("policy new region-floor --lang rust").exits(0);
    for line in ["cd region-floor", "cargo test", "lockgate policy build", "lockgate policy test"] {
        assert!(ran.stdout.lines().any(|said| said.trim().starts_with(line)), "{}", ran.stdout);
    }
    assert_eq!(ran.stderr, "");
    assert_eq!(folder.names("."), ["region-floor"]);
}

#[test]
fn a_project_is_written_where_it_is_asked_for() {
    let folder = Folder::empty();
    folder.run("policy new region-floor --lang rust --dir policies/floor").exits(0);
    assert!(folder.path("policies/floor/policy.yaml").is_file());
    assert!(folder.text("policies/floor/policy.yaml").contains("name: region-floor\n"));
}

#[test]
fn an_empty_folder_that_one_is_in_becomes_the_project() {
    let folder = Folder::empty();
    folder.run("policy new region-floor --lang rust --dir .").exits(0);
    assert!(folder.path("policy.yaml").is_file());
    folder.run("policy new other --lang rust --dir .").exits(2).says("is there already");
}

#[test]
fn what_is_there_already_is_not_overwritten() {
    let folder = Folder::empty();
    folder.write("region-floor/notes.txt", "mine");
    folder
        .run("policy new region-floor --lang rust")
        .exits(2)
        .says("`region-floor` is there already and is not empty; name another folder with --dir");
    assert_eq!(folder.names("region-floor"), ["notes.txt"]);
}

#[test]
fn names_that_no_policy_can_have_are_refused() {
    let folder = Folder::empty();
    for name in ["Region", "region_floor", "1st", "a--b", ".."] {
        let command = format!("policy new {name} --lang rust");
        folder.run(&command).exits(2).says(&format!("`{name}` is not kebab-case"));
    }
    folder
        .run("policy new match --lang rust")
        .exits(2)
        .says("take another name, such as `my-match`");
    folder.run("policy new a --lang go").exits(2).says("[possible values: rust, js, python]");
    assert!(folder.names(".").is_empty());
}

#[test]
fn what_is_no_project_is_not_built() {
    let folder = Folder::empty();
    folder
        .run("policy build")
        .exits(2)
        .says("`.` is not a policy project, as it has no `policy.yaml`")
        .says("lockgate policy new");
    folder.write("policy.yaml", "version: 1\nname: a\nlanguage: rust\nread: [metrics]\n");
    folder
        .run("policy build")
        .exits(2)
        .says("unknown key `read`")
        .says("did you mean `reads`?")
        .says("policy.yaml:4:1");
}
