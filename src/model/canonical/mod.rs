//! Canonical JSON (RFC 8785): one text for one value, so that a digest of the text stands for the
//! value.
//!
//! Everything is written once, into one buffer. The members of an object are put in order when it
//! ends, and left where they stand if they came in order.

mod serializer;

use std::fmt::Display;

use serde::Serialize;
use serde::ser::Error as _;

/// Why a value has no canonical text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NotCanonical(String);

impl serde::ser::Error for NotCanonical {
    fn custom<T: Display>(reason: T) -> Self {
        Self(reason.to_string())
    }
}

/// The canonical text of a value.
///
/// Numbers are those of JavaScript, IEEE 754 doubles; whole numbers beyond 2^53 are rounded to one.
///
/// # Errors
/// A number that JSON does not have, a key that is no string, and a key that an object has twice:
/// readers differ in what they take such a text for.
pub(crate) fn to_string(value: &impl Serialize) -> Result<String, NotCanonical> {
    String::from_utf8(to_vec(value)?).map_err(NotCanonical::custom)
}

/// The same as bytes, which are UTF-8.
///
/// # Errors
/// See [`to_string`].
pub(crate) fn to_vec(value: &impl Serialize) -> Result<Vec<u8>, NotCanonical> {
    let mut writer = Writer::default();
    value.serialize(&mut writer)?;
    Ok(writer.text)
}

#[derive(Default)]
struct Writer {
    text: Vec<u8>,
    /// Members so far of the objects that have not ended, those of the innermost last.
    members: Vec<Member>,
    /// Where members are put in order.
    ordered: Vec<u8>,
}

/// Where a member of an object stands in the text: from its key's quote to the end of its value.
#[derive(Clone, Copy)]
struct Member {
    start: usize,
    colon: usize,
    end: usize,
}

impl Member {
    /// The key as it is written, without its quotes.
    fn key(self, text: &[u8]) -> &[u8] {
        text.get(self.start + 1..self.colon - 1).unwrap_or_default()
    }
}

/// Whether a key's bytes are ordered as the UTF-16 code units of what it stands for.
fn is_plain(key: &[u8]) -> bool {
    key.is_ascii() && !key.contains(&b'\\')
}

fn code_units(key: &[u8]) -> Result<Vec<u16>, NotCanonical> {
    let key: String =
        serde_json::from_slice(&[b"\"", key, b"\""].concat()).map_err(NotCanonical::custom)?;
    Ok(key.encode_utf16().collect())
}

impl Writer {
    fn push(&mut self, text: &str) {
        self.text.extend_from_slice(text.as_bytes());
    }

    /// What JSON writes in one way only.
    fn plainly<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotCanonical> {
        serde_json::to_writer(&mut self.text, value).map_err(NotCanonical::custom)
    }

    /// A key and its colon.
    fn key(&mut self, key: &(impl Serialize + ?Sized), first: bool) -> Result<(), NotCanonical> {
        if !first {
            self.push(",");
        }
        let start = self.text.len();
        key.serialize(&mut *self)?;
        if self.text.get(start) != Some(&b'"') {
            return Err(NotCanonical::custom("a key is no string"));
        }
        let colon = self.text.len();
        self.push(":");
        self.members.push(Member { start, colon, end: colon });
        Ok(())
    }

    /// Puts the members from `first` on in order, which are those of the object that ends.
    fn order(&mut self, first: usize) -> Result<(), NotCanonical> {
        let Self { text, members, ordered } = self;
        let own = members.get_mut(first..).unwrap_or_default();
        let Some(start) = own.first().map(|member| member.start) else { return Ok(()) };
        if own.is_sorted_by(|one, next| {
            let (one, next) = (one.key(text), next.key(text));
            is_plain(one) && is_plain(next) && one < next
        }) {
            members.truncate(first);
            return Ok(());
        }
        if own.iter().all(|member| is_plain(member.key(text))) {
            own.sort_by(|one, other| one.key(text).cmp(other.key(text)));
        } else {
            let mut keyed = own
                .iter()
                .map(|member| Ok((code_units(member.key(text))?, *member)))
                .collect::<Result<Vec<_>, NotCanonical>>()?;
            keyed.sort_by(|(one, _), (other, _)| one.cmp(other));
            own.iter_mut().zip(keyed).for_each(|(member, (_, sorted))| *member = sorted);
        }
        ordered.clear();
        let mut before = None;
        for member in own {
            let key = member.key(text);
            if before == Some(key) {
                let key = String::from_utf8_lossy(key);
                return Err(NotCanonical::custom(format_args!("the key \"{key}\" stands twice")));
            }
            if before.is_some() {
                ordered.push(b',');
            }
            before = Some(key);
            ordered.extend_from_slice(text.get(member.start..member.end).unwrap_or_default());
        }
        text.truncate(start);
        text.extend_from_slice(ordered);
        members.truncate(first);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
