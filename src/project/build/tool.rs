//! Running a language's own tools.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::BuildError;

/// Runs a tool to its end. It asks nobody anything, and all that it prints goes to standard error:
/// standard output is for what lockgate itself has to say.
pub(super) fn run(mut command: Command) -> Result<(), BuildError> {
    let tool = command.get_program().to_string_lossy().into_owned();
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::from(io::stderr()))
        .stderr(Stdio::inherit())
        .status()
        .map_err(|source| BuildError::NotRun { tool: tool.clone(), source })?;
    if status.success() {
        Ok(())
    } else {
        Err(BuildError::ToolFailed { tool, how: status.to_string() })
    }
}

/// A program in `PATH`.
pub(super) fn in_path(name: impl AsRef<OsStr>) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(name.as_ref()).with_extension(env::consts::EXE_EXTENSION))
        .find(|program| program.is_file())
}
