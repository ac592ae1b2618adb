//! Where the record is.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;

use crate::config::age;
use crate::record::Location;

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
