use std::fmt;

use crate::model::Undecided;

/// A piece of evidence that cannot be used. One of these is enough to stop a decision.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("evidence `{source_name}`: {}", detail(place, problem))]
pub struct EvidenceError {
    /// File or registry resource.
    pub source_name: String,
    /// Where in it: a JSON pointer, or a line and column; empty when it is the file as a whole.
    pub place: String,
    /// What is wrong and what to do about it, one line.
    pub problem: String,
    /// Whether it could not be understood or speaks of something else.
    pub fault: Fault,
}

/// What is wrong with a piece of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// It could not be read or understood, or exceeds a limit.
    Unreadable,
    /// It speaks of another model, version or artifact.
    Mismatch,
}

impl From<EvidenceError> for Undecided {
    fn from(error: EvidenceError) -> Self {
        let detail = detail(&error.place, &error.problem);
        match error.fault {
            Fault::Unreadable => {
                Self::EvidenceUnreadable { source_name: error.source_name, detail }
            }
            Fault::Mismatch => Self::EvidenceMismatch { source_name: error.source_name, detail },
        }
    }
}

fn detail(place: &str, problem: &str) -> String {
    match place.chars().next() {
        None => problem.to_owned(),
        Some('/') => format!("{problem} (at `{place}`)"),
        Some(_) => format!("{problem} (at {place})"),
    }
}

/// What is wrong within one piece of evidence, before its name is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) place: String,
    pub(super) text: String,
    pub(super) fault: Fault,
}

impl Problem {
    /// Of the piece of evidence as a whole.
    pub(super) fn whole(text: impl Into<String>) -> Self {
        Self::at("", text)
    }

    pub(super) fn at(place: impl fmt::Display, text: impl Into<String>) -> Self {
        Self { place: place.to_string(), text: text.into(), fault: Fault::Unreadable }
    }

    pub(super) fn mismatch(place: impl fmt::Display, text: impl Into<String>) -> Self {
        Self { place: place.to_string(), text: text.into(), fault: Fault::Mismatch }
    }

    /// What is wrong and where, one line.
    pub(super) fn in_words(&self) -> String {
        detail(&self.place, &self.text)
    }

    pub(super) fn of(self, source_name: &str) -> EvidenceError {
        EvidenceError {
            source_name: source_name.to_owned(),
            place: self.place,
            problem: self.text,
            fault: self.fault,
        }
    }
}

/// The start of a text from a file, fit to be quoted in a one-line message.
pub(super) fn quoted(text: &str) -> String {
    const LIMIT: usize = 100;
    let mut quoted: String =
        text.chars().take(LIMIT).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(LIMIT).is_some() {
        quoted.push('…');
    }
    quoted
}
