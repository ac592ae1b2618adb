//! How a command ends that needs a registry, or a policy.

use anyhow::anyhow;

use crate::cli::Exit;
use crate::cli::terminal::Terminal;
use crate::distribution::DistributionError;
use crate::model::Undecided;
use crate::policy::PolicyRef;

/// Tells why a policy did not load.
pub(super) fn not_loaded(terminal: &Terminal, reference: &PolicyRef, reason: &Undecided) -> Exit {
    terminal.end_progress();
    terminal.error(&anyhow!("`{reference}`: {reason}"));
    Exit::Undecided
}

/// Tells what went wrong; the exit code says whether it is for the user to mend.
pub(super) fn told(terminal: &Terminal, error: DistributionError) -> Exit {
    let exit = match error {
        DistributionError::Plain(_)
        | DistributionError::Credentials { .. }
        | DistributionError::File { .. }
        | DistributionError::Lock(_)
        | DistributionError::Unlocked(_) => Exit::Usage,
        DistributionError::Unreachable { .. }
        | DistributionError::TimedOut { .. }
        | DistributionError::Refused { .. }
        | DistributionError::Missing(_)
        | DistributionError::Unauthorized { .. }
        | DistributionError::TooLarge { .. }
        | DistributionError::Altered { .. }
        | DistributionError::Unpinned { .. }
        | DistributionError::Unusable { .. }
        | DistributionError::Offline(_)
        | DistributionError::Client(_) => Exit::Undecided,
    };
    terminal.end_progress();
    terminal.error(&error.into());
    exit
}
