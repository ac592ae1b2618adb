//! A client that does what it is told, also what a good one would not do.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// Longer than anything here takes; a test that waits longer has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// A request.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

pub(crate) fn get(path: &str) -> Request {
    let method = "GET".to_owned();
    Request { method, path: path.to_owned(), headers: Vec::new(), body: Vec::new() }
}

pub(crate) fn post(path: &str, body: &Value) -> Request {
    post_bytes(path, body.to_string().as_bytes()).header("content-type", "application/json")
}

pub(crate) fn post_bytes(path: &str, body: &[u8]) -> Request {
    Request { method: "POST".to_owned(), body: body.to_vec(), ..get(path) }
}

impl Request {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let Self { method, path, headers, body } = self;
        let mut text = format!("{method} {path} HTTP/1.1\r\nhost: lockgate\r\n");
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        let framed = headers.iter().any(|(name, _)| name == "transfer-encoding");
        if !framed && (method != "GET" || !body.is_empty()) {
            text.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        let mut bytes = (text + "\r\n").into_bytes();
        bytes.extend_from_slice(body);
        bytes
    }

    /// Sends it on a connection of its own.
    pub(crate) fn send(&self, address: SocketAddr) -> Response {
        self.send_on(&mut connect(address))
    }

    pub(crate) fn send_on(&self, stream: &mut dyn Stream) -> Response {
        // Whoever answers before it has read everything may close the other way.
        let _ = stream.write_all(&self.bytes());
        Response::read(stream)
    }
}

pub(crate) struct Response {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn read(stream: &mut dyn Stream) -> Self {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap_or_else(|| panic!("no answer: {line:?}"));
        let status = status.parse().unwrap();
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let mut response = Self { status, headers, body: Vec::new() };
        if let Some(length) = response.header("content-length") {
            let mut body = vec![0; length.parse().unwrap()];
            reader.read_exact(&mut body).unwrap();
            response.body = body;
        }
        response
    }

    /// The same, or none where the connection ends before it is whole.
    pub(crate) fn try_read(stream: &mut dyn Stream) -> Option<Self> {
        let mut whole = Vec::new();
        let mut piece = [0; 16 << 10];
        let ends = |whole: &[u8]| {
            let head = whole.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
            let text = String::from_utf8_lossy(whole.get(..head)?).to_ascii_lowercase();
            let length = text.split("content-length: ").nth(1)?.split("\r\n").next()?;
            Some(head + length.parse::<usize>().ok()?)
        };
        loop {
            if ends(&whole).is_some_and(|end| whole.len() >= end) {
                let mut whole = std::io::Cursor::new(whole);
                return Some(Self::read(&mut whole));
            }
            match stream.read(&mut piece) {
                Ok(0) | Err(_) => return None,
                Ok(read) => whole.extend_from_slice(piece.get(..read)?),
            }
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// Holds it against a problem of this code.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Self {
        let this = self.is(status);
        assert_eq!(this.header("content-type"), Some("application/problem+json"));
        let problem = this.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        this
    }
}
