//! Clients that take their time, or too much.

use std::convert::Infallible;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::task::JoinHandle;

use super::http::{PATIENCE, Response, connect, get, post, post_bytes};
use super::served::{Folder, GATE, gate_of, question};

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

/// A connection of HTTP/2, and what becomes of it.
async fn http2(address: SocketAddr) -> (SendRequest<Full<Bytes>>, JoinHandle<hyper::Result<()>>) {
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    (sender, tokio::spawn(connection))
}

fn asked(method: &str, path: &str, body: Vec<u8>) -> hyper::Request<Full<Bytes>> {
    let request = hyper::Request::builder().method(method).uri(format!("http://lockgate{path}"));
    let request = request.header("content-type", "application/json");
    request.body(Full::new(Bytes::from(body))).unwrap()
}

#[test]
fn an_idle_connection_of_http2_is_closed_and_one_that_is_used_is_not() {
    let gate = gate_of("hangs", "        limits: {fuel: 50000000000, deadline-ms: 300000}\n");
    let folder = Folder::new(&gate).guest("hangs", lockgate_guests::LOOPS_FOREVER);
    let served = folder.serve("--header-timeout 1 --request-timeout 4");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        // Nothing is sent on this one for longer than it may be idle, but it waits for an answer.
        let (mut sender, connection) = http2(served.address).await;
        let question = question(0.95).to_string().into_bytes();
        let answer = sender.send_request(asked("POST", "/v1/decisions", question)).await.unwrap();
        assert_eq!(answer.status(), 200);
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(String::from_utf8_lossy(&body).contains("request_timeout"));
        let answer = sender.send_request(asked("GET", "/livez", Vec::new())).await.unwrap();
        assert_eq!(answer.status(), 200);
        // The client answers every ping, and asks for nothing.
        tokio::time::timeout(PATIENCE, connection).await.unwrap().unwrap().unwrap();
        let (_unused, connection) = http2(served.address).await;
        tokio::time::timeout(PATIENCE, connection).await.unwrap().unwrap().unwrap();
    });
    served.until_metric("lockgate_connections", 1.0);
}

#[test]
fn headers_of_http2_have_the_same_limits() {
    let served = Folder::new(GATE).serve("");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (mut sender, _connection) = http2(served.address).await;
        for (number, status) in [(90, 200), (101, 431)] {
            let mut request = asked("GET", "/livez", Vec::new());
            for number in 0..number {
                let name = format!("x-{number}").parse::<hyper::header::HeaderName>().unwrap();
                request.headers_mut().insert(name, "x".parse().unwrap());
            }
            let answer = sender.send_request(request).await.unwrap();
            assert_eq!(answer.status(), status, "{number} headers");
        }
        let mut request = asked("GET", "/livez", Vec::new());
        request.headers_mut().insert("x-long", "x".repeat(65 << 10).parse().unwrap());
        let answer = sender.send_request(request).await.unwrap();
        assert_eq!(answer.status(), 431);
    });
}

#[test]
fn a_review_is_no_larger_than_what_an_api_server_keeps() {
    let served = Folder::new(GATE).serve("");
    for (size, status) in [(4 << 20, 400), ((4 << 20) + 1, 413)] {
        let request = post_bytes("/k8s/validate", &vec![b' '; size]);
        let answer = served.send(&request.header("content-type", "application/json"));
        assert_eq!(answer.status, status, "{size} bytes: {}", answer.text());
    }
    served.until_metric("lockgate_bodies_bytes", 0.0);
}

/// Streams that are reset take the answer with them in some clients.
#[test]
fn a_body_of_http2_that_was_not_wanted_is_read_to_its_end() {
    let served = Folder::new(GATE).serve("");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(served.address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                .await
                .unwrap();
        let _connection = tokio::spawn(connection);
        for (path, status) in [("/v1/decisions", 413), ("/k8s/validate", 413), ("/nowhere", 404)] {
            let (ended, end) = tokio::sync::oneshot::channel();
            let parts =
                (0..30).map(|_| Ok::<_, Infallible>(Frame::data(vec![b' '; 1 << 20].into())));
            let end_of = stream::once(async move {
                let _ = ended.send(());
                Ok(Frame::data(Bytes::new()))
            });
            let body = StreamBody::new(Box::pin(stream::iter(parts).chain(end_of)));
            let request = hyper::Request::post(format!("http://lockgate{path}"))
                .header("content-type", "application/json")
                .body(body)
                .unwrap();
            let answer = sender.send_request(request).await.unwrap();
            assert_eq!(answer.status(), status, "{path}");
            answer.into_body().collect().await.unwrap();
            tokio::time::timeout(PATIENCE, end).await.unwrap().unwrap();
        }
    });
}

/// A client that asks first whether it may send is told, and sends nothing.
#[test]
fn what_is_refused_beforehand_is_not_asked_for() {
    let served = Folder::new(GATE).serve("");
    let mut stream = connect(served.address);
    stream
        .write_all(b"POST /v1/decisions HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-type: text/plain\r\ncontent-length: 1000\r\n\r\n")
        .unwrap();
    Response::read(&mut stream).refused(415, "unsupported_media_type");
    closed(&mut stream);
}
