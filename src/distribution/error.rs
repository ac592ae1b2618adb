use std::io;
use std::path::PathBuf;

use crate::model::{Digest, Undecided};

/// Why a policy could not be had from a registry or a store, or put there.
#[derive(Debug, thiserror::Error)]
pub enum DistributionError {
    /// The registry could not be reached, or broke off.
    #[error("`{registry}` cannot be reached: {detail}")]
    Unreachable {
        /// The registry.
        registry: String,
        /// What happened.
        detail: String,
    },
    /// The registry took too long.
    #[error("`{registry}` did not answer {what} within {seconds} s")]
    TimedOut {
        /// The registry.
        registry: String,
        /// What was asked.
        what: String,
        /// For how long.
        seconds: u64,
    },
    /// The registry said no.
    #[error("`{registry}` answers {what} with {status}{}", said(.message))]
    Refused {
        /// The registry.
        registry: String,
        /// What was asked.
        what: String,
        /// HTTP status.
        status: u16,
        /// The registry's words, or what to do.
        message: String,
    },
    /// There is no such artifact.
    #[error("there is no `{0}` in its registry")]
    Missing(String),
    /// The registry asks for credentials, or those given do not do.
    #[error("`{registry}` does not let {who} {what}: {hint}")]
    Unauthorized {
        /// The registry.
        registry: String,
        /// Who asked, without any secret.
        who: &'static str,
        /// What was asked.
        what: String,
        /// What to do.
        hint: String,
    },
    /// More came than there may be.
    #[error("{what} is larger than {limit} bytes, the most that is taken")]
    TooLarge {
        /// Of what.
        what: String,
        /// The limit.
        limit: u64,
    },
    /// What came is not what was asked for.
    #[error("{what} has the digest {found} and not {expected}: it was changed or cut short")]
    Altered {
        /// Of what.
        what: String,
        /// What was asked for.
        expected: Digest,
        /// What came.
        found: Digest,
    },
    /// Something that is no policy, or is not as the specifications want it.
    #[error("{what} cannot be used: {detail}")]
    Unusable {
        /// What.
        what: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The way to the registry is not encrypted.
    #[error(
        "`{0}` is not asked over plain HTTP, which anybody in between can change; use HTTPS, or say --plain-http"
    )]
    Plain(String),
    /// Credentials are configured and cannot be had.
    #[error("the credentials for `{registry}` cannot be read: {detail}")]
    Credentials {
        /// The registry.
        registry: String,
        /// What is wrong, without any secret.
        detail: String,
    },
    /// A file could not be read or written.
    #[error("`{}`: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What happened.
        error: io::Error,
    },
    /// The lock file is not sound.
    #[error("{0}")]
    Lock(String),
    /// A file with another component than was locked.
    #[error(
        "`{what}` has the digest {found}, and `lockgate.lock` says {expected}; put the one that was locked back, or take the one that is there with `lockgate policy lock --update`"
    )]
    Unpinned {
        /// The file, as the gate file names it.
        what: String,
        /// What was locked.
        expected: Digest,
        /// What is there.
        found: Digest,
    },
    /// A tag that nothing says the meaning of.
    #[error(
        "`{0}` is not in `lockgate.lock`, and a tag is never resolved while judging; run `lockgate policy lock`"
    )]
    Unlocked(String),
    /// It is nowhere on this machine, and the network is not to be used.
    #[error(
        "`{0}` is neither vendored nor in the cache, and --offline keeps it from being pulled; run `lockgate policy vendor` where there is a network"
    )]
    Offline(String),
    /// This machine cannot speak to registries.
    #[error("this machine cannot speak to registries: {0}")]
    Client(String),
}

impl DistributionError {
    pub(super) fn unusable(what: impl Into<String>, detail: impl ToString) -> Self {
        Self::Unusable { what: what.into(), detail: detail.to_string() }
    }

    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::File { path, error }
    }
}

impl From<DistributionError> for Undecided {
    fn from(error: DistributionError) -> Self {
        Self::Unloadable { detail: error.to_string() }
    }
}

fn said(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}
