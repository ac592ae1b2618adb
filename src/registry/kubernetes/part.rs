//! A part of a resource: its fields as they are written, and where in the resource it stands.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::review::shown;

/// An object of a resource. What is not asked for is not parsed.
pub(super) struct Part<'a> {
    place: String,
    fields: Fields<'a>,
}

impl<'a> Part<'a> {
    pub(super) fn read(place: String, raw: &'a RawValue) -> Result<Self, String> {
        match serde_json::from_str(raw.get()) {
            Ok(fields) => Ok(Self { place, fields }),
            Err(error) => Err(unreadable(&place, &error)),
        }
    }

    /// Itself, when it has no field but these. A field that nobody here has heard of may name a
    /// model, as new ones did before.
    pub(super) fn only(self, known: &[&[&str]]) -> Result<Self, String> {
        let unknown = self.fields.0.iter().find(|(name, _)| {
            let is_known = |names: &&[&str]| names.contains(name);
            !known.iter().any(is_known)
        });
        match unknown {
            None => Ok(self),
            Some((name, _)) => Err(format!(
                "`{}` is a field that this lockgate does not know, and may name a model; leave it out, or use a later lockgate",
                shown(&self.at(name))
            )),
        }
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Where a field of it stands.
    pub(super) fn at(&self, name: &str) -> String {
        format!("{}.{name}", self.place)
    }

    fn raw(&self, name: &str) -> Option<&'a RawValue> {
        let (_, raw) = self.fields.0.iter().find(|(other, _)| *other == name)?;
        (raw.get() != "null").then_some(*raw)
    }

    /// Whether nothing is written in it.
    pub(super) fn is_empty(&self) -> bool {
        let written = |raw: &RawValue| !matches!(raw.get(), "null" | "[]" | "{}");
        !self.fields.0.iter().any(|(_, raw)| written(raw))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// A field that is read whole.
    pub(super) fn get<T: Deserialize<'a>>(&self, name: &str) -> Result<Option<T>, String> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        match serde_json::from_str(raw.get()) {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(unreadable(&self.at(name), &error)),
        }
    }

    /// A field that is an object.
    pub(super) fn part(&self, name: &str) -> Result<Option<Self>, String> {
        self.raw(name).map(|raw| Self::read(self.at(name), raw)).transpose()
    }

    /// A field that is a list of objects.
    pub(super) fn parts(&self, name: &str) -> Result<Vec<Self>, String> {
        let list: Vec<&RawValue> = self.get(name)?.unwrap_or_default();
        let part = |(index, raw)| Self::read(format!("{}[{index}]", self.at(name)), raw);
        list.into_iter().enumerate().map(part).collect()
    }

    /// Its own fields, each an object.
    pub(super) fn each(&self) -> Result<Vec<Self>, String> {
        let part = |(name, raw): &(&str, &'a RawValue)| Self::read(self.at(&shown(name)), raw);
        self.fields.0.iter().map(part).collect()
    }
}

fn unreadable(place: &str, error: &serde_json::Error) -> String {
    format!("{place} cannot be read: {}", shown(&error.to_string()))
}

/// Fields in their order. One that stands there twice would mean two things.
struct Fields<'a>(Vec<(&'a str, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Vec<(&'de str, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields: Self::Value = Vec::new();
                while let Some((name, raw)) = map.next_entry::<&str, &RawValue>()? {
                    if fields.iter().any(|(other, _)| *other == name) {
                        return Err(A::Error::custom(format!("`{name}` stands there twice")));
                    }
                    fields.push((name, raw));
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Object).map(Self)
    }
}
