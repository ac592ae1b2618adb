//! Finding decisions: what is asked for, and what comes back a page at a time.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use super::RecordError;
use super::row::{Linked, Row};
use super::verify::Malformed;
use crate::decision::{Decision, Movement, Verdict};
use crate::model::{DecisionId, Digest, Origin, Target, Timestamp};
use crate::report::{self, Unreadable};

/// Which decisions are wanted. What is none does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Name of the model.
    pub model: Option<String>,
    /// Version of the model.
    pub version: Option<String>,
    /// Where it was to go.
    pub target: Option<Target>,
    /// What was decided.
    pub verdict: Option<Verdict>,
    /// By which way it was asked for.
    pub origin: Option<Origin>,
    /// Asked for at this time or later.
    pub since: Option<Timestamp>,
    /// Asked for before this time.
    pub until: Option<Timestamp>,
}

/// Which part of what was found is wanted; the newest come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// At most so many.
    pub size: PageSize,
    /// The page after this one; none for the first.
    pub after: Option<Cursor>,
}

impl Default for Page {
    fn default() -> Self {
        Self { size: PageSize::DEFAULT, after: None }
    }
}

/// How many decisions a page has at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PageSize(NonZeroU16);

/// A number that is no size of a page.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not the size of a page; write a number from 1 to {most}", most = PageSize::MOST)]
pub struct InvalidPageSize(pub String);

impl PageSize {
    /// The largest page.
    pub const MOST: u16 = 500;
    /// The page unless another size is asked for.
    pub const DEFAULT: Self = Self(NonZeroU16::MIN.saturating_add(49));

    /// A size; none when it is 0 or more than [`PageSize::MOST`].
    #[must_use]
    pub fn new(size: u16) -> Option<Self> {
        NonZeroU16::new(size).filter(|size| size.get() <= Self::MOST).map(Self)
    }

    /// The size.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0.get()
    }
}

impl FromStr for PageSize {
    type Err = InvalidPageSize;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse()
            .ok()
            .and_then(Self::new)
            .ok_or_else(|| InvalidPageSize(text.chars().take(100).collect()))
    }
}

/// Where a page ends.
///
/// It is the id of the page's last decision, so it stays good however many are added or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(DecisionId);

impl Cursor {
    /// The page after this decision.
    #[must_use]
    pub const fn after(id: DecisionId) -> Self {
        Self(id)
    }

    pub(super) const fn id(self) -> DecisionId {
        self.0
    }
}

/// Text that is no cursor.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a cursor; take it from the page before")]
pub struct InvalidCursor(pub String);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_| InvalidCursor(text.chars().take(100).collect()))
    }
}

/// A page of what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The decisions, newest first.
    pub decisions: Vec<Summary>,
    /// Where to go on; none at the end.
    pub next: Option<Cursor>,
}

/// What a decision was about, and what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// What it is called.
    pub id: DecisionId,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// By which way it was asked for.
    pub origin: Origin,
    /// Who asked, as verified.
    pub asked_by: Option<String>,
    /// The answer.
    pub verdict: Verdict,
    /// Registry that holds the model.
    pub registry: String,
    /// Name of the model.
    pub model: String,
    /// Version of the model.
    pub version: String,
    /// Which way it was to move.
    pub movement: Movement,
    /// Where it was to go, or to be taken from.
    pub target: Target,
    /// Who asked, as the request says.
    pub requested_by: Option<String>,
}

/// A decision on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// What it was about, and what it was.
    pub summary: Summary,
    /// The decision as JSON, of which the schema is that of the JSON report.
    pub document: String,
    /// Digest of the evidence that was kept with it; see [`super::Record::snapshot`].
    pub snapshot: Option<Digest>,
    /// Its writer.
    pub writer: String,
    /// Its number among those of the writer.
    pub sequence: u64,
    /// Its hash, by which the next one refers to it.
    pub hash: Digest,
}

impl Recorded {
    /// The decision, to be told in any format of reports.
    ///
    /// # Errors
    /// When a later version of lockgate has written it in words that this one does not know.
    pub fn decision(&self) -> Result<Decision, Unreadable> {
        report::read_json(&self.document)
    }

    /// Holds the row against its own hash.
    pub(super) fn of(linked: Linked) -> Result<Self, RecordError> {
        held(&linked)?;
        let Linked { writer, sequence, hash, row, .. } = linked;
        let document = row.document.clone();
        let snapshot = row.snapshot;
        Ok(Self { summary: Summary::of(row)?, document, snapshot, writer, sequence, hash })
    }
}

