//! The table that the SDKs of all languages are held against.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

use lockgate_sdk::prelude::*;
use lockgate_sdk::{difference, number};
use serde_json::Value;

const TABLE: &str = include_str!("../../conformance/checks.json");

#[derive(Clone, Copy, Rules)]
enum Rule {
    /// Only
    ///
    /// The only one.
    Only,
}

fn rows(part: &str) -> Vec<Value> {
    let table: Value = serde_json::from_str(TABLE).unwrap();
    table[part].as_array().unwrap().clone()
}

/// A number, or the word for one that JSON has no number for.
fn float(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}

#[test]
fn writes_numbers_as_every_sdk_does() {
    for row in rows("numbers") {
        assert_eq!(number(float(&row["value"])), row["text"].as_str().unwrap(), "{row}");
    }
}

#[test]
fn takes_differences_as_every_sdk_does() {
    for row in rows("differences") {
        let (result, expected) =
            (difference(float(&row["a"]), float(&row["b"])), float(&row["difference"]));
        assert!(result == expected || (result.is_nan() && expected.is_nan()), "{row}: {result}");
    }
}

#[test]
fn makes_checks_as_every_sdk_does() {
    for row in rows("checks") {
        let (check, expected) = (make(&row["make"]), &row["expect"]);
        assert_eq!(check.outcome.as_str(), expected["outcome"].as_str().unwrap(), "{row}");
        assert_eq!(check.message, expected["message"].as_str().unwrap(), "{row}");
        assert_eq!(check.about.as_deref(), expected["about"].as_str(), "{row}");
        assert_eq!(check.remedy.as_deref(), expected["remedy"].as_str(), "{row}");
        let measure = expected.get("measure").map(|measure| Measure {
            name: measure["name"].as_str().unwrap().to_owned(),
            actual: float(&measure["actual"]),
            limit: float(&measure["limit"]),
            comparison: match measure["comparison"].as_str() {
                Some("at-least") => Comparison::AtLeast,
                _ => Comparison::AtMost,
            },
            unit: measure["unit"].as_str().map(str::to_owned),
        });
        assert_eq!(check.measure, measure, "{row}");
    }
}

fn make(row: &Value) -> Check {
    let text = |key: &str| row[key].as_str().map(str::to_owned);
    let message = text("message");
    let measured = |make: fn(Rule, String, f64, f64) -> Check| {
        make(Rule::Only, text("name").unwrap(), float(&row["actual"]), float(&row["limit"]))
    };
    let plain =
        |make: fn(Rule, String) -> Check| make(Rule::Only, message.clone().unwrap_or_default());
    let mut check = match row["kind"].as_str().unwrap() {
        "at-least" => measured(Check::at_least),
        "at-most" => measured(Check::at_most),
        "pass" => plain(Check::pass),
        "fail" => plain(Check::fail),
        "warn" => plain(Check::warn),
        "skip" => plain(Check::skip),
        other => panic!("no check is made with `{other}`"),
    };
    if let Some(message) = message {
        check = check.message(message);
    }
    if let Some(unit) = text("unit") {
        check = check.unit(unit);
    }
    if let Some(about) = text("about") {
        check = check.about(about);
    }
    if let Some(remedy) = text("remedy") {
        check = check.remedy(remedy);
    }
    check
}
