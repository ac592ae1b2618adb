//! Servers that mean no good.

use lockgate::model::Digest;
use serde_json::json;

use super::folder::Folder;
use super::registry::{NAME, SECRET};
use super::stub::{Answer, NO_LENGTH, Stub};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A manifest of a policy whose component is said to have this digest and size.
fn manifest(digest: Digest, size: u64) -> Vec<u8> {
    let config = Digest::of(b"{}");
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {
            "mediaType": "application/vnd.wasm.config.v0+json", "digest": config, "size": 2,
        },
        "layers": [{"mediaType": "application/wasm", "digest": digest, "size": size}],
    });
    manifest.to_string().into_bytes()
}

/// Credentials for a registry, as `docker login` keeps them.
pub(crate) fn log_in(folder: &Folder, registry: &str, secret: &str) {
    use base64::Engine as _;
    let auth = base64::engine::general_purpose::STANDARD.encode(format!("{NAME}:{secret}"));
    let config = json!({"auths": {registry: {"auth": auth}}});
    folder.write("docker/config.json", config.to_string());
}

#[test]
fn a_manifest_without_end_is_not_read_to_it() {
    for length in [NO_LENGTH, "999999999999"] {
        let folder = Folder::new();
        let stub = Stub::start(move |_| {
            Answer::new(200, vec![b' '; 5_000_000]).with("Content-Length", length)
        });
        let pull = format!("policy pull {}", stub.oci("tenure:1"));
        folder.run(&pull).exits(3).says("larger than 4194304 bytes");
    }
}

#[test]
fn a_component_that_is_too_large_is_not_asked_for() {
    let folder = Folder::new();
    let stub = Stub::start(|asked| {
        assert!(!asked.path.contains("/blobs/"), "{}", asked.path);
        Answer::new(200, manifest(Digest::of(b"x"), (64 << 20) + 1))
    });
    let pull = format!("policy pull {}", stub.oci("tenure:1"));
    folder.run(&pull).exits(3).says("larger than 67108864 bytes");
}

#[test]
fn a_component_that_is_larger_than_was_said_is_not_read_on() {
    let folder = Folder::new();
    let stub = Stub::start(|asked| match asked.path.contains("/blobs/") {
        true => Answer::new(200, vec![0; 1 << 20]),
        false => Answer::new(200, manifest(Digest::of(b"x"), 1)),
    });
    let pull = format!("policy pull {}", stub.oci("tenure:1"));
    folder.run(&pull).exits(3).says("larger than 1 bytes");
}

#[test]
fn an_answer_that_breaks_off_is_no_answer() {
    let folder = Folder::new();
    let stub = Stub::start(|asked| match asked.path.contains("/blobs/") {
        true => Answer::new(200, "half").with("Content-Length", "8"),
        false => Answer::new(200, manifest(Digest::of(b"whole..."), 8)),
    });
    let pull = format!("policy pull {} -o out.wasm", stub.oci("tenure:1"));
    folder.run(&pull).exits(3).says("cannot be reached");
    assert!(!folder.path("out.wasm").exists());
}

#[test]
fn a_redirect_does_not_take_the_credentials_along() {
    let folder = Folder::new();
    let component = folder.read("tenure.wasm");
    let (digest, size) = (Digest::of(&component), component.len());
    let elsewhere = Stub::start(move |_| Answer::new(200, component.clone()));
    let to = format!("http://{}/stored?signature=1", elsewhere.address());
    let registry = Stub::start(move |asked| {
        if asked.header("authorization").is_none() {
            return Answer::new(401, "{}").with("WWW-Authenticate", "Basic realm=\"test\"");
        }
        match asked.path.as_str() {
            path if path.contains("/blobs/") => Answer::new(307, "").with("Location", &to),
            "/v2/tenure/manifests/1" => {
                Answer::new(200, manifest(digest, u64::try_from(size).unwrap()))
            }
            _ => Answer::new(404, "{}"),
        }
    });
    log_in(&folder, registry.address(), SECRET);
    let pull = format!("policy pull {} -o out.wasm", registry.oci("tenure:1"));
    folder.run(&pull).exits(0);
    assert_eq!(folder.read("out.wasm"), folder.read("tenure.wasm"));
    let asked = elsewhere.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].header("authorization"), None);
    assert!(registry.asked().iter().any(|asked| asked.header("authorization").is_some()));
}

#[test]
fn where_a_redirect_leads_to_nobody_logs_in() {
    let folder = Folder::new();
    let token = Stub::start(|_| Answer::new(200, r#"{"token": "x"}"#));
    let realm = format!("Bearer realm=\"http://{}/token\",service=\"evil\"", token.address());
    let elsewhere = Stub::start(move |_| Answer::new(401, "{}").with("WWW-Authenticate", &realm));
    let to = format!("http://{}/stored", elsewhere.address());
    let registry = Stub::start(move |asked| match asked.path.contains("/blobs/") {
        true => Answer::new(302, "").with("Location", &to),
        false => Answer::new(200, manifest(Digest::of(b"x"), 1)),
    });
    log_in(&folder, registry.address(), SECRET);
    let pull = format!("policy pull {} -o out.wasm", registry.oci("tenure:1"));
    folder.run(&pull).exits(3).says("401");
    assert!(token.asked().is_empty());
}

#[test]
fn redirects_without_end_are_not_followed_to_it() {
    let folder = Folder::new();
    let registry = Stub::start(|asked| Answer::new(302, "").with("Location", &asked.path));
    folder
        .run(&format!("policy pull {}", registry.oci("tenure:1")))
        .exits(3)
        .says("redirects, one after the other");
    assert!(registry.asked().len() < 10);
}

#[test]
fn a_password_is_not_sent_in_the_clear() {
    let folder = Folder::new();
    // An address that nobody has; it would take until the end of time to connect to.
    let realm = "Bearer realm=\"http://192.0.2.1/token\",service=\"r\"";
    let registry = Stub::start(move |_| Answer::new(401, "{}").with("WWW-Authenticate", realm));
    log_in(&folder, registry.address(), SECRET);
    folder
        .run(&format!("policy pull {}", registry.oci("tenure:1")))
        .exits(2)
        .says("plain HTTP")
        .conceals(SECRET);
}

#[test]
fn what_a_registry_says_does_not_reach_the_terminal_as_it_is() {
    let folder = Folder::new();
    let body = json!({"errors": [{"code": "X", "message": "\u{1b}]0;evil\u{7}\u{202e}no"}]});
    let registry = Stub::start(move |_| Answer::new(400, body.to_string()));
    folder
        .run(&format!("policy pull {}", registry.oci("tenure:1")))
        .exits(3)
        .says("400")
        .conceals("\u{1b}]")
        .conceals("\u{202e}");
}

#[test]
fn a_lost_answer_is_asked_for_again() {
    let folder = Folder::new();
    let component = folder.read("tenure.wasm");
    let (digest, size) = (Digest::of(&component), u64::try_from(component.len()).unwrap());
    let count = std::sync::atomic::AtomicU32::new(0);
    let registry = Stub::start(move |asked| {
        let first = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
        match asked.path.as_str() {
            _ if first => Answer::new(503, "{}"),
            path if path.contains("/blobs/") => Answer::new(200, component.clone()),
            "/v2/tenure/manifests/1" => Answer::new(200, manifest(digest, size)),
            _ => Answer::new(404, "{}"),
        }
    });
    folder.run(&format!("policy pull {} -o out.wasm", registry.oci("tenure:1"))).exits(0);
}