impl Summary {
    /// Holds the row against its own hash: what was changed is not to be told as fact.
    pub(super) fn held(linked: Result<Linked, Malformed>) -> Result<Self, RecordError> {
        match linked {
            Ok(linked) => held(&linked).and_then(|()| Self::of(linked.row)),
            Err(Malformed { column, .. }) => {
                let detail = format!("column `{column}` of a decision");
                Err(RecordError::Tampered { detail })
            }
        }
    }

    fn of(row: Row) -> Result<Self, RecordError> {
        fn known<T: FromStr>(text: &str, row: &Row, column: &str) -> Result<T, RecordError> {
            text.parse().map_err(|_| tampered(row, &format!("its {column} is not one")))
        }
        let milliseconds = u64::try_from(row.recorded_at).unwrap_or_default();
        Ok(Self {
            id: known(&row.id, &row, "id")?,
            recorded_at: Timestamp::from_milliseconds(milliseconds)
                .ok_or_else(|| tampered(&row, "its time is not one"))?,
            origin: known(&row.origin, &row, "origin")?,
            verdict: known(&row.verdict, &row, "verdict")?,
            target: known(&row.target, &row, "target")?,
            movement: report::json_movement(&row.document),
            asked_by: row.asked_by,
            registry: row.registry,
            model: row.model,
            version: row.version,
            requested_by: row.requested_by,
        })
    }
}

fn held(linked: &Linked) -> Result<(), RecordError> {
    match linked.holds() {
        true => Ok(()),
        false => Err(tampered(&linked.row, "it is not what its hash was made of")),
    }
}

fn tampered(row: &Row, detail: &str) -> RecordError {
    let id: String = row.id.chars().take(100).collect();
    RecordError::Tampered { detail: format!("decision `{id}`: {detail}") }
}

/// The value of a condition of a query.
pub(super) enum Operand {
    Text(String),
    Count(i64),
}

/// The part of a query behind `WHERE`, with a mark for every operand, and the operands.
///
/// Ids begin with the time, so they are what times are compared with, and no index is needed for
/// it.
pub(super) fn condition(
    filter: &Filter,
    page: Page,
    mark: impl Fn(usize) -> String,
) -> (String, Vec<Operand>) {
    let Filter { model, version, target, verdict, origin, since, until } = filter;
    let mut parts = Vec::new();
    let mut operands = Vec::new();
    let mut add = |text: &str, value: Option<String>| {
        if let Some(value) = value {
            operands.push(Operand::Text(value));
            parts.push(format!("{text} {}", mark(operands.len())));
        }
    };
    add("model =", model.clone());
    add("version =", version.clone());
    add("target =", target.as_ref().map(ToString::to_string));
    add("verdict =", verdict.map(|verdict| verdict.to_string()));
    add("origin =", origin.map(|origin| origin.to_string()));
    add("id >=", since.map(first_id_at));
    add("id <", until.map(first_id_at));
    add("id <", page.after.map(|cursor| cursor.id().to_string()));
    // One more than the page has, to see whether there is another.
    operands.push(Operand::Count(i64::from(page.size.get()).saturating_add(1)));
    let conditions = if parts.is_empty() { "TRUE".to_owned() } else { parts.join(" AND ") };
    (format!("{conditions} ORDER BY id DESC LIMIT {}", mark(operands.len())), operands)
}

/// Makes a page of what [`condition`] found.
pub(super) fn listing(mut decisions: Vec<Summary>, page: Page) -> Listing {
    let size = usize::from(page.size.get());
    let more = decisions.len() > size;
    decisions.truncate(size);
    let next = decisions.last().filter(|_| more).map(|last| Cursor(last.id));
    Listing { decisions, next }
}

/// An id that is not greater than any of that time.
fn first_id_at(time: Timestamp) -> String {
    let milliseconds = time.seconds().saturating_mul(1000);
    let digits = format!("{milliseconds:012x}");
    let (high, low) = digits.split_at_checked(8).unwrap_or((&digits, ""));
    format!("{high}-{low}-7000-8000-000000000000")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_stands_before_every_id_of_its_millisecond() {
        let id = DecisionId::new();
        let second = Timestamp::from_milliseconds(id.milliseconds()).unwrap();
        let next = Timestamp::from_seconds(second.seconds() + 1).unwrap();
        assert!(first_id_at(second) <= id.to_string());
        assert!(first_id_at(next) > id.to_string());
        assert!(first_id_at(second).parse::<DecisionId>().is_ok());
    }

    #[test]
    fn a_page_has_at_least_one_and_at_most_500() {
        for text in ["0", "501", "-1", "", "ten"] {
            assert!(text.parse::<PageSize>().is_err(), "{text}");
        }
        assert_eq!("500".parse::<PageSize>().map(PageSize::get), Ok(500));
        assert_eq!(PageSize::DEFAULT.get(), 50);
    }
}
