use clap::Args;

use super::document::Document;
use super::{Format, failure, json_text, markdown, text};
use crate::cli::Exit;
use crate::cli::sandbox::SandboxOptions;
use crate::cli::sources::RegistryOptions;
use crate::cli::terminal::Terminal;
use crate::distribution::{With, fetch};
use crate::policy::PolicyRef;
use crate::wasm::COMPONENT_BYTES;

/// Show what a policy is: its rules and params, its digest, and what it can and cannot see.
///
/// Exits with 3 when it cannot be had or loaded.
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
        let reference: PolicyRef = self.policy.parse()?;
        let sandbox = self.sandbox.sandbox(terminal)?;
        let inspected = match &reference {
            PolicyRef::Oci(oci) => {
                let options = self.registry.options(terminal);
                match fetch(oci, COMPONENT_BYTES, With::Nothing, &options) {
                    Ok(fetched) => sandbox.inspect_pulled(&reference, &fetched.component),
                    Err(error) => return Ok(failure::told(terminal, error)),
                }
            }
            PolicyRef::Standard(_) | PolicyRef::Path(_) => sandbox.inspect(&reference),
        };
        let inspection = match inspected {
            Ok(inspection) => inspection,
            Err(reason) => return Ok(failure::not_loaded(terminal, &reference, &reason)),
        };
        terminal.print(&match self.format {
            Format::Table => text::page(&reference, &inspection, terminal.width()),
            Format::Json => json_text(&Document::of(&inspection))?,
            Format::Markdown => markdown::page(&reference, &inspection),
        })?;
        Ok(Exit::Done)
    }
}
