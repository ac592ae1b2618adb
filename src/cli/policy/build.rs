use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use clap::Args;

use super::{evidence, unseen};
use crate::cli::Exit;
use crate::cli::sandbox::SandboxOptions;
use crate::cli::terminal::Terminal;
use crate::distribution::write_whole;
use crate::policy::PolicyRef;
use crate::project::{Built, MANIFEST, Project};
use crate::wasm::{COMPONENT_BYTES, Inspection, Sandbox};

/// Build the policy of a project into a component.
///
/// The component must import what `reads` in `policy.yaml` names and nothing else, and the sandbox
/// must take it; else nothing is written.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  lockgate policy build\n  lockgate policy build policies/region-floor -o dist/region-floor.wasm"
)]
pub(in crate::cli) struct Build {
    /// The project: a folder with `policy.yaml`.
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,

    /// File to write [default: NAME.wasm in the project].
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Fail where `Cargo.lock` is missing or would change. The builds of JavaScript and Python take
    /// what is installed (`npm ci`, `pip install -r`) and change nothing.
    #[arg(long)]
    locked: bool,

    #[command(flatten)]
    sandbox: SandboxOptions,
}

impl Build {
    /// What builds the project in a folder.
    pub(super) fn of(dir: &Path, sandbox: &SandboxOptions) -> Self {
        Self { dir: dir.to_owned(), output: None, locked: false, sandbox: sandbox.clone() }
    }

    pub(super) fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        let Some(summary) = self.build(terminal)? else { return Ok(Exit::Usage) };
        terminal.print(&summary)?;
        Ok(Exit::Done)
    }

    /// Builds it, and sums up what came of it; none when what is wrong with the project has been
    /// told.
    pub(super) fn build(&self, terminal: &Terminal) -> anyhow::Result<Option<String>> {
        let Some(project) = open(&self.dir, terminal)? else { return Ok(None) };
        let output = self.output.clone().unwrap_or_else(|| project.component());
        let built = crate::project::build(&project, self.locked, &|line| terminal.note(line))?;
        for import in &built.unused {
            terminal.warning(format_args!(
                "`reads` in `{MANIFEST}` names `{import}`, which the policy does not read; take it out, so that it says what the policy can see"
            ));
        }
        let inspection = self.write(&project, &built, &output, terminal)?;
        Ok(Some(summary(&output, &inspection)))
    }

    /// Writes the component once the sandbox has taken it.
    fn write(
        &self,
        project: &Project,
        built: &Built,
        output: &Path,
        terminal: &Terminal,
    ) -> anyhow::Result<Inspection> {
        if u64::try_from(built.component.len()).map_or(true, |size| size > COMPONENT_BYTES) {
            bail!(
                "the component is larger than {} MiB, the most that is taken",
                COMPONENT_BYTES >> 20
            );
        }
        terminal.note("checking the component in the sandbox");
        let sandbox = Sandbox::new(self.sandbox.cache(terminal), |_| ())?;
        let inspection = sandbox
            .inspect_pulled(&PolicyRef::Path(output.to_owned()), &built.component)
            .map_err(|reason| anyhow!("the sandbox refuses the component: {reason}"))?;
        let name = &inspection.description.name;
        if *name != project.manifest.name {
            bail!(
                "the policy calls itself `{name}`, and `{MANIFEST}` calls it `{}`; give both one name",
                project.manifest.name
            );
        }
        write_whole(output, &built.component)?;
        Ok(inspection)
    }
}

/// The project in a folder; none when what is wrong with it has been told.
pub(super) fn open(folder: &Path, terminal: &Terminal) -> anyhow::Result<Option<Project>> {
    if !folder.join(MANIFEST).is_file() {
        bail!(
            "`{}` is not a policy project, as it has no `{MANIFEST}`; write one with `lockgate policy new`",
            folder.display()
        );
    }
    match Project::open(folder) {
        Ok(project) => Ok(Some(project)),
        Err(diagnostics) => {
            terminal.tell(format_args!("{diagnostics}\n"));
            Ok(None)
        }
    }
}

fn summary(output: &Path, inspection: &Inspection) -> String {
    let description = &inspection.description;
    let sees: Vec<&str> = evidence(inspection).map(|seen| seen.name.as_str()).collect();
    let sees = if sees.is_empty() { "nothing but its params".to_owned() } else { sees.join(", ") };
    format!(
        "built {}\n  policy      {} {}\n  size        {} KiB\n  digest      {}\n  can see     {sees}\n  cannot see  {}\n",
        output.display(),
        description.name,
        description.version,
        inspection.size.div_ceil(1024),
        inspection.digest,
        unseen(inspection),
    )
}
