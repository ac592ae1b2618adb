//! More than can be judged, and policies that come to no end.

use std::thread;

use lockgate_guests as guests;
use serde_json::Value;

use super::http::post;
use super::served::{Folder, GATE, gate_of, question};

/// Would go on for minutes, were it not for the server.
const LONG: &str = "        limits: {fuel: 50000000000, deadline-ms: 300000}\n";

fn hanging() -> Folder {
    let gate = gate_of("hangs", LONG)
        + &GATE
            .split("gates:\n")
            .nth(1)
            .unwrap()
            .replace("production", "quick")
            .replace("fraud*", "quick*");
    Folder::new(&gate).guest("hangs", guests::LOOPS_FOREVER)
}

fn quick() -> Value {
    let mut quick = question(0.95);
    quick["model"] = "quick".into();
    quick
}

#[test]
fn a_policy_that_hangs_is_undecided_in_time_and_on_record() {
    let served = hanging().serve("--request-timeout 3");
    let answer = served.decide(0.95).is(200).json();
    assert_eq!(answer["decision"]["verdict"], "undecided", "{answer}");
    assert_eq!(answer["decision"]["undecided"][0]["code"], "request_timeout", "{answer}");
    let listed = served.get("/v1/decisions?verdict=undecided").is(200).json();
    assert_eq!(listed["decisions"][0]["id"], answer["id"]);
    served.post("/v1/decisions", &quick()).is(200);
}

#[test]
fn what_does_not_fit_in_the_queue_is_refused_at_once() {
    let served =
        hanging().serve("--request-timeout 5 --workers 1 --queue 1 --log info,lockgate=debug");
    let ask = || {
        let address = served.address;
        thread::spawn(move || post("/v1/decisions", &question(0.95)).send(address))
    };
    let judged = ask();
    served.until_logged("judging");
    let queued = ask();
    served.until_metric("lockgate_queue_depth", 1.0);
    let refused = served.post("/v1/decisions", &quick()).refused(503, "overloaded");
    assert_eq!(refused.json()["verdict"], "undecided");
    assert!(refused.header("retry-after").is_some());
    // What is not judged is answered as ever.
    served.get("/livez").is(200);
    served.get("/readyz").is(200);
    // One that waited for as long as it had is as undecided as the one before it.
    for asked in [judged, queued] {
        let answer = asked.join().unwrap().json();
        let decided = &answer["decision"]["verdict"];
        let verdict = if decided.is_null() { &answer["verdict"] } else { decided };
        assert_eq!(verdict, "undecided", "{answer}");
    }
    let refusals = "lockgate_decisions_refused_total{reason=\"overloaded\"}";
    let metrics = served.metrics();
    assert_eq!(metrics.get(refusals), Some(&1.0), "{metrics:#?}");
    // The thread is free once the policy has been stopped.
    while served.post("/v1/decisions", &quick()).status != 200 {}
}

#[test]
fn every_hostile_policy_is_undecided_and_leaves_the_server_judging() {
    for (name, core) in [
        ("traps", guests::TRAPS),
        ("loops", guests::LOOPS_FOREVER),
        ("stack", guests::OVERFLOWS_THE_STACK),
        ("memory", guests::ALLOCATES_WITHOUT_END),
        ("gibibyte", guests::RETURNS_A_GIBIBYTE_OF_TEXT),
        ("checks", guests::RETURNS_A_MILLION_CHECKS),
        ("logs", guests::LOGS_WITHOUT_END),
        ("nothing", guests::RETURNS_NO_CHECK),
    ] {
        let served = Folder::new(&gate_of(name, "")).guest(name, core).serve("");
        for _ in 0..2 {
            let answer = served.decide(0.95).is(200).json();
            assert_eq!(answer["decision"]["verdict"], "undecided", "{name}: {answer}");
        }
        served.get("/readyz").is(200);
    }
}
