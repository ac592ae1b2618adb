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
        self.sandbox_with(self.cache(terminal), terminal)
    }

    /// A sandbox that keeps what it compiles in `cache`, and says what that is.
    pub(super) fn sandbox_with(
        &self,
        cache: Option<Cache>,
        terminal: &Terminal,
    ) -> anyhow::Result<Sandbox> {
        let terminal = *terminal;
        let kept = cache.is_some();
        let on_compile = move |policy: &PolicyRef| {
            // Kept nowhere, it is compiled every time.
            if kept {
                terminal
                    .note(format_args!("compiling {policy} for this machine (kept for next time)"));
            }
        };
        Sandbox::new(cache, on_compile).context("cannot run policies here")
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
