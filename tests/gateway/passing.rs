//! What is no promotion passes through as it is.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderValue, Method, Response, StatusCode};
use lockgate::server::gateway::{Patience, Peer, Proxy, Refusal};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::upstream::Upstream;
use crate::wire::Wire;

const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(20),
    answer: Duration::from_secs(20),
    idle: Duration::from_secs(20),
};

/// A proxy before `upstream`.
async fn proxy(upstream: SocketAddr, patience: Patience) -> SocketAddr {
    let upstream = format!("http://{upstream}").parse().unwrap();
    let proxy = Proxy::new(upstream, patience).unwrap();
    let pass = |ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request| async move {
        let peer = Peer { address: Some(peer.ip()), tls: false };
        proxy.forward(request, peer).await.unwrap_or_else(Refusal::into_response)
    };
    let service = Router::new().fallback(pass).into_make_service_with_connect_info::<SocketAddr>();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}

async fn connected(upstream: &Upstream) -> Wire {
    Wire::open(proxy(upstream.address, PATIENCE).await).await
}

#[tokio::test]
async fn method_target_headers_and_body_arrive_as_they_were_sent() {
    let upstream = Upstream::plain().await;
    let mut wire = connected(&upstream).await;
    wire.send(
        "PATCH /api/2.0/mlflow/x%20y?b=%2F&a=1&a=2 HTTP/1.1\r\nHost: models.example:81\r\n\
         Authorization: Basic Zm9vOmJhcg==\r\nX-Twice: 1\r\nX-Twice: 2\r\nContent-Length: 5\r\n\r\nhello",
    )
    .await;
    assert_eq!(wire.answer().await.status, 200);
    let seen = &upstream.seen()[0];
    assert_eq!(seen.method, Method::PATCH);
    assert_eq!(seen.target, "/api/2.0/mlflow/x%20y?b=%2F&a=1&a=2");
    assert_eq!(seen.headers["host"], "models.example:81");
    assert_eq!(seen.headers["authorization"], "Basic Zm9vOmJhcg==");
    assert_eq!(seen.headers.get_all("x-twice").iter().collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(seen.headers["x-forwarded-for"], "127.0.0.1");
    assert_eq!(seen.headers["content-length"], "5");
    assert_eq!(seen.body.as_deref(), Some(&b"hello"[..]));
}

#[tokio::test]
async fn status_headers_and_body_come_back_as_they_were_answered() {
    let upstream = Upstream::start(|_| {
        Response::builder()
            .status(StatusCode::IM_A_TEAPOT)
            .header("server", "uvicorn")
            .header("set-cookie", "a=1")
            .header("set-cookie", "b=2")
            .header("connection", "x-hop")
            .header("x-hop", "1")
            .header("keep-alive", "timeout=5")
            .body(Body::from("short and stout"))
            .unwrap()
    })
    .await;
    let mut wire = connected(&upstream).await;
    wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let answer = wire.answer().await;
    assert_eq!((answer.status, &*answer.body), (418, &b"short and stout"[..]));
    assert_eq!(answer.header("server"), Some("uvicorn"));
    assert_eq!(answer.head.matches("set-cookie").count(), 2);
    assert_eq!(answer.header("x-hop"), None);
    assert_eq!(answer.header("keep-alive"), None);
}

#[tokio::test]
async fn requests_that_follow_each_other_use_one_connection_to_mlflow() {
    let upstream = Upstream::plain().await;
    let mut wire = connected(&upstream).await;
    for _ in 0..20 {
        wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        wire.answer().await;
        wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}").await;
        wire.answer().await;
    }
    assert_eq!((upstream.seen().len(), upstream.connections()), (40, 1));
}

