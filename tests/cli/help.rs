//! What the program says of itself.

use clap::CommandFactory;

use super::folder::Folder;

/// The words that lead to every command, the program itself first.
fn commands() -> Vec<String> {
    fn collect(command: &clap::Command, prefix: &str, found: &mut Vec<String>) {
        found.push(prefix.trim().to_owned());
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            collect(inner, &format!("{prefix} {}", inner.get_name()), found);
        }
    }
    let mut found = Vec::new();
    collect(&lockgate::cli::Cli::command(), "", &mut found);
    found
}

#[test]
fn every_command_has_help() {
    let folder = Folder::empty();
    for command in commands() {
        let ran = folder.run(&format!("{command} --help")).exits(0);
        assert_eq!(ran.stderr, "", "{command}");
        insta::assert_snapshot!(format!("lockgate {command}").trim().replace(' ', "-"), ran.stdout);
    }
}

#[test]
fn every_command_has_short_help_of_its_own() {
    let folder = Folder::empty();
    for command in commands() {
        let (short, long) = (format!("{command} -h"), format!("{command} --help"));
        let (short, long) = (folder.run(&short).exits(0).stdout, folder.run(&long).stdout);
        assert!(short.len() <= long.len(), "{command}");
        for line in short.lines().chain(long.lines()) {
            assert!(line.chars().count() <= 100, "{command}: {line}");
        }
    }
}

#[test]
fn says_its_version() {
    let expected = format!("lockgate {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(Folder::empty().run("--version").exits(0).stdout, expected);
    assert_eq!(Folder::empty().run("-V").exits(0).stdout, expected);
}

#[test]
fn completes_in_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = Folder::empty().run(&format!("completions {shell}")).exits(0);
        for word in ["check", "inspect", "evidence"] {
            assert!(ran.stdout.contains(word), "{shell} does not complete `{word}`");
        }
    }
    Folder::empty().run("completions cmd").exits(2);
}
