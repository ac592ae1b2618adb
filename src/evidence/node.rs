use serde_json::Number;

use super::error::{Problem, quoted};
use super::limits::{MAX_NAME_BYTES, MAX_TEXT_BYTES};
use super::tree::{Object, Tree};
use crate::model::{Digest, Timestamp};

/// A value within a JSON document that knows its place, so that every complaint can name it.
///
/// A member or item that is `null` counts as absent: the tools whose reports are read here write it for that.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    value: &'a Tree<'a>,
    /// JSON pointer (RFC 6901); empty for the document.
    pointer: String,
}

/// What a source gives where a number should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reading {
    /// A finite number.
    Value(f64),
    /// One of the words MLflow and Python write where there is no number.
    NotANumber(&'static str),
}

impl<'a> Node<'a> {
    pub(super) const fn root(value: &'a Tree<'a>) -> Self {
        Self { value, pointer: String::new() }
    }

    /// A complaint about this value.
    pub(super) fn problem(&self, text: impl Into<String>) -> Problem {
        Problem::at(quoted(&self.pointer), text)
    }

    /// A statement that this value is about something else.
    pub(super) fn mismatch(&self, text: impl Into<String>) -> Problem {
        Problem::mismatch(quoted(&self.pointer), text)
    }

    pub(super) fn object(&self) -> Result<&'a Object<'a>, Problem> {
        self.value.as_object().ok_or_else(|| self.expected("an object"))
    }

    /// The entries of an object, those that are `null` too.
    pub(super) fn entries(
        &self,
    ) -> Result<impl Iterator<Item = (&'a str, Self)> + use<'a>, Problem> {
        let pointer = self.pointer.clone();
        Ok(self.object()?.iter().map(move |(key, value)| {
            (&**key, Node { value, pointer: child_pointer(&pointer, key) })
        }))
    }

    /// The member `key`; none when it is absent or `null`.
    pub(super) fn get(&self, key: &str) -> Result<Option<Self>, Problem> {
        Ok(self
            .object()?
            .get(key)
            .filter(|value| !value.is_null())
            .map(|value| self.child(key, value)))
    }

    /// The member `key`, which must be there.
    pub(super) fn need(&self, key: &str) -> Result<Self, Problem> {
        self.get(key)?.ok_or_else(|| self.problem(format!("`{key}` is missing")))
    }

    /// The items of the array `key`; none of them when it is absent.
    pub(super) fn items(&self, key: &str) -> Result<Vec<Self>, Problem> {
        self.get(key)?.map_or_else(|| Ok(Vec::new()), |node| node.elements())
    }

    /// The items of this array, without those that are `null`.
    pub(super) fn elements(&self) -> Result<Vec<Self>, Problem> {
        let items = self.value.as_list().ok_or_else(|| self.expected("an array"))?;
        Ok(items
            .iter()
            .enumerate()
            .filter(|(_, value)| !value.is_null())
            .map(|(index, value)| Node { value, pointer: format!("{}/{index}", self.pointer) })
            .collect())
    }

    /// A short text that must be there and not be empty: a name, an identifier, a key word.
    pub(super) fn name(&self, key: &str) -> Result<&'a str, Problem> {
        self.opt_name(key)?.ok_or_else(|| self.missing(key))
    }

