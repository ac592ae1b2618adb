//! The contract's enums as the words that params and messages use.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{Category, Exploitability, Outcome, Purpose, Severity, Target, TestStatus};

macro_rules! words {
    ($type:ident, $name:literal, { $($variant:ident => $word:literal,)+ }) => {
        impl $type {
            /// The contract's word for it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = Cow::<'de, str>::deserialize(deserializer)?;
                match word.as_ref() {
                    $($word => Ok(Self::$variant),)+
                    other => Err(D::Error::unknown_variant(other, &[$($word),+])),
                }
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "enum": [$($word),+] })
            }
        }
    };
}

words!(Severity, "severity", {
    Unknown => "unknown",
    Negligible => "negligible",
    Low => "low",
    Medium => "medium",
    High => "high",
    Critical => "critical",
});

words!(Category, "category", {
    Vulnerability => "vulnerability",
    UnsafeCode => "unsafe-code",
    Secret => "secret",
    Misconfiguration => "misconfiguration",
    License => "license",
    Other => "other",
});

words!(Exploitability, "exploitability", {
    Affected => "affected",
    NotAffected => "not-affected",
    Fixed => "fixed",
    UnderInvestigation => "under-investigation",
    Unstated => "unstated",
});

words!(Purpose, "purpose", {
    Training => "training",
    Tuning => "tuning",
    Evaluation => "evaluation",
    Serving => "serving",
    Other => "other",
});

words!(TestStatus, "test-status", {
    Pass => "pass",
    Warn => "warn",
    Fail => "fail",
    Error => "error",
    Skipped => "skipped",
});

words!(Outcome, "outcome", {
    Pass => "pass",
    Fail => "fail",
    Warn => "warn",
    Skip => "skip",
});

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stage(name) => write!(f, "stage:{name}"),
            Self::Alias(name) => write!(f, "alias:{name}"),
            Self::Environment(name) => write!(f, "env:{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_words_it_writes() {
        let severity: Severity = serde_json::from_str("\"high\"").unwrap();
        assert_eq!((severity, severity.to_string().as_str()), (Severity::High, "high"));
    }

    #[test]
    fn rejects_other_words_and_lists_the_known_ones() {
        let error = serde_json::from_str::<Category>("\"unsafe_code\"").unwrap_err().to_string();
        assert!(error.contains("`unsafe_code`") && error.contains("`unsafe-code`"), "{error}");
    }
}
