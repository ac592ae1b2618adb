//! Where reports go, and what a report that gets lost does.

use std::fs::File;

use super::folder::{Folder, GATE, finished, metrics};

#[test]
fn a_reader_that_has_gone_away_changes_nothing() {
    for (auc, code) in [(0.95, 0), (0.5, 1)] {
        let folder = Folder::with_auc(auc);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = folder.command();
        command.args("check fraud-detector/3 --to Production --evidence evidence".split(' '));
        let child = command.stdout(writer).stderr(std::process::Stdio::piped()).spawn().unwrap();
        let ran = finished(child.wait_with_output().unwrap()).exits(code);
        assert_eq!(ran.stderr, "");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_allow_that_cannot_be_printed_is_undecided_and_a_denial_stays() {
    for (auc, code) in [(0.95, 3), (0.5, 1)] {
        let folder = Folder::with_auc(auc);
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut command = folder.command();
        command.args("check fraud-detector/3 --to Production --evidence evidence".split(' '));
        let child = command.stdout(full).stderr(std::process::Stdio::piped()).spawn().unwrap();
        finished(child.wait_with_output().unwrap())
            .exits(code)
            .says("error: cannot write to standard output");
    }
}

#[test]
fn an_allow_whose_report_cannot_be_written_is_undecided_and_a_denial_stays() {
    for (auc, code) in [(0.95, 3), (0.5, 1)] {
        let ran = Folder::with_auc(auc)
            .check("--output json=no/such/folder.json sarif=report.sarif")
            .exits(code)
            .says("error: cannot write `no/such/folder.json`");
        assert_eq!(ran.stderr.contains("a report is missing"), code == 3, "{}", ran.stderr);
    }
}

#[test]
fn one_lost_report_does_not_keep_the_others_from_being_written() {
    let folder = Folder::with_auc(0.95);
    folder.check("--output json=. --output markdown=report.md").exits(3).says("ALLOW");
    assert!(folder.text("report.md").contains("allow"));
}

#[test]
fn a_report_replaces_the_file_unless_it_is_to_be_added() {
    let folder = Folder::with_auc(0.95).file("summary.md", "# Before\n");
    folder.check("--output markdown=summary.md --append").exits(0);
    let added = folder.text("summary.md");
    assert!(added.starts_with("# Before\n") && added.len() > 20, "{added}");
    folder.check("--output markdown=summary.md").exits(0);
    assert!(!folder.text("summary.md").contains("Before"));
}

#[test]
fn there_are_no_escapes_where_there_is_no_terminal() {
    let folder = Folder::with_auc(0.5).file("broken.yaml", "version: 2\n");
    for format in ["table", "json", "sarif", "junit", "markdown", "github"] {
        assert!(!folder.check(&format!("--format {format}")).stdout.contains('\u{1b}'));
    }
    for arguments in ["config check -c broken.yaml", "config check -c none.yaml", "--help", "nope"]
    {
        let ran = folder.run(arguments);
        assert!(!ran.stdout.contains('\u{1b}') && !ran.stderr.contains('\u{1b}'), "{arguments}");
    }
}

#[test]
fn colour_is_there_when_it_is_asked_for_and_never_in_files() {
    let folder = Folder::with_auc(0.5);
    let ran = folder.check("--color always --output table=report").exits(1);
    assert!(ran.stdout.contains('\u{1b}'));
    assert!(!folder.text("report").contains('\u{1b}'));
    assert!(!folder.check("--color never").stdout.contains('\u{1b}'));
    for format in ["json", "sarif", "junit", "markdown", "github"] {
        let ran = folder.check(&format!("--color always --format {format}"));
        assert!(!ran.stdout.contains('\u{1b}'), "{format}");
    }
}

#[test]
fn the_environment_says_whether_there_is_colour_and_an_option_overrules_it() {
    let folder = Folder::with_auc(0.5);
    let colored = |variable: &str, more: &str| {
        let line = format!("check fraud-detector/3 --to Production --evidence evidence {more}");
        let output = folder.command().env(variable, "1").args(line.split_whitespace()).output();
        finished(output.unwrap()).exits(1).stdout.contains('\u{1b}')
    };
    assert!(colored("CLICOLOR_FORCE", ""));
    assert!(!colored("CLICOLOR_FORCE", "--color never"));
    assert!(!colored("NO_COLOR", ""));
    assert!(colored("NO_COLOR", "--color always"));
}

#[test]
fn results_point_to_the_gate_file_as_it_was_named() {
    let folder =
        Folder::empty().file("gates/ours.yaml", GATE).file("evidence/metrics.json", metrics(0.5));
    folder.check("--config gates/ours.yaml --format sarif").exits(1).says("\"gates/ours.yaml\"");
    folder.check("--config gates/ours.yaml --format github").exits(1).says("file=gates/ours.yaml");
}

#[test]
fn the_json_report_fits_its_published_schema() {
    let schema = Folder::empty().run("config schema report").exits(0).json();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let stale = Folder::with_gate(GATE).file("evidence/metrics.json", "{");
    for folder in [Folder::with_auc(0.95), Folder::with_auc(0.5), stale] {
        let report = folder.check("--format json").json();
        let errors: Vec<_> =
            validator.iter_errors(&report).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
    }
}

#[test]
fn text_from_evidence_does_not_act_on_what_shows_it() {
    let hostile = r#"{"lockgate": "evidence/v1", "metrics": [
        {"name": "auc", "value": 0.5, "dataset": "x\u001b[2J\r\n::error::y"}]}"#;
    let folder = Folder::with_gate(GATE).file("evidence/metrics.json", hostile);
    for format in ["table", "json", "sarif", "junit", "markdown", "github"] {
        let ran = folder.check(&format!("--format {format}"));
        assert!(ran.code == Some(1) || ran.code == Some(3), "{format}");
        for part in ["\u{1b}", "\r", "\n::error::y"] {
            assert!(!ran.stdout.contains(part), "{format}: {}", ran.stdout);
        }
    }
}

#[test]
fn the_format_for_people_goes_by_one_word_and_its_older_ones() {
    let folder = Folder::with_auc(0.95);
    for command in ["policy list", "policy inspect std/approvals", "decision list --record r.db"] {
        let told = |format: &str| folder.run(&format!("{command} --format {format}")).stdout;
        for alias in ["text", "human"] {
            assert_eq!(told(alias), told("table"), "{command}");
        }
    }
    for alias in ["text", "human"] {
        let told = |format: &str| folder.check(&format!("--format {format}")).exits(0).stdout;
        assert_eq!(told(alias).lines().next(), told("table").lines().next());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_printed_ends_with_3_whatever_it_is() {
    let folder = Folder::with_auc(0.95);
    for arguments in ["token new ci --role ask", "policy list", "config schema", "completions bash"]
    {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut command = folder.command();
        command.args(arguments.split(' '));
        let child = command.stdout(full).stderr(std::process::Stdio::piped()).spawn().unwrap();
        finished(child.wait_with_output().unwrap())
            .exits(3)
            .says("error: cannot write to standard output");
    }
}
