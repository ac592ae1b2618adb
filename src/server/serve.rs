//! Putting the server together, and its life from start to end.

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::net::TcpListener;
use tokio::sync::{Mutex, watch};

use super::app::{App, Front};
use super::auth::Doorkeeper;
use super::body::BodyLimits;
use super::gateway::Gateway;
use super::kubernetes::Settings;
use super::listen::{ConnectionLimits, Listening};
use super::ready::Readiness;
use super::reload::{Cause, Reload};
use super::retention::Retention;
use super::tls::Tls;
use super::{Collect, Gatekeeper, GatesUnusable, LoadGates, Metrics};
use crate::record::Record;

/// Everything that a server is made of.
pub struct Setup {
    /// Where connections come in.
    pub listener: TcpListener,
    /// TLS; none for plain HTTP.
    pub tls: Option<Tls>,
    /// Who may ask.
    pub doorkeeper: Doorkeeper,
    /// The file that the doorkeeper's credentials were read from, which is watched.
    pub tokens: Option<PathBuf>,
    /// What decides. It has no gates yet.
    pub gatekeeper: Gatekeeper,
    /// What loads the gates, at the start and whenever they change.
    pub loader: Arc<dyn LoadGates>,
    /// Where decisions are kept: the one that the gatekeeper writes to.
    pub record: Record,
    /// How long decisions are kept; none for good.
    pub retention: Option<Retention>,
    /// The registries that evidence can be collected from.
    pub collectors: Vec<Arc<dyn Collect>>,
    /// How admission reviews of Kubernetes are answered.
    pub kubernetes: Settings,
    /// What is counted: the metrics that the gatekeeper counts in.
    pub metrics: Arc<Metrics>,
    /// What is taken of bodies.
    pub body: BodyLimits,
    /// What is taken of connections.
    pub connections: ConnectionLimits,
    /// What answers the requests that the server itself does not know. No credentials have been
    /// looked at, no body has been read, and no header is added to its answers.
    pub gateway: Option<Gateway>,
}

/// Why a server has ended before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The gates could not be loaded at the start.
    #[error("the gates cannot be used")]
    Gates(#[source] GatesUnusable),
    /// The socket is of no use.
    #[error("cannot listen: {0}")]
    Listen(#[from] io::Error),
}

/// Serves until told to stop, and then until everything under way has ended.
///
/// # Errors
/// Gates that cannot be used at the start: there are no last good ones to go on with.
pub async fn serve(setup: Setup, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
    let Setup {
        listener,
        tls,
        doorkeeper,
        tokens,
        gatekeeper,
        loader,
        record,
        retention,
        collectors,
        kubernetes,
        metrics,
        body,
        connections,
        gateway,
    } = setup;
    let address = listener.local_addr()?;
    let tls = tls.map(Arc::new);
    let reload = Arc::new(Reload {
        loader,
        gatekeeper: gatekeeper.clone(),
        doorkeeper: doorkeeper.clone(),
        tokens,
        tls: tls.clone(),
        metrics: Arc::clone(&metrics),
        fault: arc_swap::ArcSwapOption::empty(),
        tokens_stale: AtomicBool::new(false),
        certificates_stale: AtomicBool::new(false),
        turn: Mutex::new(()),
    });
    let app = Arc::new(App {
        gatekeeper: gatekeeper.clone(),
        doorkeeper,
        record: record.clone(),
        collectors,
        kubernetes,
        body,
        metrics: Arc::clone(&metrics),
        reload,
        readiness: Readiness::default(),
        document: std::sync::OnceLock::new(),
    });
    let front = Front::new(Arc::clone(&app), gateway);
    // Health checks are answered while the gates are loaded, which may take seconds.
    let (end, ended) = watch::channel(false);
    let listening = Listening::new(listener, tls, front, connections, metrics)?;
    let served = tokio::spawn(listening.until(told(ended)));
    tracing::info!(%address, "listening");
    let kept = retention.map(|retention| retention.keep_up(record.clone()));
    let result = run(&app, kept, stop).await;
    gatekeeper.close();
    let _ = end.send(true);
    let _ = served.await;
    record.close().await;
    tracing::info!("stopped");
    result
}

async fn run(
    app: &App,
    kept: Option<impl Future<Output = ()> + Send + 'static>,
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let mut stop = std::pin::pin!(stop);
    let reload = &app.reload;
    let watching = reload.watch()?;
    tokio::select! {
        loaded = reload.gates(Cause::Asked) => loaded.map_err(ServeError::Gates)?,
        () = &mut stop => return Ok(()),
    }
    if app.readiness.begins_writable(&app.record).await {
        tracing::info!("ready");
    } else {
        tracing::error!(
            "not ready: decisions cannot be put on record, and are undecided until they can"
        );
    }
    let watching = tokio::spawn(Arc::clone(reload).keep_watch(watching));
    let kept = kept.map(tokio::spawn);
    stop.await;
    watching.abort();
    if let Some(kept) = kept {
        kept.abort();
    }
    Ok(())
}

async fn told(mut ended: watch::Receiver<bool>) {
    // An error means that nobody is left to tell it, which ends it too.
    let _ = ended.wait_for(|ended| *ended).await;
}
