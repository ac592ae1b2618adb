use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{Error, FnArg, Ident, ItemFn, LitStr, Path, Token};

use crate::doc::paragraphs;

/// `name = "…", rules = …`.
pub(crate) struct Arguments {
    name: LitStr,
    rules: Path,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> Result<Self, Error> {
        let (mut name, mut rules) = (None, None);
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            if key == "name" {
                name = Some(input.parse::<LitStr>()?);
            } else if key == "rules" {
                rules = Some(input.parse::<Path>()?);
            } else {
                return Err(Error::new_spanned(key, USE));
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        match (name, rules) {
            (Some(name), Some(rules)) => Ok(Self { name: kebab_case(name)?, rules }),
            _ => Err(input.error(USE)),
        }
    }
}

const USE: &str = "write `#[policy(name = \"my-policy\", rules = Rule)]`";

fn kebab_case(name: LitStr) -> Result<LitStr, Error> {
    let text = name.value();
    let words = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    let letter_first = text.starts_with(|c: char| c.is_ascii_lowercase());
    if letter_first && text.split('-').all(words) {
        Ok(name)
    } else {
        Err(Error::new_spanned(&name, "a policy's name is in kebab-case, like `my-policy`"))
    }
}

pub(crate) fn expand(arguments: &Arguments, function: &ItemFn) -> Result<TokenStream, Error> {
    let Arguments { name, rules } = arguments;
    let paragraphs = paragraphs(&function.attrs);
    let Some(summary) = paragraphs.first() else {
        let message = "document the function: its first paragraph is the policy's summary";
        return Err(Error::new_spanned(&function.sig.ident, message));
    };
    let Some(FnArg::Typed(params)) = function.sig.inputs.first() else {
        let message = "a policy takes its params and `&Evidence`";
        return Err(Error::new_spanned(&function.sig, message));
    };
    let (params, evaluate, visibility) = (&params.ty, &function.sig.ident, &function.vis);
    Ok(quote! {
        #function

        /// What the policy says of itself.
        #visibility fn describe() -> ::lockgate_sdk::Description {
            ::lockgate_sdk::export::describe::<#params, #rules>(
                #name,
                ::core::env!("CARGO_PKG_VERSION"),
                #summary,
            )
        }

        const _: () = {
            // Says in the policy's own words what is wrong with its signature, and counts as a
            // use where nothing is exported.
            const _: (
                fn() -> ::lockgate_sdk::Description,
                fn(
                    #params,
                    &::lockgate_sdk::Evidence,
                ) -> ::core::result::Result<
                    ::std::vec::Vec<::lockgate_sdk::Check>,
                    ::lockgate_sdk::Refusal,
                >,
            ) = (describe, #evaluate);

            #[cfg(target_arch = "wasm32")]
            struct Exported;

            #[cfg(target_arch = "wasm32")]
            impl ::lockgate_sdk::export::Guest for Exported {
                fn describe() -> ::lockgate_sdk::Description {
                    describe()
                }

                fn evaluate(
                    params: ::std::string::String,
                ) -> ::core::result::Result<
                    ::std::vec::Vec<::lockgate_sdk::Check>,
                    ::lockgate_sdk::Refusal,
                > {
                    #evaluate(
                        ::lockgate_sdk::parse_params(&params)?,
                        &::lockgate_sdk::Evidence::imported(),
                    )
                }
            }

            #[cfg(target_arch = "wasm32")]
            #[allow(unsafe_code, reason = "the exports of a component are declared so")]
            const _: () = {
                ::lockgate_sdk::__export_policy_impl!(
                    Exported with_types_in ::lockgate_sdk::export
                );
            };
        };
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_a_documented_function() {
        let arguments = syn::parse_str("name = \"my-policy\", rules = Rule").unwrap();
        let function = syn::parse_str("/// Sums up.\nfn evaluate(p: P, e: &Evidence) -> R {}");
        let code = expand(&arguments, &function.unwrap()).unwrap().to_string();
        assert!(code.contains("\"Sums up.\""), "{code}");
    }

    #[test]
    fn rejects_functions_without_documentation_or_params() {
        let arguments = syn::parse_str("name = \"my-policy\", rules = Rule").unwrap();
        for function in ["fn evaluate(p: P, e: &Evidence) -> R {}", "/// Doc.\nfn evaluate() {}"] {
            assert!(expand(&arguments, &syn::parse_str(function).unwrap()).is_err(), "{function}");
        }
    }

    #[test]
    fn rejects_arguments_that_are_missing_unknown_or_no_kebab_case() {
        for arguments in [
            "",
            "name = \"x\"",
            "rules = Rule",
            "name = \"x\", rules = Rule, version = \"1\"",
            "name = \"My\", rules = Rule",
            "name = \"a--b\", rules = Rule",
            "name = \"1a\", rules = Rule",
        ] {
            assert!(syn::parse_str::<Arguments>(arguments).is_err(), "{arguments}");
        }
    }
}
