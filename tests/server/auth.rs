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
