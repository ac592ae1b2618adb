//! What is the same in every language.

use std::path::Path;

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

/// What a page calls the source of a new project is just that; `make docs` writes it anew.
#[test]
fn the_pages_for_authors_show_what_a_new_project_has() {
    let folder = Folder::empty();
    for (page, language, source, tests) in [
        ("rust", "rust", "src/lib.rs", None),
        ("javascript", "js", "src/policy.js", Some("src/policy.test.js")),
        ("python", "python", "src/policy.py", Some("src/test_policy.py")),
    ] {
        let project = format!("policy new region-floor --lang {language} --dir {language}");
        folder.run(&project).exits(0);
        let text = |path: &str| folder.text(&format!("{language}/{path}"));
        let source = text(source);
        let (policy, tests) = match tests {
            Some(tests) => (source, text(tests)),
            None => {
                let at = source.find("#[cfg(test)]").unwrap();
                (source[..at].trim_end().to_owned() + "\n", source[at..].to_owned())
            }
        };
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/authors").join(page);
        let path = path.with_extension("md");
        let written = std::fs::read_to_string(&path).unwrap();
        let shown = with_block(&written, "## The policy\n", &policy);
        let shown = with_block(&shown, "## Unit tests\n", &tests);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, &shown).unwrap();
        } else {
            assert!(written == shown, "{} differs; `make docs` writes it anew", path.display());
        }
    }
}

/// The page with this as the first block of code below a heading.
fn with_block(page: &str, heading: &str, code: &str) -> String {
    let start = page.find(heading).unwrap();
    let fence = start + page[start..].find("```").unwrap();
    let block = fence + page[fence..].find('\n').unwrap() + 1;
    let end = block + page[block..].find("```\n").unwrap();
    [&page[..block], code, &page[end..]].concat()
}
