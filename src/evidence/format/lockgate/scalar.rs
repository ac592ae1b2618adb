//! The leaves of the file: texts, numbers and times with their bounds, and the same bounds in
//! JSON Schema.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use super::super::super::Currency;
use super::super::super::error::quoted;
use super::super::super::limits::{MAX_NAME_BYTES, MAX_TEXT_BYTES};
use super::super::super::node::Reading;
use crate::model::{
    Category, Digest, Exploitability, Purpose, Severity, Target, TestStatus, Timestamp,
};

/// A short text that says something.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Name(pub(super) String);

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("expected a text that is not empty".to_owned());
        }
        bounded(text, MAX_NAME_BYTES).map(Self)
    }
}

/// A longer text, possibly empty.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Text(pub(super) String);

impl TryFrom<String> for Text {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        bounded(text, MAX_TEXT_BYTES).map(Self)
    }
}

fn bounded(text: String, limit: usize) -> Result<String, String> {
    if text.len() <= limit {
        Ok(text)
    } else {
        Err(format!("the text is longer than {limit} bytes; shorten it"))
    }
}

/// A point in time.
#[derive(Deserialize)]
pub(super) struct Time(pub(super) Timestamp);

/// A SHA-256 digest.
#[derive(Deserialize)]
pub(super) struct Sha256(pub(super) Digest);

/// A currency.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Code(pub(super) Currency);

impl TryFrom<String> for Code {
    type Error = super::super::super::InvalidCurrency;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.try_into().map(Self)
    }
}

/// A number from 0.
#[derive(Deserialize)]
#[serde(try_from = "Number")]
pub(super) struct NonNegative(pub(super) f64);

impl TryFrom<Number> for NonNegative {
    type Error = String;

    fn try_from(Number(number): Number) -> Result<Self, String> {
        if number >= 0.0 { Ok(Self(number)) } else { Err(format!("`{number}` is below 0")) }
    }
}

/// A number from 0 to 1.
#[derive(Deserialize)]
#[serde(try_from = "Number")]
pub(super) struct Share(pub(super) f64);

impl TryFrom<Number> for Share {
    type Error = String;

    fn try_from(Number(number): Number) -> Result<Self, String> {
        if (0.0..=1.0).contains(&number) {
            Ok(Self(number))
        } else {
            Err(format!("`{number}` is not between 0 and 1"))
        }
    }
}

/// Any number that JSON can hold.
struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Numeric::NUMBER).and_then(|reading| match reading {
            Reading::Value(value) => Ok(Self(value)),
            Reading::NotANumber(word) => Err(D::Error::custom(format!("`{word}` is not a number"))),
        })
    }
}

/// A number from 0 without a fraction.
pub(super) struct Count(pub(super) u64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;
        impl Visitor<'_> for Whole {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number from 0")
            }

            fn visit_u64<E>(self, value: u64) -> Result<Count, E> {
                Ok(Count(value))
            }
        }
        deserializer.deserialize_any(Whole)
    }
}

/// The value of a metric.
pub(super) struct Value(pub(super) Reading);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Numeric::OR_WORD).map(Self)
    }
}

/// Reads numbers, and the words for "not a number" where they are welcome.
struct Numeric {
    expecting: &'static str,
    words: &'static [&'static str],
}

impl Numeric {
    const NUMBER: Self = Self { expecting: "a number", words: &[] };
    const OR_WORD: Self = Self {
        expecting: "a number, `\"NaN\"`, `\"Infinity\"` or `\"-Infinity\"`",
        words: &["NaN", "Infinity", "-Infinity"],
    };
}

impl Visitor<'_> for Numeric {
    type Value = Reading;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_f64<E>(self, value: f64) -> Result<Reading, E> {
        Ok(Reading::Value(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Reading, E> {
        Ok(Reading::Value(value as f64))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Reading, E> {
        Ok(Reading::Value(value as f64))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Reading, E> {
        let word = self.words.iter().find(|word| **word == text);
        word.map(|word| Reading::NotANumber(word)).ok_or_else(|| {
            E::custom(format!("found the text `{}`, expected {}", quoted(text), self.expecting))
        })
    }
}

macro_rules! described {
    ($type:ident, $schema:tt) => {
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

described!(Name, { "type": "string", "minLength": 1, "maxLength": MAX_NAME_BYTES });
described!(Text, { "type": "string", "maxLength": MAX_TEXT_BYTES });
described!(Time, { "type": "string", "examples": ["2026-11-23T12:00:00Z", "2026-11-23"] });
described!(Sha256, { "type": "string", "pattern": "^sha256:[0-9a-fA-F]{64}$" });
described!(Code, { "type": "string", "pattern": "^[A-Z]{3}$", "examples": ["USD"] });
described!(NonNegative, { "type": "number", "minimum": 0 });
described!(Share, { "type": "number", "minimum": 0, "maximum": 1 });
described!(Count, { "type": "integer", "minimum": 0, "maximum": 9_007_199_254_740_992_u64 });
described!(Value, {
    "anyOf": [{ "type": "number" }, { "enum": ["NaN", "Infinity", "-Infinity"] }]
});
described!(Target, { "type": "string", "examples": ["stage:Production", "alias:champion", "env:prod"] });
described!(TestStatus, { "enum": ["pass", "warn", "fail", "error", "skipped"] });
described!(Purpose, { "enum": ["training", "tuning", "evaluation", "serving", "other"] });
described!(Severity, { "enum": ["unknown", "negligible", "low", "medium", "high", "critical"] });
described!(Category, {
    "enum": ["vulnerability", "unsafe_code", "secret", "misconfiguration", "license", "other"]
});
described!(Exploitability, {
    "enum": ["affected", "not_affected", "fixed", "under_investigation", "unstated"]
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_lists_the_words_that_are_read() {
        fn each<T: JsonSchema + serde::de::DeserializeOwned>() {
            let schema = T::json_schema(&mut SchemaGenerator::default()).to_value();
            for word in schema["enum"].as_array().unwrap() {
                assert!(serde_json::from_value::<T>(word.clone()).is_ok(), "{word}");
            }
        }
        each::<TestStatus>();
        each::<Purpose>();
        each::<Severity>();
        each::<Category>();
        each::<Exploitability>();
    }

    #[test]
    fn rejects_what_lies_out_of_bounds_without_naming_a_rust_type() {
        fn error<T: serde::de::DeserializeOwned>(text: &str) -> String {
            serde_json::from_str::<T>(text).err().unwrap().to_string()
        }
        for told in [
            error::<Share>("1.5"),
            error::<Share>("\"0.5\""),
            error::<NonNegative>("-1"),
            error::<NonNegative>("null"),
            error::<Count>("1.5"),
            error::<Count>("-1"),
            error::<Value>("\"nan\""),
            error::<Value>("true"),
            error::<Name>("\" \""),
            error::<Code>("\"usd\""),
            error::<Sha256>("\"sha1:00\""),
            error::<Time>("\"soon\""),
        ] {
            for word in ["f64", "u64", "struct", "enum"] {
                assert!(!told.contains(word), "{told}");
            }
        }
    }
}
