use std::fmt::Write as _;

use anyhow::anyhow;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::Exit;
use super::params;
use super::sandbox::SandboxOptions;
use super::terminal::Terminal;
use crate::policy::PolicyRef;
use crate::wasm::{Inspection, Interface, standard_names};

/// See which policies there are, and what one can see.
#[derive(Debug, Subcommand)]
pub(super) enum Policy {
    List(List),
    Inspect(Inspect),
}

impl Policy {
    pub(super) fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        match self {
            Self::List(command) => command.run(terminal),
            Self::Inspect(command) => command.run(terminal),
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
        let text = match self.format {
            Format::Text => {
                let width = inspections.iter().map(|policy| policy.description.name.len()).max();
                let mut text = String::new();
                for policy in &inspections {
                    let description = &policy.description;
                    writeln!(
                        text,
                        "std/{:width$}  {}",
                        description.name,
                        description.summary,
                        width = width.unwrap_or(0)
                    )?;
                }
                text
            }
            Format::Json => pretty(&Value::Array(inspections.iter().map(as_json).collect()))?,
            Format::Markdown => {
                let mut text = String::from(
                    "# Standard policies\n\n| policy | what it checks |\n| --- | --- |\n",
                );
                for policy in &inspections {
                    let description = &policy.description;
                    writeln!(
                        text,
                        "| [`std/{name}`]({name}.md) | {} |",
                        description.summary,
                        name = description.name
                    )?;
                }
                text
            }
        };
        terminal.print(&text)?;
        Ok(Exit::Done)
    }
}

/// Show what a policy is: its rules and params, its digest, and what it can and cannot see.
#[derive(Args, Debug)]
pub(super) struct Inspect {
    /// A component file, or `std/NAME`.
    #[arg(value_name = "FILE|std/NAME")]
    policy: String,

    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    #[command(flatten)]
    sandbox: SandboxOptions,
}

impl Inspect {
    fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        let reference = PolicyRef::from(self.policy.as_str());
        let sandbox = self.sandbox.sandbox(terminal)?;
        let inspection =
            sandbox.inspect(&reference).map_err(|reason| anyhow!("`{reference}`: {reason}"))?;
        let text = match self.format {
            Format::Text => as_text(&reference, &inspection)?,
            Format::Json => pretty(&as_json(&inspection))?,
            Format::Markdown => as_markdown(&reference, &inspection)?,
        };
        terminal.print(&text)?;
        Ok(Exit::Done)
    }
}

fn pretty(value: &Value) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

fn params_schema(inspection: &Inspection) -> Value {
    // Loading has made sure that it parses.
    serde_json::from_str(&inspection.description.params_schema).unwrap_or(Value::Null)
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

fn seen(interface: &Interface) -> String {
    format!("{} ({})", interface.name, interface.functions.join(", "))
}

fn as_text(reference: &PolicyRef, inspection: &Inspection) -> anyhow::Result<String> {
    let description = &inspection.description;
    let mut text = String::new();
    writeln!(text, "{} {}  {reference}", description.name, description.version)?;
    writeln!(text, "{}\n", description.summary)?;
    writeln!(text, "digest      {}", inspection.digest)?;
    writeln!(text, "size        {} KiB", inspection.size.div_ceil(1024))?;
    for (index, interface) in inspection.sees.iter().enumerate() {
        let label = if index == 0 { "can see" } else { "" };
        writeln!(text, "{label:<11} {}", seen(interface))?;
    }
    if inspection.sees.is_empty() {
        writeln!(text, "can see     nothing but its params")?;
    }
    writeln!(text, "cannot see  {}", inspection.blind_to.join(", "))?;
    writeln!(text, "            no files, network, environment, clock or randomness")?;
    writeln!(text, "\nrules")?;
    for rule in &description.rules {
        writeln!(text, "  {}: {}", rule.code, rule.title)?;
        writeln!(text, "    {}", rule.description)?;
    }
    let params = params::rows(&params_schema(inspection));
    if !params.is_empty() {
        writeln!(text, "\nparams")?;
    }
    for row in params {
        let required = if row.required { ", required" } else { "" };
        writeln!(text, "  {} ({}{required})", row.name, row.kind)?;
        if !row.description.is_empty() {
            writeln!(text, "    {}", row.description)?;
        }
    }
    Ok(text)
}

fn as_markdown(reference: &PolicyRef, inspection: &Inspection) -> anyhow::Result<String> {
    let description = &inspection.description;
    let mut text = String::new();
    writeln!(text, "# `{reference}`\n\n{}\n", description.summary)?;
    writeln!(text, "Version {}.\n\n## Rules\n", description.version)?;
    writeln!(text, "| rule | checks |\n| --- | --- |")?;
    for rule in &description.rules {
        writeln!(text, "| `{}` | **{}.** {} |", rule.code, rule.title, cell(&rule.description))?;
    }
    writeln!(text, "\n## Params\n\n| key | type | meaning |\n| --- | --- | --- |")?;
    for row in params::rows(&params_schema(inspection)) {
        let required = if row.required { ", required" } else { "" };
        writeln!(
            text,
            "| `{}` | {}{required} | {} |",
            row.name,
            cell(&row.kind),
            cell(&row.description)
        )?;
    }
    writeln!(text, "\n## What it can see\n")?;
    for interface in &inspection.sees {
        writeln!(text, "- {}", seen(interface))?;
    }
    writeln!(text, "\nIt cannot see: {}.", inspection.blind_to.join(", "))?;
    Ok(text)
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
