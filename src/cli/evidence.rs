use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::Exit;
use super::gate_file::{self, GateFile};
use super::terminal::Terminal;
use crate::evidence::{About, Collector, Side};
use crate::model::{Digest, Target};

/// See what evidence is made of.
#[derive(Debug, Subcommand)]
pub(super) enum Evidence {
    Show(Show),
}

impl Evidence {
    pub(super) fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        match self {
            Self::Show(command) => command.run(terminal),
        }
    }
}

/// Print the normalised snapshot of some evidence as JSON, and its digest on standard error.
///
/// The same files give the same snapshot and digest, on any machine. Exits with 3 when a file
/// cannot be read.
#[derive(Args, Debug)]
pub(super) struct Show {
    /// Evidence: files, or directories of files.
    #[arg(value_name = "PATH", required = true)]
    evidence: Vec<PathBuf>,

    /// Metrics of the version that would be replaced.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    baseline: Vec<PathBuf>,

    /// The version it is about; evidence of another one is refused.
    #[arg(long, value_name = "MODEL/VERSION")]
    subject: Option<super::check::Subject>,

    /// Where the version is to go; decides what is read as the current version.
    #[arg(long, value_name = "TARGET", default_value = "stage:Production")]
    to: Target,

    /// Digest of the model's artifacts, as for `lockgate check`.
    #[arg(long, value_name = "sha256:HEX")]
    digest: Vec<Digest>,

    /// Print canonical JSON (RFC 8785) in one line: the bytes that the digest is of.
    #[arg(long)]
    canonical: bool,

    #[command(flatten)]
    gate_file: GateFile,
}

impl Show {
    fn run(&self, terminal: &Terminal) -> anyhow::Result<Exit> {
        // Here the gate file only tells formats apart, and can be missing unless it was named.
        let named = self.gate_file.path != Path::new(gate_file::DEFAULT);
        let assignments = if named || self.gate_file.path.exists() {
            match self.gate_file.load(terminal, None, || None)? {
                Ok(config) => gate_file::assignments(&config.evidence)?,
                Err(gate_file::Told) => return Ok(Exit::Usage),
            }
        } else {
            Vec::new()
        };
        let about = About {
            model: self.subject.as_ref().map(|subject| subject.model.clone()),
            version: self.subject.as_ref().map(|subject| subject.version.clone()),
            digests: self.digest.clone(),
            target: self.to.clone(),
        };
        let mut collector = Collector::new(about, assignments);
        for path in &self.evidence {
            collector.add_path(path, Side::Candidate);
        }
        for path in &self.baseline {
            collector.add_path(path, Side::Baseline);
        }
        let frozen = match collector.freeze() {
            Ok(frozen) => frozen,
            Err(errors) => {
                for error in errors {
                    terminal.error(&error.into());
                }
                return Ok(Exit::Undecided);
            }
        };
        let text = if self.canonical {
            String::from_utf8(frozen.canonical.to_vec())?
        } else {
            serde_json::to_string_pretty(&*frozen.snapshot)? + "\n"
        };
        terminal.print(&text)?;
        terminal.note(format_args!("snapshot {}", frozen.digest));
        Ok(Exit::Done)
    }
}
