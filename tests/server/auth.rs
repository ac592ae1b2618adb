//! Who may ask for what.

use serde_json::json;

use super::http::{Request, get, post};
use super::served::{Folder, GATE, question};

/// Every route with the role it takes.
fn routes() -> Vec<(Request, &'static [&'static str])> {
    let id = "0198c6a5-6f2e-7b1a-9c3d-2f4e5a6b7c8d";
    let mut collected = question(0.95);
    collected["evidence"] = json!({"registry": "nowhere"});
    vec![
        (post("/v1/decisions", &question(0.95)), &["ask", "submit-evidence"]),
        (post("/v1/decisions", &collected), &["ask"]),
        (get("/v1/decisions"), &["read"]),
        (get(&format!("/v1/decisions/{id}")), &["read"]),
        (get("/metrics"), &["read"]),
        (post("/v1/reload", &json!({})), &["administer"]),
        (post("/k8s/validate", &json!({})), &["ask"]),
    ]
}

#[test]
fn each_route_takes_its_roles_and_no_other() {
    let folder = Folder::new(GATE);
    let sets: [&[&str]; 6] = [
        &["ask"],
        &["submit-evidence"],
        &["read"],
        &["administer"],
        &["ask", "submit-evidence"],
        &["read", "administer"],
    ];
    let tokens: Vec<(String, &[&str])> = sets
        .into_iter()
        .enumerate()
        .map(|(number, roles)| (folder.token(&format!("user-{number}"), roles), roles))
        .collect();
    let served = folder.serve("--tokens tokens");
    for (request, needed) in routes() {
        let path = &request.path;
        served.send(&request).refused(401, "unauthenticated");
        for (token, roles) in &tokens {
            let response = served.send(&request.clone().bearer(token));
            if needed.iter().all(|role| roles.contains(role)) {
                assert!(
                    ![401, 403].contains(&response.status),
                    "{path} {roles:?}: {}",
                    response.text()
                );
            } else {
                response.refused(403, "forbidden");
            }
        }
    }
    for open in ["/livez", "/readyz", "/openapi.json"] {
        served.get(open).is(200);
    }
}

#[test]
fn only_the_whole_token_counts() {
    let folder = Folder::new(GATE);
    let token = folder.token("reader", &["read"]);
    let served = folder.serve("--tokens tokens");
    let refused = served.get("/v1/decisions").refused(401, "unauthenticated");
    assert!(refused.header("www-authenticate").unwrap().starts_with("Bearer"));
    let list = || get("/v1/decisions");
    served.send(&list().bearer(&token)).is(200);
    served.send(&list().header("authorization", &format!("bearer {token}"))).is(200);
    let digest = std::fs::read_to_string(served.folder.path("tokens")).unwrap();
    let digest = digest.trim().rsplit(' ').next().unwrap().to_owned();
    for wrong in [
        format!("Bearer {}", &token[..token.len() - 1]),
        format!("Bearer {token}x"),
        format!("Bearer {digest}"),
        format!("Basic {token}"),
        "Bearer".to_owned(),
        token.clone(),
        String::new(),
    ] {
        let request = list().header("authorization", &wrong);
        served.send(&request).refused(401, "unauthenticated");
    }
    let twice = list().bearer(&token).bearer(&token);
    served.send(&twice).refused(401, "unauthenticated");
}

#[test]
fn who_asked_is_on_record_by_their_credentials() {
    let folder = Folder::new(GATE);
    let token = folder.token("ci", &["ask", "submit-evidence", "read"]);
    let served = folder.serve("--tokens tokens");
    let mut asked = question(0.95);
    let answer = served.send(&post("/v1/decisions", &asked).bearer(&token)).is(200).json();
    assert_eq!(answer["asked_by"], "ci");
    assert_eq!(answer["decision"]["promotion"]["requested_by"], "ci");
    asked["requested_by"] = json!("alice");
    let answer = served.send(&post("/v1/decisions", &asked).bearer(&token)).is(200).json();
    assert_eq!(answer["asked_by"], "ci");
    assert_eq!(answer["decision"]["promotion"]["requested_by"], "alice");
    let listed = served.send(&get("/v1/decisions").bearer(&token)).is(200).json();
    assert_eq!(listed["decisions"][0]["asked_by"], "ci");
}

