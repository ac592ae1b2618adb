use std::path::Path;
use std::sync::Arc;

use wasmtime::component::{Component, Linker};

use super::bindings::v1::GuestPre;
use super::cache::{Cache, Kept, Stamp};
use super::component::{self, ComponentFile, Interface, Names};
use super::engine::SandboxEngine;
use super::failure::{Phase, one_line, reason};
use super::host::{self, Offer};
use super::inspection::{self, Inspection};
use super::policy::SandboxedPolicy;
use super::standard::{self, Standard};
use super::store::HostState;
use crate::model::{Digest, Undecided};
use crate::policy::{Limits, Policy, PolicyLoader, PolicyRef};

/// Loads policies and runs each in a sandbox of its own.
pub struct Sandbox {
    engine: Arc<SandboxEngine>,
    linker: Linker<HostState>,
    offer: Offer,
    cache: Option<Cache>,
    on_compile: Box<dyn Fn(&PolicyRef) + Send + Sync>,
}

/// The engine cannot run on this machine.
#[derive(Debug, thiserror::Error)]
#[error("the WebAssembly engine cannot be started: {0}")]
pub struct SandboxUnavailable(String);

/// Says of the digest of a component whether it may be used.
pub type Admit<'a> = dyn Fn(Digest) -> Result<(), Undecided> + 'a;

fn any(_: Digest) -> Result<(), Undecided> {
    Ok(())
}

impl Sandbox {
    /// A sandbox that keeps compiled code in `cache`, and says to `on_compile` what it is about
    /// to compile, as that may take seconds.
    ///
    /// # Errors
    /// When the engine does not support this machine.
    pub fn new(
        cache: Option<Cache>,
        on_compile: impl Fn(&PolicyRef) + Send + Sync + 'static,
    ) -> Result<Self, SandboxUnavailable> {
        Self::on(SandboxEngine::new(), cache, on_compile)
    }

    /// The same for few evaluations, a decision or two: it is there sooner, and each takes longer.
    ///
    /// # Errors
    /// When the engine does not support this machine.
    pub fn for_few(
        cache: Option<Cache>,
        on_compile: impl Fn(&PolicyRef) + Send + Sync + 'static,
    ) -> Result<Self, SandboxUnavailable> {
        Self::on(SandboxEngine::for_few(), cache, on_compile)
    }

    fn on(
        engine: wasmtime::Result<SandboxEngine>,
        cache: Option<Cache>,
        on_compile: impl Fn(&PolicyRef) + Send + Sync + 'static,
    ) -> Result<Self, SandboxUnavailable> {
        let unavailable = |error: wasmtime::Error| SandboxUnavailable(one_line(&error));
        let engine = engine.map_err(unavailable)?;
        let (linker, offer) = host::linker(&engine).map_err(unavailable)?;
        Ok(Self {
            engine: Arc::new(engine),
            linker,
            offer,
            cache,
            on_compile: Box::new(on_compile),
        })
    }

    /// Loads a policy and says what it is, what it can see and what it needs.
    ///
    /// # Errors
    /// As [`PolicyLoader::load`].
    pub fn inspect(&self, reference: &PolicyRef) -> Result<Inspection, Undecided> {
        match reference {
            PolicyRef::Standard(name) => {
                let standard = find_standard(name)?;
                self.inspected(reference, standard.component, standard.digest())
            }
            PolicyRef::Path(path) => {
                self.inspect_pulled(reference, &ComponentFile::open(path)?.read()?)
            }
            PolicyRef::Oci(_) => Err(not_pulled(reference)),
        }
    }

    /// The same of a policy whose bytes are at hand.
    ///
    /// # Errors
    /// As [`PolicyLoader::load`].
    pub fn inspect_pulled(
        &self,
        reference: &PolicyRef,
        bytes: &[u8],
    ) -> Result<Inspection, Undecided> {
        component::check_magic(bytes)?;
        self.inspected(reference, bytes, Digest::of(bytes))
    }

    fn inspected(
        &self,
        reference: &PolicyRef,
        bytes: &[u8],
        digest: Digest,
    ) -> Result<Inspection, Undecided> {
        let Loaded { policy, sees, component } = self.load_bytes(reference, bytes, digest)?;
        let names = Names::of(&component, &self.engine);
        inspection::of(&policy, sees, names, &self.offer, bytes)
    }

    fn load_any(&self, reference: &PolicyRef) -> Result<Loaded, Undecided> {
        match reference {
            PolicyRef::Standard(name) => {
                let standard = find_standard(name)?;
                self.load_bytes(reference, standard.component, standard.digest())
            }
            PolicyRef::Path(path) => self.load_file(reference, path, &any),
            PolicyRef::Oci(_) => Err(not_pulled(reference)),
        }
    }