#[tokio::test]
async fn a_connection_is_used_again_whatever_the_form_of_the_answer() {
    let upstream = Upstream::start(|seen| match seen.target.as_str() {
        "/chunked" => Response::new(Body::new(Parts(3))),
        "/none" => Response::builder().status(204).body(Body::empty()).unwrap(),
        "/unchanged" => Response::builder().status(304).body(Body::empty()).unwrap(),
        _ => Response::new(Body::from("whole")),
    })
    .await;
    let mut wire = connected(&upstream).await;
    for target in ["/chunked", "/whole", "/none", "/chunked", "/unchanged", "/whole"] {
        wire.send(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        let answer = wire.answer().await;
        let length = match target {
            "/chunked" => 12,
            "/whole" => 5,
            _ => 0,
        };
        assert_eq!(answer.body.len(), length, "{target}");
        wire.send("HEAD /whole HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!(wire.head().await.unwrap().0, 200);
    }
    assert_eq!(upstream.connections(), 1);
}

/// A body in so many parts, whose length nobody says beforehand.
struct Parts(u8);

impl axum::body::HttpBody for Parts {
    type Data = axum::body::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
        let part = self.0.checked_sub(1).map(|left| {
            self.0 = left;
            Ok(hyper::body::Frame::data(axum::body::Bytes::from_static(b"part")))
        });
        std::task::Poll::Ready(part)
    }
}

#[tokio::test]
async fn a_kept_connection_that_mlflow_has_closed_costs_no_request() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut wire = Wire::open(proxy(listener.local_addr().unwrap(), PATIENCE).await).await;
    for round in 0..3 {
        wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}").await;
        let (mut mlflow, _) = listener.accept().await.unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"{}") {
            assert_ne!(mlflow.read_buf(&mut seen).await.unwrap(), 0);
        }
        // It says that the connection will be kept, and closes it.
        mlflow.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
        drop(mlflow);
        assert_eq!(wire.answer().await.status, 200, "{round}");
    }
}

#[tokio::test]
async fn an_answer_to_head_keeps_its_length_and_has_no_body() {
    let upstream = Upstream::start(|_| {
        Response::builder().header("content-length", "1234").body(Body::empty()).unwrap()
    })
    .await;
    let mut wire = connected(&upstream).await;
    for _ in 0..2 {
        wire.send("HEAD /artifact HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let (status, head) = wire.head().await.unwrap();
        assert_eq!(status, 200);
        assert!(head.contains("content-length: 1234"), "{head}");
    }
}

#[tokio::test]
async fn a_client_that_asks_whether_to_go_on_is_told_to() {
    let upstream = Upstream::plain().await;
    let mut wire = connected(&upstream).await;
    wire.send("PUT /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        .await;
    assert_eq!(wire.head().await.unwrap().0, 100);
    wire.send("abcd").await;
    assert_eq!(wire.answer().await.status, 200);
    let seen = &upstream.seen()[0];
    assert_eq!(seen.body.as_deref(), Some(&b"abcd"[..]));
    assert!(!seen.headers.contains_key("expect"));
}

#[tokio::test]
async fn a_body_is_passed_on_part_by_part_in_both_directions() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut wire = Wire::open(proxy(listener.local_addr().unwrap(), PATIENCE).await).await;
    wire.send("PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n").await;
    let (mut mlflow, _) = listener.accept().await.unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(b"one\r\n") {
        assert_ne!(mlflow.read_buf(&mut seen).await.unwrap(), 0);
    }
    // The answer begins before the upload has ended, and the client hears of it.
    mlflow
        .write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n")
        .await
        .unwrap();
    let (status, _) = wire.head().await.unwrap();
    assert_eq!(status, 200);
    wire.send("3\r\ntwo\r\n0\r\n\r\n").await;
    while !seen.ends_with(b"two\r\n0\r\n\r\n") {
        assert_ne!(mlflow.read_buf(&mut seen).await.unwrap(), 0);
    }
    mlflow.write_all(b"3\r\ntwo\r\n0\r\n\r\n").await.unwrap();
}

#[tokio::test]
async fn an_answer_that_breaks_off_does_not_end_as_if_it_were_whole() {
    for head in ["content-length: 8\r\n\r\nhalf", "transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n"]
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut wire = Wire::open(proxy(listener.local_addr().unwrap(), PATIENCE).await).await;
        wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let (mut mlflow, _) = listener.accept().await.unwrap();
        mlflow.write_all(format!("HTTP/1.1 200 OK\r\n{head}").as_bytes()).await.unwrap();
        mlflow.shutdown().await.unwrap();
        assert!(wire.try_answer().await.is_none(), "{head:?}");
    }
}

