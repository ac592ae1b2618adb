//! What a client certificate says of its holder. The handshake has verified it by then.

use std::fmt;
use std::str::FromStr;

use rustls::pki_types::CertificateDer;
use x509_cert::Certificate;
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::der::asn1::{PrintableStringRef, Utf8StringRef};
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::oid::db::rfc4519::CN;
use x509_cert::der::{Decode as _, Tag, Tagged as _};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

const SUBJECT_ALTERNATIVE_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");

/// A name in a certificate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Identity {
    /// `dns:NAME`, a DNS name among the subject's alternative names.
    Dns(String),
    /// `uri:URI`, a URI among them, such as a SPIFFE id.
    Uri(String),
    /// `cn:NAME`, the one common name of the subject.
    CommonName(String),
}

impl FromStr for Identity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().split_once(':') {
            Some(("dns", name)) if !name.is_empty() => Ok(Self::Dns(name.to_ascii_lowercase())),
            Some(("uri", uri)) if !uri.is_empty() => Ok(Self::Uri(uri.to_owned())),
            Some(("cn", name)) if !name.is_empty() => Ok(Self::CommonName(name.to_owned())),
            _ => {
                let text: String = text.chars().take(100).collect();
                Err(format!(
                    "`{text}` names no certificate; write `dns:NAME`, `uri:URI` or `cn:NAME`"
                ))
            }
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => write!(f, "dns:{name}"),
            Self::Uri(uri) => write!(f, "uri:{uri}"),
            Self::CommonName(name) => write!(f, "cn:{name}"),
        }
    }
}

/// The names in the certificate of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClientCertificate(Vec<Identity>);

impl ClientCertificate {
    /// Reads the names of a verified certificate. One that cannot be read has none, and so is
    /// nobody's.
    pub(crate) fn of(certificate: &CertificateDer<'_>) -> Self {
        Self(names(certificate).unwrap_or_default())
    }

    pub(super) fn names(&self, identity: &Identity) -> bool {
        self.0.contains(identity)
    }
}

fn names(certificate: &CertificateDer<'_>) -> Option<Vec<Identity>> {
    let certificate = Certificate::from_der(certificate.as_ref()).ok()?.tbs_certificate;
    let mut names = Vec::new();
    for extension in certificate.extensions.iter().flatten() {
        if extension.extn_id != SUBJECT_ALTERNATIVE_NAME {
            continue;
        }
        let alternatives = SubjectAltName::from_der(extension.extn_value.as_bytes()).ok()?;
        for name in alternatives.0 {
            if let GeneralName::DnsName(name) = &name {
                names.push(Identity::Dns(name.as_str().to_ascii_lowercase()));
            } else if let GeneralName::UniformResourceIdentifier(uri) = &name {
                names.push(Identity::Uri(uri.as_str().to_owned()));
            }
        }
    }
    let mut common = certificate
        .subject
        .0
        .iter()
        .flat_map(|part| part.0.iter())
        .filter(|attribute| attribute.oid == CN);
    // Of several common names none is the subject's.
    if let (Some(name), None) = (common.next(), common.next()) {
        names.extend(text(name).map(Identity::CommonName));
    }
    Some(names)
}

fn text(attribute: &AttributeTypeAndValue) -> Option<String> {
    let value = &attribute.value;
    if value.tag() == Tag::Utf8String {
        return value.decode_as::<Utf8StringRef<'_>>().ok().map(|text| text.to_string());
    }
    value.decode_as::<PrintableStringRef<'_>>().ok().map(|text| text.to_string())
}
