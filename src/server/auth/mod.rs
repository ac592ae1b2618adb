//! Who may ask for what.

mod certificate;
mod credentials;
mod token;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::http::{HeaderMap, header};

pub use credentials::{Credentials, InvalidCredentials};
pub use token::{InvalidName, NewToken};

pub(crate) use certificate::ClientCertificate;

use super::problem::{Code, Problem};

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Ask for decisions.
    Ask,
    /// Bring evidence along with a question, instead of having it collected from the registry.
    SubmitEvidence,
    /// Read decisions and metrics.
    Read,
    /// Have the gates loaded anew.
    Administer,
}

/// Text that names no role.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a role; write `ask`, `submit-evidence`, `read` or `administer`")]
pub struct UnknownRole(pub String);

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Ask, Self::SubmitEvidence, Self::Read, Self::Administer];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::SubmitEvidence => "submit-evidence",
            Self::Read => "read",
            Self::Administer => "administer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| UnknownRole(text.chars().take(100).collect()))
    }
}

/// Somebody who has shown who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    name: Option<Arc<str>>,
    roles: Arc<[Role]>,
}

impl Principal {
    /// Whoever reaches a server that asks for no credentials.
    fn anybody() -> Self {
        Self { name: None, roles: Role::ALL.into() }
    }

    /// The name that is put on record.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Refuses unless the principal has a role.
    pub(crate) fn must(&self, role: Role) -> Result<(), Problem> {
        if self.roles.contains(&role) {
            return Ok(());
        }
        tracing::warn!(name = self.name(), %role, "refused: a role is missing");
        Err(Problem::new(Code::Forbidden).detail(format!("the role `{role}` is needed")))
    }
}

/// Tells who asks. Clones share what is known, also when it is replaced.
#[derive(Clone)]
pub struct Doorkeeper(Option<Arc<ArcSwap<Credentials>>>);

impl Doorkeeper {
    /// Asks for no credentials: everybody who can connect may do everything.
    #[must_use]
    pub const fn open() -> Self {
        Self(None)
    }

    /// Lets in who these credentials know.
    #[must_use]
    pub fn guarded(credentials: Credentials) -> Self {
        Self(Some(Arc::new(ArcSwap::from_pointee(credentials))))
    }

    /// Goes by other credentials from now on. Tells whether they are others.
    pub(super) fn replace(&self, credentials: Credentials) -> bool {
        let Some(current) = &self.0 else { return false };
        let changed = **current.load() != credentials;
        if changed {
            current.store(Arc::new(credentials));
        }
        changed
    }

    /// Who sends a request: the holder of its token, or of the certificate of its connection.
    pub(crate) fn principal(
        &self,
        headers: &HeaderMap,
        certificate: Option<&ClientCertificate>,
    ) -> Result<Principal, Problem> {
        let Some(credentials) = &self.0 else { return Ok(Principal::anybody()) };
        let credentials = credentials.load();
        let refused = |detail: &str| Problem::new(Code::Unauthenticated).detail(detail);
        let mut given = headers.get_all(header::AUTHORIZATION).iter();
        let found = match (given.next(), given.next()) {
            (None, _) => certificate.and_then(|certificate| credentials.holder_of(certificate)),
            (Some(value), None) => {
                bearer(value.as_bytes()).and_then(|token| credentials.bearer_of(token))
            }
            (Some(_), Some(_)) => None,
        };
        found.cloned().ok_or_else(|| {
            tracing::warn!("refused: the credentials are not known");
            refused("send `authorization: Bearer TOKEN` with a token that the server knows, or connect with a client certificate that it knows")
        })
    }
}

/// The token of an `Authorization` header.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}
