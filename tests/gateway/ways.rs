//! Other ways to run MLflow, and other ways to reach the gateway before it.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::gateway::{GATE_FILE, Gateway};
use crate::promoting::{Model, assert_allowed, assert_denied, client, client_with, model, tag_of};
use crate::server::{Mlflow, send, send_with};

fn champion(name: &str, version: &str) -> (&'static str, Value) {
    let arguments = json!({"name": name, "alias": "champion", "version": version});
    ("set_registered_model_alias", arguments)
}

fn basic(user: &str, password: &str) -> String {
    let both = format!("{user}:{password}");
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(both))
}

#[test]
fn mlflow_checks_who_asks_where_it_has_basic_authentication() {
    const ADMIN: (&str, &str) = ("admin", "of-a-test-alone");
    const ANN: (&str, &str) = ("ann", "another-of-a-test");
    let server = Mlflow::own(&["--app-name", "basic-auth"]);
    let authorization = basic(ADMIN.0, ADMIN.1);
    let mlflow = server.seen_from(server.url(), &[("authorization", &authorization)]);
    mlflow.api("POST", "users/create", &json!({"username": ANN.0, "password": ANN.1}));
    let Model { name, .. } = &model(&mlflow, "users");
    let gateway = Gateway::start(server.url());
    let as_user = |(user, password): (&str, &str), calls: &[(&str, Value)]| {
        let variables =
            [("MLFLOW_TRACKING_USERNAME", user), ("MLFLOW_TRACKING_PASSWORD", password)];
        client_with(&gateway.url, &variables, calls)
    };
    let results = as_user(ADMIN, &[champion(name, "2"), champion(name, "1")]);
    assert_denied(&results[..1], &["lockgate denies", "alias:champion", "val_auc"]);
    assert_allowed(&results[1..]);
    assert_eq!(mlflow.alias(name, "champion").as_deref(), Some("1"));
    assert!(tag_of(&mlflow, name, "1", "lockgate.decision.alias.champion").is_some());
    for decision in gateway.decisions("mlflow") {
        assert_eq!(decision["requested_by"], "admin", "{decision}");
    }

    // She may look at the model and not change it, which MLflow says itself.
    let before = gateway.decisions("mlflow").len();
    let candidate = json!({"name": name, "alias": "candidate", "version": "2"});
    let results = as_user(ANN, &[("set_registered_model_alias", candidate.clone())]);
    assert_eq!(results[0]["error_code"], "PERMISSION_DENIED", "{}", results[0]);
    assert_eq!(mlflow.alias(name, "candidate"), None);
    assert_eq!(tag_of(&mlflow, name, "2", "lockgate.decision.alias.candidate"), None);
    let recorded = gateway.decisions("mlflow");
    assert_eq!(recorded.len(), before + 1);
    assert_eq!(recorded[0]["requested_by"], "ann");

    // Nobody that MLflow knows: nothing is decided, as nothing could be looked up.
    let body = Some(candidate.to_string().into_bytes());
    let route = "/api/2.0/mlflow/registered-models/alias";
    for headers in [vec![], vec![("authorization", basic("admin", "wrong"))]] {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (status, answer) = send_with(&gateway.url, "POST", route, body.clone(), &headers);
        assert_eq!((status, &answer["error_code"]), (403, &json!("PERMISSION_DENIED")), "{answer}");
        let (status, _) = send_with(&gateway.url, "GET", "/", None, &headers);
        assert_eq!(status, 401);
    }
    assert_eq!(gateway.decisions("mlflow").len(), before + 1);
    // Users and roles are managed through the gateway.
    let (status, answer) = send_with(
        &gateway.url,
        "POST",
        "/api/2.0/mlflow/users/create",
        Some(json!({"username": "bob", "password": "one-more-of-a-test"}).to_string().into_bytes()),
        &[("authorization", &authorization)],
    );
    assert_eq!(status, 200, "{answer}");
}

