use anyhow::anyhow;
use clap::Args;

use super::{Format, as_json, json_text, markdown, text};
use crate::cli::Exit;
use crate::cli::sandbox::SandboxOptions;
use crate::cli::terminal::Terminal;
use crate::policy::PolicyRef;

/// Show what a policy is: its rules and params, its digest, and what it can and cannot see.
#[derive(Args, Debug)]
pub(in crate::cli) struct Inspect {
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
    pub(super) fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        let reference = PolicyRef::from(self.policy.as_str());
        let sandbox = self.sandbox.sandbox(terminal)?;
        let inspection =
            sandbox.inspect(&reference).map_err(|reason| anyhow!("`{reference}`: {reason}"))?;
        terminal.print(&match self.format {
            Format::Text => text::page(&reference, &inspection, terminal.width()),
            Format::Json => json_text(&as_json(&inspection))?,
            Format::Markdown => markdown::page(&reference, &inspection),
        })?;
        Ok(Exit::Done)
    }
}
