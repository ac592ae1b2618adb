//! Running again whenever something changes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::signal::unix::{SignalKind, signal};

use super::subject::Subject;
use crate::cli::Exit;
use crate::cli::terminal::Terminal;
use crate::policy::PolicyRef;

/// Files are often written in several steps; they are read once nothing has happened for so long,
const QUIET: Duration = Duration::from_millis(100);
/// and after so long whatever happens.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is waited for.
enum Event {
    Changed,
    Stop,
}

/// Runs `once`, and again whenever the component or a case changes, until a signal says to stop.
/// The exit code is that of the last run. What was `written` by the runs themselves is no change.
pub(super) fn run(
    subject: &Subject,
    written: Vec<PathBuf>,
    terminal: &Terminal,
    once: impl Fn(&AtomicBool) -> anyhow::Result<Option<Exit>>,
) -> anyhow::Result<Exit> {
    let (sender, events) = channel();
    let stop = Arc::new(AtomicBool::new(false));
    heed_signals(sender.clone(), Arc::clone(&stop))?;
    let _watcher = watcher(subject, written, sender)?;
    let mut last = Exit::Undecided;
    loop {
        match once(&stop) {
            Ok(Some(exit)) => last = exit,
            Ok(None) => return Ok(last),
            // What is wrong may be mended while this waits.
            Err(error) => {
                terminal.error(&error);
                last = Exit::Usage;
            }
        }
        terminal.note("waiting for a change; Ctrl-C ends it");
        if !changed(&events) {
            return Ok(last);
        }
    }
}

/// Waits for a change, and until the files are at rest; false when it is time to stop.
fn changed(events: &Receiver<Event>) -> bool {
    if !matches!(events.recv(), Ok(Event::Changed)) {
        return false;
    }
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        match events.recv_timeout(QUIET) {
            Ok(Event::Changed) => {}
            Err(RecvTimeoutError::Timeout) => break,
            Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
    true
}

/// Has the signals that end a process end the run instead.
fn heed_signals(events: Sender<Event>, stop: Arc<AtomicBool>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot wait for signals")?;
    let (mut interrupts, mut terminations) = {
        let _entered = runtime.enter();
        let listen = |kind| signal(kind).context("cannot wait for signals");
        (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?)
    };
    let wait = move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupts.recv() => {}
                _ = terminations.recv() => {}
            }
        });
        stop.store(true, Ordering::Relaxed);
        // Nobody is left to be told when the run has ended by itself.
        let _ = events.send(Event::Stop);
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(wait)?;
    Ok(())
}

/// Watches the folder of the component, as it is replaced more often than written to, and that of
/// the cases with all below.
fn watcher(
    subject: &Subject,
    written: Vec<PathBuf>,
    events: Sender<Event>,
) -> anyhow::Result<RecommendedWatcher> {
    let absolute = |path: &Path| std::path::absolute(path).context("cannot watch for changes");
    let cases = absolute(&subject.cases)?;
    let component = match &subject.component {
        PolicyRef::Path(path) => Some(absolute(path)?),
        PolicyRef::Standard(_) | PolicyRef::Oci(_) => None,
    };
    let written: BTreeSet<PathBuf> =
        written.iter().map(|path| absolute(path)).collect::<Result<_, _>>()?;
    let folder = |path: &Path| path.parent().unwrap_or(Path::new("/")).to_owned();
    let mut folders = vec![if cases.is_dir() {
        (cases.clone(), RecursiveMode::Recursive)
    } else {
        (folder(&cases), RecursiveMode::Recursive)
    }];
    folders.extend(component.iter().map(|path| (folder(path), RecursiveMode::NonRecursive)));
    let below = folders.first().map(|(path, _)| path.clone()).unwrap_or_default();
    let counts = move |path: &PathBuf| {
        (path.starts_with(&below) || Some(path) == component.as_ref()) && !written.contains(path)
    };
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Reading the files must not have them read again. An error means that events may have
        // been lost.
        let matters = event.map_or(true, |event| {
            !event.kind.is_access() && (event.need_rescan() || event.paths.iter().any(&counts))
        });
        if matters {
            let _ = events.send(Event::Changed);
        }
    })
    .context("cannot watch for changes")?;
    for (path, mode) in folders {
        watcher
            .watch(&path, mode)
            .with_context(|| format!("cannot watch `{}` for changes", path.display()))?;
    }
    Ok(watcher)
}
