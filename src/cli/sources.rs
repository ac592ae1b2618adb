//! Where the policies of a gate file come from, and whether they may be used: the sandbox with the
//! lock file, the stores and the trusted keys around it.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::sandbox::SandboxOptions;
use super::terminal::Terminal;
use crate::config::{Config, Diagnostics};
use crate::distribution::{
    DistributionError, Fetched, Kept, LOCK_FILE, Lock, Manifest, Options, Signatures, Store,
    Subject, Trust, Used, With, fetch, signatures,
};
use crate::model::{Digest, Undecided};
use crate::policy::{OciRef, Policy, PolicyLoader, PolicyRef};
use crate::wasm::{COMPONENT_BYTES, Cache, Sandbox};

/// How registries are spoken to.
#[derive(Args, Clone, Debug)]
pub(super) struct RegistryOptions {
    /// Speak to registries over plain HTTP. Without this only one on this machine is.
    #[arg(long)]
    plain_http: bool,
}

impl RegistryOptions {
    /// With somebody at the terminal told of long transfers.
    pub(super) fn options(&self, terminal: &Terminal) -> Options {
        let terminal = *terminal;
        let progress = move |moved: u64, all: u64| {
            if all >= LONG && moved < all {
                let mib = |bytes: u64| bytes >> 20;
                terminal.progress(format_args!("{} of {} MiB", mib(moved), mib(all)));
            } else {
                terminal.end_progress();
            }
        };
        Options { plain_http: self.plain_http, progress: Some(Arc::new(progress)) }
    }
}

/// Bytes from which on a transfer is worth watching.
const LONG: u64 = 2 << 20;

/// Where policies named `oci://…` may come from.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Policies in registries")]
pub(super) struct SourceOptions {
    /// Refuse a gate file and a `lockgate.lock` that have drifted apart.
    #[arg(long)]
    locked: bool,

    /// Pull nothing: every policy has to be vendored or in the cache.
    #[arg(long)]
    offline: bool,

    #[command(flatten)]
    registry: RegistryOptions,
}

/// The same, with what else of this process it takes.
pub(super) struct Sources {
    locked: bool,
    offline: bool,
    options: Options,
    cache: Option<Store>,
}

impl SourceOptions {
    /// With what is pulled kept beside what is compiled, in `cache`.
    pub(super) fn sources(
        &self,
        sandbox: &SandboxOptions,
        cache: Option<&Cache>,
        terminal: &Terminal,
    ) -> Sources {
        Sources {
            locked: self.locked,
            offline: self.offline,
            options: self.registry.options(terminal),
            cache: sandbox.store(cache),
        }
    }
}

/// The trusted keys of a gate file; none where it asks for no signatures.
pub(super) fn trust(config: &Config) -> Result<Option<Trust>, Vec<Diagnostics>> {
    let Some(settings) = &config.trust else { return Ok(None) };
    Trust::open(settings, config.directory()).map(Some).map_err(|faults| {
        faults.into_iter().map(|fault| config.refuse_key(fault.key, fault.message)).collect()
    })
}

/// Whether a policy has to be fetched with its signatures.
pub(super) fn signatures_for(reference: &PolicyRef, trust: Option<&Trust>) -> With {
    match trust {
        Some(trust) if trust.asks(reference) => With::Signatures,
        Some(_) | None => With::Nothing,
    }
}

/// What to watch for changes besides the gate file, there or not.
pub(super) fn watched(config: &Config) -> Vec<PathBuf> {
    let directory = config.directory();
    let invocations = config.gates.iter().flat_map(|gate| &gate.invocations);
    let components: Vec<PathBuf> = invocations
        .filter_map(|invocation| match &invocation.reference {
            PolicyRef::Path(path) => Some(directory.join(path)),
            PolicyRef::Standard(_) | PolicyRef::Oci(_) => None,
        })
        .collect();
    let mut files = Vec::new();
    if !Used::of(config).is_empty() {
        files.push(directory.join(LOCK_FILE));
    }
    if let Some(settings) = &config.trust {
        files.extend(Trust::files(settings, directory));
        files.extend(components.iter().map(|component| Signatures::beside(component)));
    }
    files.extend(components);
    files
}

/// Loads the policies of one gate file.
pub(super) struct Sourced<'a> {
    sandbox: &'a Sandbox,
    sources: &'a Sources,
    directory: PathBuf,
    lock: Lock,
    trust: Option<Trust>,
    vendor: Store,
}

