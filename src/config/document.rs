//! lockgate's other YAML files, read with the care that the gate file is: bounded, against the
//! schema that is published, and with a place for everything that is wrong.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use jsonschema::Validator;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::diagnostic::{Diagnostics, Place, Problem};
use super::mismatch::mismatches;
use super::published::problem;
use super::yaml::{self, Node};

/// What a kind of file is called in messages, and what it has to look like.
#[derive(Clone, Copy, Debug)]
pub struct Shape<'a> {
    /// What messages call one: `policy manifest`.
    pub name: &'a str,
    /// What to do about an empty one, after "the file is empty; ".
    pub empty: &'a str,
    /// JSON Schema (2020-12) that it has to fit, which refers to nothing outside itself.
    pub schema: &'a Value,
    /// Bytes that one may have.
    pub most_bytes: usize,
}

/// A [`Shape`] made ready once to hold many files against.
pub struct Ready<'a> {
    shape: Shape<'a>,
    validator: Validator,
}

/// Where a value stands, lines and columns from 1. The end is behind its last character; of a list
/// or mapping that is not in brackets it is somewhere in what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Line and column of the first character.
    pub start: (usize, usize),
    /// Line and column behind the last one.
    pub end: (usize, usize),
}

impl<'a> Shape<'a> {
    /// Makes it ready to hold many files against.
    ///
    /// # Errors
    /// A schema that is none.
    pub fn ready(self) -> Result<Ready<'a>, String> {
        let validator = jsonschema::options().offline().build(self.schema);
        Ok(Ready { shape: self, validator: validator.map_err(|error| error.to_string())? })
    }
}

/// A file that fits its [`Shape`], but for how some texts in it are written.
#[derive(Clone, Debug)]
pub struct Document {
    file: Arc<str>,
    text: Arc<str>,
    tree: Node,
    /// What the schema has to say of how texts are written. Whoever reads them may say it better.
    textual: Vec<Problem>,
}

/// Something that the reader of a document found wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// JSON pointer of the value that is meant.
    pub pointer: String,
    /// What is wrong, one line.
    pub message: String,
    /// What to do about it, one line.
    pub hint: Option<String>,
}

impl Document {
    /// Reads a file.
    ///
    /// # Errors
    /// A file that cannot be read, is too large, is no YAML, or does not fit.
    pub fn read(path: &Path, shape: &Shape<'_>) -> Result<Self, Diagnostics> {
        let (file, text) = text_of(path, shape.most_bytes)?;
        Self::of(&text, file, shape)
    }

    /// Reads a text that is at hand; `file` is what messages call it.
    ///
    /// # Errors
    /// As [`Document::read`].
    pub fn parse(text: &str, file: &str, shape: &Shape<'_>) -> Result<Self, Diagnostics> {
        Self::of(text, Arc::from(file), shape)
    }

    /// The same for one of many.
    ///
    /// # Errors
    /// As [`Document::read`].
    pub fn parse_one(text: &str, file: &str, ready: &Ready<'_>) -> Result<Self, Diagnostics> {
        Self::held(text, Arc::from(file), ready)
    }

    fn of(text: &str, file: Arc<str>, shape: &Shape<'_>) -> Result<Self, Diagnostics> {
        let ready = shape.ready().map_err(|error| {
            Diagnostics::whole_file(&file, format!("the schema cannot be used: {error}"))
        })?;
        Self::held(text, file, &ready)
    }

    fn held(text: &str, file: Arc<str>, ready: &Ready<'_>) -> Result<Self, Diagnostics> {
        let Ready { shape, validator } = ready;
        if text.len() > shape.most_bytes {
            return Err(too_large(&file, shape.most_bytes));
        }
        let (tree, mut problems) = yaml::read(text, shape.name, shape.empty);
        let mut textual = Vec::new();
        if let Some(tree) = &tree {
            let whole = format!("the {}", shape.name);
            for mismatch in mismatches(shape.schema, validator, &tree.to_value(), &whole) {
                let list = if mismatch.textual { &mut textual } else { &mut problems };
                list.push(problem(tree, mismatch));
            }
        }
        match (tree, Diagnostics::of(&file, text, problems)) {
            (Some(tree), None) => Ok(Self { file, text: Arc::from(text), tree, textual }),
            (_, Some(problems)) => Err(problems),
            (None, None) => Err(shapeless(&file, shape.name)),
        }
    }

