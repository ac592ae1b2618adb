//! The admission server in service for a while: load, faults in between, and the curve of what it
//! holds. `make soak` runs it; it is far too long for `make test`.
//!
//! `SOAK_SECONDS` says for how long (600), `SOAK_BINARY` which lockgate (the one of this build).

#![expect(clippy::unwrap_used, reason = "a soak that cannot go on has failed")]
#![expect(clippy::indexing_slicing, reason = "JSON that lacks a key is null, and fails the soak")]
#![expect(clippy::panic, reason = "a soak that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "the curve and the verdict")]

mod backend;
mod curve;
mod faults;
#[path = "../server/http.rs"]
#[allow(dead_code, reason = "shared with tests that use all of it")]
mod http;
mod load;
mod server;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use curve::{Curve, Sample};
use faults::Fault;
use load::Load;
use server::Server;

/// How much of the time goes to what ends the server; the rest is one life, whose memory is judged.
const KILLING: f64 = 0.25;
/// How often every fault happens in that life.
const ROUNDS: usize = 4;
/// How much of that life warms up: until every fault has happened twice. What they need room for
/// is held by then but for a little, as loading the gates anew leaves holes of other sizes each
/// time, so that more of it in later rounds is a leak.
const WARMING: f64 = 0.5;
/// How much memory may grow over what is judged, by the line through all its samples.
const GROWTH: f64 = 0.05;
/// Files and threads that may be more at the end than after the start: connections that are about
/// to be closed, and threads that fetch files.
const SPARE: usize = 16;

#[test]
#[ignore = "takes minutes; `make soak` runs it"]
fn the_server_stays_as_it_is_under_load_and_faults() {
    let seconds = std::env::var("SOAK_SECONDS").ok().map_or(600, |text| {
        text.parse().unwrap_or_else(|_| panic!("SOAK_SECONDS: `{text}` is no number of seconds"))
    });
    // Bounded, whatever was asked for.
    let whole = Duration::from_secs(u64::clamp(seconds, 120, 4 * 3600));
    let backend = backend::start();
    let server = Server::start(backend);
    println!("soak: {} s on {}", whole.as_secs(), server.binary().display());

    let stop = AtomicBool::new(false);
    let load = Load::new(&server, &stop);
    let mut curve = Curve::default();
    let start = Instant::now();
    let killing = whole.mul_f64(KILLING);
    let lived_from = thread::scope(|scope| {
        for kind in load::WORKERS {
            let load = &load;
            scope.spawn(move || load.work(kind));
        }
        let told = scope.spawn(|| {
            for fault in [Fault::Kill, Fault::Kill] {
                pause(killing / 3, &stop);
                fault.happen(&server, &load);
            }
            let lived_from = Instant::now();
            let rest = (start + whole).saturating_duration_since(lived_from);
            // What does not end the server, over and over, and quiet at the end.
            let faults = Fault::BORNE.repeat(ROUNDS);
            let pieces = u32::try_from(faults.len() + 4).unwrap();
            for fault in faults {
                pause(rest / pieces, &stop);
                fault.happen(&server, &load);
            }
            lived_from
        });
        while start.elapsed() < whole {
            thread::sleep(Duration::from_secs(1));
            curve.add(Sample::take(start, &server, &load));
        }
        stop.store(true, Ordering::Relaxed);
        told.join().unwrap()
    });
    let end = Sample::settled(start, &server, &load);
    curve.add(end);
    let lived = curve.since(lived_from - start + (whole - killing).mul_f64(WARMING));
    curve.write();
    curve.draw();

    let mut faults = load.faults();
    let verified = server.end_and_verify(load.answered());
    faults.extend(verified.faults);
    let growth = lived.growth();
    if growth > GROWTH {
        faults.push(format!("memory grew by {:.1} % over {} s", growth * 100.0, lived.seconds()));
    }
    for (what, first, last) in
        [("files", lived.files().0, end.files), ("threads", lived.threads().0, end.threads)]
    {
        if last > first + SPARE {
            faults.push(format!("{last} {what} are left where there were {first}"));
        }
    }
    println!(
        "\n{} answers, {} decisions on record of {} answered, chain of {} whole\nmemory {:+.1} % over the last {} s, {:.1} MiB in the end; {} files, {} threads",
        load.answers(),
        verified.found,
        load.answered().len(),
        verified.chain,
        growth * 100.0,
        lived.seconds(),
        end.memory,
        end.files,
        end.threads,
    );
    if faults.is_empty() {
        println!("verdict: sound");
    } else {
        println!("verdict: NOT sound\n  {}", faults.join("\n  "));
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

fn pause(time: Duration, stop: &AtomicBool) {
    let end = Instant::now() + time;
    while Instant::now() < end && !stop.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(50));
    }
}
