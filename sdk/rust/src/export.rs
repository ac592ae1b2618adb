//! What the code that `#[policy]` generates calls. Not for use by hand.

use schemars::JsonSchema;

use crate::Rules;
pub use crate::bindings::*;

/// What a policy says of itself.
#[must_use]
pub fn describe<P: JsonSchema, R: Rules>(name: &str, version: &str, summary: &str) -> Description {
    Description {
        name: name.to_owned(),
        version: version.to_owned(),
        summary: summary.to_owned(),
        rules: R::all(),
        params_schema: schemars::schema_for!(P).as_value().to_string(),
    }
}
