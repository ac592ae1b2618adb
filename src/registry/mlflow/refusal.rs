use std::fmt;

/// Why a request is not passed on. One line for the person behind the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Whose fault it is.
    pub reason: Reason,
    /// What is wrong and what to do about it.
    pub message: String,
}

/// Why a request is refused before it is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Two readers could take it for different things, or it is none that MLflow knows.
    Unclear,
    /// lockgate cannot judge it, so it is not to be made here.
    Forbidden,
    /// The registry has no such model or version.
    Absent,
    /// The registry could not be asked what it would do.
    Unavailable,
}

impl Reason {
    /// Stable snake_case word for metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unclear => "unclear",
            Self::Forbidden => "forbidden",
            Self::Absent => "absent",
            Self::Unavailable => "unavailable",
        }
    }

    /// HTTP status and MLflow's word for it. Never one that the MLflow client retries on, as that
    /// loses the message.
    #[must_use]
    pub const fn answer(self) -> (u16, &'static str) {
        match self {
            Self::Unclear => (400, "INVALID_PARAMETER_VALUE"),
            Self::Absent => (404, "RESOURCE_DOES_NOT_EXIST"),
            Self::Forbidden | Self::Unavailable => (403, "PERMISSION_DENIED"),
        }
    }
}

impl Refusal {
    pub(super) fn unclear(message: impl Into<String>) -> Self {
        Self { reason: Reason::Unclear, message: message.into() }
    }

    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self { reason: Reason::Forbidden, message: message.into() }
    }

    pub(super) fn absent(message: impl Into<String>) -> Self {
        Self { reason: Reason::Absent, message: message.into() }
    }

    pub(super) fn unavailable(message: impl fmt::Display) -> Self {
        Self { reason: Reason::Unavailable, message: message.to_string() }
    }
}

/// The start of a text from a request or an answer, fit to be quoted in a one-line message.
pub(super) fn quoted(text: &str) -> String {
    const LIMIT: usize = 100;
    let mut quoted: String =
        text.chars().take(LIMIT).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(LIMIT).is_some() {
        quoted.push('…');
    }
    format!("`{quoted}`")
}
