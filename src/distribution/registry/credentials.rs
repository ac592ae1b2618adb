//! Who asks: credentials out of the Docker configuration, and how a registry wants them.

use std::fmt;
use std::path::PathBuf;

use docker_credential::{CredentialRetrievalError, DockerCredential};

use crate::distribution::DistributionError;

/// The name under which the Docker configuration keeps the credentials for Docker Hub.
const HUB: &str = "https://index.docker.io/v1/";

/// What a registry is shown. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Nothing.
    Anonymous,
    /// A name and a password.
    Password {
        /// The name.
        name: String,
        /// The password.
        secret: String,
    },
    /// A token that is exchanged for others.
    Identity(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anonymous => "Anonymous",
            Self::Password { .. } => "Password(…)",
            Self::Identity(_) => "Identity(…)",
        })
    }
}

impl Credentials {
    /// Finds those for a registry: in the Docker configuration, by its `credHelpers`, `auths` and
    /// `credsStore`, or else where Podman keeps its own.
    ///
    /// # Errors
    /// A configuration that cannot be read, or a helper that fails. Without an entry for the
    /// registry it is asked anonymously.
    pub fn find(registry: &str) -> Result<Self, DistributionError> {
        let server = match registry {
            "docker.io" | "index.docker.io" | "registry-1.docker.io" => HUB,
            other => other,
        };
        let mut found = Self::Anonymous;
        if docker_config().is_some_and(|path| path.exists()) {
            found = taken(registry, docker_credential::get_credential(server))?;
        }
        if found == Self::Anonymous && podman_config().is_some_and(|path| path.exists()) {
            found = taken(registry, docker_credential::get_podman_credential(server))?;
        }
        Ok(found)
    }

    /// Who that is, for messages.
    pub(super) const fn who(&self) -> &'static str {
        match self {
            Self::Anonymous => "someone without credentials",
            Self::Password { .. } | Self::Identity(_) => "the credentials configured for it",
        }
    }
}

fn taken(
    registry: &str,
    result: Result<DockerCredential, CredentialRetrievalError>,
) -> Result<Credentials, DistributionError> {
    use CredentialRetrievalError as Error;
    // What a helper prints may hold a secret, so none of it is repeated.
    let detail = match result {
        Ok(DockerCredential::UsernamePassword(name, secret)) => {
            return Ok(Credentials::Password { name, secret });
        }
        Ok(DockerCredential::IdentityToken(token)) => return Ok(Credentials::Identity(token)),
        Err(Error::NoCredentialConfigured | Error::ConfigNotFound) => {
            return Ok(Credentials::Anonymous);
        }
        Err(Error::HelperFailure { stdout, .. }) if stdout.contains("credentials not found") => {
            return Ok(Credentials::Anonymous);
        }
        Err(Error::HelperFailure { helper, .. }) => {
            format!("`{helper}` failed; try `docker login {registry}`")
        }
        Err(Error::HelperCommunicationError) => {
            "the credential helper of the Docker configuration cannot be run; install it, or remove it from the configuration".to_owned()
        }
        Err(Error::MalformedHelperResponse) => {
            "the credential helper of the Docker configuration answers with something else".to_owned()
        }
        Err(Error::CredentialDecodingError | Error::CredentialMismatchError) => {
            format!("its entry in the Docker configuration is malformed; run `docker login {registry}` again")
        }
        Err(Error::ConfigReadError) => {
            "the Docker configuration is not readable JSON; mend it, or name another folder with `DOCKER_CONFIG`".to_owned()
        }
    };
    Err(DistributionError::Credentials { registry: registry.to_owned(), detail })
}

fn docker_config() -> Option<PathBuf> {
    let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".docker")));
    folder.map(|folder| folder.join("config.json"))
}

fn podman_config() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("REGISTRY_AUTH_FILE") {
        return Some(PathBuf::from(path));
    }
    let folder = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from)?;
    Some(folder.join("containers/auth.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_nothing_of_the_secret() {
        let secret = "s3cret".to_owned();
        let both = [
            Credentials::Password { name: "ann".into(), secret: secret.clone() },
            Credentials::Identity(secret.clone()),
        ];
        for credentials in both {
            assert!(!format!("{credentials:?}").contains(&secret));
        }
        let failed = CredentialRetrievalError::HelperFailure {
            helper: "docker-credential-x".into(),
            stdout: secret.clone(),
            stderr: secret.clone(),
        };
        let error = taken("r", Err(failed)).unwrap_err().to_string();
        assert!(error.contains("docker-credential-x") && !error.contains(&secret), "{error}");
    }

    #[test]
    fn a_helper_that_has_none_leaves_it_to_ask_without() {
        let none = CredentialRetrievalError::HelperFailure {
            helper: "docker-credential-x".into(),
            stdout: "credentials not found in native keychain\n".into(),
            stderr: String::new(),
        };
        assert_eq!(taken("r", Err(none)).unwrap(), Credentials::Anonymous);
    }
}
