use std::fs;

use lockgate_build::{Toolchain, componentize};

use super::{BuildError, Compiled, Project};

/// Builds the crate whose `Cargo.toml` is the project's source.
pub(super) fn component(project: &Project, say: &dyn Fn(&str)) -> Result<Compiled, BuildError> {
    let toolchain = Toolchain::find()?;
    say(&format!("building with {toolchain}"));
    // Cargo remaps paths by their beginnings, which a relative one would not match.
    let manifest = project.source();
    let manifest = fs::canonicalize(&manifest)
        .map_err(|source| BuildError::File { path: manifest, source })?;
    // Not the directory that `cargo test` and editors use: it would be locked while they run.
    let target_dir = manifest.with_file_name("target").join("policies");
    let module = toolchain.build_package(&manifest, &target_dir)?;
    Ok(Compiled { component: componentize(&module.bytes)?, uses: None })
}
