//! Gates, tokens and certificates that change while the server runs.
//!
//! Each is replaced as a whole or not at all: what cannot be used leaves the last good one in
//! place, and is seen in the log, in the metrics and in `/readyz`.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Mutex, mpsc};

use super::auth::{Credentials, Doorkeeper};
use super::tls::Tls;
use super::{GateSet, Gatekeeper, GatesUnusable, LoadGates, Metrics};

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
        let sound = loaded.is_ok();
        let result = self.take(loaded);
        self.metrics.reloaded(sound);
        result
    }

    fn take(&self, loaded: Result<GateSet, GatesUnusable>) -> Result<(), GatesUnusable> {
        match loaded {
            Ok(gates) => {
                self.fault.store(None);
                let current = self.gatekeeper.gates();
                if current.is_none_or(|current| !current.judges_like(&gates)) {
                    let digest = gates.digest();
                    self.gatekeeper.replace(gates);
                    tracing::info!(gate_file = %digest, "gates loaded");
                }
                Ok(())
            }
            Err(error) => {
                self.fault.store(Some(Arc::new(error.clone())));
                tracing::error!(details = error.details, "the gates cannot be used");
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

    /// Begins to watch, so that nothing that happens from now on is missed.
    pub(super) fn watch(&self) -> io::Result<Watching> {
        let (changed, changes) = mpsc::channel(1);
        let mut watch = Watch::start(changed);
        let files = self.files();
        watch.look_at(&files);
        let hangups = signal(SignalKind::hangup())?;
        Ok(Watching { watch, changes, hangups, seen: prints(files) })
    }

    /// Loads everything anew whenever told to by SIGHUP or a change of a file.
    pub(super) async fn keep_watch(self: Arc<Self>, watching: Watching) {
        let Watching { mut watch, mut changes, mut hangups, mut seen } = watching;
        loop {
            let files = self.files();
            watch.look_at(&files);
            for file in files {
                seen.entry(file).or_insert_with_key(|file| Print::of(file));
            }
            tokio::select! {
                change = changes.recv() => {
                    if change.is_none() {
                        return;
                    }
                    settle(&mut changes).await;
                    // Much else may happen in the same folders.
                    let now = prints(self.files());
                    if now == seen {
                        continue;
                    }
                    seen = now;
                }
                hangup = hangups.recv() => {
                    if hangup.is_none() {
                        return;
                    }
                    tracing::info!("told to load everything anew");
                    seen = prints(self.files());
                }
            }
            self.everything().await;
        }
    }
}

/// What is watched, and what it looked like when it was last loaded.
pub(super) struct Watching {
    watch: Watch,
    changes: mpsc::Receiver<()>,
    hangups: Signal,
    seen: BTreeMap<PathBuf, Option<Print>>,
}

/// By what a file that has changed is told from the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Print {
    device: u64,
    inode: u64,
    length: u64,
    changed: (i64, i64),
}

impl Print {
    fn of(file: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(file).ok()?;
        Some(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

fn prints(files: BTreeSet<PathBuf>) -> BTreeMap<PathBuf, Option<Print>> {
    files
        .into_iter()
        .map(|file| {
            let print = Print::of(&file);
            (file, print)
        })
        .collect()
}

/// Waits until the files are at rest.
async fn settle(changes: &mut mpsc::Receiver<()>) {
    let quiet =
        async { while let Ok(Some(())) = tokio::time::timeout(QUIET, changes.recv()).await {} };
    // After that it is as good as it gets.
    let _ = tokio::time::timeout(PATIENCE, quiet).await;
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
