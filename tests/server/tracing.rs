//! Traces, as a collector gets them: OTLP over HTTP, read with the protocol's own types.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Instant;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message as _;
use rustix::process::Signal;

use super::http::{PATIENCE, Request, post};
use super::served::{Folder, GATE, Served, question};

/// A span, and the service that sent it.
struct Sent {
    service: String,
    version: String,
    span: Span,
}

impl Sent {
    fn attribute(&self, key: &str) -> String {
        let found = self.span.attributes.iter().find(|attribute| attribute.key == key);
        found.map(|found| text(found.value.as_ref())).unwrap_or_default()
    }
}

fn text(value: Option<&opentelemetry_proto::tonic::common::v1::AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}

/// What takes traces in.
struct Collector {
    address: SocketAddr,
    sent: Receiver<Sent>,
}

impl Collector {
    fn start() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    fn on(listener: TcpListener) -> Self {
        let address = listener.local_addr().unwrap();
        let (sender, sent) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let sender = sender.clone();
                thread::spawn(move || while take(&stream, &sender).is_some() {});
            }
        });
        Self { address, sent }
    }

    /// Waits for a span of this name, and returns it with those before it.
    #[track_caller]
    fn until(&self, name: &str) -> Vec<Sent> {
        let end = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(sent) = self.sent.recv_timeout(left) else {
                let names: Vec<_> = seen.iter().map(|sent: &Sent| &sent.span.name).collect();
                panic!("no span `{name}`: {names:?}");
            };
            let found = sent.span.name == name;
            seen.push(sent);
            if found {
                return seen;
            }
        }
    }
}

/// Takes one request in and answers it.
fn take(mut stream: &TcpStream, sender: &Sender<Sent>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        (reader.read_line(&mut head).ok()? > 0).then_some(())?;
    }
    assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
    let lower = head.to_ascii_lowercase();
    assert!(lower.contains("content-type: application/x-protobuf\r\n"), "{head}");
    let length = lower.split("content-length: ").nth(1)?.split("\r\n").next()?;
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    for resource in ExportTraceServiceRequest::decode(&*body).unwrap().resource_spans {
        let attributes = resource.resource.unwrap().attributes;
        let value = |key: &str| {
            let found = attributes.iter().find(|attribute| attribute.key == key);
            text(found.and_then(|found| found.value.as_ref()))
        };
        let (service, version) = (value("service.name"), value("service.version"));
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            let _ = sender.send(Sent { service: service.clone(), version: version.clone(), span });
        }
    }
    stream
        .write_all(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n",
        )
        .ok()
}

/// A server that sends its traces there, after so many milliseconds.
fn traced(collector: SocketAddr, delay: &str, arguments: &str) -> Served {
    traced_with(collector, delay, arguments, &[])
}

/// The same, with more in its environment.
fn traced_with(
    collector: SocketAddr,
    delay: &str,
    arguments: &str,
    variables: &[(&str, &str)],
) -> Served {
    let folder = Folder::new(GATE);
    let command = format!("serve --listen 127.0.0.1:0 --log-format json {arguments}");
    let mut command = folder.command(&command);
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{collector}"))
        .env("OTEL_BSP_SCHEDULE_DELAY", delay)
        .envs(variables.iter().copied());
    Served::start(folder, command)
}

