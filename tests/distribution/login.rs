//! Registries that ask who is there.

use std::os::unix::fs::PermissionsExt as _;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::json;

use super::folder::{Folder, ran};
use super::hostile::log_in;
use super::registry::{NAME, Registry, SECRET};
use super::stub::{Answer, Asked, Stub};

#[test]
fn a_password_is_taken_from_the_docker_configuration() {
    let (registry, folder) = (Registry::with_password(), Folder::new());
    let reference = registry.oci("risk/tenure:1");
    let push = format!("policy push tenure.wasm {reference}");
    folder.run(&push).exits(3).says("docker login").says("without credentials");
    log_in(&folder, &registry.address(), "wrong");
    folder.run(&push).exits(3).says("docker login").conceals("wrong");
    log_in(&folder, "127.0.0.1:1", SECRET);
    folder.run(&push).exits(3).says("without credentials");
    log_in(&folder, &registry.address(), SECRET);
    folder.run(&push).exits(0).conceals(SECRET);
    folder.gate(&reference, "");
    folder.run("policy lock").exits(0);
    folder.forget();
    folder.check("").exits(0).conceals(SECRET);
    assert!(!registry.log().contains(SECRET));
}

#[test]
fn a_configuration_that_cannot_be_read_is_told_of() {
    let (registry, folder) = (Registry::with_password(), Folder::new());
    let push = format!("policy push tenure.wasm {}", registry.oci("tenure:1"));
    folder.write("docker/config.json", "{");
    folder.run(&push).exits(2).says("DOCKER_CONFIG");
    let config = json!({"auths": {registry.address(): {"auth": "czNjcmV0"}}});
    folder.write("docker/config.json", config.to_string());
    folder.run(&push).exits(2).says("malformed").conceals("s3cret").conceals("czNjcmV0");
}

#[test]
fn a_credential_helper_is_asked() {
    let (registry, folder) = (Registry::with_password(), Folder::new());
    let push = |script: &str| {
        let name = "bin/docker-credential-test";
        folder.write(name, format!("#!/bin/sh\nread server\n{script}\n"));
        let path = folder.path(name);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let address = registry.address();
        let config = json!({"credHelpers": {address: "test"}});
        folder.write("docker/config.json", config.to_string());
        let mut command = folder.command();
        let path = format!("{}:/usr/bin:/bin", folder.path("bin").display());
        command.env("PATH", path).args(["policy", "push", "tenure.wasm"]);
        ran(command.arg(registry.oci("tenure:1")))
    };
    let answer = json!({"ServerURL": "x", "Username": NAME, "Secret": SECRET});
    push(&format!("[ \"$server\" = {} ] && echo '{answer}'", registry.address())).exits(0);
    push("echo credentials not found in native keychain; exit 1").exits(3).says("without");
    push(&format!("echo {SECRET} | tee /dev/stderr; exit 1"))
        .exits(2)
        .says("docker-credential-test")
        .conceals(SECRET);
    push("echo nonsense").exits(2).says("credential helper");
}

/// A server that gives tokens for a registry, valid for so many seconds.
fn token_server(seconds: i64) -> (Registry, Stub) {
    let random = SystemRandom::new();
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&pair).unwrap();
    let (pem, der) = (certificate.pem(), STANDARD.encode(certificate.der()));
    let key =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pair.serialize_der(), &random)
            .unwrap();
    let stub = Stub::start(move |asked| {
        let basic = STANDARD.encode(format!("{NAME}:{SECRET}"));
        if asked.header("authorization") != Some(format!("Basic {basic}")) {
            return Answer::new(401, "{}");
        }
        let token = token(&key, &der, asked, seconds);
        Answer::new(200, json!({"token": token}).to_string())
    });
    let auth = format!(
        "auth: {{token: {{realm: \"http://{}/token\", service: lockgate-test, issuer: test, rootcertbundle: FOLDER/roots.pem}}}}\n",
        stub.address()
    );
    let registry = Registry::with(&auth, "", |folder| {
        std::fs::write(folder.join("roots.pem"), pem).unwrap();
    });
    (registry, stub)
}