#[test]
fn tokens_are_taken_back_without_a_restart() {
    let folder = Folder::new(GATE);
    let line_of = |name: &str| {
        let token = folder.token(name, &["read"]);
        let line = std::fs::read_to_string(folder.path("tokens")).unwrap();
        std::fs::remove_file(folder.path("tokens")).unwrap();
        (token, line)
    };
    let ((old, kept), (new, line)) = (line_of("old"), line_of("new"));
    folder.write("tokens", &kept);
    let served = folder.serve("--tokens tokens");
    served.send(&get("/v1/decisions").bearer(&old)).is(200);
    served.folder.write("new-tokens", line);
    std::fs::rename(served.folder.path("new-tokens"), served.folder.path("tokens")).unwrap();
    served.until_logged("tokens loaded");
    served.send(&get("/v1/decisions").bearer(&old)).refused(401, "unauthenticated");
    served.send(&get("/v1/decisions").bearer(&new)).is(200);

    served.folder.write("tokens", kept + "nonsense\n");
    served.until_logged("the tokens cannot be used");
    served.send(&get("/v1/decisions").bearer(&new)).is(200);
    served.send(&get("/v1/decisions").bearer(&old)).refused(401, "unauthenticated");
}

#[test]
fn a_token_is_in_no_log() {
    let folder = Folder::new(GATE);
    let token = folder.token("ci", &["ask", "submit-evidence"]);
    let served = folder.serve("--tokens tokens --log trace");
    served.send(&post("/v1/decisions", &question(0.95)).bearer(&token)).is(200);
    served.signal(rustix::process::Signal::TERM);
    served.until_logged_without("stopped", &token);
}

#[test]
fn tokens_that_cannot_be_used_show_without_the_log() {
    let folder = Folder::new(GATE);
    let token = folder.token("ci", &["read"]);
    let tokens = std::fs::read_to_string(folder.path("tokens")).unwrap();
    let served = folder.serve("--tokens tokens");
    let metrics = || served.send(&get("/metrics").bearer(&token)).is(200).text();
    let count = |result: &str, number: u32| {
        let line = format!("lockgate_token_reloads_total{{result=\"{result}\"}} {number}\n");
        assert!(metrics().contains(&line), "{}", metrics());
    };
    assert_eq!(served.get("/readyz").is(200).json()["tokens"], "loaded");
    count("failed", 0);
    served.folder.replace("tokens", "nonsense\n");
    served.until_logged("the tokens cannot be used");
    let ready = served.get("/readyz").is(200).json();
    assert_eq!((&ready["tokens"], &ready["certificates"]), (&json!("stale"), &json!(null)));
    count("failed", 1);
    served.folder.replace("tokens", tokens);
    served.until_logged("the tokens can be used again");
    assert_eq!(served.get("/readyz").is(200).json()["tokens"], "loaded");
}

/// Somebody who tries tokens, or a pipeline whose token was taken back, is to be seen.
#[test]
fn refused_credentials_are_logged_and_counted() {
    let folder = Folder::new(GATE);
    let (reader, asker) = (folder.token("reader", &["read"]), folder.token("ci", &["ask"]));
    let served = folder.serve("--tokens tokens");
    let metrics = || served.send(&get("/metrics").bearer(&reader)).is(200).text();
    let count = |reason: &str, number: u32| {
        let name = "lockgate_credentials_refused_total";
        let line = format!("{name}{{reason=\"{reason}\"}} {number}\n");
        assert!(metrics().contains(&line), "{}", metrics());
    };
    count("unauthenticated", 0);
    served.send(&get("/v1/decisions").bearer("lockgate_wrong")).refused(401, "unauthenticated");
    let line = served.until_logged("credentials are not known");
    assert_eq!(line["level"], "WARN", "{line}");
    assert!(line["span"]["client"].as_str().unwrap().starts_with("127.0.0.1:"), "{line}");
    assert!(!line.to_string().contains("lockgate_wrong"), "{line}");
    served.send(&get("/v1/decisions").bearer(&asker)).refused(403, "forbidden");
    let line = served.until_logged("a role is missing");
    assert_eq!((&line["name"], &line["role"]), (&json!("ci"), &json!("read")), "{line}");
    count("unauthenticated", 1);
    count("forbidden", 1);
}

#[test]
fn who_asked_for_what_is_in_the_log() {
    let folder = Folder::new(GATE);
    let token = folder.token("ci", &["ask", "submit-evidence", "administer"]);
    let served = folder.serve("--tokens tokens");
    served.send(&post("/v1/decisions", &question(0.95)).bearer(&token)).is(200);
    let line = served.until_logged("decided");
    assert_eq!(line["asked_by"], "ci", "{line}");
    // What a promotion goes to, and not where in the code it is logged.
    assert_eq!(line["target"], "stage:Production", "{line}");
    served.send(&post("/v1/reload", &json!({})).bearer(&token)).is(200);
    let line = served.until_logged("told to load the gates anew");
    assert_eq!(line["asked_by"], "ci", "{line}");
}
