//! Logs, structured, on standard error; and traces, for those who have said where to.

use std::fmt;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry::KeyValue;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{HeaderExtractor, HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing::{Level, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::filter::{EnvFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry, fmt as log};

/// How a log line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs: a JSON object a line.
    Json,
}

/// Text that names no format of logs.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a format of logs; write `text` or `json`")]
pub struct UnknownLogFormat(String);

impl FromStr for LogFormat {
    type Err = UnknownLogFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(UnknownLogFormat(text.chars().take(100).collect())),
        }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

/// Logs that cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is none.
    #[error(
        "`{filter}` does not say what to log: {detail}; write a level such as `info`, or `lockgate=debug`"
    )]
    Filter {
        /// What was given.
        filter: String,
        /// What is wrong with it.
        detail: String,
    },
    /// Traces cannot be sent.
    #[error("traces cannot be sent to where OTEL_EXPORTER_OTLP_ENDPOINT says: {0}")]
    Traces(String),
    /// Something else logs already.
    #[error("logs are set up already")]
    Twice,
}

/// Ends with the server, and sends the last traces then.
pub struct Telemetry(Option<SdkTracerProvider>);

/// For sending the traces that are left when the server ends.
const LAST: Duration = Duration::from_secs(3);

impl Telemetry {
    /// Has everything logged from now on. `runtime` is what traces are sent on.
    ///
    /// # Errors
    /// A filter that is none, or traces that cannot be sent.
    pub fn start(
        format: LogFormat,
        filter: &str,
        color: bool,
        runtime: &Handle,
    ) -> Result<Self, TelemetryError> {
        let wanted = EnvFilter::try_new(filter).map_err(|error| TelemetryError::Filter {
            filter: filter.chars().take(100).collect(),
            detail: error.to_string(),
        })?;
        let provider = traces(runtime)?;
        let set = match &provider {
            None => {
                let subscriber = Registry::default().with(lines(format, color)).with(wanted);
                tracing::subscriber::set_global_default(subscriber)
            }
            // What is logged says nothing about what is traced.
            Some(provider) => {
                TRACED.store(true, Ordering::Relaxed);
                let own = Targets::new().with_target("lockgate", Level::DEBUG);
                let traced = tracing_opentelemetry::layer()
                    .with_tracer(provider.tracer("lockgate"))
                    .with_location(false)
                    .with_target(false)
                    .with_threads(false)
                    .with_filter(own);
                let lines = lines(format, color).with_filter(wanted);
                tracing::subscriber::set_global_default(
                    Registry::default().with(traced).with(lines),
                )
            }
        };
        set.map_err(|_| TelemetryError::Twice)?;
        Ok(Self(provider))
    }

    /// Sends what is left. Waits for a while, so it is nothing for a thread of the runtime.
    pub fn end(self) {
        if let Some(provider) = self.0 {
            // What could not be sent by now is lost with the process.
            let _ = provider.shutdown_with_timeout(LAST);
        }
    }
}

fn lines<S>(format: LogFormat, color: bool) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    match format {
        LogFormat::Text => {
            Box::new(log::layer().with_writer(std::io::stderr).with_ansi(color).with_target(false))
        }
        LogFormat::Json => Box::new(
            log::layer()
                .json()
                .flatten_event(true)
                // Decisions have a target of their own.
                .with_target(false)
                .with_current_span(true)
                .with_span_list(false)
                .with_writer(std::io::stderr),
        ),
    }
}

/// Whether there are traces; they cost nothing where there are none.
static TRACED: AtomicBool = AtomicBool::new(false);

/// Whether requests are traced.
pub(super) fn is_traced() -> bool {
    TRACED.load(Ordering::Relaxed)
}

/// Makes the span of a request a part of the caller's trace, if the request names one, and puts it
/// in the words of HTTP. Takes a span that nobody has entered yet.
pub(super) fn begin(span: &Span, method: &Method, route: &str, headers: &HeaderMap) {
    // A header that is none leaves an empty context, and so a trace of its own.
    let parent = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
    let _ = span.set_parent(parent);
    span.set_attribute("http.request.method", method.as_str().to_owned());
    if route.starts_with('/') {
        span.set_attribute("http.route", route.to_owned());
        span.record("otel.name", format!("{method} {route}"));
    } else {
        span.record("otel.name", method.as_str());
    }
    span.record("otel.kind", "server");
}

/// Tells the span of a request what was answered.
pub(super) fn end(span: &Span, status: StatusCode) {
    span.set_attribute("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        span.set_status(opentelemetry::trace::Status::error(""));
    }
}

/// Traces, where the environment says where to.
fn traces(runtime: &Handle) -> Result<Option<SdkTracerProvider>, TelemetryError> {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if std::env::var("OTEL_SDK_DISABLED").is_ok_and(|word| word.eq_ignore_ascii_case("true")) {
        return Ok(None);
    }
    if !set("OTEL_EXPORTER_OTLP_ENDPOINT") && !set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
        return Ok(None);
    }
    let failed = |error: &dyn fmt::Display| TelemetryError::Traces(error.to_string());
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Sender::new(runtime).map_err(|error| failed(&error))?)
        .build()
        .map_err(|error| failed(&error))?;
    let provider = SdkTracerProvider::builder()
        .with_resource(resource())
        .with_batch_exporter(exporter)
        .build();
    Ok(Some(provider))
}

/// What sends traces: what the environment says it is, and lockgate where it says nothing.
fn resource() -> Resource {
    let own = [
        KeyValue::new("service.name", "lockgate"),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
    ];
    let resource = Resource::builder_empty()
        .with_attributes(own)
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_detector(Box::new(EnvResourceDetector::new()));
    match std::env::var("OTEL_SERVICE_NAME") {
        Ok(name) if !name.is_empty() => resource.with_service_name(name).build(),
        _ => resource.build(),
    }
}

/// Sends traces on the server's own runtime; the exporter calls it from a thread without one.
#[derive(Debug)]
struct Sender {
    runtime: Handle,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// Bytes of an answer to traces.
const ANSWER: usize = 1 << 20;
/// For an answer to traces. Those that come meanwhile wait in a queue of the exporter, and are
/// lost when it is full.
const PATIENCE: Duration = Duration::from_secs(10);

impl Sender {
    fn new(runtime: &Handle) -> Result<Self, rustls::Error> {
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_native_roots()
            .map_err(|error| rustls::Error::General(error.to_string()))?
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { runtime: runtime.clone(), client })
    }
}

type Sent<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'a>>;

impl HttpClient for Sender {
    fn send_bytes<'life0, 'async_trait>(&'life0 self, request: Request<Bytes>) -> Sent<'async_trait>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        let client = self.client.clone();
        // A clock can only be set within the runtime.
        let sent = self.runtime.spawn(async move {
            let exchange = async move {
                let answer = client.request(request.map(Full::new)).await?;
                let (parts, body) = answer.into_parts();
                let body = Limited::new(body, ANSWER).collect().await?.to_bytes();
                Ok(Response::from_parts(parts, body))
            };
            tokio::time::timeout(PATIENCE, exchange).await
        });
        Box::pin(async move { sent.await?? })
    }
}
