//! Clients that take their time, or too much.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::http::{Response, connect, get, post, post_bytes};
use super::served::{Folder, GATE, question};

/// Waits until the server closes, and returns what it said before.
fn closed(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    match stream.read_to_end(&mut said) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}"),
    }
    String::from_utf8_lossy(&said).into_owned()
}

#[test]
fn a_client_that_does_not_come_to_the_point_is_cut_off() {
    let served = Folder::new(GATE).serve("--header-timeout 1");
    for start in ["", "G", "PRI * HTTP/2", "GET /livez HTTP/1.1\r\nhost: lockgate\r\nx-slow: "] {
        let mut stream = connect(served.address);
        stream.write_all(start.as_bytes()).unwrap();
        let said = closed(&mut stream);
        assert!(!said.contains("200"), "{said}");
    }
    // One that was served before is no better.
    let mut stream = connect(served.address);
    get("/livez").send_on(&mut stream).is(200);
    closed(&mut stream);
    served.until_metric("lockgate_connections", 1.0);
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    let served = Folder::new(GATE).serve("--body-timeout 1");
    let whole = post("/v1/decisions", &question(0.95)).bytes();
    let mut stream = connect(served.address);
    stream.write_all(&whole[..whole.len() - 5]).unwrap();
    Response::read(&mut stream).refused(408, "request_timeout");
    served.decide(0.95).is(200);
}

#[test]
fn a_body_past_the_limit_is_refused() {
    let served = Folder::new(GATE).serve("--max-body 1");
    let large = vec![b' '; (1 << 20) + 1];
    let request = post_bytes("/v1/decisions", &large).header("content-type", "application/json");
    served.send(&request).refused(413, "body_too_large");
    // Without a length it is found out on the way.
    let mut chunked = format!("{:x}\r\n", large.len()).into_bytes();
    chunked.extend_from_slice(&large);
    chunked.extend_from_slice(b"\r\n0\r\n\r\n");
    let request = post_bytes("/v1/decisions", &chunked)
        .header("content-type", "application/json")
        .header("transfer-encoding", "chunked");
    served.send(&request).refused(413, "body_too_large");
    // An announcement alone costs nothing.
    let mut stream = connect(served.address);
    stream
        .write_all(b"POST /v1/decisions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99999999999\r\n\r\n")
        .unwrap();
    Response::read(&mut stream).refused(413, "body_too_large");
    served.decide(0.95).is(200);
}

#[test]
fn headers_past_the_limit_are_refused() {
    let served = Folder::new(GATE).serve("");
    let mut many = get("/livez");
    for number in 0..200 {
        many = many.header(&format!("x-{number}"), "x");
    }
    assert_eq!(served.send(&many).status, 431);
    let long = get("/livez").header("x-long", &"x".repeat(1 << 20));
    assert_eq!(served.send(&long).status, 431);
    served.get("/livez").is(200);
}

#[test]
fn one_connection_too_many_is_turned_away() {
    let served = Folder::new(GATE).serve("--max-connections 2");
    let mut first = connect(served.address);
    let mut second = connect(served.address);
    get("/livez").send_on(&mut first).is(200);
    get("/livez").send_on(&mut second).is(200);
    assert_eq!(Response::read(&mut connect(served.address)).status, 503);
    drop(second);
    // Its place is free once the server has seen it go.
    loop {
        let response = get("/livez").send_on(&mut connect(served.address));
        if response.status == 200 {
            break;
        }
        assert_eq!(response.status, 503);
    }
}

#[test]
fn ten_thousand_idle_connections_are_borne() {
    const IDLE: usize = 10_000;
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    assert!(most > 10_500, "this system allows {most} open files; allow more with `ulimit -n`");
    setrlimit(Resource::RLIMIT_NOFILE, most, most).unwrap();
    let served = Folder::new(GATE).serve("--header-timeout 600");
    let idle: Vec<TcpStream> = (0..IDLE).map(|_| connect(served.address)).collect();
    served.decide(0.95).is(200);
    served.decide(0.5).is(200);
    let metrics = served.metrics();
    assert!(metrics["lockgate_connections"] > 10_000.0, "{metrics:#?}");
    let memory = std::fs::read_to_string(format!("/proc/{}/status", served.pid())).unwrap();
    let resident = memory.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    let kilobytes: u64 = resident.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(kilobytes < 512 << 10, "{kilobytes} KiB");
    drop(idle);
    served.until_metric("lockgate_connections", 1.0);
}
