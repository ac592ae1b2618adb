//! Connections: how many, for how long, and how they end.

mod drivers;
mod guarded;
mod idle;
mod unread;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use super::Metrics;
use super::app::Front;
use super::auth::ClientCertificate;
use super::tls::Tls;
use drivers::{Drivers, Requests};
use guarded::Guarded;
use idle::Activity;
use unread::Unread;

/// What connections may take.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// Open at a time.
    pub connections: usize,
    /// Until the end of the TLS handshake, and from then, or from the end of the request before,
    /// to the end of a request's headers. So it is also how long an idle connection is kept.
    pub headers: Duration,
    /// For which a peer may take nothing of what is sent to it.
    pub stalled: Duration,
    /// For requests under way to end when the server stops.
    pub drain: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            connections: 16_384,
            headers: Duration::from_secs(20),
            stalled: Duration::from_secs(60),
            drain: Duration::from_secs(20),
        }
    }
}

/// Bytes of the headers of one request.
const HEADER_BYTES: usize = 64 << 10;
/// Headers of one request.
const HEADERS: usize = 100;
/// Requests at a time on one HTTP/2 connection.
const STREAMS: u32 = 128;
/// Streams that a peer may have the server reset on one HTTP/2 connection.
const RESETS: usize = 64;
/// What is answered on a connection that is one too many. Whoever speaks TLS or HTTP/2 sees it
/// closed.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\nretry-after: 1\r\n\r\n";

/// Takes connections until told to stop, and then lets requests under way end.
pub(super) struct Listening {
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    front: Arc<Front>,
    limits: ConnectionLimits,
    metrics: Arc<Metrics>,
    drivers: Drivers,
}

impl Listening {
    /// Starts the threads that drive connections; takes none yet.
    pub(super) fn new(
        listener: TcpListener,
        tls: Option<Arc<Tls>>,
        front: Front,
        limits: ConnectionLimits,
        metrics: Arc<Metrics>,
    ) -> io::Result<Self> {
        let front = Arc::new(front);
        Ok(Self { listener, tls, front, limits, metrics, drivers: Drivers::start()? })
    }

    pub(super) async fn until(self, stop: impl Future<Output = ()>) {
        let Self { listener, tls, front, limits, metrics, drivers } = self;
        let places = Arc::new(Semaphore::new(limits.connections));
        let (end, _) = watch::channel(());
        let builder = Arc::new(builder(&limits));
        let mut stop = pin!(stop);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut stop => break,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    accept_failed(&error).await;
                    continue;
                }
            };
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                metrics.connection_refused("too_many");
                turn_away(stream);
                continue;
            };
            let connection = Connection {
                builder: Arc::clone(&builder),
                front: Arc::clone(&front),
                limits,
                ended: end.subscribe(),
                counted: Counted::new(place, &metrics),
                metrics: Arc::clone(&metrics),
                peer,
            };
            let tls = tls.as_ref().map(|tls| tls.current());
            match stream.into_std() {
                Ok(stream) => drivers.drive(connection.begin(stream, tls)),
                Err(error) => accept_failed(&error).await,
            }
        }
        drop(listener);
        let open = end.receiver_count();
        tracing::info!(open, "no longer taking connections; requests under way end");
        let _ = end.send(());
        if tokio::time::timeout(limits.drain, end.closed()).await.is_err() {
            tracing::warn!("some requests did not end in time and are cut off");
        }
    }
}

fn builder(limits: &ConnectionLimits) -> Builder<Requests> {
    let mut builder = Builder::new(Requests(Handle::current()));
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.headers)
        .max_buf_size(HEADER_BYTES)
        .max_headers(HEADERS)
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(HEADER_BYTES).unwrap_or(u32::MAX))
        .max_concurrent_streams(STREAMS)
        .max_local_error_reset_streams(RESETS)
        .max_pending_accept_reset_streams(RESETS)
        .keep_alive_interval(limits.headers)
        .keep_alive_timeout(limits.headers);
    builder
}

