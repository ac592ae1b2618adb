use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Kind, Timestamp};

/// What a policy ran out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Budget {
    /// Linear memory, bytes.
    Memory,
    /// Table elements.
    TableElements,
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "bytes of memory",
            Self::TableElements => "table elements",
        })
    }
}

/// Why a decision, or one policy's part in it, could not be made. Never a reason to allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "code", content = "facts", rename_all = "snake_case")]
pub enum Undecided {
    /// The component could not be loaded: no component, too large, a foreign import, a bad
    /// `describe`.
    #[error("the policy could not be loaded: {detail}")]
    Unloadable {
        /// What is wrong with it.
        detail: String,
    },
    /// The gate file asks for signatures that the policy does not have.
    #[error("the policy is not trusted: {detail}")]
    Untrusted {
        /// Which signature is missing, and whose would do.
        detail: String,
    },
    /// The policy stopped by a trap.
    #[error("the policy trapped: {detail}")]
    Trap {
        /// The trap.
        detail: String,
    },
    /// The policy used up its fuel.
    #[error("the policy used up its {fuel} units of fuel; raise `limits.fuel` if it needs more")]
    FuelExhausted {
        /// The limit it ran into.
        fuel: u64,
    },
    /// The policy ran past its wall-clock deadline.
    #[error(
        "the policy ran past its deadline of {milliseconds} ms; raise `limits.deadline-ms` if it needs more"
    )]
    DeadlineExceeded {
        /// The limit it ran into.
        milliseconds: u64,
    },
    /// The policy asked for more memory or table elements than it may have.
    #[error(
        "the policy asked for more than its {limit} {budget}; raise `limits.memory-mib` if it needs more memory"
    )]
    MemoryExhausted {
        /// What it ran out of.
        budget: Budget,
        /// The limit it ran into.
        limit: u64,
    },
    /// The policy's stack overflowed.
    #[error("the policy overflowed its stack of {bytes} bytes")]
    StackExhausted {
        /// The limit it ran into.
        bytes: u64,
    },
    /// The policy answered with more than it may: number of checks, length of a text, log volume.
    #[error("the policy's output is too large: {detail}")]
    OutputOversize {
        /// Which limit, and by how much.
        detail: String,
    },
    /// The policy's answer breaks the contract: a measure that is not finite, a rule that it
    /// never described.
    #[error("the policy's answer breaks the contract: {detail}")]
    OutputInvalid {
        /// What is wrong with it.
        detail: String,
    },
    /// The policy's answer could not be taken out of its memory: malformed, or larger than the
    /// memory it may hold.
    #[error("the policy's answer could not be read: {detail}")]
    OutputUnreadable {
        /// What is wrong with it.
        detail: String,
    },
    /// The policy checked nothing: no check at all, or none that was not skipped.
    #[error("the policy checked nothing")]
    NothingChecked,
    /// The policy refused its params, or they do not fit its schema.
    #[error("the params were refused: {detail}")]
    ParamsRefused {
        /// The policy's words.
        detail: String,
    },
    /// The policy could not judge on this evidence.
    #[error("the policy could not judge: {detail}")]
    EvidenceRefused {
        /// The policy's words.
        detail: String,
    },
    /// The host failed while a policy ran.
    #[error("the host failed while the policy ran: {detail}")]
    HostFault {
        /// What happened.
        detail: String,
    },
    /// A piece of evidence could not be understood.
    #[error("evidence `{source_name}` could not be read: {detail}")]
    EvidenceUnreadable {
        /// Which one.
        source_name: String,
        /// Where and why.
        detail: String,
    },
    /// A piece of evidence speaks of another artifact or model version.
    #[error("evidence `{source_name}` is about something else: {detail}")]
    EvidenceMismatch {
        /// Which one.
        source_name: String,
        /// What it speaks of, and what was asked for.
        detail: String,
    },
    /// The gate requires a kind of evidence that was not given.
    #[error("gate `{gate}` requires {kind} evidence and none was given")]
    EvidenceMissing {
        /// The gate that requires it.
        gate: String,
        /// The kind.
        kind: Kind,
    },
    /// The gate bounds the age of a kind of evidence and a source does not say how old it is.
    #[error(
        "gate `{gate}` bounds the age of {kind} evidence, and `{source_name}` does not say when it was made"
    )]
    EvidenceUndated {
        /// The gate that requires it.
        gate: String,
        /// The kind.
        kind: Kind,
        /// The source without a time.
        source_name: String,
    },
    /// A source is older than the gate allows.
    #[error("{kind} evidence `{source_name}` is {} old, {} more than gate `{gate}` allows", spoken(*.age_seconds), spoken(.age_seconds.saturating_sub(*.limit_seconds)))]
    EvidenceStale {
        /// The gate that requires it.
        gate: String,
        /// The kind.
        kind: Kind,
        /// The source that is too old.
        source_name: String,
        /// Its age, seconds.
        age_seconds: u64,
        /// The age the gate allows, seconds.
        limit_seconds: u64,
    },
    /// A source says that it was made after the evaluation time.
    #[error(
        "{kind} evidence `{source_name}` says it was made at {collected_at}, after the evaluation time"
    )]
    EvidenceFromFuture {
        /// The gate that requires it.
        gate: String,
        /// The kind.
        kind: Kind,
        /// The source.
        source_name: String,
        /// The time it gives.
        collected_at: Timestamp,
    },
    /// No gate matches the promotion.
    #[error("no gate matches this model and target")]
    NoMatchingGate,
    /// The time in which the request had to be answered ran out before or while the policy ran.
    #[error(
        "the time for this request ran out before the policy came to an answer; ask again, or raise `--request-timeout` of the server"
    )]
    RequestTimeout,
    /// The decision could not be recorded.
    #[error("the decision could not be recorded: {detail}")]
    RecordNotWritten {
        /// What happened.
        detail: String,
    },
}