impl<'a> Sourced<'a> {
    /// Reads what the gate file leads to besides its components: nothing, for most.
    pub(super) fn open(
        config: &Config,
        sandbox: &'a Sandbox,
        sources: &'a Sources,
    ) -> Result<Self, Vec<Diagnostics>> {
        let directory = config.directory().to_owned();
        let used = Used::of(config);
        let lock = if sources.locked || !used.is_empty() {
            Lock::read(&directory.join(LOCK_FILE))
        } else {
            Ok(Lock::default())
        };
        let lock = lock.map_err(|error| vec![config.refuse(error.to_string())])?;
        if sources.locked {
            let drift = lock.drift(&used);
            if !drift.is_empty() {
                let faults = drift.into_iter().map(|drifted| {
                    config.refuse(format!("{drifted}; run `lockgate policy lock` and commit it"))
                });
                return Err(faults.collect());
            }
        }
        let vendor = Store::vendored(&directory);
        Ok(Self { sandbox, sources, directory, lock, trust: trust(config)?, vendor })
    }

    fn load_path(&self, reference: &PolicyRef, named: &Path) -> Result<Arc<dyn Policy>, Undecided> {
        let path = self.directory.join(named);
        let whole = PolicyRef::Path(path.clone());
        let Some(trust) = self.trust.as_ref().filter(|trust| trust.asks(reference)) else {
            return self.sandbox.load(&whole);
        };
        let signatures = Signatures::read_beside(&path)?;
        self.sandbox.load_admitted(&whole, &path, &|found| {
            trust.admit(reference, Subject(found), &signatures)?;
            Ok(self.lock.check_file(named, found)?)
        })
    }

    fn load_pulled(
        &self,
        reference: &PolicyRef,
        oci: &OciRef,
    ) -> Result<Arc<dyn Policy>, Undecided> {
        let digest = self.lock.digest(oci)?;
        if let Some(kept) = self.vendor.get(digest)? {
            self.admit(reference, oci, &kept.manifest, &kept.signatures)?;
            return self
                .sandbox
                .load_admitted(reference, &kept.component, &|found| Ok(kept.check(found)?));
        }
        if let Some(cache) = &self.sources.cache {
            match cache.get(digest) {
                Ok(Some(kept)) => {
                    let kept = self.with_signatures(reference, oci, kept, cache)?;
                    let altered = Cell::new(false);
                    let loaded = self.sandbox.load_admitted(reference, &kept.component, &|found| {
                        kept.check(found).inspect_err(|_| altered.set(true)).map_err(Into::into)
                    });
                    if !altered.get() || self.sources.offline {
                        return loaded;
                    }
                }
                Ok(None) => {}
                // What is broken in the cache is as good as not there, where it can be pulled.
                Err(error) if self.sources.offline => return Err(error.into()),
                Err(_) => {}
            }
        }
        let fetched = self.fetch(reference, oci, digest)?;
        self.admit(reference, oci, &fetched.manifest, &fetched.signatures)?;
        if let Some(cache) = &self.sources.cache {
            // Without it, it is pulled again the next time.
            let _ = cache.put(&fetched);
        }
        self.sandbox.load_pulled(reference, &fetched.component)
    }

    fn fetch(
        &self,
        reference: &PolicyRef,
        oci: &OciRef,
        digest: Digest,
    ) -> Result<Fetched, DistributionError> {
        if self.sources.offline {
            return Err(DistributionError::Offline(oci.to_string()));
        }
        let with = signatures_for(reference, self.trust.as_ref());
        fetch(&oci.at(digest), COMPONENT_BYTES, with, &self.sources.options)
    }

    /// Asks for signatures anew where those that are kept do not do: it may have been signed since.
    fn with_signatures(
        &self,
        reference: &PolicyRef,
        oci: &OciRef,
        mut kept: Kept,
        cache: &Store,
    ) -> Result<Kept, Undecided> {
        let refused = self.admit(reference, oci, &kept.manifest, &kept.signatures);
        if self.sources.offline || !matches!(refused, Err(Undecided::Untrusted { .. })) {
            return refused.map(|()| kept);
        }
        let digest = kept.manifest.digest();
        kept.signatures = signatures(oci, digest, &self.sources.options)?;
        self.admit(reference, oci, &kept.manifest, &kept.signatures)?;
        // Without it, they are asked for again the next time.
        let _ = cache.put_signatures(digest, &kept.signatures);
        Ok(kept)
    }

    /// Holds a policy against what was locked and against the trusted keys.
    fn admit(
        &self,
        reference: &PolicyRef,
        oci: &OciRef,
        manifest: &Manifest,
        signatures: &Signatures,
    ) -> Result<(), Undecided> {
        if let Some(pin) = self.lock.get(oci) {
            pin.check(manifest, &format!("`{oci}`"))?;
        }
        match &self.trust {
            Some(trust) => trust.admit(reference, Subject(manifest.digest()), signatures).map(drop),
            None => Ok(()),
        }
    }
}

impl PolicyLoader for Sourced<'_> {
    fn load(&self, reference: &PolicyRef) -> Result<Arc<dyn Policy>, Undecided> {
        match reference {
            PolicyRef::Standard(_) => self.sandbox.load(reference),
            PolicyRef::Path(path) => self.load_path(reference, path),
            PolicyRef::Oci(oci) => self.load_pulled(reference, oci),
        }
    }
}
