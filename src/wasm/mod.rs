//! The sandbox: policies as WebAssembly components. The only place that names the engine.

mod bindings;
mod cache;
mod component;
mod engine;
mod failure;
mod host;
mod inspection;
mod loader;
mod mapped;
mod policy;
mod price;
mod standard;
mod store;
mod view;

pub use cache::{Cache, CacheUnusable};
pub use component::{COMPONENT_BYTES, Interface};
pub use inspection::{Inspection, Need, Producer};
pub use loader::{Admit, Sandbox, SandboxUnavailable};
pub use standard::{component as standard_component, names as standard_names};
