//! Gates, tokens and certificates that change while the server runs.
//!
//! Each is replaced as a whole or not at all: what cannot be used leaves the last good one in
//! place, and is seen in the log, in the metrics and in `/readyz`.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Mutex;
use tokio::time::{Instant, MissedTickBehavior};

use super::auth::{Credentials, Doorkeeper};
use super::tls::Tls;
use super::{GateSet, Gatekeeper, GatesUnusable, LoadGates, Metrics};

/// How often files are looked at. To be told of changes by the kernel is to be told of every write to
/// a file in the same folders, where the record may lie; and network file systems tell of none.
const LOOK: Duration = Duration::from_millis(500);
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
    /// Whether the tokens and the certificates on disk cannot be used.
    pub(super) tokens_stale: AtomicBool,
    pub(super) certificates_stale: AtomicBool,
    pub(super) turn: Mutex<()>,
}

/// Why something is loaded anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// Somebody wants it, and to be told how it ended.
    Asked,
    /// A file was seen to be another one.
    Seen,
}

impl Reload {
    /// Loads the gates, and judges by them from now on.
    ///
    /// # Errors
    /// Gates that cannot be used; nothing has changed then.
    pub(super) async fn gates(&self, cause: Cause) -> Result<(), GatesUnusable> {
        let _turn = self.turn.lock().await;
        let loader = Arc::clone(&self.loader);
        let loaded = tokio::task::spawn_blocking(move || loader.load()).await;
        let loaded = loaded.unwrap_or_else(|_| {
            let details = "loading them ended abnormally".to_owned();
            Err(GatesUnusable { details, files: Vec::new() })
        });
        let sound = loaded.is_ok();
        let result = self.take(loaded, cause);
        self.metrics.reloaded(sound);
        result
    }

    fn take(
        &self,
        loaded: Result<GateSet, GatesUnusable>,
        cause: Cause,
    ) -> Result<(), GatesUnusable> {
        match loaded {
            Ok(gates) => {
                let mended = self.fault.swap(None).is_some();
                let current = self.gatekeeper.gates();
                let digest = gates.digest();
                if current.is_none_or(|current| !current.judges_like(&gates)) {
                    self.gatekeeper.replace(gates);
                    tracing::info!(gate_file = %digest, "gates loaded");
                } else if mended {
                    tracing::info!(gate_file = %digest, "the gates can be used again, and are those from before");
                }
                Ok(())
            }
            Err(error) => {
                let before = self.fault.swap(Some(Arc::new(error.clone())));
                // Files that only loading told of are looked at once more, with the same end.
                let told = before.is_some_and(|before| before.details == error.details);
                if cause == Cause::Asked || !told {
                    tracing::error!(details = error.details, "the gates cannot be used");
                }
                Err(error)
            }
        }
    }

    /// Loads everything anew.
    async fn everything(&self, cause: Cause) {
        // Its failure has been told.
        let _ = self.gates(cause).await;
        if let Some(path) = &self.tokens {
            let read = Credentials::read(path);
            self.metrics.tokens_loaded(read.is_ok());
            let stale = self.tokens_stale.swap(read.is_err(), Ordering::Relaxed);
            match read {
                Ok(credentials) => match self.doorkeeper.replace(credentials) {
                    true => tracing::info!("tokens loaded"),
                    false if stale => {
                        tracing::info!("the tokens can be used again, and are those from before");
                    }
                    false => {}
                },
                Err(error) => {
                    tracing::error!(cause = %error, "the tokens cannot be used; those from before stay");
                }
            }
        }
        if let Some(tls) = &self.tls {
            let reloaded = tls.reload();
            self.metrics.certificate_loaded(reloaded.is_ok());
            let stale = self.certificates_stale.swap(reloaded.is_err(), Ordering::Relaxed);
            match reloaded {
                Ok(true) => tracing::info!("certificates loaded"),
                Ok(false) if stale => {
                    tracing::info!("the certificates can be used again, and are those from before");
                }
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(cause = %error, "the certificates cannot be used; those from before stay");
                }
            }
        }
    }

    /// What is judged by, and what would be if it could be used: what keeps it from that may be in
    /// any of its files, or that one is not there yet.
    fn files(&self) -> BTreeSet<PathBuf> {
        let mut files: BTreeSet<PathBuf> = self.loader.files().into_iter().collect();
        if let Some(gates) = self.gatekeeper.gates() {
            files.extend(gates.files().iter().cloned());
        }
        if let Some(fault) = &*self.fault.load() {
            files.extend(fault.files.iter().cloned());
        }
        files.extend(self.tokens.clone());
        files.extend(self.tls.iter().flat_map(|tls| tls.files()).map(Path::to_owned));
        files
    }

    /// Begins to watch, so that nothing that happens from now on is missed.
    pub(super) fn watch(&self) -> io::Result<Watching> {
        Ok(Watching { hangups: signal(SignalKind::hangup())?, seen: prints(self.files()) })
    }

    /// Loads everything anew whenever told to by SIGHUP or a change of a file.
    pub(super) async fn keep_watch(self: Arc<Self>, watching: Watching) {
        let Watching { mut hangups, mut seen } = watching;
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let cause = tokio::select! {
                _ = looks.tick() => {
                    let found = self.look().await;
                    // A file that is seen for the first time may have changed while it was loaded,
                    // as only loading has told of it. It is loaded once more, from what is seen now.
                    if found == seen {
                        continue;
                    }
                    seen = self.settled(found).await;
                    Cause::Seen
                }
                hangup = hangups.recv() => {
                    if hangup.is_none() {
                        return;
                    }
                    tracing::info!("told to load everything anew");
                    seen = self.look().await;
                    Cause::Asked
                }
            };
            self.everything(cause).await;
        }
    }

    async fn look(&self) -> Prints {
        let files = self.files();
        // A file system may take its time.
        tokio::task::spawn_blocking(|| prints(files)).await.unwrap_or_default()
    }

    /// What the files look like once they are at rest, or as long as somebody can be kept waiting.
    async fn settled(&self, mut found: Prints) -> Prints {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            tokio::time::sleep(QUIET).await;
            let now = self.look().await;
            if now == found {
                break;
            }
            found = now;
        }
        found
    }
}

/// What is watched, and what it looked like when it was last loaded.
pub(super) struct Watching {
    hangups: Signal,
    seen: Prints,
}

type Prints = BTreeMap<PathBuf, Option<Print>>;

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

fn prints(files: BTreeSet<PathBuf>) -> Prints {
    files
        .into_iter()
        .map(|file| {
            let print = Print::of(&file);
            (file, print)
        })
        .collect()
}
