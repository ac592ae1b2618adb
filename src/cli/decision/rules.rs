//! What the rules of a decision are about. The record does not hold it, as it is the same for every
//! decision; the policies that decided say it themselves.

use std::path::Path;
use std::sync::Arc;

use clap::Args;

use crate::cli::gate_file::GateFile;
use crate::cli::sandbox::SandboxOptions;
use crate::cli::terminal::Terminal;
use crate::decision::{Decision, Movement, PolicyReport, removal_rule};
use crate::evaluation::Policies;
use crate::policy::PolicyRef;

/// Where the policies are whose rules SARIF tells of.
#[derive(Args, Debug)]
#[command(next_help_heading = "Titles of rules, for SARIF")]
pub(super) struct Rules {
    // The paths of its policies are relative to it; it need not be there.
    #[command(flatten)]
    gate_file: GateFile,

    #[command(flatten)]
    sandbox: SandboxOptions,
}

impl Rules {
    /// Adds to a decision what its policies say of their rules, as far as the very components that
    /// decided are there; the rules of others go by their codes.
    pub(super) fn tell(&self, decision: &mut Decision, terminal: &Terminal) -> anyhow::Result<()> {
        let of_gates = decision.movement == Movement::Removal;
        let reports = || decision.gates.iter().flat_map(|gate| &gate.policies);
        let wanted: Vec<PolicyRef> = reports()
            .filter(|report| report.component.digest.is_some())
            .filter_map(reference)
            .collect();
        let policies = if wanted.is_empty() {
            Policies::default()
        } else {
            let sandbox = self.sandbox.sandbox(terminal)?;
            let base = self.gate_file.path.parent().unwrap_or(Path::new(""));
            Policies::load(&sandbox, base, &wanted)
        };
        for report in decision.gates.iter_mut().flat_map(|gate| &mut gate.policies) {
            if of_gates {
                Arc::make_mut(&mut report.component).rules = vec![removal_rule()];
            } else if let Some(reference) = reference(report)
                && let Ok(policy) = policies.get(&reference)
                && Some(policy.digest()) == report.component.digest
            {
                let rules = policy.description().rules.clone();
                Arc::make_mut(&mut report.component).rules = rules;
            }
        }
        Ok(())
    }
}

/// Where the policy is; none for what can be nowhere.
fn reference(report: &PolicyReport) -> Option<PolicyRef> {
    report.component.reference.parse().ok()
}
