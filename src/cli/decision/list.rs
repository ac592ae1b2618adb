use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use anyhow::anyhow;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::with_record;
use crate::cli::Exit;
use crate::cli::record::RecordOptions;
use crate::cli::terminal::Terminal;
use crate::decision::Verdict;
use crate::model::{Origin, Target, Timestamp};
use crate::record::{Cursor, Filter, Listing, Options, Page, PageSize, Summary};
use crate::report::{harmless_json, moved, plain};

/// List decisions, the newest first.
///
/// Times are those at which was asked. Whoever asked is shown as verified: the name of a token, a
/// certificate or a user of the registry.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  lockgate decision list --model fraud-detector --verdict deny\n  lockgate decision list --origin bypassed --since 2026-11-01\n  lockgate decision list --format json | jq -r '.decisions[].id'"
)]
pub(in crate::cli) struct List {
    /// Only of this model.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,

    /// Only of this version of a model.
    #[arg(long, value_name = "VERSION")]
    model_version: Option<String>,

    /// Only of moves to this target, and of removals from it: `stage:Production`, `alias:champion` or `env:prod`; a bare
    /// word is a stage.
    #[arg(long, value_name = "TARGET")]
    to: Option<Target>,

    /// Only `allow`, `deny` or `undecided`.
    #[arg(long, value_name = "VERDICT")]
    verdict: Option<Verdict>,

    /// Only of those that came by the `api`, by `mlflow` or by `kubernetes`, or that went around
    /// all of them, `bypassed`.
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<Origin>,

    /// Only of this time and later: `2026-11-23`, or RFC 3339.
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,

    /// Only of before this time.
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,

    /// At most so many, 1 to 500.
    #[arg(short = 'n', long, value_name = "NUMBER", default_value = "50")]
    limit: PageSize,

    /// Go on after this decision, the last of the page before.
    #[arg(long, value_name = "ID")]
    after: Option<Cursor>,

    /// How to print them.
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    #[command(flatten)]
    record: RecordOptions,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    #[value(aliases = ["text", "human"])]
    Table,
    /// For programs.
    Json,
}

impl List {
    pub(super) async fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        let filter = Filter {
            model: self.model.clone(),
            version: self.model_version.clone(),
            target: self.to.clone(),
            verdict: self.verdict,
            origin: self.origin,
            since: self.since,
            until: self.until,
        };
        if let (Some(since), Some(until)) = (self.since, self.until)
            && since >= until
        {
            return Err(anyhow!("--since {since} is not before --until {until}"));
        }
        let page = Page { size: self.limit, after: self.after };
        let found = with_record(&self.record, Options::read(), terminal, async |record| {
            record.list(&filter, page).await
        });
        let listing = match found.await? {
            Ok(listing) => listing,
            Err(exit) => return Ok(exit),
        };
        match self.format {
            Format::Json => terminal.print(&as_json(&listing)?)?,
            Format::Table => {
                terminal.print(&as_table(&listing, terminal.colored()))?;
                match listing.next {
                    Some(next) => terminal.note(format_args!("there are more: --after {next}")),
                    None if listing.decisions.is_empty() => {
                        terminal.note("no decision on record is like that");
                    }
                    None => {}
                }
            }
        }
        Ok(Exit::Done)
    }
}

/// The same as the server's list.
fn as_json(listing: &Listing) -> anyhow::Result<String> {
    let decisions: Vec<Value> = listing
        .decisions
        .iter()
        .map(|summary| {
            json!({
                "id": summary.id,
                "recorded_at": summary.recorded_at,
                "origin": summary.origin,
                "asked_by": summary.asked_by,
                "verdict": summary.verdict,
                "registry": summary.registry,
                "model": summary.model,
                "version": summary.version,
                "movement": summary.movement,
                "target": summary.target,
                "requested_by": summary.requested_by,
            })
        })
        .collect();
    let next = listing.next.map(|next| next.to_string());
    let listing = json!({ "decisions": decisions, "next": next });
    Ok(harmless_json(serde_json::to_string_pretty(&listing)?) + "\n")
}

fn as_table(listing: &Listing, color: bool) -> String {
    let mut table = String::new();
    for summary in &listing.decisions {
        let Summary { id, recorded_at, verdict, movement, model, version, target, origin, .. } =
            summary;
        let (sign, style) = match verdict {
            Verdict::Allow => ('✓', AnsiColor::Green.on_default()),
            Verdict::Undecided => ('?', AnsiColor::Yellow.on_default()),
            Verdict::Deny => ('✗', AnsiColor::Red.on_default()),
        };
        let style = if color { style } else { Style::new() };
        let word = verdict.as_str();
        let what = moved(*movement, &format!("{model}/{version}"), &target.to_string());
        let who =
            summary.asked_by.as_ref().map_or_else(String::new, |who| format!(" · {}", plain(who)));
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "{id}  {recorded_at}  {style}{sign} {word:9}{style:#}  {what} · {origin}{who}"
        );
    }
    table
}