    /// As [`Self::name`]; none when it is absent or empty.
    pub(super) fn opt_name(&self, key: &str) -> Result<Option<&'a str>, Problem> {
        let text = self.get(key)?.map(|node| node.text(MAX_NAME_BYTES)).transpose()?;
        Ok(text.filter(|text| !text.trim().is_empty()))
    }

    /// What the word that the member `key` is means; none when it is absent or empty. A word that
    /// is not among `known` is refused: guessing what it means could turn a finding into none.
    pub(super) fn word<T: Copy>(
        &self,
        key: &str,
        known: &[(&str, T)],
    ) -> Result<Option<T>, Problem> {
        let Some(word) = self.opt_name(key)? else { return Ok(None) };
        if let Some((_, meaning)) = known.iter().find(|(known, _)| *known == word) {
            return Ok(Some(*meaning));
        }
        let known: Vec<String> = known.iter().map(|(known, _)| format!("`{known}`")).collect();
        let text = format!(
            "`{}` is no word that lockgate knows here; it knows {}",
            quoted(word),
            known.join(", ")
        );
        Err(Problem::at(quoted(&child_pointer(&self.pointer, key)), text))
    }

    /// The same for a word that must be there.
    pub(super) fn need_word<T: Copy>(&self, key: &str, known: &[(&str, T)]) -> Result<T, Problem> {
        self.word(key, known)?.ok_or_else(|| self.missing(key))
    }

    /// A longer text; none when it is absent or empty.
    pub(super) fn opt_text(&self, key: &str) -> Result<Option<&'a str>, Problem> {
        let text = self.get(key)?.map(|node| node.text(MAX_TEXT_BYTES)).transpose()?;
        Ok(text.filter(|text| !text.trim().is_empty()))
    }

    /// This value as a text of at most `limit` bytes.
    pub(super) fn text(&self, limit: usize) -> Result<&'a str, Problem> {
        let text = self.value.as_text().ok_or_else(|| self.expected("a text"))?;
        if text.len() > limit {
            return Err(self.problem(format!("is longer than {limit} bytes; shorten it")));
        }
        Ok(text)
    }

    pub(super) fn opt_bool(&self, key: &str) -> Result<Option<bool>, Problem> {
        self.get(key)?
            .map(|node| node.value.as_bool().ok_or_else(|| node.expected("`true` or `false`")))
            .transpose()
    }

    /// A whole number from 0; none when it is absent.
    pub(super) fn opt_count(&self, key: &str) -> Result<Option<u64>, Problem> {
        self.get(key)?
            .map(|node| node.whole().ok_or_else(|| node.expected("a whole number from 0")))
            .transpose()
    }

    /// A whole number of either sign; none when it is absent.
    pub(super) fn opt_whole(&self, key: &str) -> Result<Option<i64>, Problem> {
        self.get(key)?
            .map(|node| {
                node.value
                    .as_number()
                    .and_then(Number::as_i64)
                    .ok_or_else(|| node.expected("a whole number"))
            })
            .transpose()
    }

    /// A finite number; none when it is absent.
    pub(super) fn opt_number(&self, key: &str) -> Result<Option<f64>, Problem> {
        self.get(key)?
            .map(|node| {
                node.value
                    .as_number()
                    .and_then(Number::as_f64)
                    .ok_or_else(|| node.expected("a number"))
            })
            .transpose()
    }

    /// This value as a number or one of the words for "not a number".
    pub(super) fn reading(&self) -> Result<Reading, Problem> {
        match self.value {
            Tree::Number(number) => {
                number.as_f64().map(Reading::Value).ok_or_else(|| self.expected("a number"))
            }
            Tree::Text(word) => ["NaN", "Infinity", "-Infinity"]
                .into_iter()
                .find(|known| known == word)
                .map(Reading::NotANumber)
                .ok_or_else(|| self.problem(format!("`{}` is not a number", quoted(word)))),
            Tree::Null | Tree::Bool(_) | Tree::List(_) | Tree::Object(_) => {
                Err(self.expected("a number"))
            }
        }
    }

    /// A time in milliseconds since the Unix epoch; none when it is absent.
    pub(super) fn opt_milliseconds(&self, key: &str) -> Result<Option<Timestamp>, Problem> {
        let Some(node) = self.get(key)? else { return Ok(None) };
        let milliseconds = node.whole().and_then(Timestamp::from_milliseconds);
        milliseconds.map(Some).ok_or_else(|| {
            node.problem("is not a time in milliseconds between the years 1970 and 9999")
        })
    }

    /// A time as text; none when it is absent or empty.
    pub(super) fn opt_time(&self, key: &str) -> Result<Option<Timestamp>, Problem> {
        let (Some(text), Some(node)) = (self.opt_name(key)?, self.get(key)?) else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_| {
            let shown = quoted(text);
            node.problem(format!("`{shown}` is not a time as in RFC 3339 between 1970 and 9999"))
        })
    }

    /// A digest `sha256:…`; none when it is absent or empty.
    pub(super) fn opt_digest(&self, key: &str) -> Result<Option<Digest>, Problem> {
        match (self.opt_name(key)?, self.get(key)?) {
            (Some(text), Some(node)) => node.digest(text).map(Some),
            _ => Ok(None),
        }
    }

    /// The digest that `text`, found at this value, is.
    pub(super) fn digest(&self, text: &str) -> Result<Digest, Problem> {
        text.parse().map_err(|_| {
            self.problem(format!(
                "`{}` is not a digest of the form `sha256:` and 64 hex digits",
                quoted(text)
            ))
        })
    }

    pub(super) fn is_null(&self) -> bool {
        self.value.is_null()
    }

    pub(super) fn is_text(&self) -> bool {
        self.value.as_text().is_some()
    }

    fn whole(&self) -> Option<u64> {
        self.value.as_number().and_then(Number::as_u64)
    }

    fn missing(&self, key: &str) -> Problem {
        self.problem(format!("`{key}` is missing or empty"))
    }

    fn child(&self, key: &str, value: &'a Tree<'a>) -> Self {
        Node { value, pointer: child_pointer(&self.pointer, key) }
    }

    fn expected(&self, what: &str) -> Problem {
        let found = match self.value {
            Tree::Null => "nothing",
            Tree::Bool(_) => "`true` or `false`",
            Tree::Number(_) => "a number",
            Tree::Text(_) => "a text",
            Tree::List(_) => "an array",
            Tree::Object(_) => "an object",
        };
        self.problem(format!("expected {what}, found {found}"))
    }
}

