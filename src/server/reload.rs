//! Gates, tokens and certificates that change while the server runs.
//!
//! Each is replaced as a whole or not at all: what cannot be used leaves the last good one in
//! place, and is seen in the log, in the metrics and in `/readyz`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::{Mutex, mpsc};

use super::auth::{Credentials, Doorkeeper};
use super::tls::Tls;
use super::{Gatekeeper, GatesUnusable, LoadGates, Metrics};

/// Files are often written in several steps; they are read once nothing has happened for so long,
const QUIET: Duration = Duration::from_millis(200);
/// and after so long whatever happens.
const PATIENCE: Duration = Duration::from_secs(2);

/// Everything that can be loaded anew.
pub(super) struct Reload {
    pub(super) loader: Arc<dyn LoadGates>,
    pub(super) gatekeeper: Gatekeeper,
    pub(super) doorkeeper: Doorkeeper,
    pub(super) tokens: Option<PathBuf>,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) metrics: Arc<Metrics>,
    /// What keeps the gate file on disk from being used.
    pub(super) fault: ArcSwapOption<GatesUnusable>,
    pub(super) turn: Mutex<()>,
}

impl Reload {
    /// Loads the gates, and judges by them from now on.
    ///
    /// # Errors
    /// Gates that cannot be used; nothing has changed then.
    pub(super) async fn gates(&self) -> Result<(), GatesUnusable> {
        let _turn = self.turn.lock().await;
        let loader = Arc::clone(&self.loader);
        let loaded = tokio::task::spawn_blocking(move || loader.load()).await;
        let loaded = loaded.unwrap_or_else(|_| {
            Err(GatesUnusable { details: "loading them ended abnormally".to_owned() })
        });
        self.metrics.reloaded(loaded.is_ok());
        match loaded {
            Ok(gates) => {
                self.fault.store(None);
                let current = self.gatekeeper.gates();
                if current.is_none_or(|current| !current.judges_like(&gates)) {
                    tracing::info!(gate_file = %gates.digest(), "gates loaded");
                    self.gatekeeper.replace(gates);
                }
                Ok(())
            }
            Err(error) => {
                for fault in error.details.lines() {
                    tracing::error!(fault, "the gates cannot be used");
                }
                self.fault.store(Some(Arc::new(error.clone())));
                Err(error)
            }
        }
    }

    /// Loads everything anew.
    async fn everything(&self) {
        // Its failure has been told.
        let _ = self.gates().await;
        if let Some(path) = &self.tokens {
            match Credentials::read(path) {
                Ok(credentials) => {
                    if self.doorkeeper.replace(credentials) {
                        tracing::info!("tokens loaded");
                    }
                }
                Err(error) => {
                    tracing::error!(cause = %error, "the tokens cannot be used; those from before stay");
                }
            }
        }
        if let Some(tls) = &self.tls {
            let reloaded = tls.reload();
            self.metrics.certificate_loaded(reloaded.is_ok());
            match reloaded {
                Ok(true) => tracing::info!("certificates loaded"),
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(cause = %error, "the certificates cannot be used; those from before stay");
                }
            }
        }
    }

    fn files(&self) -> BTreeSet<PathBuf> {
        let mut files: BTreeSet<PathBuf> = match self.gatekeeper.gates() {
            Some(gates) => gates.files().iter().cloned().collect(),
            None => self.loader.files().into_iter().collect(),
        };
        files.extend(self.tokens.clone());
        files.extend(self.tls.iter().flat_map(|tls| tls.files()).map(Path::to_owned));
        files
    }

    /// Loads everything anew whenever told to by SIGHUP or a change of a file.
    pub(super) async fn keep_watch(self: Arc<Self>) {
        let (changed, mut changes) = mpsc::channel(1);
        let mut watch = Watch::start(changed.clone());
        let mut told = pin!(hangups(changed));
        loop {
            watch.look_at(&self.files());
            tokio::select! {
                change = changes.recv() => if change.is_none() { return },
                () = &mut told => return,
            }
            settle(&mut changes).await;
            self.everything().await;
        }
    }
}

/// Waits until the files are at rest.
async fn settle(changes: &mut mpsc::Receiver<()>) {
    let quiet =
        async { while let Ok(Some(())) = tokio::time::timeout(QUIET, changes.recv()).await {} };
    // After that it is as good as it gets.
    let _ = tokio::time::timeout(PATIENCE, quiet).await;
}

/// Passes hang-up signals on; never ends where they cannot be had.
async fn hangups(changed: mpsc::Sender<()>) {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::hangup()) {
        Ok(mut hangups) => {
            while hangups.recv().await.is_some() {
                tracing::info!("told to load everything anew");
                // Full means that it will be done already.
                let _ = changed.try_send(());
            }
        }
        Err(error) => tracing::warn!(cause = %error, "cannot listen for SIGHUP"),
    }
    std::future::pending().await
}

/// Watches the folders of files, as files are replaced more often than written to, and in
/// Kubernetes a link next to them is what changes.
struct Watch {
    watcher: Option<RecommendedWatcher>,
    folders: BTreeSet<PathBuf>,
}

impl Watch {
    fn start(changed: mpsc::Sender<()>) -> Self {
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading the files must not have them read again. An error means that events may
            // have been lost.
            if event.is_ok_and(|event| only_read(event.kind)) {
                return;
            }
            let _ = changed.try_send(());
        });
        let watcher = watcher
            .inspect_err(|error| {
                tracing::warn!(cause = %error, "cannot watch files for changes; send SIGHUP to have them read anew");
            })
            .ok();
        Self { watcher, folders: BTreeSet::new() }
    }

    fn look_at(&mut self, files: &BTreeSet<PathBuf>) {
        let Some(watcher) = &mut self.watcher else { return };
        let folder = |file: &PathBuf| match file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        for folder in files.iter().map(folder) {
            if self.folders.contains(&folder) {
                continue;
            }
            match watcher.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.folders.insert(folder);
                }
                Err(error) => {
                    let folder = folder.display();
                    tracing::warn!(cause = %error, %folder, "cannot watch a folder for changes");
                }
            }
        }
    }
}

fn only_read(kind: EventKind) -> bool {
    use notify::event::{AccessKind, AccessMode};
    matches!(kind, EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write))
}
