//! The end: what is under way is answered.

use std::net::TcpStream;
use std::thread;

use lockgate_guests as guests;
use rustix::process::Signal;

use super::http::{connect, get, post};
use super::served::{Folder, gate_of, question};

#[test]
fn what_is_under_way_is_answered_and_nothing_else_is_taken() {
    for signal in [Signal::TERM, Signal::INT] {
        let more = "        limits: {fuel: 50000000000, deadline-ms: 1500}\n";
        let folder = Folder::new(&gate_of("hangs", more)).guest("hangs", guests::LOOPS_FOREVER);
        let served = folder.serve("--log info,lockgate=debug");
        let address = served.address;
        let mut idle = connect(address);
        get("/livez").send_on(&mut idle).is(200);
        let asked = thread::spawn(move || post("/v1/decisions", &question(0.95)).send(address));
        served.until_logged("judging");
        served.signal(signal);
        served.until_logged("no longer taking connections");
        assert!(TcpStream::connect(address).is_err(), "still takes connections");
        let answer = asked.join().unwrap().is(200).json();
        assert_eq!(answer["decision"]["verdict"], "undecided");
        let (status, folder) = served.ended();
        assert_eq!(status.code(), Some(0));
        // Answered, so it is on record.
        let again = folder.start("");
        let id = answer["id"].as_str().unwrap();
        again.get(&format!("/v1/decisions/{id}")).is(200);
    }
}
