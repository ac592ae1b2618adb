use super::refusal::Refusal;
use crate::model::Undecided;

/// What evidence that could not be had from MLflow is listed as.
const SOURCE: &str = "mlflow";

/// MLflow could not be asked, or its answer not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// It could not be reached, whatever was tried.
    #[error(
        "MLflow at `{url}` cannot be reached: {detail}; check that it runs and that the address is right"
    )]
    Unreachable {
        /// Its address.
        url: String,
        /// Why.
        detail: String,
    },
    /// It took longer than it may.
    #[error("MLflow at `{url}` did not answer {what} within {milliseconds} ms")]
    TimedOut {
        /// Its address.
        url: String,
        /// What was asked.
        what: String,
        /// The time it had.
        milliseconds: u128,
    },
    /// It refused or failed.
    #[error("MLflow answered {what} with {status}{}", said(message))]
    Refused {
        /// What was asked.
        what: String,
        /// HTTP status.
        status: u16,
        /// MLflow's word for it (`RESOURCE_DOES_NOT_EXIST`); empty when it gave none.
        code: String,
        /// Its own words; empty when it gave none.
        message: String,
    },
    /// The answer is larger than it may be.
    #[error("MLflow's answer to {what} is larger than {limit} bytes")]
    TooLarge {
        /// What was asked.
        what: String,
        /// The limit.
        limit: u64,
    },
    /// The answer is not what MLflow's REST API gives.
    #[error("MLflow's answer to {what} cannot be used: {detail}")]
    Unusable {
        /// What was asked.
        what: String,
        /// Why.
        detail: String,
    },
}

fn said(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

impl RegistryError {
    /// Whether it says that there is no such thing.
    #[must_use]
    pub fn is_absence(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == "RESOURCE_DOES_NOT_EXIST")
    }
}

impl From<RegistryError> for Undecided {
    fn from(error: RegistryError) -> Self {
        Self::EvidenceUnreadable { source_name: SOURCE.to_owned(), detail: error.to_string() }
    }
}

impl From<RegistryError> for Refusal {
    fn from(error: RegistryError) -> Self {
        // As MLflow itself would have answered.
        if let RegistryError::Refused { message, .. } = &error
            && error.is_absence()
        {
            return Self::absent(message.clone());
        }
        Self::unavailable(format_args!("what this would move could not be looked up: {error}"))
    }
}
