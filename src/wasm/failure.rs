//! From the engine's errors to the reasons for not deciding, by type and never by text.

use wasmtime::{Error, Trap};

use super::engine::STACK;
use super::store::Stopped;
use crate::model::Undecided;
use crate::policy::Limits;

/// What the host was doing with the guest when it failed.
#[derive(Clone, Copy)]
pub(super) enum Phase {
    /// Making an instance.
    Instantiate,
    /// Calling an export, and taking over its answer.
    Call,
}

/// The reason behind an error of the engine.
pub(super) fn reason(error: &Error, phase: Phase, limits: &Limits) -> Undecided {
    if let Some(stopped) = error.downcast_ref::<Stopped>() {
        return match stopped {
            Stopped::Budget { budget, limit } => {
                Undecided::MemoryExhausted { budget: *budget, limit: *limit }
            }
            Stopped::LogOversize(detail) => Undecided::OutputOversize { detail: detail.clone() },
            Stopped::ImportInDescribe(_) => Undecided::Unloadable { detail: stopped.to_string() },
        };
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return of_trap(*trap, limits);
    }
    let detail = one_line(error);
    match phase {
        Phase::Instantiate => Undecided::Unloadable { detail },
        // Neither a trap nor one of ours: the answer breaks the canonical ABI (a pointer out of
        // bounds, text that is not Unicode) or is larger than the guest's whole memory.
        Phase::Call => Undecided::OutputUnreadable { detail },
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the engine adds traps with every release; whichever it is, it is a trap"
)]
fn of_trap(trap: Trap, limits: &Limits) -> Undecided {
    match trap {
        Trap::OutOfFuel => Undecided::FuelExhausted { fuel: limits.fuel() },
        Trap::Interrupt => Undecided::DeadlineExceeded {
            milliseconds: u64::try_from(limits.deadline().as_millis()).unwrap_or(u64::MAX),
        },
        Trap::StackOverflow => {
            Undecided::StackExhausted { bytes: u64::try_from(STACK).unwrap_or(u64::MAX) }
        }
        other => Undecided::Trap { detail: other.to_string() },
    }
}

/// An error and its causes in one line.
pub(super) fn one_line(error: &Error) -> String {
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    causes.join(": ").replace(['\n', '\r'], " ")
}
