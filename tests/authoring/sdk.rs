//! The Rust SDK as crates that can be published.

use std::path::Path;

use super::{Folder, built_crates, ran};

/// Packs both crates as for a registry, and builds them from what was packed.
#[test]
fn the_rust_sdk_can_be_published() {
    let folder = Folder::empty();
    let mut cargo = folder.command("cargo");
    cargo
        .args(["package", "--locked", "--allow-dirty"])
        .args(["-p", "lockgate-sdk", "-p", "lockgate-sdk-macros", "--target-dir"])
        .arg(built_crates())
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")));
    ran(&mut cargo).exits(0).says("Packaged");
}