#[tokio::test]
async fn trailers_stay_behind() {
    let upstream = Upstream::plain().await;
    let mut wire = connected(&upstream).await;
    wire.send(
        "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Late\r\nTE: trailers\r\n\r\n\
         4\r\nbody\r\n0\r\nX-Late: 1\r\n\r\n",
    )
    .await;
    assert_eq!(wire.answer().await.status, 200);
    let seen = &upstream.seen()[0];
    assert_eq!(seen.body.as_deref(), Some(&b"body"[..]));
    assert!(!seen.trailers && !seen.headers.contains_key("trailer"));
}

#[tokio::test]
async fn a_request_framed_in_two_ways_reaches_mlflow_framed_in_one() {
    let upstream = Upstream::plain().await;
    for (framing, what) in [
        ("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "length first"),
        ("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "length last"),
    ] {
        let before = upstream.seen().len();
        let mut wire = connected(&upstream).await;
        wire.send(format!(
            "POST /a HTTP/1.1\r\nHost: a\r\n{framing}\r\n\
             1c\r\nGET /b HTTP/1.1\r\nHost: b\r\n\r\n\r\n0\r\n\r\n"
        ))
        .await;
        wire.try_answer().await;
        for seen in &upstream.seen()[before..] {
            assert_eq!(seen.target, "/a", "{what}");
            assert!(!seen.headers.contains_key("content-length"), "{what}");
            assert_eq!(seen.body.as_ref().unwrap().len(), 0x1c, "{what}");
        }
    }
}

#[tokio::test]
async fn a_request_whose_framing_is_broken_is_refused() {
    let upstream = Upstream::plain().await;
    for (request, what) in [
        ("Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde", "two lengths"),
        ("Content-Length: -1\r\n\r\n", "negative length"),
        ("Content-Length: 4, 4\r\n\r\nabcd", "a list of lengths"),
        ("Content-Length: +4\r\n\r\nabcd", "a sign"),
        ("Transfer-Encoding: gzip\r\n\r\n", "not chunked"),
        ("Transfer-Encoding: gzip, chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n", "compressed"),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "twice"),
        ("Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", "a space before the colon"),
        ("X-Folded: a\r\n b\r\n\r\n", "a folded header"),
        ("Host: other\r\n\r\n", "two hosts"),
    ] {
        let mut wire = connected(&upstream).await;
        wire.send(format!("POST /a HTTP/1.1\r\nHost: a\r\n{request}")).await;
        let answer = wire.try_answer().await.unwrap_or_else(|| panic!("{what}: no answer"));
        assert_eq!(answer.status, 400, "{what}: {}", answer.head);
    }
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
}

#[tokio::test]
async fn a_body_in_broken_chunks_never_becomes_a_whole_request() {
    let upstream = Upstream::plain().await;
    for chunks in
        ["zz\r\nabcd\r\n0\r\n\r\n", "4\r\nabcdef\r\n0\r\n\r\n", "fffffffffffffffff\r\nabcd"]
    {
        let mut wire = connected(&upstream).await;
        wire.send(format!(
            "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"
        ))
        .await;
        if let Some(answer) = wire.try_answer().await {
            assert!(answer.status >= 400, "{chunks:?}: {}", answer.head);
        }
    }
    for seen in upstream.seen() {
        assert!(seen.body.is_none(), "{seen:?}");
    }
}

#[tokio::test]
async fn an_upgrade_is_refused_in_words() {
    let upstream = Upstream::plain().await;
    let mut wire = connected(&upstream).await;
    wire.send("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        .await;
    let answer = wire.answer().await;
    assert_eq!(answer.status, 501);
    assert_eq!(answer.json()["error_code"], "NOT_IMPLEMENTED");
    assert!(answer.json()["message"].as_str().unwrap().contains("WebSocket"));
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn an_offer_of_http2_is_passed_over() {
    let upstream = Upstream::plain().await;
    let mut wire = connected(&upstream).await;
    wire.send(
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
    )
    .await;
    assert_eq!(wire.answer().await.status, 200);
    for gone in ["upgrade", "connection", "http2-settings"] {
        assert!(!upstream.seen()[0].headers.contains_key(gone), "{gone}");
    }
}

#[tokio::test]
async fn methods_that_are_no_use_of_mlflow_are_refused() {
    let upstream = Upstream::plain().await;
    for request in ["TRACE / HTTP/1.1\r\n", "CONNECT a:443 HTTP/1.1\r\n"] {
        let mut wire = connected(&upstream).await;
        wire.send(format!("{request}Host: a\r\n\r\n")).await;
        assert_eq!(wire.answer().await.status, 405, "{request}");
    }
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn a_server_that_is_down_is_told_of_as_mlflow_tells_errors() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut wire = Wire::open(proxy(address, PATIENCE).await).await;
    wire.send("PUT /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        .await;
    let answer = wire.answer().await;
    assert_eq!((answer.status, answer.header("content-type")), (503, Some("application/json")));
    assert_eq!(answer.json()["error_code"], "TEMPORARILY_UNAVAILABLE");
    let message = answer.json()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("lockgate cannot reach"), "{message}");
    // Where MLflow is, is none of the client's business.
    assert!(!message.contains(&address.port().to_string()), "{message}");
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let patience = Patience { answer: Duration::from_millis(50), ..PATIENCE };
    let mut wire = Wire::open(proxy(listener.local_addr().unwrap(), patience).await).await;
    wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let answer = wire.answer().await;
    assert_eq!(
        (answer.status, answer.json()["error_code"].as_str()),
        (504, Some("DEADLINE_EXCEEDED"))
    );
}

#[tokio::test]
async fn a_server_that_closes_instead_of_answering_is_told_of() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut wire = Wire::open(proxy(listener.local_addr().unwrap(), PATIENCE).await).await;
    wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let (mut mlflow, _) = listener.accept().await.unwrap();
    mlflow.read_u8().await.unwrap();
    drop(mlflow);
    let answer = wire.answer().await;
    assert_eq!(
        (answer.status, answer.json()["error_code"].as_str()),
        (502, Some("INTERNAL_ERROR"))
    );
}

#[tokio::test]
async fn a_client_that_stops_sending_is_given_up() {
    let upstream = Upstream::plain().await;
    let patience = Patience { idle: Duration::from_millis(50), ..PATIENCE };
    let mut wire = Wire::open(proxy(upstream.address, patience).await).await;
    wire.send("PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab").await;
    assert_eq!(wire.answer().await.status, 408);
    for seen in upstream.seen() {
        assert!(seen.body.is_none(), "{seen:?}");
    }
}

#[tokio::test]
async fn a_slow_upload_may_take_longer_than_an_answer_may() {
    let patience = Patience { answer: Duration::from_millis(300), ..PATIENCE };
    let upstream = Upstream::plain().await;
    let mut wire = Wire::open(proxy(upstream.address, patience).await).await;
    wire.send("PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n").await;
    // Each part comes well before the time for an answer is up, all of them well after.
    for _ in 0..8 {
        tokio::time::sleep(Duration::from_millis(75)).await;
        wire.send("x").await;
    }
    assert_eq!(wire.answer().await.status, 200);
    assert_eq!(upstream.seen()[0].headers["content-length"], HeaderValue::from_static("8"));
}
