//! The standard policies.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use lockgate_build::{Crates, Toolchain, componentize};
use sha2::{Digest, Sha256};

/// Writes `standard.rs`.
pub(crate) fn embed(root: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let names = policy_names(&root.join("policies"))?;
    let packages: Vec<String> =
        names.iter().map(|name| format!("lockgate-policy-{name}")).collect();
    let packages: Vec<&str> = packages.iter().map(String::as_str).collect();

    let target_dir = shared_target_dir(out);
    let modules = Toolchain::find()?.build(&Crates {
        manifest: &root.join("Cargo.toml"),
        packages: &packages,
        target_dir: &target_dir,
    })?;

    let mut table = String::from("const STANDARD: &[Standard] = &[\n");
    for (name, module) in names.iter().zip(modules) {
        let component = componentize(&module.bytes)?;
        let digest: [u8; 32] = Sha256::digest(&component).into();
        let file = out.join(name).with_extension("wasm");
        fs::write(&file, component)?;
        writeln!(
            table,
            "    Standard {{ name: {name:?}, digest: {digest:?}, component: include_bytes!({file:?}) }},"
        )?;
    }
    fs::write(out.join("standard.rs"), table + "];\n")?;
    Ok(())
}

/// Names of the policies, in alphabetical order.
fn policy_names(folder: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            names.push(entry.file_name().into_string().map_err(|name| format!("{name:?}"))?);
        }
    }
    names.sort();
    Ok(names)
}

/// One directory for every profile of the outer build, as the policies are the same in each.
///
/// Cargo gives a build script no name for its own target directory, only `OUT_DIR` four levels
/// below it: `target/PROFILE/build/lockgate-HASH/out`.
fn shared_target_dir(out: &Path) -> PathBuf {
    out.ancestors().nth(4).unwrap_or(out).join("policies")
}
