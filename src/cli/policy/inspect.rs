use anyhow::anyhow;
use clap::Args;

use super::{Format, as_json, failure, json_text, markdown, text};
use crate::cli::Exit;
use crate::cli::sandbox::SandboxOptions;
use crate::cli::sources::RegistryOptions;
use crate::cli::terminal::Terminal;
use crate::distribution::fetch;
use crate::policy::{OciRef, PolicyRef};
use crate::wasm::COMPONENT_BYTES;

/// Show what a policy is: its rules and params, its digest, and what it can and cannot see.
#[derive(Args, Debug)]
pub(in crate::cli) struct Inspect {
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
    pub(super) fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
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
