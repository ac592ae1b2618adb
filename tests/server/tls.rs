//! TLS: certificates that change, and clients that show their own.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::http::{Request, Response, connect, get, post, post_bytes};
use super::served::{Folder, GATE, Served, question};

/// An authority.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "an authority");
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate and its key, PEM.
    fn issue(&self, names: &[SanType], common_name: &str) -> (String, String) {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.subject_alt_names = names.to_vec();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    pub(crate) fn write_server(&self, folder: &Folder, name: &str) {
        let names = [SanType::DnsName("localhost".try_into().unwrap())];
        let (certificate, key) = self.issue(&names, name);
        folder.write(&format!("{name}.key"), key);
        folder.write(&format!("{name}.crt"), certificate);
    }

    /// Sends a request to a server that it vouches for.
    pub(crate) fn send(&self, served: &Served, request: &Request) -> Response {
        try_send(connect_tls(served.address, self, None), request).unwrap()
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()).unwrap();
        roots
    }
}

/// A certificate of an authority that nobody knows.
pub(crate) fn write_certificates(folder: &Folder, name: &str) {
    Authority::new().write_server(folder, name);
}

type Connection = StreamOwned<ClientConnection, TcpStream>;

fn connect_tls(
    address: SocketAddr,
    authority: &Authority,
    own: Option<&(String, String)>,
) -> Connection {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(authority.roots());
    let config = match own {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => builder
            .with_client_auth_cert(
                vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
            )
            .unwrap(),
    };
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    StreamOwned::new(connection, connect(address))
}

/// The answer, or none where no connection comes about.
fn try_send(mut stream: Connection, request: &Request) -> Option<Response> {
    stream.conn.complete_io(&mut stream.sock).ok()?;
    // With TLS 1.3 a client learns that its certificate is refused when it reads.
    let mut one = [0; 1];
    std::io::Write::write_all(&mut stream, &request.bytes()).ok()?;
    std::io::Read::read_exact(&mut stream, &mut one).ok()?;
    let mut rest = std::io::Read::chain(&one[..], stream);
    struct ReadOnly<R>(R);
    impl<R: std::io::Read> std::io::Read for ReadOnly<R> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.0.read(buffer)
        }
    }
    impl<R> std::io::Write for ReadOnly<R> {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    Some(Response::read(&mut ReadOnly(&mut rest)))
}

#[test]
fn certificates_are_replaced_while_the_server_runs() {
    let (first, second) = (Authority::new(), Authority::new());
    let folder = Folder::new(GATE);
    first.write_server(&folder, "server");
    let served = folder.serve("--tls-cert server.crt --tls-key server.key");
    let reach = |authority: &Authority| {
        let stream = connect_tls(served.address, authority, None);
        try_send(stream, &get("/livez")).map(|response| response.status)
    };
    assert_eq!(reach(&first), Some(200));
    assert_eq!(reach(&second), None);
    let mut open = connect_tls(served.address, &first, None);
    get("/livez").send_on(&mut open).is(200);

    // A key without its certificate is no pair, and leaves the one from before.
    served.folder.write("server.key", "nonsense");
    served.until_logged("the certificates cannot be used");
    assert_eq!(reach(&first), Some(200));

    second.write_server(&served.folder, "server");
    served.until_logged("certificates loaded");
    assert_eq!(reach(&second), Some(200));
    assert_eq!(reach(&first), None);
    // Connections from before go on.
    get("/livez").send_on(&mut open).is(200);
}

#[test]
fn whoever_shows_a_certificate_is_who_the_file_says() {
    let (own, clients, strangers) = (Authority::new(), Authority::new(), Authority::new());
    let folder = Folder::new(GATE);
    own.write_server(&folder, "server");
    folder.write("clients.pem", &clients.pem);
    folder.write(
        "tokens",
        "apiserver ask certificate cn:kube-apiserver\nci ask,submit-evidence certificate dns:ci.example\nspire ask,submit-evidence,read certificate uri:spiffe://example/ci\n",
    );
    let served = folder.serve(
        "--tls-cert server.crt --tls-key server.key --client-ca clients.pem --tokens tokens",
    );
    let asked = post("/v1/decisions", &question(0.95));
    let dns = |name: &str| SanType::DnsName(name.to_owned().try_into().unwrap());
    let uri = |uri: &str| SanType::URI(uri.to_owned().try_into().unwrap());
    let ask = |certificate: Option<(String, String)>| {
        try_send(connect_tls(served.address, &own, certificate.as_ref()), &asked)
    };
    let by = |names: &[SanType], common: &str| ask(Some(clients.issue(names, common))).unwrap();

    assert_eq!(by(&[dns("ci.example")], "x").is(200).json()["asked_by"], "ci");
    assert_eq!(by(&[uri("spiffe://example/ci")], "x").is(200).json()["asked_by"], "spire");
    // It may ask, but not bring evidence along.
    by(&[], "kube-apiserver").refused(403, "forbidden");
    by(&[dns("other.example")], "ci.example").refused(401, "unauthenticated");
    // One that is two is nobody.
    by(&[dns("ci.example")], "kube-apiserver").refused(401, "unauthenticated");
    ask(None).unwrap().refused(401, "unauthenticated");
    // Somebody else's authority vouches for nobody here.
    assert!(ask(Some(strangers.issue(&[dns("ci.example")], "x"))).is_none());
}

/// Clients that look for an answer once they have sent everything.
#[test]
fn a_refusal_arrives_though_the_body_was_not_wanted() {
    let own = Authority::new();
    let folder = Folder::new(GATE);
    own.write_server(&folder, "server");
    let token = folder.token("ci", &["ask", "submit-evidence"]);
    let reader = folder.token("reader", &["read"]);
    let served = folder.serve("--tls-cert server.crt --tls-key server.key --tokens tokens");
    let large = post_bytes("/v1/decisions", &vec![b' '; 30_000_000]);
    let json = |request: &Request| request.clone().header("content-type", "application/json");
    for _ in 0..3 {
        own.send(&served, &json(&large).bearer(&token)).refused(413, "body_too_large");
        own.send(&served, &json(&large).bearer(&reader)).refused(403, "forbidden");
        own.send(&served, &json(&large)).refused(401, "unauthenticated");
        own.send(&served, &large.clone().bearer(&token)).refused(415, "unsupported_media_type");
    }
    // And the connection is as good as before.
    let mut stream = connect_tls(served.address, &own, None);
    json(&large).bearer(&token).send_on(&mut stream).refused(413, "body_too_large");
    get("/livez").send_on(&mut stream).is(200);
}
