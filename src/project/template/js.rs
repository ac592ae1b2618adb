use super::Step;

pub(super) const STEPS: &[Step] = &[];

/// Names that the language's tools would take for something else.
pub(super) const RESERVED: &[&str] = &[];
