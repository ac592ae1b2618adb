//! `lockgate policy`: which policies there are, what one is, and how it is shared.

mod artifact;
mod example;
mod failure;
mod lock;
mod markdown;
mod params;
mod sign;
mod text;

use anyhow::anyhow;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::Exit;
use super::sandbox::SandboxOptions;
use super::sources::RegistryOptions;
use super::terminal::Terminal;
use crate::distribution::fetch;
use crate::policy::{OciRef, PolicyRef};
use crate::report::harmless_json;
use crate::wasm::{COMPONENT_BYTES, Inspection, Interface, standard_names};

/// See which policies there are and what one can see, and share them.
#[derive(Debug, Subcommand)]
pub(super) enum Policy {
    List(List),
    Inspect(Inspect),
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
    Text,
    /// For programs.
    Json,
    /// A documentation page.
    Markdown,
}

/// List the standard policies.
#[derive(Args, Debug)]
pub(super) struct List {
    /// How to print them.
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    #[command(flatten)]
    sandbox: SandboxOptions,
}

impl List {
    fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        let sandbox = self.sandbox.sandbox(terminal)?;
        let mut inspections = Vec::new();
        for name in standard_names() {
            inspections.push(sandbox.inspect(&PolicyRef::Standard(name.to_owned()))?);
        }
        terminal.print(&match self.format {
            Format::Text => text::list(&inspections),
            Format::Json => json_text(&Value::Array(inspections.iter().map(as_json).collect()))?,
            Format::Markdown => markdown::list(&inspections),
        })?;
        Ok(Exit::Done)
    }
}

/// Show what a policy is: its rules and params, its digest, and what it can and cannot see.
#[derive(Args, Debug)]
pub(super) struct Inspect {
    /// A component file, `std/NAME`, or `oci://REGISTRY/REPOSITORY:TAG`.
    #[arg(value_name = "FILE|std/NAME|oci://…")]
    policy: String,

    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    #[command(flatten)]
    registry: RegistryOptions,

    #[command(flatten)]
    sandbox: SandboxOptions,
}

impl Inspect {
    fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        let reference = match self.policy.as_str() {
            text if text.starts_with(OciRef::SCHEME) => PolicyRef::Oci(text.parse()?),
            text => PolicyRef::from(text),
        };
        let sandbox = self.sandbox.sandbox(terminal)?;
        let inspected = match &reference {
            PolicyRef::Oci(oci) => {
                match fetch(oci, COMPONENT_BYTES, &self.registry.options(terminal)) {
                    Ok(fetched) => sandbox.inspect_pulled(&reference, &fetched.component),
                    Err(error) => return Ok(failure::told(terminal, error)),
                }
            }
            PolicyRef::Standard(_) | PolicyRef::Path(_) => sandbox.inspect(&reference),
        };
        let inspection = inspected.map_err(|reason| anyhow!("`{reference}`: {reason}"))?;
        terminal.print(&match self.format {
            Format::Text => text::page(&reference, &inspection, terminal.width()),
            Format::Json => json_text(&as_json(&inspection))?,
            Format::Markdown => markdown::page(&reference, &inspection),
        })?;
        Ok(Exit::Done)
    }
}

fn json_text(value: &Value) -> anyhow::Result<String> {
    Ok(harmless_json(&serde_json::to_string_pretty(value)?) + "\n")
}

fn as_json(inspection: &Inspection) -> Value {
    let description = &inspection.description;
    json!({
        "name": description.name,
        "version": description.version,
        "summary": description.summary,
        "digest": inspection.digest,
        "size": inspection.size,
        "rules": description.rules,
        "params_schema": params_schema(inspection),
        "sees": inspection.sees.iter().map(|seen| json!({
            "interface": seen.name,
            "functions": seen.functions,
        })).collect::<Vec<_>>(),
        "cannot_see": inspection.blind_to,
    })
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

/// What the policy could be shown and is not.
fn unseen(inspection: &Inspection) -> String {
    let names = inspection.blind_to.iter().map(String::as_str).filter(|name| *name != LOG);
    names.collect::<Vec<_>>().join(", ")
}
