//! Every route of the installed MLflow is one that somebody has looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, Uri};
use lockgate::registry::mlflow::{Class, Operation, Routes};
use serde_json::Value;

use super::server::python;

const KNOWN: &str = include_str!("routes.txt");

/// A route as MLflow tells it.
struct Route {
    method: Method,
    path: String,
    writes: bool,
}

/// What the installed MLflow tells of itself: its routes, and what GraphQL can change.
fn installed(prefix: &str) -> (Vec<Route>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(python())
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mlflow/routes.py"))
        .arg(folder.path())
        .env("_MLFLOW_STATIC_PREFIX", prefix)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut told = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mutations = serde_json::from_value(told.next().unwrap()["mutations"].clone()).unwrap();
    let routes = told.map(|route| Route {
        method: route["method"].as_str().unwrap().parse().unwrap(),
        path: route["path"].as_str().unwrap().to_owned(),
        writes: route["writes"].as_bool().unwrap(),
    });
    // These two are answered by the framework, whatever the route.
    let routes = routes.filter(|route| ![Method::HEAD, Method::OPTIONS].contains(&route.method));
    (routes.collect(), mutations)
}

/// The path with `with` for every parameter of it, as Flask and FastAPI write them.
fn filled(path: &str, with: &str) -> String {
    let parameter = regex::Regex::new(r"<[^>]*>|\{[^}]*\}").unwrap();
    parameter.replace_all(path, with).into_owned()
}

fn class(routes: &Routes, method: &Method, path: &str) -> Class {
    let headers: HeaderMap = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CONTENT_LENGTH, HeaderValue::from_static("2")),
    ]
    .into_iter()
    .collect();
    let path: Uri = path.parse().unwrap();
    routes.classify(method, path.path(), &headers)
}

const fn word(class: &Class) -> &'static str {
    match class {
        Class::Pass => "pass",
        Class::Screen(_) => "screen",
        Class::Judge(_) => "judge",
        Class::Refuse(_) => "refuse",
    }
}

fn known() -> BTreeMap<(String, String), &'static str> {
    let lines = KNOWN.lines().filter(|line| !line.starts_with('#'));
    let routes = lines.map(|line| {
        let mut words = line.split(' ');
        let class = words.next().unwrap();
        let method = words.next().unwrap().to_owned();
        ((words.next().unwrap().to_owned(), method), class)
    });
    routes.collect()
}

#[test]
fn every_route_of_the_installed_mlflow_is_known_and_is_dealt_with_as_is_written_down() {
    let known = known();
    let (routes, mutations) = installed("");
    assert!(routes.len() > 400, "{}", routes.len());
    // Two are searches, and one echoes what it is sent.
    assert_eq!(mutations, ["mlflowSearchDatasets", "mlflowSearchRuns", "testMutation"]);
    let mut seen = BTreeSet::new();
    for Route { method, path, .. } in &routes {
        let stem = path.strip_prefix("/ajax-api/").or_else(|| path.strip_prefix("/api/"));
        let stem = stem.map_or_else(|| path.clone(), |rest| format!("{{api}}/{rest}"));
        let stem = filled(&stem.replace("{api}", "\0"), "*").replace('\0', "{api}");
        let wanted = known.get(&(stem.clone(), method.to_string()));
        let class = class(&Routes::default(), method, &filled(path, "x"));
        assert_eq!(
            Some(&word(&class)),
            wanted,
            "{method} {path}: look at what it can change, and add it to routes.txt"
        );
        seen.insert((stem, method.to_string()));
    }
    let gone: Vec<_> = known.keys().filter(|route| !seen.contains(*route)).collect();
    assert!(gone.is_empty(), "no longer there: {gone:?}");
}

#[test]
fn what_writes_to_the_registry_is_judged_and_nothing_else_is_below_a_static_prefix_too() {
    for prefix in ["", "/ml/flow"] {
        let (routes, _) = installed(prefix);
        let mut operations = BTreeSet::new();
        for Route { method, path, writes } in &routes {
            let class = class(&Routes::below(prefix), method, &filled(path, "x"));
            match &class {
                Class::Judge(operation) => {
                    assert!(writes, "{method} {path}");
                    operations.insert(*operation);
                }
                Class::Pass | Class::Screen(_) | Class::Refuse(_) => {
                    assert!(!writes, "{method} {path}: {class:?}");
                }
            }
        }
        assert_eq!(operations, BTreeSet::from(Operation::ALL), "{prefix}");
        // At an address without the prefix there is nothing that lockgate would know.
        let elsewhere = Routes::below("/another");
        for Route { method, path, .. } in routes.iter().filter(|route| route.writes) {
            assert!(matches!(class(&elsewhere, method, path), Class::Refuse(_)), "{method} {path}");
        }
    }
}
