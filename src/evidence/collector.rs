use std::collections::{BTreeMap, btree_map};
use std::path::Path;

use super::error::{EvidenceError, Problem, quoted};
use super::files::{self, Visitor};
use super::format::{Context, Format, refuse_bare_words};
use super::freeze::{Frozen, freeze};
use super::json::{self, Parsed};
use super::limits::{MAX_ENTRIES, MAX_FILE_BYTES, MAX_ITEMS, MAX_NAME_BYTES, MAX_TOTAL_BYTES};
use super::said::Said;
use super::{About, Assigned, Assignment, Side};
use crate::model::{Digest, Document, Kind, Source, SourceName};

/// What documents that the gate file names are listed as.
const DOCUMENT: &str = "document";

/// Takes evidence in any order and freezes it into one snapshot.
#[derive(Debug)]
pub struct Collector {
    about: About,
    assignments: Vec<Assignment>,
    read: BTreeMap<SourceName, Piece>,
    /// The name under which these bytes were read, for each side.
    seen: BTreeMap<(Side, Digest), SourceName>,
    errors: Vec<EvidenceError>,
    entries: usize,
    bytes: u64,
    items: usize,
}

/// One source that was read.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) source: Source,
    pub(super) precedence: u8,
    pub(super) said: Said,
}

impl Collector {
    /// Nothing collected yet.
    #[must_use]
    pub fn new(about: About, assignments: Vec<Assignment>) -> Self {
        Self {
            about,
            assignments,
            read: BTreeMap::new(),
            seen: BTreeMap::new(),
            errors: Vec::new(),
            entries: 0,
            bytes: 0,
            items: 0,
        }
    }

    /// Adds a file, or every file below a directory.
    ///
    /// Sources are named by their path below the directory, a single file by its name, so that
    /// the snapshot does not depend on where the directory lies; those of the baseline stand
    /// below `baseline/`. What cannot be used is told by [`Self::freeze`].
    pub fn add_path(&mut self, path: &Path, side: Side) {
        files::visit(path, &mut Walk { collector: self, side });
    }

    /// The same as [`Self::add_path`] for a path below a directory that is open: what leads out of
    /// it is not read.
    pub fn add_within(&mut self, base: &cap_std::fs::Dir, path: &str, side: Side) {
        files::visit_within(base, path, &mut Walk { collector: self, side });
    }

    /// Adds evidence that is not in a file, under the name that a file would have.
    pub fn add_bytes(&mut self, name: &str, bytes: &[u8], side: Side) {
        if name.is_empty() || name.len() > MAX_NAME_BYTES || name.chars().any(char::is_control) {
            let problem = Problem::whole("has a name that is empty, too long or not plain text");
            self.note(&quoted(name), side, problem);
        } else if !self.count() {
            self.note(name, side, files::too_many());
        } else {
            self.take(name, bytes, side);
        }
    }

    /// Adds what is known to be of one format, such as the answer of a registry: no assignment of
    /// the gate file speaks of it.
    pub fn add_known(&mut self, name: &str, format: Format, bytes: &[u8], side: Side) {
        if self.count() {
            self.take_as(name, Some(format), bytes, side);
        } else {
            self.note(name, side, files::too_many());
        }
    }

    /// The snapshot of everything added, or everything that is wrong with it.
    ///
    /// # Errors
    ///
    /// Every piece of evidence that could not be read or speaks of something else, ordered by
    /// name; pieces that contradict each other.
    pub fn freeze(mut self) -> Result<Frozen, Vec<EvidenceError>> {
        if self.errors.is_empty() {
            return freeze(self.read.into_values().collect());
        }
        self.errors.sort();
        self.errors.dedup();
        Err(self.errors)
    }

    fn note(&mut self, name: &str, side: Side, problem: Problem) {
        self.errors.push(problem.of(&side.full(name)));
    }

    fn count(&mut self) -> bool {
        self.entries += 1;
        self.entries <= MAX_ENTRIES
    }

    fn assigned(&self, name: &str) -> Option<&Assigned> {
        let matching = self.assignments.iter().find(|assignment| assignment.glob.is_match(name));
        matching.map(|assignment| &assignment.assigned)
    }

    fn take(&mut self, name: &str, bytes: &[u8], side: Side) {
        if self.assigned(name) != Some(&Assigned::Ignore) {
            self.take_as(name, None, bytes, side);
        }
    }

    fn take_as(&mut self, name: &str, known: Option<Format>, bytes: &[u8], side: Side) {
        let full = side.full(name).into();
        if let Err(problem) = self.try_take((name, known), &full, bytes, side) {
            self.errors.push(problem.of(&full));
        }
    }

