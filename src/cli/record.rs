//! Where the record is, and how a command ends that needs it.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use clap::Args;

use super::Exit;
use super::terminal::Terminal;
use crate::config::age;
use crate::model::DecisionId;
use crate::record::{Location, Options, Record, RecordError};

/// Where the record is.
#[derive(Args, Debug)]
pub(super) struct RecordOptions {
    /// Where decisions are on record: a SQLite file, or `postgres://USER@HOST/DATABASE`
    /// [default: `lockgate/record.db` in the user's state directory].
    // Read in a second step: what the parser of arguments quotes may hold a password.
    #[arg(long, value_name = "LOCATION", env = "LOCKGATE_RECORD", hide_env_values = true)]
    record: Option<String>,
}

impl RecordOptions {
    pub(super) fn location(&self) -> anyhow::Result<Location> {
        match &self.record {
            Some(text) => text.parse().context("--record"),
            None => default_path()
                .map(Location::Sqlite)
                .context("this user has no state directory; say where the record is with --record"),
        }
    }
}

/// Opens the record, and does something with it. What the record itself has to say against that
/// is told, with an exit code of its own.
pub(super) async fn with_record<T>(
    options: &RecordOptions,
    access: Options,
    terminal: &Terminal,
    work: impl AsyncFnOnce(&Record) -> Result<T, RecordError>,
) -> anyhow::Result<Result<T, Exit>> {
    let location = options.location()?;
    let done = match Record::open(&location, access).await {
        Ok(record) => {
            let done = work(&record).await;
            record.close().await;
            done
        }
        Err(error) => Err(error),
    };
    Ok(done.map_err(|error| {
        let broken = matches!(error, RecordError::Tampered { .. } | RecordError::Rewound { .. });
        terminal.error(&error.into());
        if broken { Exit::Deny } else { Exit::Undecided }
    }))
}

/// Tells that there is no such decision.
pub(super) fn not_on_record(terminal: &Terminal, id: DecisionId) -> Exit {
    terminal.error(&anyhow!(
        "there is no decision `{id}` on record; `lockgate decision list` shows those that are"
    ));
    Exit::Undecided
}

/// In the user's state directory by the XDG base directory specification.
fn default_path() -> Option<PathBuf> {
    let absolute =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base =
        absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(base.join("lockgate/record.db"))
}

/// How old decisions may become.
#[derive(Clone, Copy, Debug)]
pub(super) struct Age(pub(super) Duration);

impl FromStr for Age {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match age(text) {
            Ok(Some(age)) => Ok(Self(age)),
            Ok(None) | Err(()) => Err("write it as `24h`, `90d` or `52w`".to_owned()),
        }
    }
}