/// A token for what was asked for.
fn token(key: &EcdsaKeyPair, certificate: &str, asked: &Asked, seconds: i64) -> String {
    let decoded = asked.path.replace("%3A", ":").replace("%2F", "/").replace("%2C", ",");
    let scope = decoded.split("scope=").nth(1).unwrap().split('&').next().unwrap();
    let mut parts = scope.splitn(3, ':');
    let (kind, name) = (parts.next().unwrap(), parts.next().unwrap());
    let actions: Vec<_> = parts.next().unwrap().split(',').collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let now = i64::try_from(now).unwrap();
    let header = json!({"typ": "JWT", "alg": "ES256", "x5c": [certificate]});
    let claims = json!({
        "iss": "test", "sub": NAME, "aud": "lockgate-test", "jti": "1",
        "iat": now - 600, "nbf": now - 600, "exp": now + seconds,
        "access": [{"type": kind, "name": name, "actions": actions}],
    });
    let encode = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = key.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn a_token_is_had_for_a_password() {
    let ((registry, stub), folder) = (token_server(300), Folder::new());
    let reference = registry.oci("risk/tenure:1");
    let push = format!("policy push tenure.wasm {reference}");
    folder.run(&push).exits(3).says("docker login");
    log_in(&folder, &registry.address(), "wrong");
    folder.run(&push).exits(3).says("docker login").conceals("wrong");
    log_in(&folder, &registry.address(), SECRET);
    folder.run(&push).exits(0);
    let before = stub.asked().len();
    folder.run(&format!("policy pull {reference} -o out.wasm")).exits(0);
    // One is enough for the manifest, the component and its signatures.
    assert_eq!(stub.asked().len(), before + 1);
    let scopes: Vec<_> = stub.asked().into_iter().map(|asked| asked.path).collect();
    assert!(scopes[0].contains("pull%2Cpush"), "{scopes:?}");
    assert!(!scopes[before].contains("push"), "{scopes:?}");
    // A token is no password: it goes nowhere but to the registry.
    assert!(stub.asked().iter().all(|asked| {
        asked.header("authorization").is_none_or(|header| header.starts_with("Basic "))
    }));
}

#[test]
fn a_token_that_has_expired_lets_nobody_in() {
    let ((registry, _stub), folder) = (token_server(-300), Folder::new());
    log_in(&folder, &registry.address(), SECRET);
    folder
        .run(&format!("policy push tenure.wasm {}", registry.oci("risk/tenure:1")))
        .exits(3)
        .says("docker login")
        .conceals(SECRET);
}

#[test]
fn a_token_that_expires_on_the_way_is_had_anew() {
    let folder = Folder::new();
    let component = folder.read("tenure.wasm");
    let digest = lockgate::model::Digest::of(&component);
    let tokens = std::sync::atomic::AtomicU32::new(0);
    let server = Stub::start(move |_| {
        let number = tokens.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Answer::new(200, json!({"access_token": format!("t{number}")}).to_string())
    });
    let realm = format!("Bearer realm=\"http://{}/token\"", server.address());
    let registry = Stub::start(move |asked| {
        let manifest = asked.path.contains("/manifests/1");
        // The first token is good for the manifest and no longer after.
        let needed = if manifest { "Bearer t0" } else { "Bearer t1" };
        if asked.header("authorization").as_deref() != Some(needed) {
            return Answer::new(401, "{}").with("WWW-Authenticate", &realm);
        }
        if manifest {
            let descriptor = |media_type: &str, size: usize| json!({"mediaType": media_type, "digest": digest, "size": size});
            let manifest = json!({
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": descriptor("application/vnd.wasm.config.v0+json", 2),
                "layers": [descriptor("application/wasm", component.len())],
            });
            return Answer::new(200, manifest.to_string());
        }
        match asked.path.contains("/blobs/") {
            true => Answer::new(200, component.clone()),
            false => Answer::new(404, "{}"),
        }
    });
    folder.run(&format!("policy pull {} -o out.wasm", registry.oci("tenure:1"))).exits(0);
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn an_identity_token_is_exchanged_for_another() {
    let folder = Folder::new();
    let server = Stub::start(|asked| {
        let body = String::from_utf8(asked.body.clone()).unwrap();
        assert!(body.contains("grant_type=refresh_token"), "{body}");
        assert!(body.contains("refresh_token=s3cret%2Bidentity"), "{body}");
        assert_eq!(asked.header("authorization"), None);
        Answer::new(403, "{}")
    });
    let realm = format!("Bearer realm=\"http://{}/token\",service=\"r\"", server.address());
    let registry = Stub::start(move |_| Answer::new(401, "{}").with("WWW-Authenticate", &realm));
    let config = json!({"auths": {registry.address(): {"identitytoken": "s3cret+identity"}}});
    folder.write("docker/config.json", config.to_string());
    folder
        .run(&format!("policy pull {}", registry.oci("tenure:1")))
        .exits(3)
        .says("docker login")
        .conceals("s3cret");
    assert_eq!(server.asked().len(), 1);
}
