//! Whatever is passed on unread changes nothing in the registry of a real server.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE};
use hyper::{HeaderMap, Method};
use lockgate::registry::mlflow::{Class, Routes};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::json;

use super::server::Mlflow;

/// Sends a request with nothing about it changed; the status.
fn send_raw(mlflow: &Mlflow, method: &str, target: &str, body: &str) -> u16 {
    let address = mlflow.url().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let head = String::from_utf8_lossy(&answer);
    head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// One way to write a path differently.
#[derive(Clone, Debug)]
enum Step {
    /// The byte at a place, encoded as this tells.
    Encode(usize, &'static str),
    Capital(usize),
    /// Something else in the place of a slash.
    Slash(usize, &'static str),
    Before(&'static str),
    After(&'static str),
}

impl Step {
    fn take(&self, path: &str) -> String {
        let replace = |at: usize, length: usize, text: &str| {
            format!("{}{text}{}", &path[..at], &path[at + length..])
        };
        match self {
            Self::Encode(at, prefix) => {
                let at = at % path.len();
                replace(at, 1, &format!("{prefix}{:02X}", path.as_bytes()[at]))
            }
            Self::Capital(at) => {
                let at = at % path.len();
                replace(at, 1, &path[at..=at].to_uppercase())
            }
            Self::Slash(nth, text) => {
                let slashes: Vec<usize> = path.match_indices('/').map(|(at, _)| at).collect();
                match slashes.get(nth % slashes.len().max(1)) {
                    Some(at) => replace(*at, 1, text),
                    None => path.to_owned(),
                }
            }
            Self::Before(text) => format!("{text}{path}"),
            Self::After(text) => format!("{path}{text}"),
        }
    }
}

/// The route that sets an alias, disguised.
fn target() -> impl Strategy<Value = String> {
    use proptest::sample::select;
    let artifacts = "/api/2.0/mlflow-artifacts/artifacts/..";
    let step = prop_oneof![
        3 => (0..60_usize, select(vec!["%", "%25"])).prop_map(|(at, how)| Step::Encode(at, how)),
        1 => (0..60_usize).prop_map(Step::Capital),
        3 => (0..9_usize, select(vec!["//", "/./", "/x/../", "%2F", "%2f", "\\", "/;x/"]))
            .prop_map(|(at, text)| Step::Slash(at, text)),
        1 => select(vec!["/x", "//x", "http://x", artifacts]).prop_map(Step::Before),
        2 => select(vec!["/", "?", "?x=1", "#", "%20", "%00", ";x", "."]).prop_map(Step::After),
    ];
    let root = select(vec!["/api/2.0", "/ajax-api/2.0"]);
    (root, proptest::collection::vec(step, 0..3)).prop_map(|(root, steps)| {
        let path = format!("{root}/mlflow/registered-models/alias");
        steps.iter().fold(path, |path, step| step.take(&path))
    })
}

#[test]
fn no_disguise_of_the_alias_route_is_passed_and_works() {
    let mlflow = Mlflow::shared();
    let model = mlflow.name("disguise");
    mlflow.model(&model);
    mlflow.version(&model, &mlflow.run(&[("a", 1.0)]));
    let body = json!({"name": model, "alias": "a", "version": "1"}).to_string();
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, "application/json".parse().unwrap());
    headers.insert(CONTENT_LENGTH, body.len().into());
    let mut runner = TestRunner::deterministic();
    let (targets, routes) = (target(), Routes::default());
    let (mut passed, mut stopped, mut worked) = (0, 0, 0);
    for count in 0..240 {
        let target = targets.new_tree(&mut runner).unwrap().current();
        // Plain ones are tried too, to see that the disguises are of something.
        let method = ["POST", "POST", "POST", "post", "PUT", "GET"][count % 6];
        let class =
            routes.classify(&Method::from_bytes(method.as_bytes()).unwrap(), &target, &headers);
        // The others would not be let through; whether MLflow would act on them is what the
        // refusals are for.
        let status = send_raw(&mlflow, method, &target, &body);
        let set = status == 200 && mlflow.alias(&model, "a").is_some();
        if class == Class::Pass {
            passed += 1;
            assert!(!set, "{method} {target} was passed and set the alias");
        } else {
            stopped += 1;
        }
        if set {
            worked += 1;
            mlflow.api("DELETE", "registered-models/alias", &json!({"name": model, "alias": "a"}));
        }
    }
    assert!(passed > 10 && stopped > 100 && worked > 30, "{passed} {stopped} {worked}");
}
