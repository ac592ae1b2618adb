use super::Step;

pub(super) const STEPS: &[Step] = &[
    Step { command: "npm install", gives: "the tools that build it" },
    Step { command: "npm test", gives: "its unit tests" },
];

/// Names that the language's tools would take for something else.
pub(super) const RESERVED: &[&str] = &["lockgate-sdk"];
