//! Loads the gates of the server, with the sandbox that only the command line knows.

use std::path::PathBuf;

use crate::cli::gate_file::{assignments, held_policies, load_with};
use crate::server::{GateSet, GatesUnusable, LoadGates};
use crate::wasm::Sandbox;

/// The gate file and the sandbox that its policies run in.
pub(super) struct Loader {
    path: PathBuf,
    sandbox: Sandbox,
}

impl Loader {
    pub(super) const fn new(path: PathBuf, sandbox: Sandbox) -> Self {
        Self { path, sandbox }
    }
}

impl LoadGates for Loader {
    fn load(&self) -> Result<GateSet, GatesUnusable> {
        let unusable = |details: String| GatesUnusable { details };
        let config = load_with(&self.path, &self.sandbox)
            .map_err(|diagnostics| unusable(diagnostics.to_string()))?;
        let policies = held_policies(&config, config.gates.iter().enumerate(), &self.sandbox)
            .map_err(|faults| {
                let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
                unusable(faults.join("\n"))
            })?;
        let assignments =
            assignments(&config.evidence).map_err(|error| unusable(format!("{error:#}")))?;
        GateSet::new(self.path.clone(), config, policies, assignments)
    }

    fn files(&self) -> Vec<PathBuf> {
        vec![self.path.clone()]
    }
}
