//! The macros of `lockgate-sdk`, which re-exports and documents them.

mod doc;
mod policy;
mod rules;

use proc_macro::TokenStream;
use quote::quote;
use syn::{DeriveInput, ItemFn, parse_macro_input};

/// Makes a struct or enum part of a policy's params.
///
/// Short for these lines, with the crates taken from `lockgate_sdk`:
///
/// ```ignore
/// #[derive(Clone, Debug, serde::Deserialize, serde::Serialize, schemars::JsonSchema)]
/// #[serde(rename_all = "kebab-case", deny_unknown_fields)]
/// ```
///
/// Field attributes of both crates work as usual. Documentation comments become descriptions in
/// the schema. An unknown key is refused: a mistyped limit would otherwise be no limit.
#[proc_macro_attribute]
pub fn params(arguments: TokenStream, item: TokenStream) -> TokenStream {
    if !arguments.is_empty() {
        let message = "`#[params]` takes no arguments";
        return syn::Error::new(proc_macro2::Span::call_site(), message).to_compile_error().into();
    }
    let item = parse_macro_input!(item as DeriveInput);
    quote! {
        #[derive(
            ::core::clone::Clone,
            ::core::fmt::Debug,
            ::lockgate_sdk::serde::Deserialize,
            ::lockgate_sdk::serde::Serialize,
            ::lockgate_sdk::schemars::JsonSchema,
        )]
        #[serde(
            crate = "::lockgate_sdk::serde",
            rename_all = "kebab-case",
            deny_unknown_fields
        )]
        #[schemars(crate = "::lockgate_sdk::schemars")]
        #item
    }
    .into()
}

/// Implements the trait of the same name for an enum without fields.
#[proc_macro_derive(Rules)]
pub fn rules(item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as DeriveInput);
    rules::expand(&item).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// Makes a function the policy of its crate: `#[policy(name = "…", rules = …)]`.
///
/// - `name`: the policy's name, in kebab-case.
/// - `rules`: the enum of its rules, which implements `Rules`.
///
/// The function takes the params by value and `&Evidence`, and returns
/// `Result<Vec<Check>, Refusal>`. The first paragraph of its documentation is the policy's
/// summary; the version is the crate's. Beside it the macro puts a function `describe`, which
/// returns the policy's `Description`. When built for wasm32 the crate exports both.
#[proc_macro_attribute]
pub fn policy(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let arguments = parse_macro_input!(arguments as policy::Arguments);
    let function = parse_macro_input!(item as ItemFn);
    policy::expand(&arguments, &function).unwrap_or_else(|error| error.to_compile_error()).into()
}
