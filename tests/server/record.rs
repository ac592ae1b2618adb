//! A record that cannot be written.

use std::process::Command;
use std::time::Duration;

use lockgate::model::Digest;
use lockgate::record::{Location, Options, Record};
use lockgate::server::Retention;
use rusqlite::types::ValueRef;
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::cluster::Cluster;
use super::served::{Folder, GATE, Served};

#[test]
fn what_cannot_be_put_on_record_is_undecided() {
    let served = Folder::new(GATE).serve("--request-timeout 20");
    served.decide(0.95).is(200);
    let other = rusqlite::Connection::open(served.folder.path("lockgate.db")).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let refused = served.decide(0.95).refused(503, "record_unavailable");
    assert_eq!(refused.json()["verdict"], "undecided");
    assert!(!refused.text().contains("lockgate.db"), "{}", refused.text());
    let state = served.get("/readyz").is(503).json();
    assert_eq!(state["record"], "not_writable");
    assert_eq!(state["ready"], false);
    served.get("/livez").is(200);

    other.execute_batch("ROLLBACK").unwrap();
    served.decide(0.95).is(200);
    let listed = served.get("/v1/decisions").is(200).json();
    assert_eq!(listed["decisions"].as_array().unwrap().len(), 2, "{listed}");
}

#[test]
fn a_database_that_is_gone_makes_decisions_undecided_until_it_is_back() {
    let mut cluster = Cluster::start();
    let folder = Folder::new(GATE);
    let mut command = folder.command("serve --listen 127.0.0.1:0 --log-format json");
    command.env("LOCKGATE_RECORD", cluster.url());
    let served = Served::start(folder, command);
    served.until_logged("ready");
    let kept = served.decide(0.95).is(200).json()["id"].clone();

    cluster.crash();
    for _ in 0..2 {
        let refused = served.decide(0.95).refused(503, "record_unavailable");
        assert_eq!(refused.json()["verdict"], "undecided");
    }
    served.get("/livez").is(200);
    assert_eq!(served.get("/readyz").is(503).json()["record"], "not_writable");

    cluster.go_on();
    while served.get("/readyz").status != 200 {}
    let later = served.decide(0.95).is(200).json()["id"].clone();
    let listed = served.get("/v1/decisions").is(200).json();
    let ids = listed["decisions"].as_array().unwrap().iter().map(|one| &one["id"]);
    assert!(ids.eq([&later, &kept]), "{listed}");
    let mut verify = served.folder.command("decision verify-log");
    let verified = verify.env("LOCKGATE_RECORD", cluster.url()).output().unwrap();
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stderr));
}

/// How large a file the server may write from now on.
fn allow(served: &Served, bytes: Option<u64>) {
    let pid = Pid::from_raw(i32::try_from(served.pid()).unwrap());
    let limit = Rlimit { current: bytes, maximum: None };
    prlimit(pid, Resource::Fsize, limit).unwrap();
}

#[test]
fn a_disk_that_is_full_makes_decisions_undecided_until_there_is_room() {
    let folder = Folder::new(GATE);
    let server = folder.command("serve --listen 127.0.0.1:0 --log-format json");
    // A file that would grow too large is an error then, as on a full disk, and not the end.
    let mut command = Command::new("/usr/bin/env");
    command.arg("--ignore-signal=XFSZ").arg(server.get_program()).args(server.get_args());
    command.current_dir(folder.path("")).env_clear().stdin(std::process::Stdio::null());
    command.envs(server.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let served = Served::start(folder, command);
    served.until_logged("ready");
    served.decide(0.95).is(200);

    allow(&served, Some(0));
    for _ in 0..3 {
        let refused = served.decide(0.95).refused(503, "record_unavailable");
        assert_eq!(refused.json()["verdict"], "undecided");
    }
    served.get("/livez").is(200);
    assert_eq!(served.get("/readyz").is(503).json()["record"], "not_writable");

    allow(&served, None);
    // It is tried again with the next question.
    while served.decide(0.95).status != 200 {}
    while served.get("/readyz").status != 200 {}
    let verified = served.folder.command("decision verify-log").output().unwrap();
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stderr));
}

#[test]
fn what_is_older_than_it_is_kept_for_is_pruned_while_the_server_runs() {
    let served = Folder::new(GATE).serve("--retain 400d");
    served.decide(0.95).is(200);
    let pruned = served.until_logged("pruned the record");
    assert_eq!(pruned["decisions"], 0, "{pruned}");
    let metrics = served.get("/metrics").is(200).text();
    assert!(metrics.contains("lockgate_record_prunes_total{result=\"pruned\"} 1"), "{metrics}");
    let listed = served.get("/v1/decisions").is(200).json();
    assert_eq!(listed["decisions"].as_array().unwrap().len(), 1, "{listed}");
}