#[test]
fn a_static_prefix_is_part_of_every_route() {
    let mlflow = Mlflow::own(&["--static-prefix", "/ml/flow"]);
    assert!(mlflow.url().ends_with("/ml/flow"));
    let gateway = Gateway::start(mlflow.url());
    let Model { name, good_run, .. } = &model(&mlflow, "prefix");
    let url = format!("{}/ml/flow", gateway.url);
    let stage = json!({"name": name, "version": "2", "stage": "Production"});
    let results = client(
        &url,
        &[
            champion(name, "2"),
            ("transition_model_version_stage", stage),
            champion(name, "1"),
            ("round_trip", json!({"run_id": good_run, "size": 100_000})),
            ("search_model_versions", json!({"filter_string": format!("name='{name}'")})),
        ],
    );
    assert_denied(&results[..1], &["lockgate denies", "alias:champion"]);
    assert_denied(&results[1..2], &["lockgate denies", "stage:Production"]);
    assert_allowed(&results[2..]);
    assert_eq!(mlflow.alias(name, "champion").as_deref(), Some("1"));
    let (status, page) = send(&url, "GET", "/", None);
    assert!(status == 200 && page.as_str().unwrap().contains("<html"), "{status} {page}");
    // Neither without the prefix, nor with another, nor with it twice.
    let body = Some(champion(name, "2").1.to_string().into_bytes());
    for root in ["", "/ml", "/ml/flow/ml/flow", "/ml//flow", "/ml/flow/", "/ML/flow", "/ml%2fflow"]
    {
        for api in ["api", "ajax-api"] {
            let path = format!("{root}/{api}/2.0/mlflow/registered-models/alias");
            let (status, answer) = send(&gateway.url, "POST", &path, body.clone());
            assert!(matches!(status, 400 | 403), "{path}: {status} {answer}");
            assert_eq!(mlflow.alias(name, "champion").as_deref(), Some("1"), "{path}");
        }
    }
}

#[test]
fn each_workspace_has_models_of_its_own() {
    let server = Mlflow::own(&["--enable-workspaces"]);
    let gateway = Gateway::start(server.url());
    // Making one passes.
    let team = json!({"name": "team-a"});
    let (status, answer) = gateway.send("POST", "/api/3.0/mlflow/workspaces", &team);
    assert!(matches!(status, 200 | 201), "{status} {answer}");
    let header = [("x-mlflow-workspace", "team-a")];
    let mlflow = server.seen_from(server.url(), &header).with_experiment();
    let Model { name, .. } = &model(&mlflow, "shared-name");
    // The same name, and the good and the bad one the other way round.
    server.model(name);
    let (bad, good) = (server.run(&[("val_auc", 0.4)]), server.run(&[("val_auc", 0.97)]));
    server.version(name, &bad);
    server.version(name, &good);

    let both = [champion(name, "1"), champion(name, "2")];
    let within = client_with(&gateway.url, &[("MLFLOW_WORKSPACE", "team-a")], &both);
    assert_allowed(&within[..1]);
    assert_denied(&within[1..], &["lockgate denies", "alias:champion", "0.5"]);
    let without = client(&gateway.url, &both);
    assert_denied(&without[..1], &["lockgate denies", "alias:champion", "0.4"]);
    assert_allowed(&without[1..]);
    assert_eq!(mlflow.alias(name, "champion").as_deref(), Some("1"));
    assert_eq!(server.alias(name, "champion").as_deref(), Some("2"));
    assert!(tag_of(&mlflow, name, "1", "lockgate.decision.alias.champion").is_some());
    // The record says which was meant.
    let decisions = gateway.decisions("mlflow");
    let mut told: Vec<_> = decisions
        .iter()
        .map(|one| [&one["registry"], &one["version"], &one["verdict"]].map(|text| text.as_str()))
        .collect();
    told.sort_unstable();
    let wanted = [
        ["mlflow", "1", "deny"],
        ["mlflow", "2", "allow"],
        ["mlflow/team-a", "1", "allow"],
        ["mlflow/team-a", "2", "deny"],
    ];
    assert_eq!(told, wanted.map(|words| words.map(Some)));

    // Judged as that of the team, and changed as the one that everybody sees.
    let (_, arguments) = champion(name, "1");
    let route = "/api/2.0/mlflow/registered-models/alias";
    let disguise = [("x-mlflow-workspace", "team-a"), ("connection", "x-mlflow-workspace")];
    let body = Some(arguments.to_string().into_bytes());
    let (status, answer) = send_with(&gateway.url, "POST", route, body, &disguise);
    assert_eq!(status, 400, "{answer}");
    assert_eq!(server.alias(name, "champion").as_deref(), Some("2"));

    // Moving all of its models elsewhere is not for clients.
    let path = "/api/3.0/mlflow/workspaces/team-a";
    for (method, path) in
        [("DELETE", path), ("PATCH", path), ("DELETE", "/ajax-api/3.0/mlflow/workspaces/team-a")]
    {
        let (status, answer) = gateway.send(method, path, &json!({}));
        assert_eq!(status, 403, "{method} {path}: {answer}");
    }
}

