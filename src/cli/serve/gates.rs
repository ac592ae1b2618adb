//! Loads the gates of the server, with the sandbox that only the command line knows.

use std::path::PathBuf;

use crate::cli::gate_file::{assignments, held_policies, load_with};
use crate::cli::sources::{Sources, watched};
use crate::server::{GateSet, GatesUnusable, LoadGates};
use crate::wasm::Sandbox;

/// The gate file and the sandbox that its policies run in.
pub(super) struct Loader {
    path: PathBuf,
    sandbox: Sandbox,
    sources: Sources,
}

impl Loader {
    pub(super) const fn new(path: PathBuf, sandbox: Sandbox, sources: Sources) -> Self {
        Self { path, sandbox, sources }
    }
}

impl LoadGates for Loader {
    fn load(&self) -> Result<GateSet, GatesUnusable> {
        let config = load_with(&self.path, &self.sandbox).map_err(|diagnostics| GatesUnusable {
            details: diagnostics.to_string(),
            files: Vec::new(),
        })?;
        // Known from here on, whatever becomes of the rest.
        let mut files = self.files();
        files.extend(watched(&config));
        let unusable = |details| GatesUnusable { details, files: files.clone() };
        let gates = config.gates.iter().enumerate();
        let policies =
            held_policies(&config, gates, &self.sandbox, &self.sources).map_err(|faults| {
                let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
                unusable(faults.join("\n"))
            })?;
        let assignments =
            assignments(&config.evidence).map_err(|error| unusable(format!("{error:#}")))?;
        GateSet::new(config, policies, assignments, files)
    }

    fn files(&self) -> Vec<PathBuf> {
        vec![self.path.clone()]
    }
}
