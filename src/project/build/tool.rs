//! Running a language's own tools.

use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::de::DeserializeOwned;

use super::BuildError;

/// Exit code of a tool that answers that it lacks another.
const LACKS: i32 = 4;

/// Runs a tool to its end and reads its answer, the JSON in the last line that it prints. It asks
/// nobody anything; what it says on standard error is for the author.
pub(super) fn ask<T: DeserializeOwned>(mut command: Command) -> Result<T, BuildError> {
    let tool = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| BuildError::NotRun { tool: tool.clone(), source })?;
    let failed = |how: String| BuildError::ToolFailed { tool: tool.clone(), how };
    if !output.status.success() && output.status.code() != Some(LACKS) {
        return Err(failed(output.status.to_string()));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let answer = text.lines().last().unwrap_or_default();
    serde_json::from_str(answer).map_err(|error| failed(format!("its answer is no JSON: {error}")))
}

/// A program in `PATH`.
pub(super) fn in_path(name: impl AsRef<OsStr>) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(name.as_ref()).with_extension(env::consts::EXE_EXTENSION))
        .find(|program| program.is_file())
}
