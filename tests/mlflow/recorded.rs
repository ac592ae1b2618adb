//! What the real client and web page send, as it was recorded, is read as what it means.

use std::path::Path;

use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE};
use hyper::{HeaderMap, Method};
use lockgate::registry::mlflow::{Change, Class, Routes, read};
use serde_json::Value;

/// Method, target and body of every recorded request.
fn requests() -> Vec<(Method, String, Option<Vec<u8>>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mlflow/recorded");
    let mut requests = Vec::new();
    let mut add = |method: &Value, target: &Value, body: Option<Vec<u8>>| {
        let method = method.as_str().unwrap().parse().unwrap();
        requests.push((method, target.as_str().unwrap().to_owned(), body));
    };
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|name| name == "json")) {
        let recorded: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        for request in recorded.as_array().into_iter().flatten() {
            let body = request["postData"].as_str().map(|text| text.as_bytes().to_vec());
            add(&request["method"], &request["url"], body);
        }
        for exchange in recorded["exchanges"].as_array().into_iter().flatten() {
            let request = &exchange["request"];
            let body = Some(&request["body"]).filter(|body| !body.is_null());
            add(
                &request["method"],
                &request["path"],
                body.map(|body| body.to_string().into_bytes()),
            );
        }
    }
    requests
}

#[test]
fn every_request_of_the_real_client_and_page_is_understood() {
    let mut seen = Vec::new();
    for (method, target, body) in requests() {
        let mut headers = HeaderMap::new();
        if let Some(body) = &body {
            headers.insert(CONTENT_TYPE, "application/json".parse().unwrap());
            headers.insert(CONTENT_LENGTH, body.len().into());
        }
        match Routes::default().classify(&method, &target, &headers) {
            Class::Pass | Class::Screen(_) => assert_eq!(method, Method::GET, "{target}"),
            Class::Judge(operation) => {
                let mutation = read(operation, &body.unwrap()).unwrap();
                seen.push(mutation.change);
            }
            Class::Refuse(refusal) => panic!("{method} {target}: {refusal}"),
        }
    }
    let count = |is: fn(&Change) -> bool| seen.iter().filter(|change| is(change)).count();
    assert!(count(|change| matches!(change, Change::SetAlias { .. })) >= 3);
    assert!(count(|change| matches!(change, Change::DeleteAlias { .. })) >= 2);
    assert!(count(|change| matches!(change, Change::TransitionStage { .. })) >= 2);
    assert!(count(|change| matches!(change, Change::CreateVersion { .. })) >= 2);
    assert!(count(|change| matches!(change, Change::SetVersionTag { .. })) >= 1);
}
