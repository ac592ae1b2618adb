use schemars::JsonSchema;
use serde::Deserialize;

/// What a policy is written in.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Language {
    /// Rust, built by cargo.
    Rust,
    /// JavaScript or TypeScript, built by componentize-js.
    Js,
    /// Python, built by componentize-py.
    Python,
}

impl Language {
    /// Every language, in the order in which they are named.
    pub const ALL: [Self; 3] = [Self::Rust, Self::Js, Self::Python];

    /// The word for it in `policy.yaml` and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Js => "js",
            Self::Python => "python",
        }
    }

    /// What its policy is made from unless `source` says otherwise.
    #[must_use]
    pub const fn default_source(self) -> &'static str {
        match self {
            Self::Rust => "Cargo.toml",
            Self::Js => "src/policy.js",
            Self::Python => "src/policy.py",
        }
    }
}
