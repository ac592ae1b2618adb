//! Builds lockgate policies written in Rust into WebAssembly components.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use lockgate_build::{Crates, Toolchain, componentize};
//!
//! let toolchain = Toolchain::find()?;
//! println!("building with {toolchain}");
//! let crates = Crates {
//!     manifest: Path::new("Cargo.toml"),
//!     packages: &["my-policy"],
//!     target_dir: Path::new("target/policies"),
//! };
//! for module in toolchain.build(&crates)? {
//!     let component = componentize(&module.bytes)?;
//!     std::fs::write(format!("{}.wasm", module.package), component)?;
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! It may be called from a build script: nothing that the outer cargo sets reaches the inner one,
//! and the bytes do not depend on where the sources lie.

mod cargo;
mod component;
mod error;
mod toolchain;

pub use cargo::{Crates, Lock, Module};
pub use component::{componentize, imports};
pub use error::BuildError;
pub use toolchain::{StandardLibrary, Toolchain};

/// The target that policies are built for.
const TARGET: &str = "wasm32-unknown-unknown";
