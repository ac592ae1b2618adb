//! Requests that no client sends, to move what a gate keeps.

use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::promoting::{Model, model};
use crate::server::Mlflow;
use crate::wire::Wire;

/// Sends a request as bytes and gives back the status; 0 when the connection was closed instead.
fn status(gateway: &Gateway, request: &[u8]) -> (u16, Value) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut wire = Wire::open(gateway.address()).await;
        wire.try_send(request).await;
        let answer = wire.try_answer().await;
        // To the end, so that whatever was smuggled in has had its effect.
        while wire.try_answer().await.is_some() {}
        answer.map_or((0, Value::Null), |answer| {
            (answer.status, serde_json::from_slice(&answer.body).unwrap_or(Value::Null))
        })
    })
}

fn with_body(line: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

const JSON: &str = "Content-Type: application/json\r\n";
const ALIAS: &str = "POST /api/2.0/mlflow/registered-models/alias";

#[test]
fn no_disguise_moves_an_alias() {
    let mlflow = Mlflow::shared();
    let Model { name, .. } = model(&mlflow, "attack");
    let gateway = Gateway::start(mlflow.url());
    let champion = json!({"name": name, "alias": "champion", "version": "1"});
    let (code, answer) = gateway.change("POST", "registered-models/alias", &champion);
    assert_eq!(code, 200, "{answer}");

    let plain = format!(r#"{{"name":"{name}","alias":"champion","version":"2"}}"#);
    let (code, answer) = status(&gateway, &with_body(ALIAS, JSON, plain.as_bytes()));
    assert_eq!((code, answer["error_code"].as_str()), (403, Some("PERMISSION_DENIED")));

    let bodies = [
        (
            "a version twice",
            format!(r#"{{"name":"{name}","alias":"champion","version":"1","version":"2"}}"#),
        ),
        (
            "an alias twice, escaped",
            format!(r#"{{"name":"{name}","alias":"x","\u0061lias":"champion","version":"2"}}"#),
        ),
        ("JSON in JSON", serde_json::to_string(&plain).unwrap()),
        (
            "a field in another case",
            format!(r#"{{"name":"{name}","Alias":"x","alias":"champion","version":"2"}}"#),
        ),
        (
            "a camel",
            format!(r#"{{"name":"{name}","aliasName":"x","alias":"champion","version":"2"}}"#),
        ),
        (
            "another case of the alias",
            format!(r#"{{"name":"{name}","alias":"Champion","version":"2"}}"#),
        ),
        ("a padded version", format!(r#"{{"name":"{name}","alias":"champion","version":"02"}}"#)),
        ("a number", format!(r#"{{"name":"{name}","alias":"champion","version":2}}"#)),
        (
            "a name with a blank",
            format!(r#"{{"name":"{name} ","alias":"champion","version":"2"}}"#),
        ),
        ("a byte order mark", format!("\u{feff}{plain}")),
        ("two values", format!("{plain}{plain}")),
        ("a comment", format!("/**/{plain}")),
        ("NaN", format!(r#"{{"name":"{name}","alias":"champion","version":"2","x":NaN}}"#)),
    ];
    for (what, body) in &bodies {
        let (code, answer) = status(&gateway, &with_body(ALIAS, JSON, body.as_bytes()));
        assert!(matches!(code, 400 | 403), "{what}: {code} {answer}");
    }
    let utf16: Vec<u8> = plain.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let body = plain.as_bytes();
    let chunked = format!("{:x}\r\n{plain}\r\n0\r\n\r\n", plain.len());
    let query = format!("{ALIAS}?name={name}&alias=champion&version=2");
    let requests: Vec<(&str, Vec<u8>)> = vec![
        ("UTF-16", with_body(ALIAS, "Content-Type: application/json; charset=utf-16\r\n", &utf16)),
        ("UTF-16 unsaid", with_body(ALIAS, JSON, &utf16)),
        ("another charset", with_body(ALIAS, "Content-Type: application/json; charset=utf-7\r\n", body)),
        ("a form", with_body(ALIAS, "Content-Type: application/x-www-form-urlencoded\r\n", body)),
        ("no type", with_body(ALIAS, "", body)),
        ("two types", with_body(ALIAS, &format!("{JSON}Content-Type: text/plain\r\n"), body)),
        ("compressed", with_body(ALIAS, &format!("{JSON}Content-Encoding: gzip\r\n"), body)),
        ("another method", with_body("PUT /api/2.0/mlflow/registered-models/alias", JSON, body)),
        ("a method in a header", with_body("GET /api/2.0/mlflow/registered-models/alias", &format!("{JSON}X-HTTP-Method-Override: POST\r\n"), body)),
        ("a workspace for the look-ups alone", with_body(ALIAS, &format!("{JSON}X-MLFLOW-WORKSPACE: team-a\r\nConnection: x-mlflow-workspace\r\n"), body)),
        ("credentials for the look-ups alone", with_body(ALIAS, &format!("{JSON}Authorization: Basic YW5uOng=\r\nConnection: Authorization\r\n"), body)),
        ("a query", with_body(&query, JSON, body)),
        ("a doubled slash", with_body("POST /api/2.0/mlflow//registered-models/alias", JSON, body)),
        ("an encoded slash", with_body("POST /api/2.0/mlflow/registered-models%2falias", JSON, body)),
        ("an encoded letter", with_body("POST /api/2.0/mlflow/%72egistered-models/alias", JSON, body)),
        ("encoded twice", with_body("POST /api/2.0/mlflow/%2572egistered-models/alias", JSON, body)),
        ("dots", with_body("POST /api/2.0/mlflow/runs/../registered-models/alias", JSON, body)),
        ("a slash at the end", with_body("POST /api/2.0/mlflow/registered-models/alias/", JSON, body)),
        ("upper case", with_body("POST /API/2.0/mlflow/registered-models/alias", JSON, body)),
        ("a parameter", with_body("POST /api/2.0/mlflow/registered-models/alias;a=b", JSON, body)),
        ("a backslash", with_body("POST /api/2.0/mlflow\\registered-models\\alias", JSON, body)),
        ("a later API", with_body("POST /api/3.0/mlflow/registered-models/alias", JSON, body)),
        ("the old API", with_body("POST /api/2.0/preview/mlflow/registered-models/alias", JSON, body)),
        ("an unknown change", with_body("POST /api/2.0/mlflow/model-versions/promote", JSON, body)),
        (
            "no length",
            format!("{ALIAS} HTTP/1.1\r\nHost: a\r\n{JSON}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n{chunked}").into_bytes(),
        ),
        (
            "framed twice",
            format!("{ALIAS} HTTP/1.1\r\nHost: a\r\n{JSON}Content-Length: 4\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{chunked}").into_bytes(),
        ),
        (
            "hidden in the body of another",
            with_body("GET /version", "", &with_body(ALIAS, JSON, body)),
        ),
        (
            "hidden behind chunks",
            format!(
                "POST /api/2.0/mlflow/runs/search HTTP/1.1\r\nHost: a\r\n{JSON}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{}",
                String::from_utf8(with_body(ALIAS, JSON, body)).unwrap()
            )
            .into_bytes(),
        ),
    ];
    for (what, request) in &requests {
        let (code, answer) = status(&gateway, request);
        assert_eq!(mlflow.alias(&name, "champion").as_deref(), Some("1"), "{what}");
        let harmless = what.starts_with("hidden") || what.contains("in a header");
        assert!(harmless || code == 0 || code >= 400, "{what}: {code} {answer}");
    }
}
