use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{counted, with_record};
use crate::cli::Exit;
use crate::cli::record::RecordOptions;
use crate::cli::terminal::Terminal;
use crate::record::{Chain, Head, Options, Verification};
use crate::report::{harmless_json, plain};

/// Verify that nobody has changed the record.
///
/// Every row holds the hash of the row before it, so that one that was changed, dropped, added or
/// moved shows. Rows missing at the end show as long as whoever took them did not change the
/// writer's head as well; and whoever may change everything can make all the hashes anew. So take
/// the heads now and then, keep them where the record's owner cannot reach them, and verify
/// against those.
///
/// Exits with 0 when the record is intact, with 1 when it is not, after telling what is wrong and
/// where, and with 3 when it could not be read.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  lockgate decision verify-log\n  lockgate decision verify-log --format heads > heads-2026-11.txt\n  lockgate decision verify-log --heads heads-2026-11.txt"
)]
pub(in crate::cli) struct VerifyLog {
    /// Also verify that it goes on from this head, WRITER:SEQUENCE:sha256:HEX. Can be given
    /// several times.
    #[arg(long, value_name = "HEAD")]
    head: Vec<Head>,

    /// As --head, with the heads in this file, one a line.
    #[arg(long, value_name = "FILE")]
    heads: Vec<PathBuf>,

    /// What to print.
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    #[command(flatten)]
    record: RecordOptions,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// What was verified and what is wrong, for people.
    #[default]
    #[value(aliases = ["text", "human"])]
    Table,
    /// The same for programs.
    Json,
    /// Only the heads, to be kept elsewhere, when the record is intact.
    Heads,
}

/// Most bytes of a file of heads: some hundred thousand of them.
const LONGEST: u64 = 16 * 1024 * 1024;

impl VerifyLog {
    pub(super) async fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        let mut earlier = self.head.clone();
        for path in &self.heads {
            earlier.extend(heads(path)?);
        }
        let verified = with_record(&self.record, Options::read(), terminal, async |record| {
            record.verify(&earlier).await
        });
        let verification = match verified.await? {
            Ok(verification) => verification,
            Err(exit) => return Ok(exit),
        };
        let intact = verification.is_intact();
        match self.format {
            Format::Table => terminal.print(&as_table(&verification))?,
            Format::Json => terminal.print(&as_json(&verification)?)?,
            Format::Heads if intact => {
                let lines = verification.chains.iter().map(|chain| format!("{}\n", chain.head));
                terminal.print(&lines.collect::<String>())?;
            }
            // Nobody is to take them for good.
            Format::Heads => terminal.tell(as_table(&verification)),
        }
        Ok(if intact { Exit::Done } else { Exit::Deny })
    }
}

fn heads(path: &Path) -> anyhow::Result<Vec<Head>> {
    let shown = path.display();
    let size = std::fs::metadata(path).with_context(|| format!("cannot read `{shown}`"))?.len();
    anyhow::ensure!(size <= LONGEST, "`{shown}` is too long to be a file of heads");
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{shown}`"))?;
    let mut heads = Vec::new();
    for (index, line) in text.lines().map(str::trim).enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let place = || format!("`{shown}`, line {}", index.saturating_add(1));
        heads.push(line.parse().with_context(place)?);
    }
    anyhow::ensure!(!heads.is_empty(), "there is no head in `{shown}`");
    Ok(heads)
}

fn as_table(verification: &Verification) -> String {
    let mut table = String::new();
    // Writing to a string cannot fail.
    for fault in &verification.faults {
        let _ = writeln!(table, "✗ {}", plain(&fault.to_string()));
    }
    let told = verification.faults.len() as u64;
    if verification.fault_count > told {
        let more = verification.fault_count.saturating_sub(told);
        let _ = writeln!(table, "✗ … and {more} more");
    }
    let decisions = counted(verification.decisions(), "decision");
    let writers = counted(verification.chains.len() as u64, "writer");
    let _ = match verification.is_intact() {
        true => writeln!(table, "✓ intact: {decisions} by {writers}"),
        false => writeln!(table, "✗ not intact: {decisions} by {writers}"),
    };
    for Chain { head, decisions, pruned } in &verification.chains {
        let decisions = counted(*decisions, "decision");
        let _ = write!(table, "  {}: {decisions}", plain(&head.writer));
        if *pruned > 0 {
            let _ = write!(table, ", after {pruned} that were pruned");
        }
        let _ = writeln!(table, "\n    head {}", plain(&head.to_string()));
    }
    table
}

fn as_json(verification: &Verification) -> anyhow::Result<String> {
    let chains: Vec<Value> = verification
        .chains
        .iter()
        .map(|Chain { head, decisions, pruned }| {
            json!({
                "writer": head.writer,
                "decisions": decisions,
                "pruned": pruned,
                "head": head.to_string(),
            })
        })
        .collect();
    let faults: Vec<Value> = verification
        .faults
        .iter()
        .map(|fault| {
            json!({
                "writer": fault.writer,
                "sequence": fault.sequence,
                "problem": fault.problem.code(),
                "message": fault.problem.to_string(),
            })
        })
        .collect();
    let text = serde_json::to_string_pretty(&json!({
        "intact": verification.is_intact(),
        "decisions": verification.decisions(),
        "chains": chains,
        "faults": faults,
        "fault_count": verification.fault_count,
    }))?;
    Ok(harmless_json(text) + "\n")
}
