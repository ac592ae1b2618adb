//! What the code that `#[policy]` generates calls. Not for use by hand, but for [`parse_params`].

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::Rules;
pub use crate::bindings::*;

/// Reads params from their JSON text, as the exported policy does.
///
/// # Errors
///
/// [`Refusal::Params`] with the reason and its place when the text is not JSON or does not fit.
///
/// ```
/// use lockgate_sdk::{Refusal, parse_params, prelude::*};
///
/// #[params]
/// struct Params {
///     min_age: u32,
/// }
///
/// assert!(parse_params::<Params>(r#"{"min-age": 3}"#).is_ok());
/// assert!(matches!(parse_params::<Params>(r#"{"min-agee": 3}"#), Err(Refusal::Params(_))));
/// ```
pub fn parse_params<P: DeserializeOwned>(text: &str) -> Result<P, Refusal> {
    serde_json::from_str(text).map_err(|error| Refusal::Params(error.to_string()))
}

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