impl Undecided {
    /// Stable snake_case code, by which programs tell reasons apart.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unloadable { .. } => "unloadable",
            Self::Untrusted { .. } => "untrusted",
            Self::Trap { .. } => "trap",
            Self::FuelExhausted { .. } => "fuel_exhausted",
            Self::DeadlineExceeded { .. } => "deadline_exceeded",
            Self::MemoryExhausted { .. } => "memory_exhausted",
            Self::StackExhausted { .. } => "stack_exhausted",
            Self::OutputOversize { .. } => "output_oversize",
            Self::OutputInvalid { .. } => "output_invalid",
            Self::OutputUnreadable { .. } => "output_unreadable",
            Self::NothingChecked => "nothing_checked",
            Self::ParamsRefused { .. } => "params_refused",
            Self::EvidenceRefused { .. } => "evidence_refused",
            Self::HostFault { .. } => "host_fault",
            Self::EvidenceUnreadable { .. } => "evidence_unreadable",
            Self::EvidenceMismatch { .. } => "evidence_mismatch",
            Self::EvidenceMissing { .. } => "evidence_missing",
            Self::EvidenceUndated { .. } => "evidence_undated",
            Self::EvidenceStale { .. } => "evidence_stale",
            Self::EvidenceFromFuture { .. } => "evidence_from_future",
            Self::NoMatchingGate => "no_matching_gate",
            Self::RequestTimeout => "request_timeout",
            Self::RecordNotWritten { .. } => "record_not_written",
        }
    }

    /// Which piece or kind of evidence is at fault, where it is one.
    #[must_use]
    pub fn about(&self) -> Option<&str> {
        match self {
            Self::EvidenceUnreadable { source_name, .. }
            | Self::EvidenceMismatch { source_name, .. }
            | Self::EvidenceUndated { source_name, .. }
            | Self::EvidenceStale { source_name, .. }
            | Self::EvidenceFromFuture { source_name, .. } => Some(source_name),
            Self::EvidenceMissing { kind, .. } => Some(kind.as_str()),
            Self::Unloadable { .. }
            | Self::Untrusted { .. }
            | Self::Trap { .. }
            | Self::FuelExhausted { .. }
            | Self::DeadlineExceeded { .. }
            | Self::MemoryExhausted { .. }
            | Self::StackExhausted { .. }
            | Self::OutputOversize { .. }
            | Self::OutputInvalid { .. }
            | Self::OutputUnreadable { .. }
            | Self::NothingChecked
            | Self::ParamsRefused { .. }
            | Self::EvidenceRefused { .. }
            | Self::HostFault { .. }
            | Self::NoMatchingGate
            | Self::RequestTimeout
            | Self::RecordNotWritten { .. } => None,
        }
    }
}

fn spoken(seconds: u64) -> String {
    super::time::spoken(Duration::from_secs(seconds))
}
