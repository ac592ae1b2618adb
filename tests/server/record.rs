//! A record that cannot be written.

use super::served::{Folder, GATE};

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
