//! Names of artifacts in OCI registries: `oci://REGISTRY/REPOSITORY:TAG` or `…@sha256:HEX`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::model::Digest;

/// Bytes of a repository's name with its registry's, as the distribution specification has it.
const MOST_NAME: usize = 255;
/// Bytes of a tag.
const MOST_TAG: usize = 128;

/// A policy in an OCI registry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OciRef {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// Text that is no reference to a policy in an OCI registry.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is not a reference: {problem}")]
pub struct InvalidOciRef {
    text: String,
    problem: &'static str,
}

impl OciRef {
    /// What such a reference begins with.
    pub const SCHEME: &'static str = "oci://";

    /// Host and port of the registry, as written.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Name of the repository within the registry.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, also where there is a digest beside it.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Digest of the manifest.
    #[must_use]
    pub const fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// The last part of the repository's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.repository.rsplit('/').next().unwrap_or(&self.repository)
    }

    /// The same repository at one digest and no tag.
    #[must_use]
    pub fn at(&self, digest: Digest) -> Self {
        Self { tag: None, digest: Some(digest), ..self.clone() }
    }

    /// The name without tag and digest, which trust is about.
    #[must_use]
    pub fn unpinned(&self) -> String {
        format!("{}{}/{}", Self::SCHEME, self.registry, self.repository)
    }

    /// Whether the registry is this machine itself.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(host_of(&self.registry))
    }
}

/// Whether a host, without its port, is this machine itself.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A host without its port.
fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

impl FromStr for OciRef {
    type Err = InvalidOciRef;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = |problem| InvalidOciRef { text: text.chars().take(300).collect(), problem };
        let rest = text
            .strip_prefix(Self::SCHEME)
            .ok_or_else(|| invalid("write it as `oci://registry.example.org/team/policy:1.0`"))?;
        let (rest, digest) = match rest.split_once('@') {
            None => (rest, None),
            Some((rest, digest)) => {
                let digest = digest
                    .parse::<Digest>()
                    .map_err(|_| invalid("behind `@` stands `sha256:` and 64 hex digits"))?;
                (rest, Some(digest))
            }
        };
        let (registry, path) = rest
            .split_once('/')
            .ok_or_else(|| invalid("a repository is missing behind the registry"))?;
        let (repository, tag) = match path.split_once(':') {
            None => (path, None),
            Some((repository, tag)) => (repository, Some(tag)),
        };
        if !is_registry(registry) {
            return Err(invalid(
                "the registry is a host in lower case, with a port where it needs one",
            ));
        }
        let length = registry.len().saturating_add(repository.len());
        if length > MOST_NAME || !repository.split('/').all(is_component) {
            return Err(invalid(
                "a repository is made of lower-case letters, digits, `.`, `_`, `-` and `/`, at most 255 in all",
            ));
        }
        if !tag.is_none_or(is_tag) {
            return Err(invalid("a tag is made of letters, digits, `.`, `_` and `-`, at most 128"));
        }
        if tag.is_none() && digest.is_none() {
            return Err(invalid("say which version, `:TAG` or `@sha256:HEX`"));
        }
        Ok(Self {
            registry: registry.to_owned(),
            repository: repository.to_owned(),
            tag: tag.map(str::to_owned),
            digest,
        })
    }
}

impl fmt::Display for OciRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.unpinned())?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// One spelling for each registry, so that no pattern of the gate file is got around by another.
fn is_registry(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !text.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let named = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_name = host.split('.').all(|label| {
        !label.is_empty()
            && label.bytes().all(named)
            && !label.starts_with('-')
            && !label.ends_with('-')
    });
    let is_address =
        host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).is_some_and(|address| {
            address.parse::<std::net::Ipv6Addr>().is_ok_and(|parsed| parsed.to_string() == address)
        });
    (is_name || is_address)
        && port.is_none_or(|port| {
            !port.starts_with('0')
                && port.parse::<u16>().is_ok()
                && port.bytes().all(|byte| byte.is_ascii_digit())
        })
}

/// Words of letters and digits, with `.`, `_`, `__` or dashes between them.
fn is_component(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = |byte: Option<&u8>| byte.copied().is_some_and(word);
    let bytes = text.as_bytes();
    let separators = text
        .split(|character: char| u8::try_from(character).is_ok_and(word))
        .filter(|separator| !separator.is_empty());
    let sound = |separator: &str| {
        matches!(separator, "." | "_" | "__") || separator.bytes().all(|byte| byte == b'-')
    };
    ends(bytes.first()) && ends(bytes.last()) && separators.into_iter().all(sound)
}

fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= MOST_TAG
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|byte| word(byte) || byte == b'.' || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let digest = Digest::of(b"").to_string();
        for text in [
            "oci://registry.example.org/risk/tenure:1.4".to_owned(),
            "oci://127.0.0.1:5000/a:latest".to_owned(),
            "oci://[::1]:5000/a_b/c--d.e__f:V1_.-x".to_owned(),
            format!("oci://r/p@{digest}"),
            format!("oci://r:443/p:1@{digest}"),
        ] {
            assert_eq!(text.parse::<OciRef>().unwrap().to_string(), text);
        }
        let parsed: OciRef = format!("oci://r:443/team/p:1@{digest}").parse().unwrap();
        assert_eq!((parsed.registry(), parsed.repository()), ("r:443", "team/p"));
        assert_eq!((parsed.tag(), parsed.name()), (Some("1"), "p"));
        assert_eq!(parsed.at(Digest::of(b"x")).tag(), None);
    }

    #[test]
    fn rejects_what_registries_do_not_take() {
        for text in [
            "registry/p:1",
            "oci://",
            "oci://r",
            "oci://r/p",
            "oci://r/:1",
            "oci://R/p:1",
            "oci://r/P:1",
            "oci://r/a..b:1",
            "oci://r/a/../b:1",
            "oci://r/-a:1",
            "oci://r/a//b:1",
            "oci://r/p:",
            "oci://r/p:.x",
            "oci://r:0/p:1",
            "oci://r:99999/p:1",
            "oci://r:05000/p:1",
            "oci://u:p@r/p:1",
            "oci://r/p@sha256:00",
            "oci://r/p@md5:00",
            "oci://r/p?x:1",
            "oci://[::01]/p:1",
            "oci://r./p:1",
            "oci://r/é:1",
        ] {
            assert!(text.parse::<OciRef>().is_err(), "{text}");
        }
        let long = format!("oci://r/{}:1", "a".repeat(255));
        assert!(long.parse::<OciRef>().is_err());
    }

    #[test]
    fn knows_this_machine() {
        for (registry, loopback) in [
            ("localhost", true),
            ("localhost:5000", true),
            ("127.0.0.1:5000", true),
            ("127.9.9.9", true),
            ("[::1]:5000", true),
            ("[::1]", true),
            ("localhost.example.org", false),
            ("10.0.0.1:5000", false),
        ] {
            let reference: OciRef = format!("oci://{registry}/p:1").parse().unwrap();
            assert_eq!(reference.is_loopback(), loopback, "{registry}");
        }
    }
}
