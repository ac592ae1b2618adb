use anyhow::Context as _;
use clap::Args;

use super::{counted, with_record};
use crate::cli::Exit;
use crate::cli::check::now;
use crate::cli::record::{Age, RecordOptions};
use crate::cli::terminal::Terminal;
use crate::model::Timestamp;
use crate::record::Options;

/// Remove decisions that were recorded before a time, and evidence that was kept for them alone.
///
/// A checkpoint keeps the hash of the last row that was removed, so that the rest can still be
/// verified. Rows that do not hold are not removed. The server may go on meanwhile.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  lockgate decision prune --older-than 400d\n  lockgate decision prune --before 2026-01-01"
)]
#[group(id = "when", required = true, multiple = false, args = ["before", "older_than"])]
pub(in crate::cli) struct Prune {
    /// Those of before this time: `2026-01-01`, or RFC 3339.
    #[arg(long, value_name = "TIME")]
    before: Option<Timestamp>,

    /// Those that are older than this: `24h`, `90d` or `52w`.
    #[arg(long, value_name = "AGE")]
    older_than: Option<Age>,

    #[command(flatten)]
    record: RecordOptions,
}

impl Prune {
    pub(super) async fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        let before = match (self.before, self.older_than) {
            (Some(before), _) => before,
            (None, Some(Age(age))) => {
                let seconds = now()?.seconds().saturating_sub(age.as_secs());
                Timestamp::from_seconds(seconds).context("that is no time")?
            }
            (None, None) => anyhow::bail!("say which with --before or --older-than"),
        };
        // Nothing is made where there is nothing.
        let there = with_record(&self.record, Options::read(), terminal, async |_| Ok(()));
        if let Err(exit) = there.await? {
            return Ok(exit);
        }
        let pruned = with_record(&self.record, Options::write(), terminal, async |record| {
            record.prune(before).await
        });
        match pruned.await? {
            Ok(pruned) => {
                terminal.print(&format!(
                    "pruned what was recorded before {before}: {} and {}\n",
                    counted(pruned.decisions, "decision"),
                    counted(pruned.snapshots, "snapshot"),
                ))?;
                Ok(Exit::Done)
            }
            Err(exit) => Ok(exit),
        }
    }
}
