//! The sandbox: policies as WebAssembly components. The only place that names the engine.

mod bindings;
mod cache;
mod component;
mod engine;
mod failure;
mod host;
mod loader;
mod mapped;
mod policy;
mod standard;
mod store;
mod view;

pub use cache::{Cache, CacheUnusable};
pub use component::{COMPONENT_BYTES, Interface};
pub use loader::{Admit, Inspection, Sandbox, SandboxUnavailable};
pub use standard::{component as standard_component, names as standard_names};