/// An authority in `authority.pem`, and a certificate of it for this machine in `server.pem` with
/// its key in `server.key`.
fn write_certificates(folder: &Path) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "an authority");
    // Some that verify want to be told, and would not take one without.
    params.key_usages =
        vec![rcgen::KeyUsagePurpose::KeyCertSign, rcgen::KeyUsagePurpose::DigitalSignature];
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    std::fs::write(folder.join("authority.pem"), pem).unwrap();
    let issuer = Issuer::new(params, key);
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "a server");
    params.use_authority_key_identifier_extension = true;
    params.subject_alt_names = vec![
        SanType::IpAddress("127.0.0.1".parse().unwrap()),
        SanType::DnsName("localhost".try_into().unwrap()),
    ];
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    std::fs::write(folder.join("server.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Sends requests over one connection of HTTP/2; the status and the body of each.
async fn over_http2(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    scheme: &str,
    authority: &str,
    requests: &[(&str, &str, Vec<u8>)],
) -> Vec<(u16, Bytes)> {
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    let mut answers = Vec::new();
    for (method, path, body) in requests {
        let request = Request::builder()
            .method(*method)
            .uri(format!("{scheme}://{authority}{path}"))
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body.clone())))
            .unwrap();
        let answer = sender.send_request(request).await.unwrap();
        let status = answer.status().as_u16();
        answers.push((status, answer.into_body().collect().await.unwrap().to_bytes()));
    }
    answers
}

/// A denial, an allow, and a file up and down again.
fn requests(name: &str, run: &str) -> Vec<(&'static str, String, Vec<u8>)> {
    let alias = "/api/2.0/mlflow/registered-models/alias".to_owned();
    let set = |version: &str| champion(name, version).1.to_string().into_bytes();
    let file = format!("/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/model/weights.bin");
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|number| number.to_le_bytes()[1]).collect();
    vec![
        ("POST", alias.clone(), set("2")),
        ("POST", alias, set("1")),
        ("PUT", file.clone(), bytes),
        ("GET", file, Vec::new()),
    ]
}

#[track_caller]
fn assert_answers(answers: &[(u16, Bytes)], requests: &[(&str, String, Vec<u8>)]) {
    let statuses: Vec<u16> = answers.iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, [403, 200, 200, 200]);
    let denial: Value = serde_json::from_slice(&answers[0].1).unwrap();
    assert_eq!(denial["error_code"], "PERMISSION_DENIED", "{denial}");
    assert!(answers[3].1 == requests[2].2, "the file came back as another");
}

