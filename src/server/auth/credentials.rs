//! The file of tokens and certificates.
//!
//! A line for each: a name, its roles with commas between, and by what it is known.
//! `ci ask,submit-evidence token sha256:…` or `apiserver ask certificate cn:kube-apiserver`.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use super::certificate::{ClientCertificate, Identity};
use super::token::is_name;
use super::{Principal, Role};
use crate::model::Digest;

/// Ten thousand tokens take some 1.5 MiB.
const MOST_BYTES: u64 = 2 << 20;

/// Who is known.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    tokens: Vec<([u8; 32], Principal)>,
    certificates: Vec<(Identity, Principal)>,
}

/// A file of tokens that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct InvalidCredentials {
    /// Which file.
    file: String,
    /// What is wrong with it, with line numbers where there are any.
    faults: Vec<(Option<usize>, String)>,
}

impl fmt::Display for InvalidCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (line, fault)) in self.faults.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            match line {
                Some(line) => write!(f, "{}:{line}: {fault}", self.file)?,
                None => write!(f, "`{}` {fault}", self.file)?,
            }
        }
        Ok(())
    }
}

impl Credentials {
    /// Reads a file of tokens.
    ///
    /// # Errors
    /// A file that cannot be read, and every line that is wrong.
    pub fn read(path: &Path) -> Result<Self, InvalidCredentials> {
        let file = path.display().to_string();
        let refused =
            |fault: String| InvalidCredentials { file: file.clone(), faults: vec![(None, fault)] };
        let mut text = String::new();
        File::open(path)
            .and_then(|opened| opened.take(MOST_BYTES + 1).read_to_string(&mut text))
            .map_err(|error| refused(format!("cannot be read: {error}")))?;
        if text.len() as u64 > MOST_BYTES {
            return Err(refused(format!("is larger than {MOST_BYTES} bytes")));
        }
        Self::parse(&text).map_err(|faults| InvalidCredentials { file, faults })
    }

    fn parse(text: &str) -> Result<Self, Vec<(Option<usize>, String)>> {
        let mut credentials = Self::default();
        let mut faults = Vec::new();
        let mut known = BTreeSet::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let read = Entry::parse(line).and_then(|entry| {
                if known.insert(entry.proof.to_string()) {
                    Ok(entry)
                } else {
                    Err("is known by what another line has already".to_owned())
                }
            });
            match read {
                Ok(Entry { principal, proof: Proof::Token(digest) }) => {
                    credentials.tokens.push((*digest.as_bytes(), principal));
                }
                Ok(Entry { principal, proof: Proof::Certificate(identity) }) => {
                    credentials.certificates.push((identity, principal));
                }
                Err(fault) => faults.push((Some(index + 1), fault)),
            }
        }
        if faults.is_empty() { Ok(credentials) } else { Err(faults) }
    }

    /// Whose token it is. Takes the same time whether it is known or not, and whose it is.
    pub(super) fn bearer_of(&self, token: &[u8]) -> Option<&Principal> {
        let given: [u8; 32] = Sha256::digest(token).into();
        let mut found = None;
        for (digest, principal) in &self.tokens {
            let equal: Choice = digest.ct_eq(&given);
            if bool::from(equal) {
                found = Some(principal);
            }
        }
        found
    }

    /// Whose certificate it is, which the handshake has verified. A certificate with the names
    /// of several is nobody's.
    pub(super) fn holder_of(&self, certificate: &ClientCertificate) -> Option<&Principal> {
        let mut found = self
            .certificates
            .iter()
            .filter(|(identity, _)| certificate.names(identity))
            .map(|(_, principal)| principal);
        let first = found.next()?;
        found.all(|other| other == first).then_some(first)
    }
}

/// One line.
struct Entry {
    principal: Principal,
    proof: Proof,
}

/// By what somebody is known.
enum Proof {
    Token(Digest),
    Certificate(Identity),
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(digest) => digest.fmt(f),
            Self::Certificate(identity) => identity.fmt(f),
        }
    }
}

impl Entry {
    fn parse(line: &str) -> Result<Self, String> {
        let mut words = line.splitn(4, char::is_whitespace);
        let mut word = || words.next().filter(|word| !word.is_empty());
        let (Some(name), Some(roles), Some(kind), Some(proof)) = (word(), word(), word(), word())
        else {
            return Err("is not `NAME ROLES token sha256:HEX` or `NAME ROLES certificate IDENTITY`, with one blank between; make a line with `lockgate token new`".to_owned());
        };
        if !is_name(name) {
            return Err(super::InvalidName(name.chars().take(100).collect()).to_string());
        }
        let mut granted = roles
            .split(',')
            .map(|role| role.parse::<Role>().map_err(|error| error.to_string()))
            .collect::<Result<Vec<_>, _>>()?;
        granted.sort();
        granted.dedup();
        let proof = match kind {
            "token" => Proof::Token(proof.parse::<Digest>().map_err(|error| error.to_string())?),
            "certificate" => Proof::Certificate(proof.parse()?),
            _ => {
                let kind: String = kind.chars().take(100).collect();
                return Err(format!("has `{kind}` where `token` or `certificate` belongs"));
            }
        };
        let principal = Principal { name: Some(Arc::from(name)), roles: granted.into() };
        Ok(Self { principal, proof })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::auth::NewToken;

    fn new(name: &str, roles: &[Role]) -> NewToken {
        NewToken::make(name, roles).unwrap().unwrap()
    }

    #[test]
    fn knows_a_token_by_its_line_and_no_other() {
        let (one, other) = (new("ci", &[Role::Ask]), new("other", &[Role::Read]));
        let credentials =
            Credentials::parse(&format!("# tokens\n\n{}\n{}\n", one.line, other.line)).unwrap();
        let principal = credentials.bearer_of(one.secret.as_bytes()).unwrap();
        assert_eq!(principal.name(), Some("ci"));
        assert!(principal.must(Role::Ask).is_ok());
        assert!(principal.must(Role::Read).is_err());
        assert!(credentials.bearer_of(new("ci", &[Role::Ask]).secret.as_bytes()).is_none());
        assert!(credentials.bearer_of(b"").is_none());
        assert!(!one.line.contains(one.secret.trim_start_matches("lockgate_")));
    }

    #[test]
    fn tells_everything_that_is_wrong_with_a_file() {
        let line = new("ci", &[Role::Ask]).line;
        let text = format!(
            "{line}\n{line}\nci root token x\nci ask token sha256:00\na b\nci ask key x\nc/i ask token x\nci ask certificate x\n"
        );
        let faults = Credentials::parse(&text).unwrap_err();
        let lines: Vec<_> = faults.iter().map(|(line, _)| line.unwrap()).collect();
        assert_eq!(lines, [2, 3, 4, 5, 6, 7, 8], "{faults:?}");
    }
}