    fn try_take(
        &mut self,
        (name, known): (&str, Option<Format>),
        full: &SourceName,
        bytes: &[u8],
        side: Side,
    ) -> Result<(), Problem> {
        let digest = self.admit(full, bytes, side)?;
        let text = json::read(bytes)?;
        let parsed = text.parse()?;
        let (label, precedence, said) = self.understand((name, known), full, parsed, side)?;
        match side {
            Side::Candidate => self.check_digests(&said)?,
            Side::Baseline => check_baseline(&said)?,
        }
        self.items = self.items.saturating_add(said.len());
        if self.items > MAX_ITEMS {
            return Err(Problem::whole(format!(
                "brings the snapshot to more than {MAX_ITEMS} metrics, findings and other items; \
                 leave out what no policy reads"
            )));
        }
        let kinds = match side {
            Side::Candidate => said.kinds.iter().copied().collect(),
            Side::Baseline => vec![Kind::Metrics],
        };
        let mut subjects = said.subjects.clone();
        subjects.sort();
        subjects.dedup();
        let source = Source {
            name: full.clone(),
            format: label.to_owned(),
            digest,
            collected_at: said.collected_at,
            baseline: side == Side::Baseline,
            kinds,
            subjects,
            signed_by: Vec::new(),
        };
        self.read.insert(full.clone(), Piece { source, precedence, said });
        Ok(())
    }

    /// Checks what can be told without parsing.
    fn admit(&mut self, full: &SourceName, bytes: &[u8], side: Side) -> Result<Digest, Problem> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if length > MAX_FILE_BYTES {
            return Err(files::too_large());
        }
        self.bytes = self.bytes.saturating_add(length);
        if self.bytes > MAX_TOTAL_BYTES {
            let text = format!(
                "brings the evidence to more than {MAX_TOTAL_BYTES} bytes; give fewer files, or \
                 reports that list less"
            );
            return Err(Problem::whole(text));
        }
        if self.read.contains_key(full) {
            return Err(Problem::whole(
                "is the name of two pieces of evidence; rename one, or give a directory above both",
            ));
        }
        let digest = Digest::of(bytes);
        // Counted twice, the same report would double what was spent or found.
        match self.seen.entry((side, digest)) {
            btree_map::Entry::Occupied(first) => Err(Problem::whole(format!(
                "has the same content as `{}`; remove one of the two",
                first.get().min(full)
            ))),
            btree_map::Entry::Vacant(vacant) => {
                vacant.insert(full.clone());
                Ok(digest)
            }
        }
    }

    fn understand(
        &self,
        (name, known): (&str, Option<Format>),
        full: &SourceName,
        parsed: Parsed<'_>,
        side: Side,
    ) -> Result<(&'static str, u8, Said), Problem> {
        let (format, currency) = match (known, self.assigned(name)) {
            (Some(format), _) => (format, None),
            (None, Some(Assigned::Document(document))) => {
                return read_document(document, parsed, full);
            }
            (None, Some(Assigned::Format(format))) => (*format, None),
            (None, Some(Assigned::OpenCostIn(currency))) => (Format::OpenCost, Some(currency)),
            (None, Some(Assigned::Ignore) | None) => (Format::detect(&parsed.value)?, None),
        };
        let context = Context { about: &self.about, side, source: full.clone(), currency };
        Ok((format.as_str(), format.precedence(), format.read(&parsed, &context)?))
    }

    /// A source that names digests, none of which the promotion is about, is about something
    /// else. One that names none cannot be held to it.
    fn check_digests(&self, said: &Said) -> Result<(), Problem> {
        let asked = &self.about.digests;
        let disjoint = !said.subjects.iter().any(|digest| asked.contains(digest));
        match (said.subjects.first(), asked.first()) {
            (Some(found), Some(expected)) if disjoint => Err(Problem::mismatch(
                "",
                format!("speaks of `{found}`, and the promotion is about `{expected}`"),
            )),
            _ => Ok(()),
        }
    }
}

fn check_baseline(said: &Said) -> Result<(), Problem> {
    if said.metrics.is_empty() {
        return Err(Problem::whole(
            "holds no metric with a value; only metrics are read of a baseline, so remove it there",
        ));
    }
    Ok(())
}

fn read_document(
    name: &str,
    parsed: Parsed<'_>,
    source: &SourceName,
) -> Result<(&'static str, u8, Said), Problem> {
    refuse_bare_words(&parsed)?;
    let document =
        Document { name: name.to_owned(), content: parsed.value.into(), source: source.clone() };
    let said =
        Said { kinds: [Kind::Documents].into(), documents: vec![document], ..Said::default() };
    Ok((DOCUMENT, u8::MAX, said))
}

struct Walk<'a> {
    collector: &'a mut Collector,
    side: Side,
}

impl Visitor for Walk<'_> {
    fn ignores(&self, name: &str) -> bool {
        self.collector.assigned(name) == Some(&Assigned::Ignore)
    }

    fn file(&mut self, name: &str, bytes: &[u8]) {
        self.collector.take(name, bytes, self.side);
    }

    fn problem(&mut self, name: &str, problem: Problem) {
        let name = if name.is_empty() { "." } else { name };
        self.collector.note(name, self.side, problem);
    }

    fn count(&mut self) -> bool {
        self.collector.count()
    }
}