/// RFC 6901, section 3: `~` and `/` are escaped.
fn child_pointer(parent: &str, key: &str) -> String {
    format!("{parent}/{}", key.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::super::json;
    use super::*;

    #[test]
    fn names_the_place_as_a_json_pointer() {
        let text = json::read(br#"{"a/b": [{"m~n": 1}]}"#).unwrap();
        let value = text.parse().unwrap().value;
        let node = Node::root(&value);
        let inner = node.items("a/b").unwrap().remove(0);
        assert_eq!(inner.name("m~n").unwrap_err().place, "/a~1b/0/m~0n");
        assert_eq!(inner.need("x").unwrap_err().place, "/a~1b/0");
    }

    #[test]
    fn takes_null_for_absent() {
        let text = json::read(br#"{"a": null, "list": [null, 1]}"#).unwrap();
        let value = text.parse().unwrap().value;
        let node = Node::root(&value);
        assert_eq!(node.opt_name("a"), Ok(None));
        assert_eq!(node.items("list").unwrap().len(), 1);
    }

    #[test]
    fn rejects_values_of_another_type() {
        let text = br#"{"text": 1, "count": -1, "number": "1", "flag": 0, "digest": "sha512:0"}"#;
        let text = json::read(text).unwrap();
        let value = text.parse().unwrap().value;
        let node = Node::root(&value);
        assert!(node.opt_name("text").is_err());
        assert!(node.opt_count("count").is_err());
        assert!(node.opt_number("number").is_err());
        assert!(node.opt_bool("flag").is_err());
        assert!(node.opt_digest("digest").is_err());
        assert!(node.items("text").is_err());
    }

    #[test]
    fn knows_the_words_for_not_a_number() {
        let text = json::read(br#"["NaN", "Infinity", "-Infinity", 0.5, "nan"]"#).unwrap();
        let value = text.parse().unwrap().value;
        let readings: Vec<_> =
            Node::root(&value).elements().unwrap().iter().map(Node::reading).collect();
        assert_eq!(readings[0], Ok(Reading::NotANumber("NaN")));
        assert_eq!(readings[2], Ok(Reading::NotANumber("-Infinity")));
        assert_eq!(readings[3], Ok(Reading::Value(0.5)));
        assert!(readings[4].is_err());
    }
}
