//! Which policy is meant, and where its cases are.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use tempfile::TempDir;

use super::build;
use super::failure::told;
use crate::cli::Exit;
use crate::cli::sandbox::SandboxOptions;
use crate::cli::sources::RegistryOptions;
use crate::cli::terminal::Terminal;
use crate::distribution::{With, fetch, write_whole};
use crate::policy::{OciRef, PolicyRef};
use crate::project::{Freshness, MANIFEST};
use crate::wasm::COMPONENT_BYTES;

/// Which policy is meant, and where its cases are.
#[derive(Args, Debug)]
pub(super) struct SubjectOptions {
    /// The policy: the folder of its project, a component file, `std/NAME`, or
    /// `oci://REGISTRY/REPOSITORY:TAG`.
    #[arg(value_name = "DIR|FILE|std/NAME|oci://…", default_value = ".")]
    policy: String,

    /// Its cases: a folder of them, or the file of one [default: that of the project, or `cases`
    /// beside the component].
    #[arg(long, value_name = "DIR|FILE")]
    cases: Option<PathBuf>,

    /// Build the project first when its component is missing or older than its sources.
    #[arg(long)]
    build: bool,

    #[command(flatten)]
    registry: RegistryOptions,
}

/// A policy and its cases.
#[derive(Debug)]
pub(super) struct Subject {
    /// The policy as it was named.
    pub(super) reference: PolicyRef,
    /// Where it is loaded from: not a registry.
    pub(super) component: PolicyRef,
    pub(super) cases: PathBuf,
    /// Holds the component that was pulled.
    _pulled: Option<TempDir>,
}

impl Subject {
    const fn new(reference: PolicyRef, component: PolicyRef, cases: PathBuf) -> Self {
        Self { reference, component, cases, _pulled: None }
    }
}

impl SubjectOptions {
    /// The policy that is meant; else what is wrong with it has been told.
    pub(super) fn resolve(
        &self,
        sandbox: &SandboxOptions,
        terminal: &Terminal,
    ) -> anyhow::Result<Result<Subject, Exit>> {
        let reference: PolicyRef = self.policy.parse()?;
        if let PolicyRef::Path(folder) = &reference
            && folder.is_dir()
        {
            let subject = self.project(folder, sandbox, terminal)?;
            return Ok(subject.ok_or(Exit::Usage));
        }
        if self.build {
            bail!("--build is for a project; name a folder with `{MANIFEST}`");
        }
        let cases = match (&self.cases, &reference) {
            (Some(cases), _) => cases.clone(),
            (None, PolicyRef::Path(component)) => {
                let beside = component.with_file_name("cases");
                if !beside.is_dir() {
                    let beside = beside.display();
                    bail!("there are no cases in `{beside}`; say where they are with --cases");
                }
                beside
            }
            (None, PolicyRef::Standard(_) | PolicyRef::Oci(_)) => {
                bail!("say with --cases where the cases of `{reference}` are");
            }
        };
        match &reference {
            PolicyRef::Oci(oci) => self.pulled(oci, cases, terminal),
            PolicyRef::Standard(_) | PolicyRef::Path(_) => {
                Ok(Ok(Subject::new(reference.clone(), reference, cases)))
            }
        }
    }

    /// A policy in a registry, in a file for as long as it is needed.
    fn pulled(
        &self,
        oci: &OciRef,
        cases: PathBuf,
        terminal: &Terminal,
    ) -> anyhow::Result<Result<Subject, Exit>> {
        let options = self.registry.options(terminal);
        let fetched = match fetch(oci, COMPONENT_BYTES, With::Nothing, &options) {
            Ok(fetched) => fetched,
            Err(error) => return Ok(Err(told(terminal, error))),
        };
        let folder = tempfile::Builder::new().prefix("lockgate-").tempdir();
        let folder = folder.context("cannot make a temporary folder")?;
        let file = folder.path().join(format!("{}.wasm", oci.name()));
        write_whole(&file, &fetched.component)?;
        // It names the very artifact, also when it was named by a tag.
        let reference = PolicyRef::Oci(oci.at(fetched.manifest.digest()));
        let subject = Subject::new(reference, PolicyRef::Path(file), cases);
        Ok(Ok(Subject { _pulled: Some(folder), ..subject }))
    }

    fn project(
        &self,
        folder: &Path,
        sandbox: &SandboxOptions,
        terminal: &Terminal,
    ) -> anyhow::Result<Option<Subject>> {
        let Some(project) = build::open(folder, terminal)? else { return Ok(None) };
        let component = project.component();
        let built = component.metadata().and_then(|metadata| metadata.modified()).ok();
        let freshness = built.map(|built| project.freshness(built));
        if self.build && !matches!(freshness, Some(Freshness::Fresh)) {
            let Some(summary) = build::Build::of(folder, sandbox).build(terminal)? else {
                return Ok(None);
            };
            terminal.tell(summary);
        } else {
            let remedy = "make it with `lockgate policy build`, or add --build";
            match freshness {
                None => bail!("there is no `{}` yet; {remedy}", component.display()),
                Some(Freshness::Fresh) => {}
                Some(Freshness::Older(changed)) => terminal.warning(format_args!(
                    "`{}` is newer than the component; {remedy}",
                    changed.display()
                )),
                Some(Freshness::Unknown) => terminal.warning(format_args!(
                    "the project is too large to tell whether the component is older than its sources; {remedy}"
                )),
            }
        }
        let cases = self.cases.clone().unwrap_or_else(|| project.cases());
        let component = PolicyRef::Path(component);
        Ok(Some(Subject::new(component.clone(), component, cases)))
    }
}
