use std::path::Path;
use std::process::Command;

use super::{BuildError, Compiled, Language, Project, script, tool};

const INSTALL: &str = "run `npm install` in the project";

/// Where the SDK is: as it came with lockgate, or as npm has installed it.
const SCRIPTS: [&str; 2] =
    ["vendor/lockgate-sdk/build/build.mjs", "node_modules/lockgate-sdk/build/build.mjs"];

/// Builds the module that is the project's source.
pub(super) fn component(project: &Project, say: &dyn Fn(&str)) -> Result<Compiled, BuildError> {
    let node = tool::in_path("node")
        .ok_or_else(|| missing("Node.js", "install version 20 or newer, with npm"))?;
    let root = script::root(project)?;
    let sdk = SCRIPTS
        .iter()
        .map(|path| root.join(path))
        .find(|path| path.is_file())
        .ok_or_else(|| missing("`lockgate-sdk`", INSTALL))?;
    say(&format!("building with {}", Path::new(&node).display()));
    let mut command = Command::new(node);
    command.arg(sdk);
    script::component(project, &root, command, INSTALL)
}

fn missing(tool: &str, remedy: &str) -> BuildError {
    BuildError::MissingTool {
        tool: tool.to_owned(),
        language: Language::Js,
        remedy: remedy.to_owned(),
    }
}
