//! Puts into the binary what it carries: the standard policies, built from `policies/`, and the
//! SDKs and project templates of `sdk/`, as they are.

#![expect(clippy::print_stdout, reason = "cargo reads it")]

mod policies;
mod sdk;

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    for input in ["build", "policies", "sdk", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={input}");
    }
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    policies::embed(&root, &out)?;
    sdk::embed(&root, &out)
}
