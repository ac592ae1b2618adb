//! The rules that the server judges by at one time: a gate file with its policies, loaded whole.

use std::path::PathBuf;
use std::time::Instant;

use super::evidence::Taken;
use crate::config::{Config, ConfiguredGate};
use crate::decision::Decision;
use crate::evaluation::{Case, MatchedGate, Policies, evaluate, evaluate_briefly};
use crate::evidence::Assignment;
use crate::model::{Digest, Promotion};

/// A gate file, every policy it names, ready to run, and what it says of evidence.
///
/// One is replaced as a whole or not at all, so a decision is never made by half of two.
pub struct GateSet {
    config: Config,
    policies: Policies,
    assignments: Vec<Assignment>,
    digest: Digest,
    files: Vec<PathBuf>,
}

/// Reads the gate file and loads its policies. Only the command line knows what runs them.
pub trait LoadGates: Send + Sync {
    /// Everything that is to be judged by from now on.
    ///
    /// # Errors
    /// Everything that is wrong: a gate file that is not sound, params that do not fit, a policy
    /// that cannot be loaded.
    fn load(&self) -> Result<GateSet, GatesUnusable>;

    /// What to watch for changes whatever it says.
    fn files(&self) -> Vec<PathBuf>;
}

/// A gate file that cannot be judged by.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{details}")]
pub struct GatesUnusable {
    /// What is wrong, in one or more lines. Names files, so it is for the log and not for callers.
    pub details: String,
    /// Files that it names, as far as it could be read. Any of them may be what is missing.
    pub files: Vec<PathBuf>,
}

impl GateSet {
    /// Puts together what was loaded, from all of these files.
    ///
    /// # Errors
    /// Every policy that could not be loaded: a server that knows beforehand that it cannot judge
    /// keeps the rules it has.
    pub fn new(
        config: Config,
        policies: Policies,
        assignments: Vec<Assignment>,
        files: Vec<PathBuf>,
    ) -> Result<Self, GatesUnusable> {
        let mut faults = Vec::new();
        for gate in &config.gates {
            for (guard, invocation) in gate.policies() {
                if let Err(reason) = policies.get(&invocation.reference) {
                    faults.push(format!(
                        "gate `{}`, policy `{}`: {reason}",
                        gate.gate.name, guard.id
                    ));
                }
            }
        }
        if !faults.is_empty() {
            return Err(GatesUnusable { details: faults.join("\n"), files });
        }
        let digest = config.digest();
        Ok(Self { config, policies, assignments, digest, files })
    }

    /// The gate file.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The formats that the gate file gives to evidence.
    #[must_use]
    pub fn assignments(&self) -> &[Assignment] {
        &self.assignments
    }

    /// Digest of the gate file.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The gate file and the files it names, which are watched for changes.
    #[must_use]
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Whether two sets judge alike: the same gate file and the same components.
    #[must_use]
    pub fn judges_like(&self, other: &Self) -> bool {
        let components = |set: &Self| -> Vec<Option<Digest>> {
            let gates = set.config.gates.iter();
            let invocations = gates.flat_map(|gate: &ConfiguredGate| &gate.invocations);
            invocations
                .map(|invocation| {
                    set.policies.get(&invocation.reference).ok().map(|policy| policy.digest())
                })
                .collect()
        };
        self.digest == other.digest && components(self) == components(other)
    }

    /// Judges a promotion. Runs policies, so it takes its time; `until` is when nobody waits any
    /// longer.
    pub(super) fn judge(&self, promotion: Promotion, snapshot: Taken, until: Instant) -> Decision {
        let gates = self.matching(&promotion);
        evaluate(self.case(promotion, snapshot, &gates, until), &self.policies)
    }

    /// Judges a promotion if that takes no longer than a moment; gives back what takes longer.
    pub(super) fn judge_briefly(
        &self,
        promotion: Promotion,
        snapshot: Taken,
        until: Instant,
    ) -> Result<Decision, Box<(Promotion, Taken)>> {
        let gates = self.matching(&promotion);
        evaluate_briefly(self.case(promotion, snapshot, &gates, until), &self.policies)
            .map_err(|case| Box::new((case.promotion, case.snapshot)))
    }

    fn matching(&self, promotion: &Promotion) -> Vec<MatchedGate<'_>> {
        self.config
            .matching(&promotion.subject.model, &promotion.target)
            .map(|(_, gate)| MatchedGate { gate: &gate.gate, invocations: &gate.invocations })
            .collect()
    }

    fn case<'a>(
        &'a self,
        promotion: Promotion,
        snapshot: Taken,
        gates: &'a [MatchedGate<'a>],
        until: Instant,
    ) -> Case<'a> {
        Case {
            promotion,
            gate_file: self.digest,
            snapshot,
            gates,
            waivers: &self.config.waivers,
            unmatched: self.config.unmatched,
            until: Some(until),
        }
    }
}
