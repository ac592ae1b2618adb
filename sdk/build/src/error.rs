use std::io;
use std::path::PathBuf;

/// Why a policy could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// No Rust toolchain on this machine can build for WebAssembly.
    #[error(
        "no Rust toolchain here can build for wasm32-unknown-unknown ({tried}); \
         run `rustup target add wasm32-unknown-unknown`, or on Debian \
         `apt-get install rustc-web cargo-web rust-web-src lld`"
    )]
    NoToolchain {
        /// What was looked at, and what each lacks.
        tried: String,
    },
    /// A program could not be run.
    #[error("`{}` could not be run: {source}", program.display())]
    NotRun {
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Cargo ran and failed; it has told why on standard error.
    #[error("cargo could not build {packages} for WebAssembly; its messages say why")]
    Failed {
        /// The packages it was to build.
        packages: String,
    },
    /// Cargo's answer was not understood.
    #[error("cargo's answer was not understood: {detail}")]
    Unexpected {
        /// What was wrong with it.
        detail: String,
    },
    /// A package has no `cdylib` library, and so gives no module.
    #[error(
        "`{package}` gives no WebAssembly module; add `crate-type = [\"cdylib\", \"rlib\"]` to its `[lib]`"
    )]
    NoModule {
        /// The package.
        package: String,
    },
    /// A file could not be read.
    #[error("`{}` could not be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A module could not be made into a component.
    #[error("the module could not be made into a component: {detail}")]
    NoComponent {
        /// Why.
        detail: String,
    },
}
