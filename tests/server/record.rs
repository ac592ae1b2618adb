//! A record that cannot be written.

use std::process::Command;

use rustix::process::{Pid, Resource, Rlimit, prlimit};

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
    served.get("/readyz").is(200);
    let verified = served.folder.command("decision verify-log").output().unwrap();
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stderr));
}
