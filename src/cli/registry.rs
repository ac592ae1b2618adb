//! Evidence from a registry, for a command that is run once.

use std::str::FromStr;

use anyhow::Context as _;
use tokio::runtime;

use super::terminal::Terminal;
use crate::decision::Naming;
use crate::evidence::Assignment;
use crate::model::Undecided;
use crate::registry::mlflow::{Caller, Client, Gathered, Move, Trust};

/// `mlflow=URL`.
#[derive(Clone, Debug)]
pub(super) struct Registry {
    url: String,
}

impl FromStr for Registry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some(("mlflow", url)) if !url.is_empty() => Ok(Self { url: url.to_owned() }),
            _ => {
                Err("write it as mlflow=URL, such as `mlflow=https://mlflow.example.org`"
                    .to_owned())
            }
        }
    }
}

/// How evidence is to be read.
pub(super) struct Read<'a> {
    pub(super) assignments: Vec<Assignment>,
    pub(super) naming: &'a Naming,
    pub(super) terminal: &'a Terminal,
}

/// A registry that can be asked.
pub(super) struct Opened {
    client: Client,
    caller: Caller,
    runtime: runtime::Runtime,
}

impl Registry {
    pub(super) fn open(&self) -> anyhow::Result<Opened> {
        let client = Client::trusting(&self.url, &Trust::from_env()).context("--registry")?;
        let caller = Caller::from_env()?;
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start what speaks to the registry")?;
        Ok(Opened { client, caller, runtime })
    }
}

impl Opened {
    pub(super) fn gather(&self, moved: &Move, read: &Read<'_>) -> Result<Gathered, Vec<Undecided>> {
        let terminal = read.terminal;
        let progress = |what: &str| terminal.progress(format_args!("reading {what}"));
        let gathered =
            self.client.gather(&self.caller, moved, read.naming, &read.assignments, &progress);
        let gathered = self.runtime.block_on(gathered);
        terminal.end_progress();
        gathered
    }
}
