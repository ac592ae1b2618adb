//! What everybody who speaks to others over a network shares.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// Connects to servers. A secure one trusts whom this machine trusts and never speaks plainly; the
/// other speaks plainly, and takes nobody's certificate.
///
/// # Errors
/// The certificates that this machine trusts cannot be read.
pub(crate) fn connector(
    secure: bool,
    connect: Duration,
) -> io::Result<HttpsConnector<HttpConnector>> {
    // A machine without any certificates can still speak plainly.
    let roots = if secure { machine_roots()? } else { RootCertStore::empty() };
    Ok(connector_with(client_config(roots)?, secure, connect))
}

/// How long a connection may be silent before it is tried whether the other side is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// The same for whoever has a say in whom to trust.
pub(crate) fn connector_with(
    config: ClientConfig,
    secure: bool,
    connect: Duration,
) -> HttpsConnector<HttpConnector> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(connect));
    http.set_keepalive(Some(KEEP_ALIVE));
    let connector = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(config);
    let connector = if secure { connector.https_only() } else { connector.https_or_http() };
    connector.enable_http1().wrap_connector(http)
}

/// How to speak TLS to servers that these authorities vouch for.
pub(crate) fn client_config(roots: RootCertStore) -> io::Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// The authorities that this machine trusts.
pub(crate) fn machine_roots() -> io::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(io::Error::other(
            "there are none; install some, or name a file of authorities",
        ));
    }
    Ok(roots)
}

/// The authorities in a file, PEM, and no others.
pub(crate) fn file_roots(path: &Path) -> io::Result<RootCertStore> {
    let unusable = |detail: &dyn std::fmt::Display| {
        io::Error::other(format!("`{}`: {detail}", path.display()))
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unusable(&error))? {
        let certificate = certificate.map_err(|error| unusable(&error))?;
        roots.add(certificate).map_err(|error| unusable(&error))?;
    }
    if roots.is_empty() {
        return Err(unusable(&"it holds no certificate; write them in PEM"));
    }
    Ok(roots)
}

/// Percent-decodes once. A `%` without two digits stays as it is; whether there was one is the
/// second.
pub(crate) fn percent_decoded(text: &[u8]) -> (Vec<u8>, bool) {
    let mut decoded = Vec::with_capacity(text.len());
    let mut broken = false;
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        if let (b'%', [high, low, tail @ ..]) = (first, after)
            && let (Some(high), Some(low)) =
                (char::from(*high).to_digit(16), char::from(*low).to_digit(16))
            && let Ok(byte) = u8::try_from(high << 4 | low)
        {
            decoded.push(byte);
            rest = tail;
        } else {
            broken |= *first == b'%';
            decoded.push(*first);
            rest = after;
        }
    }
    (decoded, broken)
}

/// The last of a chain of errors says what happened; those before it, which layer passed it on.
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