#[test]
fn clients_of_http2_are_held_to_the_same_with_tls_and_without() {
    let mlflow = Mlflow::shared();
    let certificates = tempfile::tempdir().unwrap();
    write_certificates(certificates.path());
    let file = |name: &str| text(&certificates.path().join(name)).to_owned();
    let plain = Gateway::start(mlflow.url());
    let (certificate, key) = (file("server.pem"), file("server.key"));
    let options = ["--tls-cert", certificate.as_str(), "--tls-key", key.as_str()];
    let secure = Gateway::start_with(mlflow.url(), GATE_FILE, &options, |_| {});
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();

    let Model { name, good_run, .. } = &model(&mlflow, "h2c");
    let sent = requests(name, good_run);
    let as_sent: Vec<_> =
        sent.iter().map(|(m, path, body)| (*m, path.as_str(), body.clone())).collect();
    let answers = runtime.block_on(async {
        let address = plain.address();
        let stream = TcpStream::connect(address).await.unwrap();
        over_http2(stream, "http", &address.to_string(), &as_sent).await
    });
    assert_answers(&answers, &sent);
    assert_eq!(mlflow.alias(name, "champion").as_deref(), Some("1"));

    let Model { name, good_run, .. } = &model(&mlflow, "h2");
    let sent = requests(name, good_run);
    let as_sent: Vec<_> =
        sent.iter().map(|(m, path, body)| (*m, path.as_str(), body.clone())).collect();
    let answers = runtime.block_on(async {
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_file(file("authority.pem")).unwrap();
        roots.add(authority).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let address = secure.address();
        let stream = TcpStream::connect(address).await.unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let name = ServerName::try_from("localhost").unwrap();
        let stream = connector.connect(name, stream).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        over_http2(stream, "https", &format!("localhost:{}", address.port()), &as_sent).await
    });
    assert_answers(&answers, &sent);
    assert_eq!(mlflow.alias(name, "champion").as_deref(), Some("1"));

    // MLflow's own client, which verifies the certificate.
    let Model { name, good_run, .. } = &model(&mlflow, "https");
    let calls = [
        champion(name, "2"),
        champion(name, "1"),
        ("round_trip", json!({"run_id": good_run, "size": 300_000})),
    ];
    let authority = file("authority.pem");
    let variables = [("MLFLOW_TRACKING_SERVER_CERT_PATH", authority.as_str())];
    let results = client_with(&secure.url, &variables, &calls);
    assert_denied(&results[..1], &["lockgate denies", "alias:champion"]);
    assert_allowed(&results[1..]);
}

#[test]
fn mlflow_is_reached_by_https_and_verified() {
    let certificates = tempfile::tempdir().unwrap();
    write_certificates(certificates.path());
    let file = |name: &str| text(&certificates.path().join(name)).to_owned();
    let (certificate, key, authority) =
        (file("server.pem"), file("server.key"), file("authority.pem"));
    let tls = format!("--ssl-keyfile {key} --ssl-certfile {certificate}");
    let mlflow = Mlflow::own(&["--uvicorn-opts", &tls]);
    assert!(mlflow.url().starts_with("https://"));
    let ca = ["--mlflow-ca", authority.as_str()];
    let of_machine = [("SSL_CERT_FILE", authority.as_str())];
    for (options, variables) in [(&ca[..], &[][..]), (&[], &of_machine)] {
        let Model { name, good_run, .. } = &model(&mlflow, "secure");
        let gateway = Gateway::start_in(mlflow.url(), GATE_FILE, options, variables, |_| {});
        let results = client(
            &gateway.url,
            &[
                champion(name, "2"),
                champion(name, "1"),
                ("round_trip", json!({"run_id": good_run, "size": 300_000})),
            ],
        );
        assert_denied(&results[..1], &["lockgate denies", "alias:champion"]);
        assert_allowed(&results[1..]);
        assert_eq!(mlflow.alias(name, "champion").as_deref(), Some("1"));
    }

    // Who is not vouched for is not spoken to.
    let Model { name, .. } = &model(&mlflow, "unknown");
    let stranger = tempfile::tempdir().unwrap();
    write_certificates(stranger.path());
    let other = text(&stranger.path().join("authority.pem")).to_owned();
    let gateway = Gateway::start_with(mlflow.url(), GATE_FILE, &["--mlflow-ca", &other], |_| {});
    let (status, _) = send(&gateway.url, "GET", "/version", None);
    assert_eq!(status, 503);
    let (status, answer) =
        gateway.change("POST", "registered-models/alias", &champion(name, "1").1);
    assert_eq!((status, &answer["error_code"]), (403, &json!("PERMISSION_DENIED")), "{answer}");
    assert_eq!(mlflow.alias(name, "champion"), None);
}
