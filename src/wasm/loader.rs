use std::sync::Arc;

use wasmtime::component::{Component, Linker};

use super::bindings::v1::GuestPre;
use super::cache::Cache;
use super::component::{self, Interface};
use super::engine::SandboxEngine;
use super::failure::{Phase, one_line, reason};
use super::host::{self, Offer};
use super::policy::SandboxedPolicy;
use super::standard;
use super::store::HostState;
use crate::model::{Description, Digest, Undecided};
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

/// What can be said of a policy without running it, and what it says of itself.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// What the policy says of itself.
    pub description: Description,
    /// Digest of the component.
    pub digest: Digest,
    /// Size of the component, bytes.
    pub size: u64,
    /// What it can see: the interfaces it imports, in alphabetical order.
    pub sees: Vec<Interface>,
    /// What it cannot see: the other interfaces with functions on offer.
    pub blind_to: Vec<String>,
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
        let unavailable = |error: wasmtime::Error| SandboxUnavailable(one_line(&error));
        let engine = SandboxEngine::new().map_err(unavailable)?;
        let (linker, offer) = host::linker(&engine).map_err(unavailable)?;
        Ok(Self {
            engine: Arc::new(engine),
            linker,
            offer,
            cache,
            on_compile: Box::new(on_compile),
        })
    }

    /// Loads a policy and says what it is and what it can see.
    ///
    /// # Errors
    /// As [`PolicyLoader::load`].
    pub fn inspect(&self, reference: &PolicyRef) -> Result<Inspection, Undecided> {
        let Loaded { policy, sees, size } = self.load_inspected(reference)?;
        let blind_to = self
            .offer
            .iter()
            .filter(|(name, functions)| {
                !functions.is_empty() && sees.iter().all(|seen| seen.name != **name)
            })
            .map(|(name, _)| (*name).to_owned())
            .collect();
        Ok(Inspection {
            description: policy.description().clone(),
            digest: policy.digest(),
            size,
            sees: sees.into_iter().filter(|seen| !seen.functions.is_empty()).collect(),
            blind_to,
        })
    }

    fn load_inspected(&self, reference: &PolicyRef) -> Result<Loaded, Undecided> {
        match reference {
            PolicyRef::Standard(name) => {
                let standard = standard::find(name).ok_or_else(|| Undecided::Unloadable {
                    detail: format!(
                        "there is no standard policy `{name}`; see `lockgate policy list`"
                    ),
                })?;
                self.load_bytes(reference, standard.component, standard.digest())
            }
            PolicyRef::Path(path) => {
                let bytes = component::read(path)?;
                self.load_bytes(reference, &bytes, Digest::of(&bytes))
            }
        }
    }

    fn load_bytes(
        &self,
        reference: &PolicyRef,
        bytes: &[u8],
        digest: Digest,
    ) -> Result<Loaded, Undecided> {
        component::check_magic(bytes)?;
        let component = self.compiled(reference, bytes, digest)?;
        let sees = component::imports(&component, &self.engine, &self.offer)?;
        let unloadable =
            |error: wasmtime::Error| reason(&error, Phase::Instantiate, &Limits::default());
        let pre = self.linker.instantiate_pre(&component).map_err(unloadable)?;
        let pre = GuestPre::new(pre).map_err(unloadable)?;
        let policy = SandboxedPolicy::describe(Arc::clone(&self.engine), pre, digest)?;
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(Loaded { policy, sees, size })
    }

    fn compiled(
        &self,
        reference: &PolicyRef,
        bytes: &[u8],
        digest: Digest,
    ) -> Result<Component, Undecided> {
        if let Some(component) =
            self.cache.as_ref().and_then(|cache| cache.get(&self.engine, digest))
        {
            return Ok(component);
        }
        (self.on_compile)(reference);
        let component = Component::from_binary(self.engine.wasmtime(), bytes)
            .map_err(|error| Undecided::Unloadable { detail: one_line(&error) })?;
        if let Some(cache) = &self.cache {
            // Without an entry the next start compiles again; nothing else is lost.
            let _ = cache.put(&self.engine, digest, &component);
        }
        Ok(component)
    }
}

struct Loaded {
    policy: SandboxedPolicy,
    sees: Vec<Interface>,
    size: u64,
}

impl PolicyLoader for Sandbox {
    fn load(&self, reference: &PolicyRef) -> Result<Arc<dyn Policy>, Undecided> {
        Ok(Arc::new(self.load_inspected(reference)?.policy))
    }
}
