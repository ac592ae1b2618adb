use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields};

use crate::doc::paragraphs;

pub(crate) fn expand(item: &DeriveInput) -> Result<TokenStream, Error> {
    let Data::Enum(rules) = &item.data else {
        return Err(Error::new_spanned(&item.ident, "the rules of a policy are an enum"));
    };
    if rules.variants.is_empty() {
        return Err(Error::new_spanned(&item.ident, "a policy has at least one rule"));
    }
    let mut codes = Vec::new();
    let mut described = Vec::new();
    for variant in &rules.variants {
        if !matches!(variant.fields, Fields::Unit) {
            return Err(Error::new_spanned(variant, "a rule has no fields"));
        }
        let paragraphs = paragraphs(&variant.attrs);
        let Some((title, description)) = paragraphs.split_first() else {
            return Err(Error::new_spanned(variant, UNDESCRIBED));
        };
        if description.is_empty() {
            return Err(Error::new_spanned(variant, UNDESCRIBED));
        }
        let description = description.join("\n\n");
        let code = kebab_case(&variant.ident.to_string());
        let name = &variant.ident;
        codes.push(quote!(Self::#name => #code));
        described.push(quote! {
            ::lockgate_sdk::Rule {
                code: #code.into(),
                title: #title.into(),
                description: #description.into(),
            }
        });
    }
    let name = &item.ident;
    Ok(quote! {
        impl ::lockgate_sdk::Rules for #name {
            fn code(self) -> &'static str {
                match self {
                    #(#codes,)*
                }
            }

            fn all() -> ::std::vec::Vec<::lockgate_sdk::Rule> {
                ::std::vec![#(#described),*]
            }
        }
    })
}

const UNDESCRIBED: &str = "document the rule: a title, an empty line, and what is checked and when \
                           it fails";

fn kebab_case(name: &str) -> String {
    let mut kebab = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.extend(character.to_lowercase());
    }
    kebab
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_codes_in_kebab_case() {
        assert_eq!(kebab_case("ScanComplete"), "scan-complete");
        assert_eq!(kebab_case("Threshold"), "threshold");
    }

    #[test]
    fn rejects_rules_without_a_description() {
        for text in [
            "enum Rule { Threshold }",
            "enum Rule { /// Only a title\n Threshold }",
            "enum Rule { /// Title\n///\n/// Text\n Threshold(u8) }",
            "enum Rule {}",
            "struct Rule;",
        ] {
            let item: DeriveInput = syn::parse_str(text).unwrap();
            assert!(expand(&item).is_err(), "{text}");
        }
    }
}
