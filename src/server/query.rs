//! The query of a URL, read strictly: every name once, and none that is not known.

use std::str::FromStr;

use super::problem::Problem;
use super::text::is_name;
use crate::decision::Verdict;
use crate::model::Timestamp;
use crate::net::percent_decoded;

/// Parameters that have not been taken yet.
pub(super) struct Query(Vec<(String, String)>);

/// More parameters than any route takes.
const MOST: usize = 32;

impl Query {
    pub(super) fn parse(query: &str) -> Result<Self, Problem> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            if pairs.len() >= MOST || pairs.iter().any(|(other, _)| *other == name) {
                return Err(Problem::invalid("a parameter is given twice, or there are too many"));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    fn remove(&mut self, name: &str) -> Option<String> {
        let index = self.0.iter().position(|(other, _)| other == name)?;
        Some(self.0.swap_remove(index).1)
    }

    /// A value in the words of the rest of lockgate.
    pub(super) fn take<T: Word>(&mut self, name: &str) -> Result<Option<T>, Problem> {
        let Some(value) = self.remove(name) else { return Ok(None) };
        match T::read(&value) {
            Ok(value) => Ok(Some(value)),
            Err(message) => Err(Problem::invalid(format!("`{name}`: {message}"))),
        }
    }

    pub(super) fn take_name(&mut self, name: &str) -> Result<Option<String>, Problem> {
        let Some(value) = self.remove(name) else { return Ok(None) };
        if is_name(&value) {
            return Ok(Some(value));
        }
        Err(Problem::invalid(format!("`{name}` is empty, too long or not plain text")))
    }

    /// A time as RFC 3339 writes it; a day alone would leave open whether it is in.
    pub(super) fn take_time(&mut self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let Some(value) = self.remove(name) else { return Ok(None) };
        let time = value.parse::<Timestamp>().ok().filter(|time| time.to_string() == value);
        time.map(Some).ok_or_else(|| {
            Problem::invalid(format!(
                "`{name}` is not a time; write it in UTC, to the second: `2026-11-23T12:00:00Z`"
            ))
        })
    }

    /// Refuses what nobody has taken: a filter that is misspelt must not find everything.
    pub(super) fn finish(self) -> Result<(), Problem> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => {
                let name: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
                Err(Problem::invalid(format!("there is no parameter `{name}`")))
            }
        }
    }
}

/// A word of a query.
pub(super) trait Word: Sized {
    fn read(text: &str) -> Result<Self, String>;
}

macro_rules! by_from_str {
    ($($kind:ty),*) => {$(
        impl Word for $kind {
            fn read(text: &str) -> Result<Self, String> {
                <$kind as FromStr>::from_str(text).map_err(|error| error.to_string())
            }
        }
    )*};
}

by_from_str!(
    crate::model::Target,
    crate::model::Origin,
    crate::record::PageSize,
    crate::record::Cursor
);

impl Word for Verdict {
    fn read(text: &str) -> Result<Self, String> {
        let verdicts = [Self::Allow, Self::Deny, Self::Undecided];
        verdicts
            .into_iter()
            .find(|verdict| verdict.as_str() == text)
            .ok_or_else(|| "write `allow`, `deny` or `undecided`".to_owned())
    }
}

/// Percent-decoding, of UTF-8 and nothing else.
fn decode(text: &str) -> Result<String, Problem> {
    let (bytes, broken) = percent_decoded(text.replace('+', " ").as_bytes());
    let text = String::from_utf8(bytes).ok().filter(|_| !broken);
    text.ok_or_else(|| Problem::invalid("the query is not percent-encoded UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_client_encodes() {
        let mut query = Query::parse("model=a%20b+%C3%A9&verdict=deny").unwrap();
        assert_eq!(query.take_name("model").unwrap().as_deref(), Some("a b é"));
        assert_eq!(query.take::<Verdict>("verdict").unwrap(), Some(Verdict::Deny));
        query.finish().unwrap();
    }

    #[test]
    fn refuses_what_is_given_twice_misspelt_or_broken() {
        for broken in ["a=1&a=2", "a=%", "a=%ff", "a=%zz"] {
            assert!(Query::parse(broken).is_err(), "{broken}");
        }
        assert!(Query::parse("modell=x").unwrap().finish().is_err());
        assert!(Query::parse("since=2026-01-01").unwrap().take_time("since").is_err());
        assert!(Query::parse("verdict=maybe").unwrap().take::<Verdict>("verdict").is_err());
    }
}
