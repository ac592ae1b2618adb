//! The build script of an SDK, by which components come from JavaScript and Python.
//!
//! A script is given the narrowed contract, so that the component imports what the policy may read
//! and nothing else, and answers with what the policy's code uses. The component would not tell:
//! these languages import every interface of their world, used or not.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::{BuildError, Compiled, tool, world};
use crate::project::{Import, Project};

/// What a script prints.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    /// The interfaces that the policy's code uses. There is a component if it may use them all.
    Uses(BTreeSet<Import>),
    /// A tool that the script needs.
    Missing(String),
}

/// The folder of the project, without links: tools compare paths by their text.
pub(super) fn root(project: &Project) -> Result<PathBuf, BuildError> {
    fs::canonicalize(&project.root)
        .map_err(|source| BuildError::File { path: project.root.clone(), source })
}

/// Runs a script, a command that lacks its arguments. `remedy` installs its tools.
pub(super) fn component(
    project: &Project,
    root: &Path,
    mut script: Command,
    remedy: &str,
) -> Result<Compiled, BuildError> {
    let source = root.join(&project.manifest.source);
    // A tool would only say that it found nothing.
    fs::metadata(&source)
        .map_err(|error| BuildError::File { path: source.clone(), source: error })?;
    let folder = tempfile::Builder::new()
        .prefix("lockgate-build-")
        .tempdir()
        .map_err(|source| BuildError::File { path: std::env::temp_dir(), source })?;
    let (wit, out) = (folder.path().join("wit"), folder.path().join("policy.wasm"));
    let reads = &project.manifest.reads;
    world::write(reads, &wit)?;
    let names: Vec<&str> = reads.iter().copied().map(Import::as_str).collect();
    script.current_dir(root);
    script.arg("--source").arg(&source).arg("--wit").arg(&wit).args(["--world", world::WORLD]);
    script.args(["--reads", &names.join(",")]).arg("--out").arg(&out);

    match tool::ask(script)? {
        Answer::Missing(tool) => Err(BuildError::MissingTool {
            tool: format!("`{tool}`"),
            language: project.manifest.language,
            remedy: remedy.to_owned(),
        }),
        Answer::Uses(uses) if !uses.is_subset(reads) => Err(BuildError::Undeclared {
            undeclared: uses.difference(reads).map(|import| (*import, None)).collect(),
            reads: reads.clone(),
        }),
        Answer::Uses(uses) => {
            let component =
                fs::read(&out).map_err(|source| BuildError::File { path: out.clone(), source })?;
            Ok(Compiled { component, uses: Some(uses) })
        }
    }
}
