//! A server that is killed while it answers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rustix::process::Signal;

use super::http::{connect, get, post};
use super::served::{Folder, GATE, question};

/// Asks until the server is gone; the ids of what it answered.
fn ask_until_gone(address: std::net::SocketAddr, answered: &AtomicUsize) -> Vec<String> {
    let mut ids = Vec::new();
    let request = post("/v1/decisions", &question(0.95)).bytes();
    let mut stream = connect(address);
    loop {
        let sent = std::io::Write::write_all(&mut stream, &request);
        let Some(answer) = sent.ok().and_then(|()| super::http::Response::try_read(&mut stream))
        else {
            return ids;
        };
        ids.push(answer.is(200).json()["id"].as_str().unwrap().to_owned());
        answered.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_server_that_is_killed_has_every_answered_decision_on_record() {
    let mut folder = Folder::new(GATE);
    for round in 1..=3 {
        let served = folder.serve("");
        let (address, answered) = (served.address, AtomicUsize::new(0));
        let ids: Vec<String> = thread::scope(|scope| {
            let asking: Vec<_> =
                (0..8).map(|_| scope.spawn(|| ask_until_gone(address, &answered))).collect();
            // Not always at the same point.
            while answered.load(Ordering::Relaxed) < 100 * round + 7 {
                thread::yield_now();
            }
            served.signal(Signal::KILL);
            asking.into_iter().flat_map(|asking| asking.join().unwrap()).collect()
        });
        let (_, left) = served.ended();
        let again = left.serve("");
        for id in &ids {
            assert_eq!(
                again.send(&get(&format!("/v1/decisions/{id}"))).status,
                200,
                "{id} is lost"
            );
        }
        assert_eq!(again.decide(0.5).is(200).json()["decision"]["verdict"], "deny");
        again.signal(Signal::TERM);
        folder = again.ended().1;
        let verified = folder.command("decision verify-log").output().unwrap();
        let said = String::from_utf8_lossy(&verified.stderr);
        assert_eq!(verified.status.code(), Some(0), "{said}");
    }
}
