//! Connections to MLflow, each driven by the request that uses it.
//!
//! A pool that drives its connections in tasks of their own has every request wake another task,
//! often on another thread, and be woken by it: half the time of a small request.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Request, Response, Uri};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::{Handle, Id};
use tower::ServiceExt as _;

use super::body::Through;

type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;
type Upload = Through<Body>;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum PoolError {
    #[error("no connection: {0}")]
    Connect(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error(transparent)]
    Exchange(#[from] hyper::Error),
    /// MLflow closed the connection.
    #[error("the connection was closed")]
    Closed,
}

/// Connections to one server. Clones share them.
#[derive(Clone)]
pub(super) struct Pool(Arc<Inner>);

struct Inner {
    connector: HttpsConnector<HttpConnector>,
    address: Uri,
    /// For how long an idle connection is kept, and how many of them for each runtime.
    idle: Duration,
    most: usize,
    /// Each for the runtime that drives it: by another it would be woken from afar.
    connections: Mutex<HashMap<Id, Vec<Idle>>>,
}

struct Idle {
    link: Box<Link>,
    since: Instant,
}

/// One connection: where requests go in, and what moves them. Boxed, as it is large and changes
/// hands with every request.
struct Link {
    sender: SendRequest<Upload>,
    /// None once it has ended.
    connection: Option<Connection<Stream, Upload>>,
    /// The runtime that it was opened in.
    home: Id,
}

impl Link {
    /// Moves whatever is to be moved; an end of the connection shows in what it moves.
    fn drive(&mut self, context: &mut Context<'_>) {
        if let Some(connection) = &mut self.connection
            && let Poll::Ready(ended) = Pin::new(connection).poll(context)
        {
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection to MLflow ended");
            }
            self.connection = None;
        }
    }

    fn is_open(&self) -> bool {
        self.connection.is_some() && self.sender.is_ready()
    }
}

impl Pool {
    pub(super) fn new(
        connector: HttpsConnector<HttpConnector>,
        address: Uri,
        idle: Duration,
        most: usize,
    ) -> Self {
        Self(Arc::new(Inner { connector, address, idle, most, connections: Mutex::default() }))
    }

    /// Sends a request; once more where a kept connection turns out closed before any of it went.
    pub(super) async fn send(
        &self,
        mut request: Request<Upload>,
    ) -> Result<Response<Download>, PoolError> {
        loop {
            let (mut link, kept) = match self.kept().await {
                Some(link) => (link, true),
                None => (Box::pin(self.connect()).await?, false),
            };
            match exchange(&mut link, request).await {
                Ok(response) => {
                    let (head, body) = response.into_parts();
                    let mut body = Download { body, link: Some(link), pool: self.clone() };
                    std::future::poll_fn(|context| {
                        body.settle(false, context);
                        Poll::Ready(())
                    })
                    .await;
                    return Ok(Response::from_parts(head, body));
                }
                Err((Some(unsent), _)) if kept => request = *unsent,
                Err((_, error)) => return Err(error),
            }
        }
    }

    /// A kept connection that is still open, the last used first.
    async fn kept(&self) -> Option<Box<Link>> {
        let here = Handle::current().id();
        loop {
            let Idle { mut link, since } = self.lock().get_mut(&here)?.pop()?;
            if since.elapsed() > self.0.idle {
                // Those below are older still.
                let old = self.lock().remove(&here);
                drop(old);
                continue;
            }
            std::future::poll_fn(|context| {
                link.drive(context);
                Poll::Ready(())
            })
            .await;
            if link.is_open() {
                return Some(link);
            }
        }
    }

    async fn connect(&self) -> Result<Box<Link>, PoolError> {
        let stream = self.0.connector.clone().oneshot(self.0.address.clone()).await;
        let stream = stream.map_err(PoolError::Connect)?;
        let (sender, connection) = Builder::new().handshake(stream).await?;
        let home = Handle::current().id();
        Ok(Box::new(Link { sender, connection: Some(connection), home }))
    }

    /// Keeps a connection for the next request.
    fn keep(&self, link: Box<Link>) {
        if !link.is_open() {
            return;
        }
        let home = link.home;
        let idle = Idle { link, since: Instant::now() };
        let mut connections = self.lock();
        let connections = connections.entry(home).or_default();
        if connections.len() < self.0.most {
            connections.push(idle);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Id, Vec<Idle>>> {
        self.0.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends a request by a connection and waits for the head of the answer. A request of which
/// nothing was sent comes back.
async fn exchange(
    link: &mut Link,
    request: Request<Upload>,
) -> Result<Response<Incoming>, (Option<Box<Request<Upload>>>, PoolError)> {
    let mut answer = std::pin::pin!(link.sender.try_send_request(request));
    let connection = &mut link.connection;
    std::future::poll_fn(|context| {
        if let Poll::Ready(answer) = answer.as_mut().poll(context) {
            return Poll::Ready(Some(answer));
        }
        if let Some(moving) = connection
            && Pin::new(moving).poll(context).is_ready()
        {
            *connection = None;
        }
        match answer.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            // Nobody is left to answer.
            Poll::Pending if connection.is_none() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
    .ok_or((None, PoolError::Closed))?
    .map_err(|mut error| {
        let unsent = error.take_message().map(Box::new);
        (unsent, PoolError::Exchange(error.into_error()))
    })
}

/// The body of an answer, which moves its connection and gives it back at its end.
pub(super) struct Download {
    body: Incoming,
    link: Option<Box<Link>>,
    pool: Pool,
}

impl Download {
    /// Gives the connection back once the body has come to its end, which whoever reads it may
    /// know by its length and not ask for.
    fn settle(&mut self, ended: bool, context: &mut Context<'_>) {
        if (ended || self.body.is_end_stream())
            && let Some(mut link) = self.link.take()
        {
            // It notes the end of the answer.
            link.drive(context);
            self.pool.keep(link);
        }
    }
}

impl HttpBody for Download {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = &mut *self;
        let mut frame = Pin::new(&mut this.body).poll_frame(context);
        if frame.is_pending()
            && let Some(link) = &mut this.link
        {
            link.drive(context);
            frame = Pin::new(&mut this.body).poll_frame(context);
        }
        if let Poll::Ready(frame) = &frame {
            this.settle(frame.is_none(), context);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The error at the end of a chain of them, for the log.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
