//! The SDKs and the templates of projects, in the binary as they are in `sdk/`: whoever has
//! lockgate has the SDK that fits it, with no registry between.

use super::Language;

/// The contract between lockgate and policies.
pub(super) const CONTRACT: &str = include_str!("../../sdk/wit/policy.wit");

/// A file of the SDK or of a template, its path relative to the folder that it is bundled from.
pub(super) struct File {
    pub(super) path: &'static str,
    pub(super) bytes: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/sdk.rs"));

/// The SDK of a language, for `vendor/lockgate-sdk/`.
pub(super) const fn of(language: Language) -> &'static [File] {
    match language {
        Language::Rust => SDK_RUST,
        Language::Js => SDK_JS,
        Language::Python => SDK_PYTHON,
    }
}

/// The files of a new project: those that are the same in every language, and its language's.
pub(super) fn template(language: Language) -> impl Iterator<Item = &'static File> {
    let own = match language {
        Language::Rust => TEMPLATE_RUST,
        Language::Js => TEMPLATE_JS,
        Language::Python => TEMPLATE_PYTHON,
    };
    TEMPLATE_COMMON.iter().chain(own)
}