fn decide(served: &Served) -> Request {
    while served.get("/readyz").status != 200 {}
    post("/v1/decisions", &question(0.95))
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_decision_is_a_part_of_the_trace_of_whoever_asked() {
    let collector = Collector::start();
    // What is logged is no matter.
    let served = traced(collector.address, "50", "--log error");
    let request = decide(&served);
    let request = request.header("traceparent", &format!("00-{TRACE}-{CALLER}-01"));
    let answer = served.send(&request).is(200).json();

    let spans = collector.until("POST /v1/decisions");
    let named = |name: &str| spans.iter().find(|sent| sent.span.name == name).unwrap();
    let root = named("POST /v1/decisions");
    assert_eq!(root.service, "lockgate");
    assert_eq!(hex(&root.span.trace_id), TRACE);
    assert_eq!(hex(&root.span.parent_span_id), CALLER);
    assert_eq!(root.span.kind, i32::from(SpanKind::Server));
    for (key, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/v1/decisions"),
        ("http.response.status_code", "200"),
    ] {
        assert_eq!(root.attribute(key), value, "{key}");
    }
    let (judge, record) = (named("judge"), named("record"));
    for (part, key, value) in [
        (judge, "model", "fraud-detector"),
        (judge, "version", "3"),
        (judge, "target", "stage:Production"),
        (judge, "verdict", "allow"),
        (record, "decision", answer["id"].as_str().unwrap()),
    ] {
        assert_eq!(hex(&part.span.trace_id), TRACE);
        assert_eq!(part.span.parent_span_id, root.span.span_id);
        assert_eq!(part.attribute(key), value, "{key}");
    }
}

#[test]
fn a_caller_without_a_trace_or_with_nonsense_begins_one() {
    let collector = Collector::start();
    let served = traced(collector.address, "50", "");
    let plain = decide(&served);
    let nonsense = plain.clone().header("traceparent", "00-zz-zz-zz");
    for request in [plain, nonsense] {
        served.send(&request).is(200);
        let spans = collector.until("POST /v1/decisions");
        let root = &spans.last().unwrap().span;
        assert_eq!(root.parent_span_id, [] as [u8; 0]);
        assert!(root.trace_id.iter().any(|byte| *byte != 0));
    }
}

#[test]
fn what_is_left_is_sent_at_the_end() {
    let collector = Collector::start();
    let served = traced(collector.address, "3600000", "");
    served.send(&decide(&served)).is(200);
    served.signal(Signal::TERM);
    let (status, _) = served.ended();
    assert_eq!(status.code(), Some(0));
    collector.until("POST /v1/decisions");
}

#[test]
fn nothing_is_sent_where_nobody_said_where_to() {
    // Where an exporter would send it by itself.
    let usual = TcpListener::bind("127.0.0.1:4318").unwrap();
    let collector = Collector::on(usual);
    let served = Folder::new(GATE).serve("");
    served.send(&decide(&served)).is(200);
    served.signal(Signal::TERM);
    assert_eq!(served.ended().0.code(), Some(0));
    assert!(collector.sent.try_recv().is_err());
}

#[test]
fn a_collector_that_is_away_or_hangs_holds_up_nothing() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    // Takes connections and never says a word.
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    for collector in [gone, hanging.local_addr().unwrap()] {
        // A queue that is full within a few requests, sent all the time.
        let folder = Folder::new(GATE);
        let mut command = folder.command("serve --listen 127.0.0.1:0 --log-format json");
        command
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{collector}"))
            .env("OTEL_BSP_SCHEDULE_DELAY", "1")
            .env("OTEL_BSP_MAX_QUEUE_SIZE", "4")
            .env("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2");
        let served = Served::start(folder, command);
        let request = decide(&served);
        for _ in 0..50 {
            served.send(&request).is(200);
        }
        served.get("/readyz").is(200);
        served.signal(Signal::TERM);
        assert_eq!(served.ended().0.code(), Some(0));
    }
}

#[test]
fn a_service_is_named_as_the_environment_says() {
    for (variables, service, version) in [
        (&[][..], "lockgate", env!("CARGO_PKG_VERSION")),
        (&[("OTEL_SERVICE_NAME", "gates")], "gates", env!("CARGO_PKG_VERSION")),
        (&[("OTEL_RESOURCE_ATTRIBUTES", "service.name=gates,service.version=7")], "gates", "7"),
    ] {
        let collector = Collector::start();
        let served = traced_with(collector.address, "50", "", variables);
        served.send(&decide(&served)).is(200);
        let spans = collector.until("POST /v1/decisions");
        let root = spans.last().unwrap();
        assert_eq!((&*root.service, &*root.version), (service, version));
    }
}

#[test]
fn traces_are_off_where_the_environment_says_so() {
    let collector = Collector::start();
    let off = [("OTEL_SDK_DISABLED", "true")];
    let served = traced_with(collector.address, "50", "", &off);
    served.send(&decide(&served)).is(200);
    served.signal(Signal::TERM);
    assert_eq!(served.ended().0.code(), Some(0));
    assert!(collector.sent.try_recv().is_err());
}
