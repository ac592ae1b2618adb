//! What every client over HTTP shares.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
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
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(connect));
    let connector = hyper_rustls::HttpsConnectorBuilder::new();
    let connector = if secure {
        let provider = rustls::crypto::ring::default_provider();
        connector.with_provider_and_native_roots(provider)?.https_only()
    } else {
        // A machine without any certificates can still speak plainly.
        connector.with_tls_config(trusting_nobody()?).https_or_http()
    };
    Ok(connector.enable_http1().wrap_connector(http))
}

fn trusting_nobody() -> io::Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    Ok(config.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

/// The last of a chain of errors says what happened; those before it, which layer passed it on.
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
