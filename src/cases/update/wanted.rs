//! What is to be expected from now on, and how it is written.

use serde_json::{Map, Value, json};

use crate::cases::expected::{Expected, ExpectedCheck, ExpectedRule, word};
use crate::cases::pattern::exactly;
use crate::config::{flow, scalar};
use crate::model::{Check, Undecided};

/// All that is to be expected, in the terms of the case where the answer allows it.
pub(super) fn anew(
    expected: &Expected,
    answer: &Result<Vec<Check>, Undecided>,
) -> Map<String, Value> {
    let (key, value) = match (expected, answer) {
        (Expected::Rules(rules), Ok(checks)) => {
            let rules = rules
                .iter()
                .map(|(rule, expected)| (rule.clone(), rule_value(rule, expected, checks)));
            ("rules", Value::Object(rules.collect()))
        }
        (expected, Ok(checks)) => {
            let old = match expected {
                Expected::Outcome(old) => old.as_slice(),
                Expected::Rules(_) | Expected::Refusal(..) | Expected::Undecided(..) => &[],
            };
            let value = checks.iter().map(|check| {
                check_value(check, old.iter().find(|old| same_thing(old, check)), true)
            });
            ("outcome", value.collect())
        }
        (_, Err(Undecided::ParamsRefused { detail })) => {
            ("refusal", json!({ "params": exactly(detail) }))
        }
        (_, Err(Undecided::EvidenceRefused { detail })) => {
            ("refusal", json!({ "evidence": exactly(detail) }))
        }
        (_, Err(reason)) => ("undecided", json!(reason.code())),
    };
    Map::from_iter([(key.to_owned(), value)])
}

pub(super) fn same_thing(expected: &ExpectedCheck, check: &Check) -> bool {
    expected.rule == check.rule && expected.about == check.about
}

pub(super) fn flow_check(check: &Check, old: Option<&ExpectedCheck>) -> String {
    flow_of(&check_value(check, old, true))
}

pub(super) fn flow_rule(rule: &str, old: &ExpectedRule, checks: &[Check]) -> String {
    flow_wanted(&rule_value(rule, old, checks))
}

/// What is to be expected in one line: a list of checks, rules with what each comes to, or less.
pub(super) fn flow_wanted(value: &Value) -> String {
    match value {
        Value::Array(checks) => {
            format!("[{}]", checks.iter().map(flow_of).collect::<Vec<_>>().join(", "))
        }
        Value::Object(rules) => {
            let pair = |(key, value): (&String, &Value)| {
                format!("{}: {}", scalar(key), flow_wanted(value))
            };
            format!("{{{}}}", rules.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => flow(value),
    }
}

/// The keys of a check in the order in which people write them.
pub(in crate::cases) fn flow_of(check: &Value) -> String {
    let keys = ["rule", "about", "outcome", "message"];
    let pairs = keys
        .into_iter()
        .filter_map(|key| Some(format!("{key}: {}", flow(check.get(key)?))))
        .collect::<Vec<_>>();
    format!("{{{}}}", pairs.join(", "))
}

/// What is expected of a check from now on. A pattern that still matches stays, one that does not
/// gives way to the message itself, and where there was none there is none.
fn check_value(check: &Check, old: Option<&ExpectedCheck>, with_rule: bool) -> Value {
    let mut value = Map::new();
    if with_rule {
        value.insert("rule".to_owned(), json!(check.rule));
    }
    if let Some(about) = &check.about {
        value.insert("about".to_owned(), json!(about));
    }
    value.insert("outcome".to_owned(), json!(word(check.outcome)));
    if let Some(pattern) = old.and_then(|old| old.message.as_ref()) {
        let message = match pattern.matches(&check.message) {
            true => pattern.as_str().to_owned(),
            false => exactly(&check.message),
        };
        value.insert("message".to_owned(), json!(message));
    }
    Value::Object(value)
}

fn rule_value(rule: &str, old: &ExpectedRule, checks: &[Check]) -> Value {
    let of_rule: Vec<&Check> = checks.iter().filter(|check| check.rule == rule).collect();
    let Some(first) = of_rule.first() else { return json!("none") };
    let alike = of_rule.iter().all(|check| check.outcome == first.outcome);
    match old {
        ExpectedRule::Checks(old) => {
            let value = |check: &&Check| {
                check_value(check, old.iter().find(|old| same_thing(old, check)), false)
            };
            of_rule.iter().map(value).collect()
        }
        ExpectedRule::All(_) | ExpectedRule::None if alike => json!(word(first.outcome)),
        ExpectedRule::All(_) | ExpectedRule::None => {
            of_rule.iter().map(|check| check_value(check, None, false)).collect()
        }
    }
}
