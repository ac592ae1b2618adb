//! `lockgate decision`: the record, looked at from outside.

use std::path::PathBuf;
use std::sync::Arc;

use lockgate::model::{DecisionId, Origin};
use lockgate::record::{Entry, Location, Options, Record};
use lockgate::report::read_json;

use super::folder::{Folder, Ran, ran};

const DENIED: &str = "0198c6a5-6f2e-7b1a-9c3d-000000000001";
const ALLOWED: &str = "0198c6a5-6f2e-7b1a-9c3d-000000000002";

/// A folder with a record of two decisions, as `lockgate check` made them.
struct Recorded {
    folder: Folder,
    /// What was told of the denial.
    denial: serde_json::Value,
}

impl Recorded {
    fn new() -> Self {
        let folder = Folder::with_auc(0.5);
        let denial = folder.check("--format json --requested-by ada").exits(1).stdout;
        let allowance = Folder::with_auc(0.95).check("--format json").exits(0).stdout;
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let location = Location::Sqlite(Self::file_in(&folder));
            let record = Record::open(&location, Options::write()).await.unwrap();
            for (id, origin, document) in
                [(DENIED, Origin::Mlflow, &denial), (ALLOWED, Origin::Bypassed, &allowance)]
            {
                let entry = Entry {
                    id: id.parse::<DecisionId>().unwrap(),
                    origin,
                    asked_by: Some("token:ci\u{1b}[31m".to_owned()),
                    decision: Arc::new(read_json(document).unwrap()),
                    snapshot: None,
                };
                record.append(entry).await.unwrap();
            }
            record.close().await;
        });
        Self { folder, denial: serde_json::from_str(&denial).unwrap() }
    }

    fn file_in(folder: &Folder) -> PathBuf {
        folder.path("state/lockgate/record.db")
    }

    fn run(&self, arguments: &str) -> Ran {
        let arguments = arguments.split_whitespace();
        ran(self.folder.command().env("XDG_STATE_HOME", self.folder.path("state")).args(arguments))
    }

    fn tamper(&self, sql: &str) {
        let connection = rusqlite::Connection::open(Self::file_in(&self.folder)).unwrap();
        connection.execute_batch(sql).unwrap();
    }
}

#[test]
fn lists_decisions_the_newest_first() {
    let recorded = Recorded::new();
    let table = recorded.run("decision list").exits(0);
    let lines: Vec<_> = table.stdout.lines().collect();
    assert_eq!(lines.len(), 2);
    for (line, parts) in
        [(lines[0], [ALLOWED, "✓ allow", "bypassed"]), (lines[1], [DENIED, "✗ deny", "mlflow"])]
    {
        for part in parts.into_iter().chain(["fraud-detector/3 → stage:Production", "token:ci"]) {
            assert!(line.contains(part), "{line}");
        }
    }
    assert!(!table.stdout.contains('\u{1b}'), "{}", table.stdout);
    assert_eq!(table.stderr, "");
}

#[test]
fn lists_for_programs_a_page_at_a_time() {
    let recorded = Recorded::new();
    let first = recorded.run("decision list --format json --limit 1").exits(0).json();
    assert_eq!(first["decisions"][0]["id"], ALLOWED);
    assert_eq!(first["decisions"][0]["asked_by"], "token:ci\u{1b}[31m");
    assert_eq!(first["next"], ALLOWED);
    let second = recorded.run(&format!("decision list --format json -n 1 --after {ALLOWED}"));
    let second = second.exits(0).json();
    assert_eq!(second["decisions"][0]["id"], DENIED);
    assert_eq!(second["decisions"][0]["verdict"], "deny");
    assert_eq!(second["next"], serde_json::Value::Null);
    recorded.run("decision list -n 1").exits(0).says(&format!("there are more: --after {ALLOWED}"));
}

