use std::fs;

use lockgate_build::{Lock, Toolchain, componentize};

use super::{BuildError, Compiled, Project};

/// Builds the crate whose `Cargo.toml` is the project's source.
pub(super) fn component(
    project: &Project,
    locked: bool,
    say: &dyn Fn(&str),
) -> Result<Compiled, BuildError> {
    let manifest = project.source();
    let manifest = fs::canonicalize(&manifest)
        .map_err(|source| BuildError::File { path: manifest, source })?;
    let toolchain = Toolchain::find_for(manifest.parent().unwrap_or(&manifest))?;
    say(&format!("building with {toolchain}"));
    // Not the directory that `cargo test` and editors use: it would be locked while they run.
    let target_dir = manifest.with_file_name("target").join("policies");
    let lock = if locked { Lock::Obeyed } else { Lock::Extended };
    let module = toolchain.build_package(&manifest, &target_dir, lock)?;
    Ok(Compiled { component: componentize(&module.bytes)?, uses: None })
}
