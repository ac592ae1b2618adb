//! `lockgate policy`: which policies there are, what one is, how to make one, whether it does what
//! it should, and how it is shared.

mod artifact;
mod bench;
mod build;
mod case;
mod document;
mod example;
mod failure;
mod filter;
mod inspect;
mod list;
mod lock;
mod markdown;
mod new;
mod params;
mod sign;
mod subject;
mod test;
mod text;
mod watch;

use clap::{Subcommand, ValueEnum};
pub(super) use document::schema;
use serde::Serialize;
use serde_json::Value;

use super::Exit;
use super::terminal::Terminal;
use crate::report::{harmless_json, plain};
use crate::wasm::{Inspection, Interface, Need, Producer};

/// See which policies there are and what one can see; make, test and share your own.
#[derive(Debug, Subcommand)]
pub(super) enum Policy {
    List(list::List),
    Inspect(inspect::Inspect),
    New(new::New),
    Build(build::Build),
    Test(test::Test),
    Case(case::Case),
    Bench(bench::Bench),
    Push(artifact::Push),
    Pull(artifact::Pull),
    Lock(lock::LockPolicies),
    Vendor(lock::Vendor),
    Sign(sign::Sign),
    Verify(sign::Verify),
    #[command(subcommand)]
    Key(sign::Key),
}

impl Policy {
    pub(super) fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        match self {
            Self::List(command) => command.run(terminal),
            Self::Inspect(command) => command.run(terminal),
            Self::New(command) => command.run(terminal),
            Self::Build(command) => command.run(terminal),
            Self::Test(command) => command.run(terminal),
            Self::Case(command) => command.run(terminal),
            Self::Bench(command) => command.run(terminal),
            Self::Push(command) => command.run(terminal),
            Self::Pull(command) => command.run(terminal),
            Self::Lock(command) => command.run(terminal),
            Self::Vendor(command) => command.run(terminal),
            Self::Sign(command) => command.run(terminal),
            Self::Verify(command) => command.run(terminal),
            Self::Key(command) => command.run(terminal),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    #[value(aliases = ["text", "human"])]
    Table,
    /// For programs.
    Json,
    /// A documentation page.
    Markdown,
}

fn json_text(value: &impl Serialize) -> anyhow::Result<String> {
    Ok(harmless_json(serde_json::to_string_pretty(value)?) + "\n")
}

fn params_schema(inspection: &Inspection) -> Value {
    // Loading has made sure that it parses.
    serde_json::from_str(&inspection.description.params_schema).unwrap_or(Value::Null)
}

/// The interface that tells a policy nothing: what it writes is shown in the JSON report.
const LOG: &str = "log";

/// The interfaces that show a policy something.
fn evidence(inspection: &Inspection) -> impl Iterator<Item = &Interface> {
    inspection.sees.iter().filter(|seen| seen.name != LOG)
}

/// What holding a policy takes, each with what it may take.
fn needs(inspection: &Inspection) -> impl Iterator<Item = String> {
    inspection.needs.iter().map(|need| {
        let Need { what, amount, limit } = need;
        match *what {
            "memory" => format!("memory: {} of {} KiB", amount.div_ceil(1024), limit >> 10),
            what => format!("{}: {amount} of {limit}", what.replace('-', " ")),
        }
    })
}

/// What the policy was made with, by its own word.
fn producers(inspection: &Inspection) -> String {
    let mut producers: Vec<&Producer> = inspection.producers.iter().collect();
    // What it is written in comes first; tools are in the order in which they say they came.
    producers.sort_by_key(|producer| producer.part != "language");
    let named = producers.into_iter().map(|producer| {
        let Producer { part: _, name, version } = producer;
        if version.is_empty() { plain(name) } else { plain(&format!("{name} {version}")) }
    });
    named.collect::<Vec<_>>().join(", ")
}

/// What the policy could be shown and is not.
fn unseen(inspection: &Inspection) -> String {
    let names = inspection.blind_to.iter().map(String::as_str).filter(|name| *name != LOG);
    names.collect::<Vec<_>>().join(", ")
}
