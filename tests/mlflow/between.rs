//! Stands between a client and MLflow, and counts how many files are asked for at a time.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::sync::watch;

pub(crate) struct Between {
    pub(crate) url: String,
    counts: Arc<watch::Sender<Counts>>,
    _runtime: tokio::runtime::Runtime,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    now: usize,
    most: usize,
}

impl Between {
    pub(crate) fn start(upstream: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let counts = Arc::new(watch::Sender::new(Counts::default()));
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (shared, upstream) = (Arc::clone(&counts), upstream.to_owned());
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (counts, upstream) = (Arc::clone(&shared), upstream.clone());
                let service = service_fn(move |request| {
                    answer(request, upstream.clone(), Arc::clone(&counts))
                });
                let server = hyper::server::conn::http1::Builder::new();
                tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { url, counts, _runtime: runtime }
    }

    /// The most files that were asked for at a time.
    pub(crate) fn most(&self) -> usize {
        self.counts.borrow().most
    }
}

async fn answer(
    mut request: Request<hyper::body::Incoming>,
    upstream: String,
    counts: Arc<watch::Sender<Counts>>,
) -> Result<Response<Full<bytes::Bytes>>, hyper_util::client::legacy::Error> {
    let counted = request.uri().path() == "/get-artifact";
    if counted {
        counts.send_modify(|counts| {
            counts.now += 1;
            counts.most = counts.most.max(counts.now);
        });
        // For a second one, or until it is clear that none comes.
        let mut changes = counts.subscribe();
        let second = changes.wait_for(|counts| counts.most >= 2);
        let _ = tokio::time::timeout(Duration::from_secs(10), second).await;
    }
    *request.uri_mut() = format!("{upstream}{}", request.uri()).parse().unwrap();
    request.headers_mut().remove("host");
    let answer = Client::builder(TokioExecutor::new()).build_http().request(request).await?;
    let (head, body) = answer.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    if counted {
        counts.send_modify(|counts| counts.now -= 1);
    }
    let mut whole = Response::new(Full::new(body));
    *whole.status_mut() = head.status;
    Ok(whole)
}
