use clap::Args;

use super::document::Document;
use super::{Format, json_text, markdown, text};
use crate::cli::Exit;
use crate::cli::sandbox::SandboxOptions;
use crate::cli::terminal::Terminal;
use crate::policy::PolicyRef;
use crate::wasm::standard_names;

/// List the standard policies.
#[derive(Args, Debug)]
pub(in crate::cli) struct List {
    /// How to print them.
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    #[command(flatten)]
    sandbox: SandboxOptions,
}

impl List {
    pub(super) fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        let sandbox = self.sandbox.sandbox(terminal)?;
        let mut inspections = Vec::new();
        for name in standard_names() {
            inspections.push(sandbox.inspect(&PolicyRef::Standard(name.to_owned()))?);
        }
        terminal.print(&match self.format {
            Format::Table => text::list(&inspections),
            Format::Json => json_text(&inspections.iter().map(Document::of).collect::<Vec<_>>())?,
            Format::Markdown => markdown::list(&inspections),
        })?;
        Ok(Exit::Done)
    }
}