/// Has the one decision recorded so many milliseconds earlier, with the hashes that it would have
/// then, as `docs/record.md` makes them.
fn age(database: &rusqlite::Connection, earlier: i64) {
    let aged = "UPDATE entries SET recorded_at = recorded_at - ?1";
    assert_eq!(database.execute(aged, [earlier]).unwrap(), 1);
    let columns = "id, recorded_at, origin, asked_by, verdict, registry, model, version, target, \
         requested_by, snapshot, document, writer, sequence, previous";
    let sql = format!("SELECT {columns} FROM entries");
    let hash = database
        .query_row(&sql, [], |row| {
            let field = |name: &str| -> Vec<u8> {
                let bytes = match row.get_ref(name).unwrap() {
                    ValueRef::Null => return vec![0],
                    ValueRef::Integer(number) => number.to_be_bytes().to_vec(),
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.to_vec(),
                    ValueRef::Real(number) => panic!("{name}: {number}"),
                };
                let optional = ["asked_by", "requested_by", "snapshot"].contains(&name);
                let mut field = if optional { vec![1] } else { Vec::new() };
                field.extend((bytes.len() as u64).to_be_bytes());
                field.extend(bytes);
                field
            };
            let (content, entry) = columns.split_once(", writer").unwrap();
            let mut hashed = b"lockgate.dev/record/content/v1\0".to_vec();
            hashed.extend(content.split(", ").flat_map(field));
            let content = Digest::of(&hashed);
            let mut hashed = b"lockgate.dev/record/entry/v1\0".to_vec();
            hashed.extend(format!("writer{entry}").split(", ").flat_map(field));
            hashed.extend(32_u64.to_be_bytes());
            hashed.extend(content.as_bytes());
            Ok(Digest::of(&hashed))
        })
        .unwrap();
    for table in ["entries", "heads"] {
        let changed = format!("UPDATE {table} SET hash = ?1");
        assert_eq!(database.execute(&changed, [hash.as_bytes()]).unwrap(), 1);
    }
}

/// Nobody can tell a clock that is years ahead from a server that was away for as long.
#[test]
fn nothing_is_pruned_when_all_of_it_is_too_old_at_the_start() {
    let served = Folder::new(GATE).serve("");
    served.decide(0.95).is(200);
    served.signal(rustix::process::Signal::TERM);
    let (_, folder) = served.ended();
    let database = rusqlite::Connection::open(folder.path("lockgate.db")).unwrap();
    age(&database, 3_600_000 * 24 * 500);
    drop(database);
    let served = folder.serve("--retain 400d");
    let told = served.until_logged("the record is not pruned").to_string();
    assert!(told.contains("decision prune --older-than 9600h"), "{told}");
    served.until_metric("lockgate_record_prunes_total{result=\"failed\"}", 1.0);
    served.get("/v1/decisions").is(200);
}

#[test]
fn nothing_is_kept_for_less_than_a_day() {
    let refused = Folder::new(GATE).command("serve --retain 1h").output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("kept for a day at least"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_after_pruning_still_verifies() {
    let served = Folder::new(GATE).serve("");
    for _ in 0..3 {
        served.decide(0.95).is(200);
    }
    let location = Location::from(served.folder.path("lockgate.db").as_path());
    let record = Record::open(&location, Options::write()).await.unwrap();
    let mut registry = prometheus_client::registry::Registry::default();
    let retention = Retention::new(Duration::ZERO, &mut registry);
    // Once the second in which they were recorded is over.
    let mut removed = 0;
    while removed < 3 {
        removed += retention.prune(&record).await.unwrap().decisions;
        tokio::task::yield_now().await;
    }
    served.decide(0.95).is(200);
    let verified = record.verify(&[]).await.unwrap();
    assert!(verified.is_intact(), "{:?}", verified.faults);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    assert!(text.contains("record_pruned_total{what=\"decisions\"} 3"), "{text}");
    record.close().await;
}

#[test]
fn a_row_that_was_changed_is_not_told_as_fact() {
    let served = Folder::new(GATE).serve("");
    let kept = served.decide(0.95).is(200).json()["id"].as_str().unwrap().to_owned();
    let changed = served.decide(0.5).is(200).json()["id"].as_str().unwrap().to_owned();
    let database = rusqlite::Connection::open(served.folder.path("lockgate.db")).unwrap();
    database.execute("UPDATE entries SET verdict = 'allow' WHERE sequence = 2", []).unwrap();
    for path in [format!("/v1/decisions/{changed}"), "/v1/decisions?verdict=allow".to_owned()] {
        let problem = served.get(&path).refused(500, "record_damaged").json();
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("`lockgate decision verify-log`"), "{detail}");
        served.until_logged(&changed);
    }
    served.get(&format!("/v1/decisions/{kept}")).is(200);
    served.get("/v1/decisions?verdict=deny").is(200);
    let listed = served.folder.command("decision list").output().unwrap();
    assert_eq!(listed.status.code(), Some(1), "{listed:?}");
}

#[test]
fn a_record_that_cannot_be_written_is_told_at_the_start() {
    let served = Folder::new(GATE).serve("");
    served.signal(rustix::process::Signal::TERM);
    let (_, folder) = served.ended();
    let other = rusqlite::Connection::open(folder.path("lockgate.db")).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let served = folder.start("");
    let told = served.until_logged("the record is not writable");
    assert!(told["cause"].as_str().unwrap().contains("locked"), "{told}");
    let told = served.until_logged("ready");
    let message = told["message"].as_str().unwrap();
    assert!(message.starts_with("not ready: decisions cannot be put on record"), "{told}");
    other.execute_batch("ROLLBACK").unwrap();
    while served.get("/readyz").status != 200 {}
    served.until_logged("the record is writable again");
}
