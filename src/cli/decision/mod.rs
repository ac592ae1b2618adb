//! `lockgate decision`: looking at the record.

mod list;
mod prune;
mod rules;
mod show;
mod verify_log;

use anyhow::Context as _;
use clap::Subcommand;

use super::Exit;
use super::record::with_record;
use super::terminal::Terminal;

/// Look at decisions on record, and verify that nobody has changed them.
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Exit codes:\n  0  done; for verify-log: the record is intact\n  1  the record is not what was written\n  2  wrong usage\n  3  the record, or the decision, could not be read"
)]
pub(super) enum Decision {
    List(list::List),
    Show(show::Show),
    VerifyLog(verify_log::VerifyLog),
    Prune(prune::Prune),
}

impl Decision {
    pub(super) fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start")?;
        runtime.block_on(async {
            match self {
                Self::List(command) => command.run(terminal).await,
                Self::Show(command) => command.run(terminal).await,
                Self::VerifyLog(command) => command.run(terminal).await,
                Self::Prune(command) => command.run(terminal).await,
            }
        })
    }
}

fn counted(number: u64, word: &str) -> String {
    match number {
        1 => format!("1 {word}"),
        _ => format!("{number} {word}s"),
    }
}