    /// Loads the policy in a file, if `admit` takes the digest of what is in it. Nothing of a
    /// policy that it does not take is compiled or run.
    ///
    /// # Errors
    /// As [`PolicyLoader::load`], and those of `admit`.
    pub fn load_admitted(
        &self,
        reference: &PolicyRef,
        path: &Path,
        admit: &Admit<'_>,
    ) -> Result<Arc<dyn Policy>, Undecided> {
        Ok(Arc::new(self.load_file(reference, path, admit)?.policy))
    }

    /// Loads a policy that was pulled a moment ago, its digest having been found right.
    ///
    /// # Errors
    /// As [`PolicyLoader::load`].
    pub fn load_pulled(
        &self,
        reference: &PolicyRef,
        bytes: &[u8],
    ) -> Result<Arc<dyn Policy>, Undecided> {
        component::check_magic(bytes)?;
        Ok(Arc::new(self.load_bytes(reference, bytes, Digest::of(bytes))?.policy))
    }

    fn load_file(
        &self,
        reference: &PolicyRef,
        path: &Path,
        admit: &Admit<'_>,
    ) -> Result<Loaded, Undecided> {
        let file = ComponentFile::open(path)?;
        let stamp = Stamp::of(file.file());
        let noted = self.cache.as_ref().zip(stamp.as_ref());
        if let Some(digest) = noted.and_then(|(cache, stamp)| cache.digest_of(stamp)) {
            admit(digest)?;
            if let Some(kept) = self.kept(digest) {
                return self.ready(kept, digest);
            }
        }
        let bytes = file.read()?;
        let digest = Digest::of(&bytes);
        admit(digest)?;
        component::check_magic(&bytes)?;
        if let (Some(cache), Some(stamp)) = (&self.cache, stamp) {
            cache.note_digest(stamp, digest);
        }
        self.load_bytes(reference, &bytes, digest)
    }

    fn load_bytes(
        &self,
        reference: &PolicyRef,
        bytes: &[u8],
        digest: Digest,
    ) -> Result<Loaded, Undecided> {
        match self.kept(digest) {
            Some(kept) => self.ready(kept, digest),
            None => self.compile(reference, bytes, digest),
        }
    }

    fn kept(&self, digest: Digest) -> Option<Kept> {
        self.cache.as_ref()?.get(&self.engine, digest)
    }

    /// Compiles a component, and keeps what comes of it.
    fn compile(
        &self,
        reference: &PolicyRef,
        bytes: &[u8],
        digest: Digest,
    ) -> Result<Loaded, Undecided> {
        (self.on_compile)(reference);
        let component = Component::from_binary(self.engine.wasmtime(), bytes)
            .map_err(|error| Undecided::Unloadable { detail: one_line(&error) })?;
        let kept = Kept { component: component.clone(), description: None };
        let loaded = self.ready(kept, digest);
        if let Some(cache) = &self.cache {
            let description = loaded.as_ref().ok().map(|loaded| loaded.policy.description());
            // Without an entry the next start compiles again; nothing else is lost.
            let _ = cache.put(&self.engine, digest, &component, description);
        }
        loaded
    }

    /// Makes a compiled component a policy. One that has not described itself yet is asked to.
    fn ready(&self, kept: Kept, digest: Digest) -> Result<Loaded, Undecided> {
        let Kept { component, description } = kept;
        let sees = component::imports(&component, &self.engine, &self.offer)?;
        let unloadable =
            |error: wasmtime::Error| reason(&error, Phase::Instantiate, &Limits::default());
        let pre = self.linker.instantiate_pre(&component).map_err(unloadable)?;
        let pre = GuestPre::new(pre).map_err(unloadable)?;
        let policy = SandboxedPolicy::new(Arc::clone(&self.engine), pre, digest, description)?;
        Ok(Loaded { policy, sees, component })
    }
}

struct Loaded {
    policy: SandboxedPolicy,
    sees: Vec<Interface>,
    component: Component,
}

fn find_standard(name: &str) -> Result<&'static Standard, Undecided> {
    standard::find(name).ok_or_else(|| Undecided::Unloadable {
        detail: format!("there is no standard policy `{name}`; see `lockgate policy list`"),
    })
}

fn not_pulled(reference: &PolicyRef) -> Undecided {
    Undecided::Unloadable {
        detail: format!("`{reference}` is in a registry and has to be pulled first"),
    }
}

impl PolicyLoader for Sandbox {
    fn load(&self, reference: &PolicyRef) -> Result<Arc<dyn Policy>, Undecided> {
        Ok(Arc::new(self.load_any(reference)?.policy))
    }
}
