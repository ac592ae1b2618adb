//! TLS, with certificates that are read anew when their files change.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;

use crate::model::Digest;

/// Where the certificates are.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The server's certificate and those between it and its authority, PEM.
    pub certificate: PathBuf,
    /// The key of the server's certificate, PEM.
    pub key: PathBuf,
    /// Authorities that vouch for clients, PEM; none where clients show no certificates.
    pub client_authority: Option<PathBuf>,
}

/// Certificates that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsUnusable {
    /// A file cannot be read, or holds something else.
    #[error("`{}` cannot be used as {what}: {detail}", .file.display())]
    File {
        /// Which one.
        file: PathBuf,
        /// What it should be.
        what: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// The files do not fit each other.
    #[error("the certificate and its key cannot be used: {0}; check that they belong together")]
    Pair(String),
}

/// The TLS settings of new connections.
pub struct Tls {
    files: TlsFiles,
    current: ArcSwap<ServerConfig>,
    /// What the files held when they were read.
    print: ArcSwap<Vec<Option<Digest>>>,
}

impl Tls {
    /// Reads the certificates.
    ///
    /// # Errors
    /// Certificates that cannot be used.
    pub fn load(files: TlsFiles) -> Result<Self, TlsUnusable> {
        let print = ArcSwap::from_pointee(print(&files));
        let current = ArcSwap::from(read(&files)?);
        Ok(Self { files, current, print })
    }

    /// Reads the certificates again; new connections use them from now on. Tells whether they are
    /// others.
    ///
    /// # Errors
    /// Certificates that cannot be used; those from before stay.
    pub(super) fn reload(&self) -> Result<bool, TlsUnusable> {
        let print = print(&self.files);
        if **self.print.load() == print {
            return Ok(false);
        }
        self.current.store(read(&self.files)?);
        self.print.store(Arc::new(print));
        Ok(true)
    }

    pub(super) fn current(&self) -> Arc<ServerConfig> {
        self.current.load_full()
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        let TlsFiles { certificate, key, client_authority } = &self.files;
        [certificate.as_path(), key].into_iter().chain(client_authority.as_deref())
    }
}

fn read(files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsUnusable> {
    let chain = certificates(&files.certificate, "a certificate")?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| unusable(&files.key, "the key of a certificate", error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsUnusable::Pair(error.to_string()))?;
    let builder = match &files.client_authority {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let what = "a list of authorities";
            let mut roots = RootCertStore::empty();
            for authority in certificates(file, what)? {
                roots.add(authority).map_err(|error| unusable(file, what, error))?;
            }
            // Clients may hold a token instead. One that shows a certificate shows a good one, or
            // does not get through the handshake.
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .allow_unauthenticated()
                .build()
                .map_err(|error| unusable(file, what, error))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|error| TlsUnusable::Pair(error.to_string()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// What the files hold. Digests, so that no key stays in memory for it.
fn print(files: &TlsFiles) -> Vec<Option<Digest>> {
    let TlsFiles { certificate, key, client_authority } = files;
    let files = [certificate, key].into_iter().chain(client_authority);
    files.map(|file| std::fs::read(file).ok().map(|bytes| Digest::of(&bytes))).collect()
}

fn certificates(
    file: &Path,
    what: &'static str,
) -> Result<Vec<CertificateDer<'static>>, TlsUnusable> {
    let found: Vec<_> = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|error| unusable(file, what, error))?;
    if found.is_empty() {
        return Err(unusable(file, what, "it holds no certificate"));
    }
    Ok(found)
}

fn unusable(file: &Path, what: &'static str, detail: impl std::fmt::Display) -> TlsUnusable {
    TlsUnusable::File { file: file.to_owned(), what, detail: detail.to_string() }
}
