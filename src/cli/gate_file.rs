//! The gate file with everything that only the rest of lockgate can add to it: the names it may
//! use, and its policies' own word on their params.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;
use clap::Args;

use super::sources::{Sourced, Sources};
use super::terminal::Terminal;
use crate::config::proof::{self, Claim, Proofs};
use crate::config::{
    Config, ConfiguredGate, Diagnostics, Draft, EvidenceAssignment, KnownNames, read,
};
use crate::evaluation::Policies;
use crate::evidence::{Assigned, Assignment, Format};
use crate::wasm::{Cache, Sandbox, standard_names};

/// Name of the gate file unless another is given.
pub(super) const DEFAULT: &str = "lockgate.yaml";

/// Names of what is given to evidence files instead of a format.
const DOCUMENT: &str = "document";
const IGNORE: &str = "ignore";

/// Where the gate file is.
#[derive(Args, Debug)]
pub(super) struct GateFile {
    /// The gate file.
    #[arg(short = 'c', long = "config", value_name = "FILE", default_value = DEFAULT, env = "LOCKGATE_CONFIG")]
    pub(super) path: PathBuf,
}

/// A gate file that could not be used, told on standard error already.
pub(super) struct Told;

impl GateFile {
    /// Reads the gate file, and remembers in the cache what was found sound. The sandbox is for
    /// asking its policies when it is not sound.
    pub(super) fn load(
        &self,
        terminal: &Terminal,
        cache: Option<&Cache>,
        sandbox: impl FnOnce() -> Option<Sandbox>,
    ) -> anyhow::Result<Result<Config, Told>> {
        if !self.path.exists() {
            bail!(
                "there is no gate file `{}`; write one with `lockgate init`, or name another with --config",
                self.path.display()
            );
        }
        Ok(load(&self.path, cache, sandbox).map_err(|diagnostics| {
            terminal.tell(format_args!("{diagnostics}\n"));
            Told
        }))
    }
}

/// Proofs in the cache, which only this user can write.
#[derive(Debug)]
struct Kept(Cache);

impl Proofs for Kept {
    fn holds(&self, claim: &Claim<'_>) -> bool {
        self.0.is_proven(claim.digest())
    }

    fn note(&self, claim: &Claim<'_>) {
        self.0.note_proven(claim.digest());
    }
}

/// Reads a gate file, and tells everything that is wrong with it.
pub(super) fn load(
    path: &Path,
    cache: Option<&Cache>,
    sandbox: impl FnOnce() -> Option<Sandbox>,
) -> Result<Config, Diagnostics> {
    draft(path, cache)?.map_or_else(
        |draft| match sandbox() {
            Some(sandbox) => told_whole(draft, &sandbox).finish(),
            None => draft.finish(),
        },
        Ok,
    )
}

/// The same for a sandbox that is there anyway.
pub(super) fn load_with(path: &Path, sandbox: &Sandbox) -> Result<Config, Diagnostics> {
    draft(path, None)?.map_or_else(|draft| told_whole(draft, sandbox).finish(), Ok)
}

/// A sound gate file, or one that its policies may have more to say of.
fn draft(path: &Path, cache: Option<&Cache>) -> Result<Result<Config, Draft>, Diagnostics> {
    let policies: Vec<&str> = standard_names().collect();
    let formats: Vec<&str> =
        Format::ALL.iter().map(|format| format.as_str()).chain([DOCUMENT, IGNORE]).collect();
    let known = KnownNames { policies: &policies, formats: &formats };
    let proofs: Arc<dyn Proofs> = match cache {
        Some(cache) => Arc::new(Kept(cache.clone())),
        None => Arc::new(proof::None),
    };
    let draft = read(path, &known, proofs)?;
    if draft.is_sound() { draft.finish().map(Ok) } else { Ok(Err(draft)) }
}

