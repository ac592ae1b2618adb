//! `lockgate decision`: looking at the record.

mod list;
mod prune;
mod rules;
mod show;
mod verify_log;

use anyhow::Context as _;
use clap::Subcommand;

use super::Exit;
use super::record::RecordOptions;
use super::terminal::Terminal;
use crate::record::{Options, Record, RecordError};

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

/// Opens the record, and does something with it. What the record itself has to say against that
/// is told, with an exit code of its own.
async fn with_record<T>(
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

fn counted(number: u64, word: &str) -> String {
    match number {
        1 => format!("1 {word}"),
        _ => format!("{number} {word}s"),
    }
}
