//! Policy projects: a folder with `policy.yaml`, from an empty directory to a component.
//!
//! A project holds everything that its policy is made of, the SDK of its language too, which comes
//! with this binary and so fits it.

mod build;
mod changes;
mod language;
mod manifest;
mod sdk;
mod template;

pub use build::{BuildError, Built, build, narrowed_contract};
pub use changes::Freshness;
pub use language::Language;
pub use manifest::{Import, MANIFEST, Manifest, Project, schema};
pub use template::{NewProjectError, Step, create};
