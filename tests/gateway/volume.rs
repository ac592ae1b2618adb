//! Gigabytes pass through in little memory.

use axum::body::{Body, Bytes};
use axum::http::Response;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::gateway::Gateway;
use crate::upstream::Upstream;

const SIZE: usize = 256 << 20;
/// What passing `SIZE` through may add to the gateway's memory, in KiB.
const ROOM: u64 = 32 << 10;

#[test]
fn an_upload_and_a_download_take_little_memory() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (address, taken) = runtime.block_on(sink_and_source());
    let gateway = Gateway::start(&format!("http://{address}"));
    let (_, before) = gateway.memory();
    runtime.block_on(async {
        let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
        let head = format!(
            "PUT /api/2.0/mlflow-artifacts/artifacts/0/r/artifacts/model.bin HTTP/1.1\r\nHost: a\r\nContent-Length: {SIZE}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let part = vec![7_u8; 1 << 20];
        for _ in 0..SIZE / part.len() {
            stream.write_all(&part).await.unwrap();
        }
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        assert_eq!(taken.await.unwrap(), SIZE);

        let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
        stream.write_all(b"GET /get-artifact HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
        let (mut total, mut part) = (0, vec![0; 1 << 20]);
        loop {
            match stream.read(&mut part).await.unwrap() {
                0 => break,
                length => total += length,
            }
        }
        assert!(total > SIZE, "{total}");
    });
    let (_, after) = gateway.memory();
    assert!(after < before + ROOM, "{before} KiB before, {after} KiB after");
}

/// A server that takes one upload, counting its bytes, and then sends as many.
async fn sink_and_source() -> (std::net::SocketAddr, tokio::task::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let taken = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut part = vec![0; 1 << 20];
        let mut head = Vec::new();
        let start = loop {
            assert_ne!(stream.read_buf(&mut head).await.unwrap(), 0);
            if let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
                break head.len() - end - 4;
            }
        };
        let mut total = start;
        while total < SIZE {
            total += stream.read(&mut part).await.unwrap();
        }
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .await
            .unwrap();
        drop(stream);
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                assert_ne!(stream.read_buf(&mut asked).await.unwrap(), 0);
            }
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {SIZE}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            for _ in 0..SIZE / part.len() {
                stream.write_all(&part).await.unwrap();
            }
            // Until the other side has read it all.
            let _ = stream.shutdown().await;
            while stream.read(&mut part).await.is_ok_and(|length| length > 0) {}
        });
        total
    });
    (address, taken)
}

#[test]
fn connections_that_only_wait_cost_little() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let upstream =
        runtime.block_on(Upstream::start(|_| Response::new(Body::from(Bytes::from_static(b"{}")))));
    let gateway = Gateway::start(&format!("http://{}", upstream.address));
    let (idle, _) = gateway.memory();
    let _held: Vec<_> = runtime.block_on(async {
        let mut held = Vec::new();
        for _ in 0..500 {
            held.push(TcpStream::connect(gateway.address()).await.unwrap());
        }
        held
    });
    assert_eq!(gateway.send("GET", "/version", &serde_json::Value::Null).0, 200);
    let (now, _) = gateway.memory();
    assert!(now < idle + ROOM, "{idle} KiB before, {now} KiB with 500 connections");
}
