use std::fmt::Write as _;

use anyhow::Context as _;
use clap::Args;

use super::rules::Rules;
use super::with_record;
use crate::cli::Exit;
use crate::cli::record::{RecordOptions, not_on_record};
use crate::cli::terminal::Terminal;
use crate::model::DecisionId;
use crate::record::{Options, Recorded};
use crate::report::{self, Context, Format, harmless_json, plain};

/// Show a decision on record, as `lockgate check` would.
///
/// The row is held against its own hash first; `lockgate decision verify-log` holds the whole
/// record against its chain.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  lockgate decision show 0198c6a5-6f2e-7b1a-9c3d-2f4e5a6b7c8d\n  lockgate decision show 0198c6a5-6f2e-7b1a-9c3d-2f4e5a6b7c8d --format markdown\n  lockgate decision show 0198c6a5-6f2e-7b1a-9c3d-2f4e5a6b7c8d --evidence | sha256sum"
)]
pub(in crate::cli) struct Show {
    /// Its id.
    id: DecisionId,

    /// How to print it: `table`, `json`, `sarif`, `junit`, `markdown` or `github`.
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,

    /// Print the evidence that it was made on instead: canonical JSON (RFC 8785) in one line, the
    /// bytes that its digest is of.
    #[arg(long, conflicts_with = "format")]
    evidence: bool,

    #[command(flatten)]
    record: RecordOptions,

    #[command(flatten)]
    rules: Rules,
}

impl Show {
    pub(super) async fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        let found = with_record(&self.record, Options::read(), terminal, async |record| {
            let recorded = record.get(self.id).await?;
            let digest = recorded.as_ref().and_then(|recorded| recorded.snapshot);
            let evidence = match digest.filter(|_| self.evidence) {
                Some(digest) => record.snapshot(digest).await?,
                None => None,
            };
            Ok((recorded, evidence))
        });
        let (recorded, evidence) = match found.await? {
            Ok((Some(recorded), evidence)) => (recorded, evidence),
            Ok((None, _)) => return Ok(not_on_record(terminal, self.id)),
            Err(exit) => return Ok(exit),
        };
        if self.evidence {
            return show_evidence(evidence, terminal);
        }
        if self.format == Format::Json {
            // As it was written, whatever wrote it.
            let document: serde_json::Value =
                serde_json::from_str(&recorded.document).context("what is on record is no JSON")?;
            terminal.print(&(harmless_json(serde_json::to_string_pretty(&document)?) + "\n"))?;
            return Ok(Exit::Done);
        }
        let decision = match recorded.decision() {
            Ok(mut decision) => {
                // The other formats do not say what rules are about.
                if self.format == Format::Sarif {
                    self.rules.tell(&mut decision, terminal)?;
                }
                decision
            }
            Err(error) => {
                terminal.error(&anyhow::Error::new(error).context("try --format json"));
                return Ok(Exit::Undecided);
            }
        };
        let context =
            Context { gate_file: None, color: terminal.colored(), width: terminal.width() };
        let mut text = Vec::new();
        if self.format == Format::Table {
            text.extend(heading(&recorded).into_bytes());
        }
        report::write(self.format, &decision, &context, &mut text)?;
        terminal.print(&String::from_utf8(text)?)?;
        Ok(Exit::Done)
    }
}

fn show_evidence(evidence: Option<Vec<u8>>, terminal: &Terminal) -> anyhow::Result<Exit> {
    match evidence {
        Some(canonical) => {
            terminal.print(&String::from_utf8(canonical)?)?;
            Ok(Exit::Done)
        }
        None => {
            terminal.error(&anyhow::anyhow!("no evidence was kept with this decision"));
            Ok(Exit::Undecided)
        }
    }
}

/// What the record knows and the decision does not.
fn heading(recorded: &Recorded) -> String {
    let Recorded { summary, writer, sequence, .. } = recorded;
    let mut heading = format!("decision {}\n", summary.id);
    let by =
        summary.asked_by.as_ref().map_or_else(String::new, |who| format!(" by {}", plain(who)));
    let (at, origin) = (summary.recorded_at, summary.origin);
    // Writing to a string cannot fail.
    let _ = writeln!(heading, "  asked{by} · {origin} · recorded at {at}");
    let _ = writeln!(heading, "  row {sequence} of writer {}\n", plain(writer));
    heading
}
