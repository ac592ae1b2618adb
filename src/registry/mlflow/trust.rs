use std::io;
use std::path::PathBuf;

use rustls::{ClientConfig, RootCertStore};

use crate::net::{client_config, file_roots, machine_roots};

/// By whom MLflow's certificate must be vouched for, where it is reached by HTTPS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// The authorities that this machine trusts.
    #[default]
    Machine,
    /// Those in a file, PEM, and no others.
    File(PathBuf),
}

impl Trust {
    /// The variable by which MLflow's own client is told of a file of authorities.
    pub const VARIABLE: &str = "MLFLOW_TRACKING_SERVER_CERT_PATH";

    /// As the client of MLflow is told to trust.
    #[must_use]
    pub fn from_env() -> Self {
        let file = std::env::var_os(Self::VARIABLE).filter(|path| !path.is_empty());
        file.map_or(Self::Machine, |path| Self::File(path.into()))
    }

    /// How to speak TLS. Without `tls`, nobody is trusted and no certificate is read: a machine that
    /// has none can still speak plainly.
    ///
    /// # Errors
    /// No certificates, or none that can be read.
    pub fn config(&self, tls: bool) -> io::Result<ClientConfig> {
        client_config(if tls { self.roots()? } else { RootCertStore::empty() })
    }

    fn roots(&self) -> io::Result<RootCertStore> {
        match self {
            Self::Machine => machine_roots(),
            Self::File(path) => file_roots(path),
        }
    }
}
