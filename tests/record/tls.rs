//! The way to a database is encrypted, and leads to the right one.

use lockgate::decision::Verdict;
use lockgate::record::{Location, Options, Record};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::cluster::Cluster;
use super::places::entry;

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

#[tokio::test]
async fn only_a_server_that_is_vouched_for_is_written_to() {
    let (ours, other) = (authority(), authority());
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &ours).unwrap();
    let cluster = Cluster::start_with_tls(&certificate.pem(), &key.serialize_pem());

    let folder = tempfile::tempdir().unwrap();
    let open = async |host: &str, parameters: String| {
        let url = format!("postgres://postgres@{host}:{}/postgres?{parameters}", cluster.port());
        Record::open(&url.parse::<Location>().unwrap(), Options::write()).await
    };
    let trusting = |authority: &CertifiedIssuer<'_, KeyPair>| {
        let name = lockgate::model::Digest::of(authority.pem().as_bytes()).short();
        let path = folder.path().join(name);
        std::fs::write(&path, authority.pem()).unwrap();
        format!("sslmode=verify-full&sslrootcert={}", path.display())
    };
    let record = open("127.0.0.1", trusting(&ours)).await.unwrap();
    record.append(entry("fraud", Verdict::Allow)).await.unwrap();
    assert!(record.verify(&[]).await.unwrap().is_intact());
    record.close().await;

    for (host, parameters, word) in [
        ("127.0.0.1", trusting(&other), "certificate"),
        ("localhost", trusting(&ours), "certificate"),
        ("127.0.0.1", "sslmode=verify-full&sslrootcert=/dev/null".to_owned(), "sslrootcert"),
        ("127.0.0.1", "sslmode=disable".to_owned(), "no encryption"),
    ] {
        let error = open(host, parameters).await.err().unwrap().to_string();
        assert!(error.contains(word), "{error}");
    }
}
