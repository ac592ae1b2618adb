//! YAML files other than the gate file, each held against a shape of its own.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::MOST_BYTES;
use super::diagnostic::{Diagnostics, Place, Problem};
use super::mismatch::{Mismatch, mismatches};
use super::params::ParamsError;
use super::schema::Shape;
use super::yaml::{self, Node};

/// A YAML file that fits its shape, and knows where its values stand.
#[derive(Clone, Debug)]
pub struct Document {
    file: Arc<str>,
    text: Arc<str>,
    tree: Node,
}

/// Where a value stands, lines and columns from 1. The end is behind its last character; of a list
/// or mapping that is not in brackets it is where the next thing begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Line and column of the first character.
    pub start: (usize, usize),
    /// Line and column behind the last one.
    pub end: (usize, usize),
}

impl Document {
    /// Reads a file that is at hand; `file` is what messages call it.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse<T: DeserializeOwned>(
        text: &str,
        file: &str,
        shape: &Shape,
    ) -> Result<(Self, T), Diagnostics> {
        let file: Arc<str> = Arc::from(file);
        if text.len() > MOST_BYTES {
            let message = format!("is larger than {MOST_BYTES} bytes; {} is not", shape.whole);
            return Err(Diagnostics::whole_file(&file, message));
        }
        let (tree, mut problems) = yaml::read(text);
        let unread = || format!("cannot be read as {}", shape.whole);
        let Some(tree) = tree else {
            return Err(Diagnostics::of(&file, text, problems)
                .unwrap_or_else(|| Diagnostics::whole_file(&file, unread())));
        };
        let value = tree.to_value();
        problems.extend(
            mismatches(&shape.schema, &shape.validator, &value, shape.whole)
                .into_iter()
                .map(|mismatch| placed(&tree, "", mismatch)),
        );
        let document = Self { file, text: Arc::from(text), tree };
        if let Some(diagnostics) = Diagnostics::of(&document.file, text, problems) {
            return Err(diagnostics);
        }
        match serde_json::from_value(value) {
            Ok(read) => Ok((document, read)),
            // The schema takes `1.0` for a whole number and the reader does not.
            Err(_) => {
                let message = unread() + "; write whole numbers without a decimal point";
                Err(Diagnostics::whole_file(&document.file, message))
            }
        }
    }

    /// What messages call the file.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The whole content as JSON.
    #[must_use]
    pub fn to_value(&self) -> serde_json::Value {
        self.tree.to_value()
    }

    /// A refusal of the file for the value at a JSON pointer, or what comes nearest to it.
    #[must_use]
    pub fn refusal(&self, pointer: &str, message: String, hint: Option<String>) -> Diagnostics {
        self.refused(vec![Problem { place: self.nearest(pointer), message, hint }])
    }

    /// A refusal for params that do not fit; they stand at `/params`.
    #[must_use]
    pub fn params_refusal(&self, error: &ParamsError) -> Diagnostics {
        match error {
            ParamsError::Schema(_) => self.refusal("/params", error.to_string(), None),
            ParamsError::Params(found) => {
                let found = found.iter().cloned();
                self.refused(found.map(|one| placed(&self.tree, "/params", one)).collect())
            }
        }
    }

    /// Where the value at a JSON pointer stands.
    #[must_use]
    pub fn span(&self, pointer: &str) -> Option<Span> {
        let node = self.tree.find(pointer)?;
        Some(Span { start: (node.place.line, node.place.column), end: node.end })
    }

    /// The keys of the mapping at a JSON pointer in the order of the file, and where each stands.
    #[must_use]
    pub fn keys(&self, pointer: &str) -> Vec<(String, Place)> {
        let Some(node) = self.tree.find(pointer) else { return Vec::new() };
        let mut keys: Vec<_> = node.keys().map(|(key, place)| (key.to_owned(), place)).collect();
        keys.sort_by_key(|(_, place)| *place);
        keys
    }

    fn refused(&self, problems: Vec<Problem>) -> Diagnostics {
        Diagnostics::of(&self.file, &self.text, problems)
            .unwrap_or_else(|| Diagnostics::whole_file(&self.file, "cannot be used".to_owned()))
    }

    fn nearest(&self, pointer: &str) -> Option<Place> {
        let mut pointer = pointer;
        loop {
            if let Some(node) = self.tree.find(pointer) {
                return Some(node.place);
            }
            pointer = pointer.rsplit_once('/')?.0;
        }
    }
}

fn placed(tree: &Node, below: &str, mismatch: Mismatch) -> Problem {
    let Mismatch { pointer, key, message, hint, .. } = mismatch;
    let pointer = format!("{below}{pointer}");
    let place = match &key {
        Some(key) => tree.find_key(&pointer, key),
        None => tree.find(&pointer).map(|node| node.place),
    };
    Problem { place, message, hint }
}