/// Adds to an unsound gate file what its policies have to say of their params, so that one run
/// tells all that is wrong. Policies that cannot be loaded now are told of once the rest is sound.
fn told_whole(mut draft: Draft, sandbox: &Sandbox) -> Draft {
    let named = draft.named_policies();
    let references = named.iter().map(|(_, _, reference)| reference);
    let policies = Policies::load(sandbox, draft.directory(), references);
    for (gate, position, reference) in &named {
        if let Ok(policy) = policies.get(reference) {
            draft.check_params(*gate, *position, &policy.description().params_schema);
        }
    }
    draft
}

/// Loads the policies of some gates, and holds their params against their own schemas.
///
/// Policies that cannot be loaded are not the gate file's fault: they are left in the answer for
/// the decision to be undecided by.
pub(super) fn load_policies<'a>(
    config: &Config,
    gates: impl Iterator<Item = (usize, &'a ConfiguredGate)> + Clone,
    sandbox: &Sandbox,
    sources: &Sources,
    terminal: &Terminal,
) -> Result<Policies, Told> {
    held_policies(config, gates, sandbox, sources).map_err(|faults| {
        for diagnostics in faults {
            terminal.tell(format_args!("{diagnostics}\n"));
        }
        Told
    })
}

/// The same, for whoever tells of it in another way.
pub(super) fn held_policies<'a>(
    config: &Config,
    gates: impl Iterator<Item = (usize, &'a ConfiguredGate)> + Clone,
    sandbox: &Sandbox,
    sources: &Sources,
) -> Result<Policies, Vec<Diagnostics>> {
    let references = gates
        .clone()
        .flat_map(|(_, gate)| &gate.invocations)
        .map(|invocation| &invocation.reference);
    // It knows where the gate file is, so paths are left as they are written there.
    let sourced = Sourced::open(config, sandbox, sources)?;
    let policies = Policies::load(&sourced, Path::new(""), references);
    let mut faults = Vec::new();
    for (number, gate) in gates {
        for (position, (_, invocation)) in gate.policies().enumerate() {
            let Ok(policy) = policies.get(&invocation.reference) else { continue };
            let schema = &policy.description().params_schema;
            faults.extend(config.check_params(number, position, schema).err());
        }
    }
    faults.extend(strange_waivers(config, &policies));
    if faults.is_empty() { Ok(policies) } else { Err(faults) }
}

/// Waivers of rules that their policies do not have, as far as those are loaded.
fn strange_waivers(config: &Config, policies: &Policies) -> Vec<Diagnostics> {
    let mut faults = Vec::new();
    for (number, waiver) in config.waivers.iter().enumerate() {
        // Gates may call different policies by one id; the rule may be any one's.
        let loaded: Option<Vec<_>> = config
            .gates
            .iter()
            .flat_map(ConfiguredGate::policies)
            .filter(|(guard, _)| guard.id == waiver.policy)
            .map(|(_, invocation)| policies.get(&invocation.reference).ok())
            .collect();
        let Some(loaded) = loaded else { continue };
        let rules = loaded.iter().flat_map(|policy| &policy.description().rules);
        let rules = rules.map(|rule| rule.code.as_str()).collect();
        faults.extend(config.check_waiver(number, &rules).err());
    }
    faults
}

/// What the gate file says of evidence files, in the evidence module's own words.
pub(super) fn assignments(assignments: &[EvidenceAssignment]) -> anyhow::Result<Vec<Assignment>> {
    assignments
        .iter()
        .map(|assignment| {
            let EvidenceAssignment { glob, format, name, currency } = assignment;
            let assigned = match (format.as_str(), name, currency) {
                (IGNORE, _, _) => Assigned::Ignore,
                (DOCUMENT, Some(name), _) => Assigned::Document(name.clone()),
                (_, _, Some(currency)) => Assigned::OpenCostIn(currency.parse()?),
                (format, _, None) => Assigned::Format(format.parse()?),
            };
            Ok(Assignment { glob: globset::Glob::new(glob)?.compile_matcher(), assigned })
        })
        .collect()
}

/// The path as reports show it.
pub(super) fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
