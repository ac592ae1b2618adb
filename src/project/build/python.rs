use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{BuildError, Compiled, Language, Project, script, tool};

const INSTALL: &str =
    "run `python3 -m venv .venv && .venv/bin/pip install -r requirements-dev.txt` in the project";

/// Where the SDK is that came with lockgate; one that pip has installed is found by Python.
const SDK: &str = "vendor/lockgate-sdk/src";

/// Builds the module that is the project's source.
pub(super) fn component(project: &Project, say: &dyn Fn(&str)) -> Result<Compiled, BuildError> {
    let root = script::root(project)?;
    let python = python(&root).ok_or_else(|| BuildError::MissingTool {
        tool: "Python".to_owned(),
        language: Language::Python,
        remedy: "install version 3.10 or newer, with venv".to_owned(),
    })?;
    say(&format!("building with {}", python.display()));
    let mut command = Command::new(python);
    command.args(["-m", "lockgate_sdk.build"]);
    // Compiled modules would be left in the project.
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    let paths = env::var_os("PYTHONPATH").unwrap_or_default();
    let paths = [root.join(SDK)].into_iter().chain(env::split_paths(&paths));
    if let Ok(paths) = env::join_paths(paths.filter(|path| !path.as_os_str().is_empty())) {
        command.env("PYTHONPATH", paths);
    }
    script::component(project, &root, command, INSTALL)
}

/// The project's own environment, the one that is active, or what is in `PATH`.
fn python(root: &Path) -> Option<PathBuf> {
    let active = env::var_os("VIRTUAL_ENV").map(PathBuf::from);
    [Some(root.join(".venv")), active]
        .into_iter()
        .flatten()
        .map(|environment| environment.join("bin/python"))
        .find(|python| python.is_file())
        .or_else(|| tool::in_path("python3"))
}
