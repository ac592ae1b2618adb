use std::time::Duration;

use serde::Serialize;

/// What one run of a policy took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunUsage {
    /// Units of fuel used; the same on every machine.
    pub fuel: u64,
    /// Most linear memory it held at a time, bytes.
    pub peak_memory: u64,
    /// Wall-clock time.
    pub elapsed: Duration,
}

/// How important a policy's author holds a log line to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// For the author only.
    Debug,
    /// Worth knowing.
    Info,
    /// Worth acting on.
    Warn,
}

/// One line that a policy logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// Its level.
    pub level: LogLevel,
    /// Its text, one line.
    pub message: String,
}
