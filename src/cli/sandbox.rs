use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::terminal::Terminal;
use crate::distribution::Store;
use crate::policy::PolicyRef;
use crate::wasm::{Cache, Sandbox};

/// Where compiled policies are kept.
#[derive(Args, Clone, Debug)]
pub(super) struct SandboxOptions {
    /// Directory for compiled policies; only you may be able to write in it
    /// [default: lockgate in your cache directory].
    #[arg(long, value_name = "DIR", env = "LOCKGATE_CACHE_DIR", hide_env_values = true)]
    cache_dir: Option<PathBuf>,

    /// Compile policies at every start, and keep nothing.
    #[arg(long, conflicts_with = "cache_dir")]
    no_cache: bool,
}

impl SandboxOptions {
    /// The cache that these options describe. One that cannot be used costs time and a warning, and
    /// nothing else.
    pub(super) fn cache(&self, terminal: &Terminal) -> Option<Cache> {
        match self.directory() {
            None if self.no_cache => None,
            None => {
                terminal.warning("no cache directory is known, so policies are compiled at every start; name one with --cache-dir");
                None
            }
            Some(directory) => {
                Cache::open(&directory).inspect_err(|error| terminal.warning(error)).ok()
            }
        }
    }

    /// The sandbox that these options describe.
    pub(super) fn sandbox(&self, terminal: &Terminal) -> anyhow::Result<Sandbox> {
        let cache = self.cache(terminal);
        let on_compile = told(cache.as_ref(), terminal);
        Sandbox::new(cache, on_compile).context(UNAVAILABLE)
    }

    /// A sandbox for one decision that keeps what it compiles in `cache`.
    pub(super) fn sandbox_for_few(
        &self,
        cache: Option<Cache>,
        terminal: &Terminal,
    ) -> anyhow::Result<Sandbox> {
        let on_compile = told(cache.as_ref(), terminal);
        Sandbox::for_few(cache, on_compile).context(UNAVAILABLE)
    }

    /// Where pulled policies are kept: in the directory of the cache, if that can be used.
    pub(super) fn store(&self, cache: Option<&Cache>) -> Option<Store> {
        cache?;
        Some(Store::private(self.directory()?.join("policies")))
    }

    fn directory(&self) -> Option<PathBuf> {
        if self.no_cache {
            return None;
        }
        self.cache_dir.clone().or_else(|| default_directory().map(|base| base.join("lockgate")))
    }
}

const UNAVAILABLE: &str = "cannot run policies here";

/// Says what is compiled where it is kept. Elsewhere it is compiled every time.
fn told(cache: Option<&Cache>, terminal: &Terminal) -> impl Fn(&PolicyRef) + use<> {
    let terminal = *terminal;
    let kept = cache.is_some();
    move |policy: &PolicyRef| {
        if kept {
            terminal.note(format_args!("compiling {policy} for this machine (kept for next time)"));
        }
    }
}

/// The user's cache directory by the XDG base directory specification, or the platform's own.
fn default_directory() -> Option<PathBuf> {
    let absolute =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME").or_else(|| {
        let home = absolute("HOME")?;
        let folder = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
        Some(home.join(folder))
    })
}
