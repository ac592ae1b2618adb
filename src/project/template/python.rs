use super::Step;

pub(super) const STEPS: &[Step] = &[
    Step {
        command: "python3 -m venv .venv && .venv/bin/pip install -r requirements-dev.txt",
        gives: "the tools that build it",
    },
    Step { command: ".venv/bin/pytest", gives: "its unit tests" },
];

/// Names that the language's tools would take for something else.
pub(super) const RESERVED: &[&str] = &[];
