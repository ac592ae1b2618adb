//! Tokens: 256 random bits, of which the server keeps a digest. As nobody can guess one, a slow
//! hash would protect nothing that a fast one does not.

use rustls::crypto::SecureRandom;

use super::Role;
use crate::model::Digest;

/// What every token begins with, so that scanners for leaked secrets can tell one.
pub(super) const PREFIX: &str = "lockgate_";

/// A new token: the one time that it is seen.
pub struct NewToken {
    /// For whoever is to use it.
    pub secret: String,
    /// For the server's file of tokens; holds no secret.
    pub line: String,
}

/// Text that cannot be the name of somebody.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a name; write up to 64 letters, digits and `.`, `_`, `-`, `@`, `:`")]
pub struct InvalidName(pub String);

/// Whether a text can be the name of somebody.
pub(super) fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_@:".contains(c);
    !text.is_empty() && text.len() <= 64 && text.chars().all(plain)
}

impl NewToken {
    /// Makes a token for somebody.
    ///
    /// # Errors
    /// A name that is none; no random bytes to be had from the system.
    pub fn make(name: &str, roles: &[Role]) -> Result<Result<Self, InvalidName>, rustls::Error> {
        if !is_name(name) {
            return Ok(Err(InvalidName(name.chars().take(100).collect())));
        }
        let mut bytes = [0; 32];
        let provider = rustls::crypto::ring::default_provider();
        let random: &dyn SecureRandom = provider.secure_random;
        random.fill(&mut bytes).map_err(|_| rustls::Error::FailedToGetRandomBytes)?;
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let secret = format!("{PREFIX}{digits}");
        let roles: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
        let line = format!("{name} {} token {}", roles.join(","), Digest::of(secret.as_bytes()));
        Ok(Ok(Self { secret, line }))
    }
}
