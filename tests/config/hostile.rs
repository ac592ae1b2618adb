//! Any bytes give an answer or errors.

use std::io::Write;

use lockgate::config::{check_params, load, template};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{KNOWN, read, refused};

/// Pieces of YAML and of gate files, so that random texts get past the first character.
fn fragment() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("version: 1\n".to_owned()),
        Just("gates:\n  - name: a\n".to_owned()),
        Just(
            "    models: [\"*\"]\n    targets: [x]\n    policies:\n      - use: std/model-scan\n"
                .to_owned()
        ),
        Just("waivers: [{policy: a}]\n".to_owned()),
        prop::sample::select(vec![
            "- ",
            "? ",
            ": ",
            "[",
            "]",
            "{",
            "}",
            "&a ",
            "*a",
            "!!int ",
            "|\n",
            ">-\n  ",
            "'",
            "\"",
            "\\",
            "#",
            "---\n",
            "...\n",
            "%YAML 1.2\n",
            "<<: ",
            "\t",
            "\r",
            "\n",
            "  ",
            "\u{feff}",
            "\u{85}",
            "\0",
            ", ",
        ])
        .prop_map(str::to_owned),
        "[a-z0-9.~-]{0,8}",
        "\\PC{0,8}",
    ]
}

/// JSON, of schemas among others.
fn schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({"$ref": "#"})),
        Just(json!({"$ref": "#/$defs/a"})),
        Just(json!({"type": "object"})),
        Just(json!({"const": 1})),
        Just(json!(false)),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,6}".prop_map(Value::from),
    ];
    let keywords = vec![
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "then",
        "else",
        "properties",
        "patternProperties",
        "items",
        "$defs",
        "additionalProperties",
        "unevaluatedProperties",
        "unevaluatedItems",
        "prefixItems",
        "contains",
        "a",
        "required",
        "enum",
        "type",
        "pattern",
        "minimum",
        "multipleOf",
        "propertyNames",
        "dependentSchemas",
        "$id",
    ];
    leaf.prop_recursive(6, 60, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(prop::sample::select(keywords.clone()), inner, 0..5)
                .prop_map(|map| Value::Object(
                    map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
                )),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*") {
        let _ = read(&text);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes).unwrap();
        prop_assert!(load(file.path(), &KNOWN).is_err());
    }

    #[test]
    fn any_pieces_of_yaml_are_read_or_refused(pieces in prop::collection::vec(fragment(), 0..40)) {
        if let Err(diagnostics) = read(&pieces.concat()) {
            prop_assert!(diagnostics.iter().count() > 0);
            let _ = diagnostics.to_string();
        }
    }

    #[test]
    fn any_damage_to_a_gate_file_is_read_or_refused(at in 0..template().len(), with in fragment(), cut in 0_usize..30) {
        let text = template();
        prop_assert!(text.is_ascii(), "so that it can be cut anywhere");
        let end = (at + cut).min(text.len());
        let _ = read(&format!("{}{with}{}", &text[..at], &text[end..]));
    }

    #[test]
    fn any_schema_and_params_give_an_answer(schema in schema(), params in schema()) {
        let _ = check_params(&schema.to_string(), &params);
    }
}

#[test]
fn refuses_a_file_that_is_too_large() {
    let text = format!("version: 1 #{}", "x".repeat(2 << 20));
    assert!(refused(&text).to_string().contains("larger than"));
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let diagnostics = load(file.path(), &KNOWN).unwrap_err();
    assert!(diagnostics.to_string().contains("larger than"), "{diagnostics}");
}

#[test]
fn refuses_a_file_that_cannot_be_read_or_is_no_text() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("none.yaml");
    for path in [missing.as_path(), directory.path()] {
        let shown = load(path, &KNOWN).unwrap_err().to_string();
        assert!(
            shown.contains("cannot be read") && shown.contains(&*path.to_string_lossy()),
            "{shown}"
        );
    }
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"version: 1\xff").unwrap();
    assert!(load(file.path(), &KNOWN).unwrap_err().to_string().contains("not UTF-8"));
}

#[test]
fn shows_at_most_fifty_errors_of_many() {
    let text: String = (0..5000).map(|number| format!("key{number}: 1\n")).collect();
    let diagnostics = refused(&text);
    assert_eq!(diagnostics.iter().count(), 50);
    assert!(diagnostics.more() > 0);
    assert!(diagnostics.to_string().len() < 20_000);
}
