//! Which policy is meant, and where its cases are.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;

use super::build;
use crate::cli::sandbox::SandboxOptions;
use crate::cli::terminal::Terminal;
use crate::policy::PolicyRef;
use crate::project::MANIFEST;

/// Which policy is meant, and where its cases are.
#[derive(Args, Debug)]
pub(super) struct SubjectOptions {
    /// The policy: the folder of its project, a component file, or `std/NAME`.
    #[arg(value_name = "DIR|FILE|std/NAME", default_value = ".")]
    policy: String,

    /// Its cases: a folder of them, or the file of one [default: that of the project, or `cases`
    /// beside the component].
    #[arg(long, value_name = "DIR|FILE")]
    cases: Option<PathBuf>,

    /// Build the project first when its component is missing or older than its sources.
    #[arg(long)]
    build: bool,
}

/// A policy and its cases.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub(super) reference: PolicyRef,
    pub(super) cases: PathBuf,
}

impl SubjectOptions {
    /// The policy that is meant; none when what is wrong with its project has been told.
    pub(super) fn resolve(
        &self,
        sandbox: &SandboxOptions,
        terminal: &Terminal,
    ) -> anyhow::Result<Option<Subject>> {
        let reference = PolicyRef::from(self.policy.as_str());
        let cases = match (&self.cases, &reference) {
            (_, PolicyRef::Path(folder)) if folder.is_dir() => {
                return self.project(folder, sandbox, terminal);
            }
            _ if self.build => bail!("--build is for a project; name a folder with `{MANIFEST}`"),
            (_, PolicyRef::Oci(_)) => bail!(
                "`{reference}` is in a registry; pull it with `lockgate policy pull`, and name the file"
            ),
            (Some(cases), _) => cases.clone(),
            (None, PolicyRef::Path(component)) => {
                let beside = component.with_file_name("cases");
                if !beside.is_dir() {
                    let beside = beside.display();
                    bail!("there are no cases in `{beside}`; say where they are with --cases");
                }
                beside
            }
            (None, PolicyRef::Standard(name)) => {
                bail!("say with --cases where the cases of `std/{name}` are");
            }
        };
        Ok(Some(Subject { reference, cases }))
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
        let changed = built.and_then(|built| project.changed_since(built));
        if self.build && (built.is_none() || changed.is_some()) {
            let Some(summary) = build::Build::of(folder, sandbox).build(terminal)? else {
                return Ok(None);
            };
            terminal.tell(summary);
        } else if built.is_none() {
            let component = component.display();
            bail!(
                "there is no `{component}` yet; make it with `lockgate policy build`, or add --build"
            );
        } else if let Some(changed) = changed {
            terminal.warning(format_args!(
                "`{}` is newer than the component; `lockgate policy build` makes it anew, or add --build",
                changed.display()
            ));
        }
        let cases = self.cases.clone().unwrap_or_else(|| project.cases());
        Ok(Some(Subject { reference: PolicyRef::Path(component), cases }))
    }
}