#[test]
fn lists_only_what_is_asked_for() {
    let recorded = Recorded::new();
    for (filter, found) in [
        ("--model fraud-detector", &[ALLOWED, DENIED][..]),
        ("--model fraud", &[]),
        ("--model-version 3 --verdict deny", &[DENIED]),
        ("--model-version 4", &[]),
        ("--to Production --origin bypassed", &[ALLOWED]),
        ("--to alias:champion", &[]),
        ("--since 2025-08-01 --until 2025-09-01", &[ALLOWED, DENIED]),
        ("--since 2026-01-01", &[]),
    ] {
        let listed = recorded.run(&format!("decision list --format json {filter}")).exits(0).json();
        let ids: Vec<_> =
            listed["decisions"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
        assert_eq!(ids, found, "{filter}");
    }
    let none = recorded.run("decision list --model none").exits(0);
    assert_eq!(none.stdout, "");
    none.says("no decision on record is like that");
}

#[test]
fn shows_a_decision_as_it_was_told_when_it_was_made() {
    let recorded = Recorded::new();
    let shown = recorded.run(&format!("decision show {DENIED} --format json")).exits(0);
    assert_eq!(shown.json(), recorded.denial);
    for (format, word) in [
        ("table", "✗ DENY"),
        ("sarif", "\"level\": \"error\""),
        ("junit", "<failure"),
        ("markdown", "denies"),
        ("github", "::error"),
    ] {
        let shown = recorded.run(&format!("decision show {DENIED} --format {format}")).exits(0);
        assert!(shown.stdout.contains(word), "{format}: {}", shown.stdout);
    }
    let table = recorded.run(&format!("decision show {DENIED}")).exits(0);
    assert!(table.stdout.starts_with(&format!("decision {DENIED}\n")), "{}", table.stdout);
    assert!(!table.stdout.contains('\u{1b}'), "{}", table.stdout);
    table.says("row 1 of writer").says("mlflow").says("auc");
}

#[test]
fn what_is_not_there_is_told_and_exits_with_3() {
    let recorded = Recorded::new();
    let other = "0198c6a5-6f2e-7b1a-9c3d-000000000003";
    recorded.run(&format!("decision show {other}")).exits(3).says("lockgate decision list");
    recorded
        .run(&format!("decision show {DENIED} --evidence"))
        .exits(3)
        .says("no evidence was kept");
    for command in ["list", "verify-log", "prune --older-than 1d", &format!("show {DENIED}")] {
        let ran = Folder::empty().run(&format!("decision {command} --record none.db")).exits(3);
        ran.says("there is no record at `none.db`");
    }
    assert!(!recorded.folder.path("none.db").exists());
}

#[test]
fn wrong_usage_exits_with_2() {
    let recorded = Recorded::new();
    for (arguments, word) in [
        ("show 12", "`0198c6a5"),
        ("list --verdict maybe", "`undecided`"),
        ("list --origin webhook", "`bypassed`"),
        ("list --limit 0", "1 to 500"),
        ("list --since 2026-01-01 --until 2025-01-01", "is not before"),
        ("list --record mysql://ada:secret@db", "`postgres://"),
        ("verify-log --head 1:2", "WRITER:SEQUENCE"),
        ("verify-log --heads none.txt", "`none.txt`"),
        ("prune", "--older-than"),
        ("prune --older-than 90", "`90d`"),
        ("prune --older-than 90d --before 2026-01-01", "--before"),
    ] {
        let ran = recorded.run(&format!("decision {arguments}")).exits(2).says(word);
        assert!(!ran.stderr.contains("secret"), "{}", ran.stderr);
    }
}

#[test]
fn a_record_that_nobody_touched_is_intact() {
    let recorded = Recorded::new();
    recorded.run("decision verify-log").exits(0).says("✓ intact: 2 decisions by 1 writer");
    let json = recorded.run("decision verify-log --format json").exits(0).json();
    assert_eq!((&json["intact"], &json["faults"]), (&true.into(), &serde_json::json!([])));
    let heads = recorded.run("decision verify-log --format heads").exits(0).stdout;
    assert_eq!(json["chains"][0]["head"], heads.trim());
    assert_eq!(heads.lines().count(), 1);
}

#[test]
fn a_file_that_lacks_a_table_or_a_column_is_named() {
    for (change, words) in [
        ("DROP TABLE heads", "no such table: heads"),
        ("ALTER TABLE entries DROP COLUMN requested_by", "no such column: requested_by"),
    ] {
        let recorded = Recorded::new();
        recorded.tamper(change);
        let file = Recorded::file_in(&recorded.folder);
        let ran = recorded.run("decision verify-log").exits(1).says(words);
        ran.says(&file.display().to_string());
    }
}

#[test]
fn a_change_is_told_with_its_place_and_exits_with_1() {
    let recorded = Recorded::new();
    let writer =
        recorded.run("decision verify-log --format json").json()["chains"][0]["writer"].clone();
    let writer = writer.as_str().unwrap();
    recorded.tamper("UPDATE entries SET verdict = 'allow' WHERE sequence = 1");
    let ran = recorded.run("decision verify-log").exits(1);
    let ran = ran.says(&format!("writer {writer}, row 1: the row was changed"));
    ran.says("✗ not intact: 2 decisions by 1 writer");
    let json = recorded.run("decision verify-log --format json").exits(1).json();
    assert_eq!(json["faults"][0]["problem"], "edited");
    assert_eq!(json["faults"][0]["sequence"], 1);
    assert_eq!(json["faults"][0]["writer"], writer);
    // Nobody is to keep the heads of such a record.
    let heads = recorded.run("decision verify-log --format heads").exits(1);
    assert_eq!(heads.stdout, "");
    recorded.run(&format!("decision show {DENIED}")).exits(1).says("verify-log");
}

#[test]
fn heads_that_were_kept_show_what_the_record_cannot() {
    let recorded = Recorded::new();
    let heads = recorded.run("decision verify-log --format heads").exits(0).stdout;
    std::fs::write(recorded.folder.path("heads.txt"), format!("# of November\n\n{heads}")).unwrap();
    recorded.run("decision verify-log --heads heads.txt").exits(0).says("✓ intact");
    recorded.tamper(
        "DELETE FROM entries WHERE sequence = 2;
         UPDATE heads SET sequence = 1, hash = (SELECT hash FROM entries)",
    );
    recorded.run("decision verify-log").exits(0).says("✓ intact: 1 decision by 1 writer");
    let told = "rows were removed at the end";
    recorded.run("decision verify-log --heads heads.txt").exits(1).says(told);
    recorded.run(&format!("decision verify-log --head {heads}")).exits(1).says(told);
}

#[test]
fn prunes_what_is_old_and_the_rest_is_intact() {
    let recorded = Recorded::new();
    let pruned = recorded.run("decision prune --older-than 1d").exits(0);
    pruned.says("0 decisions and 0 snapshots");
    recorded.run("decision prune --before 2100-01-01").exits(0).says("2 decisions");
    recorded.run("decision verify-log").exits(0).says("0 decisions, after 2 that were pruned");
    assert_eq!(recorded.run("decision list").exits(0).stdout, "");
}

#[test]
fn the_record_can_be_named_in_the_environment() {
    let recorded = Recorded::new();
    let file = Recorded::file_in(&recorded.folder);
    let elsewhere = Folder::empty();
    let mut command = elsewhere.command();
    let ran = ran(command.env("LOCKGATE_RECORD", &file).args(["decision", "verify-log"]));
    ran.exits(0).says("2 decisions");
    elsewhere.run("decision list").exits(2).says("--record");
}