/// Running out of file descriptors passes once connections are closed; trying again at once would
/// only burn time.
async fn accept_failed(error: &io::Error) {
    let of_the_peer = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    );
    if !of_the_peer {
        tracing::warn!(cause = %error, "cannot take a connection");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn turn_away(mut stream: TcpStream) {
    tokio::spawn(async move {
        let told = tokio::time::timeout(Duration::from_secs(1), stream.write_all(FULL));
        let _ = told.await;
    });
}

/// Holds a connection's place for as long as it lives.
struct Counted {
    _place: OwnedSemaphorePermit,
    metrics: Arc<Metrics>,
}

impl Counted {
    fn new(place: OwnedSemaphorePermit, metrics: &Arc<Metrics>) -> Self {
        metrics.connected();
        Self { _place: place, metrics: Arc::clone(metrics) }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.metrics.disconnected();
    }
}

struct Connection {
    builder: Arc<Builder<Requests>>,
    front: Arc<Front>,
    limits: ConnectionLimits,
    /// Told when the server stops, and held until the connection has ended.
    ended: watch::Receiver<()>,
    counted: Counted,
    metrics: Arc<Metrics>,
    peer: SocketAddr,
}

/// Who is at the other end of a connection; an extension of its requests.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// Where it is.
    pub(crate) address: SocketAddr,
    /// The certificate it has shown.
    pub(crate) certificate: Option<Arc<ClientCertificate>>,
}

impl Connection {
    /// Serves a connection on the thread that this is awaited on.
    async fn begin(self, stream: std::net::TcpStream, tls: Option<Arc<rustls::ServerConfig>>) {
        match TcpStream::from_std(stream) {
            Ok(stream) => self.serve(stream, tls).await,
            Err(error) => tracing::warn!(cause = %error, "cannot take a connection"),
        }
    }

    async fn serve(self, stream: TcpStream, tls: Option<Arc<rustls::ServerConfig>>) {
        // Answers are small and go out at once.
        let _ = stream.set_nodelay(true);
        let Some(config) = tls else {
            let peer = Peer { address: self.peer, certificate: None };
            return self.speak(stream, peer).await;
        };
        let accepted = TlsAcceptor::from(config).accept(stream);
        match tokio::time::timeout(self.limits.headers, accepted).await {
            Ok(Ok(stream)) => {
                let (_, session) = stream.get_ref();
                let shown = session.peer_certificates().and_then(<[_]>::first);
                let certificate = shown.map(|shown| Arc::new(ClientCertificate::of(shown)));
                let peer = Peer { address: self.peer, certificate };
                self.speak(stream, peer).await;
            }
            Ok(Err(error)) => {
                self.metrics.connection_refused("tls");
                tracing::debug!(cause = %error, peer = %self.peer, "no TLS connection");
            }
            Err(_) => self.metrics.connection_refused("tls_timeout"),
        }
    }

    async fn speak(
        mut self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: Peer,
    ) {
        let time = self.limits.headers;
        let stream = Guarded::new(stream, time, self.limits.stalled);
        let activity = Activity::default();
        let requests = activity.clone();
        let front = self.front;
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = Unread::of(request);
            let under_way = requests.begin(request.version());
            request.extensions_mut().insert(peer.clone());
            let many = request.version() == Version::HTTP_2 && request.headers().len() > HEADERS;
            let answer = (!many).then(|| front.answer(request));
            async move {
                let answer = match answer {
                    Some(answer) => answer.await,
                    None => too_many_headers(),
                };
                drop(under_way);
                Ok::<_, Infallible>(answer)
            }
        });
        let connection = self.builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        let served = tokio::select! {
            biased;
            served = connection.as_mut() => served,
            () = async {
                tokio::select! {
                    _ = self.ended.changed() => {}
                    () = activity.idle(time) => {}
                }
            } => {
                // What is under way goes on to its end, what is being sent too.
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = served {
            tracing::debug!(cause = %error, "connection ended early");
        }
        drop(self.counted);
    }
}

/// HTTP/1 answers this itself.
fn too_many_headers() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    response
}