    /// What the file says, once `resolve` has made something sound of it.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn resolve<T: DeserializeOwned, R>(
        &self,
        resolve: impl FnOnce(T) -> Result<R, Vec<Fault>>,
    ) -> Result<R, Diagnostics> {
        // The schema takes `1.0` for a whole number and the reader does not.
        let content = serde_json::from_value(self.tree.to_value()).map_err(|_| {
            let message = "cannot be read; write whole numbers without a decimal point";
            Diagnostics::whole_file(&self.file, message.to_owned())
        })?;
        match resolve(content) {
            Ok(resolved) if self.textual.is_empty() => Ok(resolved),
            Ok(_) => Err(self.refusal(Vec::new())),
            Err(faults) => Err(self.refusal(faults)),
        }
    }

    /// Refuses the file, with places.
    #[must_use]
    pub fn refusal(&self, faults: Vec<Fault>) -> Diagnostics {
        let mut problems: Vec<Problem> = faults
            .into_iter()
            .map(|Fault { pointer, message, hint }| Problem {
                place: self.nearest(&pointer),
                message,
                hint,
            })
            .collect();
        for problem in &self.textual {
            if problems.iter().all(|other| other.place != problem.place) {
                problems.push(problem.clone());
            }
        }
        Diagnostics::of(&self.file, &self.text, problems)
            .unwrap_or_else(|| shapeless(&self.file, "file of this kind"))
    }
}

impl Document {
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
    pub fn to_value(&self) -> Value {
        self.tree.to_value()
    }

    /// Where the value at a JSON pointer stands.
    #[must_use]
    pub fn span(&self, pointer: &str) -> Option<Span> {
        let node = self.tree.find(pointer)?;
        Some(Span { start: (node.place.line, node.place.column), end: node.end })
    }

    /// Where a key of the file's own mapping stands.
    #[must_use]
    pub fn key(&self, key: &str) -> Option<Place> {
        self.tree.find_key("", key)
    }

    /// The place of the value that is meant, or of what it should be in.
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

/// The text of a file of at most `most_bytes`, and what messages call the file.
pub(super) fn text_of(path: &Path, most_bytes: usize) -> Result<(Arc<str>, String), Diagnostics> {
    let file: Arc<str> = Arc::from(path.to_string_lossy());
    let unreadable =
        |error: io::Error| Diagnostics::whole_file(&file, format!("cannot be read: {error}"));
    let mut bytes = Vec::with_capacity(8 << 10);
    // One byte more than is taken, so that a larger file is seen to be larger.
    let limit = u64::try_from(most_bytes).map_or(u64::MAX, |most| most.saturating_add(1));
    File::open(path)
        .and_then(|opened| opened.take(limit).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Diagnostics::whole_file(&file, "is not UTF-8 text".to_owned()))?;
    Ok((file, text))
}

pub(super) fn too_large(file: &Arc<str>, most_bytes: usize) -> Diagnostics {
    let message = format!("is larger than {most_bytes} bytes; nobody needs one that large");
    Diagnostics::whole_file(file, message)
}

pub(super) fn shapeless(file: &Arc<str>, name: &str) -> Diagnostics {
    Diagnostics::whole_file(file, format!("does not have the shape of a {name}"))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Content {
        name: String,
    }

    fn read(text: &str) -> Result<Content, String> {
        let schema = json!({
            "type": "object",
            "properties": {"name": {"type": "string", "pattern": "^[a-z]+$"}},
            "required": ["name"],
            "additionalProperties": false
        });
        let shape = Shape { name: "note", empty: "write one", schema: &schema, most_bytes: 100 };
        let resolve = |content: Content| match content.name.contains(' ') {
            true => Err(vec![Fault {
                pointer: "/name".into(),
                message: "`name` has a blank".into(),
                hint: None,
            }]),
            false => Ok(content),
        };
        Document::parse(text, "note.yaml", &shape)
            .and_then(|document| document.resolve(resolve))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn reads_what_fits() {
        assert_eq!(read("name: abc"), Ok(Content { name: "abc".into() }));
    }

    #[test]
    fn tells_what_does_not_fit_with_its_place() {
        let error = read("nam: abc").unwrap_err();
        assert!(error.contains("unknown key `nam`") && error.contains("note.yaml:1:1"), "{error}");
        assert!(error.contains("the note lacks the key `name`"), "{error}");
        for (text, message) in [
            ("", "the file is empty; write one"),
            ("a: 1\n---\nb: 1", "keep one note in a file"),
            (&format!("name: {}", "x".repeat(100)), "larger than 100 bytes"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn the_reader_says_in_its_own_words_what_the_pattern_says_too() {
        let error = read("name: a b").unwrap_err();
        assert!(error.contains("has a blank") && !error.contains("pattern"), "{error}");
        let error = read("name: A").unwrap_err();
        assert!(error.contains("does not match the pattern"), "{error}");
    }
}
