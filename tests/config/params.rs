//! Params are held against the policy's own schema, and errors point into the gate file.

use super::{accepted, messages, with};

const SCHEMA: &str = r##"{
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "metrics": {"type": "array", "items": {"$ref": "#/$defs/Limit"}, "minItems": 1},
        "level": {"oneOf": [{"const": "low"}, {"const": "high"}]}
    },
    "required": ["metrics"],
    "additionalProperties": false,
    "$defs": {"Limit": {
        "type": "object",
        "properties": {"name": {"type": "string"}, "min": {"type": ["number", "null"]}},
        "required": ["name"],
        "additionalProperties": false
    }}
}"##;

#[test]
fn accepts_params_that_fit() {
    let config =
        accepted(&with("        params: {metrics: [{name: auc, min: 0.9}], level: low}\n"));
    assert_eq!(config.check_params(0, 0, SCHEMA), Ok(()));
}

#[test]
fn points_at_each_param_that_does_not_fit() {
    let more = "        params:
          metrics:
            - {name: auc, mim: 0.9}
            - {name: 7, min: high}
          level: medium
          levle: low
";
    let diagnostics = accepted(&with(more)).check_params(0, 0, SCHEMA).unwrap_err();
    insta::assert_snapshot!(diagnostics.to_string());
}

#[test]
fn points_at_the_policy_when_there_are_no_params() {
    let diagnostics = accepted(&with("")).check_params(0, 0, SCHEMA).unwrap_err();
    assert_eq!(messages(&diagnostics), ["7:14 `params` lacks the key `metrics`"]);
}

#[test]
fn points_at_the_policy_when_its_schema_cannot_be_used() {
    let config = accepted(&with("        params: {metrics: []}\n"));
    for schema in ["", "{\"$ref\": \"https://example.com/schema\"}", "{\"type\": 1}"] {
        let diagnostics = config.check_params(0, 0, schema).unwrap_err();
        let found = messages(&diagnostics);
        assert!(
            found[0].starts_with("7:14 the params schema of the policy is not usable"),
            "{found:?}"
        );
    }
}

#[test]
fn points_at_keys_with_slashes_and_tildes() {
    let config = accepted(&with("        params: {metrics: [{name: a}], 'a/b~c': 1}\n"));
    let diagnostics = config.check_params(0, 0, SCHEMA).unwrap_err();
    assert_eq!(messages(&diagnostics), ["8:40 unknown key `a/b~c`"]);
}
