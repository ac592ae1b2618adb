//! `lockgate policy push` and `pull`.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;

use super::failure::{not_loaded, told};
use crate::cli::Exit;
use crate::cli::sandbox::SandboxOptions;
use crate::cli::sources::RegistryOptions;
use crate::cli::terminal::Terminal;
use crate::distribution::{Artifact, Outline, With, fetch, push, write_whole};
use crate::model::Timestamp;
use crate::policy::{OciRef, PolicyRef};
use crate::wasm::COMPONENT_BYTES;

/// Push a policy to an OCI registry, as a Wasm artifact that other tools can read too.
///
/// The policy is loaded first: what no gate could use is not pushed. Prints the reference with the
/// digest by which gates pin it. The same file gives the same digest; `SOURCE_DATE_EPOCH` sets the
/// time that the artifact is said to be made at. Credentials are those of the Docker configuration.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  lockgate policy push tenure.wasm oci://registry.example.org/risk/tenure:1.4\n  lockgate policy push tenure.wasm oci://127.0.0.1:5000/tenure:dev\n\nExits with 3 when the policy does not load, or the registry cannot be reached or does not take it."
)]
pub(in crate::cli) struct Push {
    /// The component.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Where to: `oci://REGISTRY/REPOSITORY:TAG`.
    #[arg(value_name = "oci://REGISTRY/REPOSITORY:TAG")]
    reference: OciRef,

    #[command(flatten)]
    registry: RegistryOptions,

    #[command(flatten)]
    sandbox: SandboxOptions,
}

impl Push {
    pub(super) fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        if self.reference.digest().is_some() {
            bail!(
                "`{}` names a digest, which the artifact has anyway; push to a tag",
                self.reference
            );
        }
        let shown = self.file.display();
        let sandbox = self.sandbox.sandbox(terminal)?;
        let reference = PolicyRef::Path(self.file.clone());
        let inspection = match sandbox.inspect(&reference) {
            Ok(inspection) => inspection,
            Err(reason) => return Ok(not_loaded(terminal, &reference, &reason)),
        };
        let component = std::fs::read(&self.file).with_context(|| format!("`{shown}`"))?;
        if crate::model::Digest::of(&component) != inspection.digest {
            bail!("`{shown}` changed while it was read; push it again");
        }
        let created = created()?;
        let outline = Outline {
            description: &inspection.description,
            imports: &inspection.imports,
            exports: &inspection.exports,
            created: &created,
        };
        let artifact = Artifact::new(&component, &outline)?;
        let options = self.registry.options(terminal);
        match push(&self.reference, component, &artifact, &options) {
            Ok(pinned) => {
                terminal.print(&format!("{pinned}\n"))?;
                Ok(Exit::Done)
            }
            Err(error) => Ok(told(terminal, error)),
        }
    }
}

/// When the artifact is said to be made: a time that does not make two pushes of one file differ.
fn created() -> anyhow::Result<String> {
    let seconds = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text
            .parse()
            .ok()
            .with_context(|| format!("`SOURCE_DATE_EPOCH` is `{text}` and no number of seconds"))?,
        Err(_) => 0,
    };
    let time = Timestamp::from_seconds(seconds);
    Ok(time.context("`SOURCE_DATE_EPOCH` is past the year 9999")?.to_string())
}

/// Pull a policy from an OCI registry into a file.
///
/// The manifest and the component have to have the digests that they are known by, and to be a Wasm
/// artifact with one component of at most 64 MiB. Prints the reference with its digest.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  lockgate policy pull oci://registry.example.org/risk/tenure:1.4\n  lockgate policy pull oci://registry.example.org/risk/tenure:1.4 -o policies/tenure.wasm\n\nGates name policies in registries directly, so that nothing has to be pulled by hand: see\n`lockgate policy lock`. Exits with 3 when it cannot be had."
)]
pub(in crate::cli) struct Pull {
    /// Which: `oci://REGISTRY/REPOSITORY:TAG`, or `…@sha256:HEX`.
    #[arg(value_name = "oci://REGISTRY/REPOSITORY:TAG")]
    reference: OciRef,

    /// Where to [default: the repository's last name, with `.wasm`].
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    registry: RegistryOptions,
}

impl Pull {
    pub(super) fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        let options = self.registry.options(terminal);
        let fetched = match fetch(&self.reference, COMPONENT_BYTES, With::Nothing, &options) {
            Ok(fetched) => fetched,
            Err(error) => return Ok(told(terminal, error)),
        };
        let output = match &self.output {
            Some(path) => path.clone(),
            None => PathBuf::from(format!("{}.wasm", self.reference.name())),
        };
        write_whole(&output, &fetched.component)?;
        terminal.note(format_args!("written to {}", output.display()));
        terminal.print(&format!("{}\n", self.reference.at(fetched.manifest.digest())))?;
        Ok(Exit::Done)
    }
}
