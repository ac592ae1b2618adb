//! Many pieces of evidence become one snapshot, whatever order they came in.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::collector::Piece;
use super::error::{EvidenceError, Problem};
use super::format::refuse_bare_words;
use super::json;
use super::said::NoValue;
use crate::model::{Digest, Finding, Metadata, Metric, Snapshot, Unmeasured, canonical};

/// All evidence of one decision and what identifies it. Clones share it.
#[derive(Clone, Debug)]
pub struct Frozen {
    /// The evidence.
    pub snapshot: Arc<Snapshot>,
    /// SHA-256 of `canonical`.
    pub digest: Digest,
    /// The snapshot as canonical JSON (RFC 8785).
    pub canonical: Arc<[u8]>,
}

impl Frozen {
    /// Reads a snapshot that was frozen before, from a file below a directory that is open. What
    /// was put out of order since is in order again, and the digest is that of what it says now.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(base: &cap_std::fs::Dir, path: &str) -> Result<Self, EvidenceError> {
        super::files::read_within(base, path)
            .and_then(|bytes| Self::thawed(&bytes))
            .map_err(|problem| problem.of(path))
    }

    /// The same for a snapshot that is at hand; `name` is what messages call it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(bytes: &[u8], name: &str) -> Result<Self, EvidenceError> {
        Self::thawed(bytes).map_err(|problem| problem.of(name))
    }

    fn thawed(bytes: &[u8]) -> Result<Self, Problem> {
        let text = json::read(bytes)?;
        let parsed = text.parse()?;
        refuse_bare_words(&parsed)?;
        let mut snapshot: Snapshot = serde_json::from_str(parsed.text).map_err(|error| {
            let problem = json::syntax_problem(&error);
            Problem { text: format!("is no snapshot: {}", problem.text), ..problem }
        })?;
        order(&mut snapshot);
        Self::of(snapshot)
    }

    fn of(snapshot: Snapshot) -> Result<Self, Problem> {
        let canonical = canonical::to_vec(&snapshot).map_err(|error| {
            Problem::whole(format!("cannot be written as canonical JSON: {error}"))
        })?;
        let digest = Digest::of(&canonical);
        Ok(Self { snapshot: Arc::new(snapshot), digest, canonical: canonical.into() })
    }
}

/// Merges the pieces, which come ordered by name.
pub(super) fn freeze(mut pieces: Vec<Piece>) -> Result<Frozen, Vec<EvidenceError>> {
    let errors = contradictions(&pieces);
    if !errors.is_empty() {
        return Err(errors);
    }
    // Stable: sources of equal precedence stay in the order of their names.
    pieces.sort_by_key(|piece| (piece.source.baseline, piece.precedence));
    let mut snapshot = Snapshot::default();
    let mut without_value = [Vec::new(), Vec::new()];
    for piece in pieces {
        merge(piece, &mut snapshot, &mut without_value);
    }
    let [candidate, baseline] = without_value;
    snapshot.unmeasured = set_aside(&mut snapshot.candidate, candidate);
    // There is no list for what the baseline did not measure: it lacks the metric, which is what
    // a policy that compares must refuse to compare with.
    set_aside(&mut snapshot.baseline, baseline);
    if let Some(source) = snapshot.sources.iter().find(|source| source.baseline)
        && snapshot.baseline.is_empty()
    {
        // Otherwise it would look like the first version of its model.
        let text = "leaves the baseline without a metric that has a value; give one that has";
        return Err(vec![Problem::whole(text).of(&source.name)]);
    }
    order(&mut snapshot);
    drop_repeated(&mut snapshot.candidate);
    drop_repeated(&mut snapshot.baseline);
    Frozen::of(snapshot).map_err(|problem| vec![problem.of("snapshot")])
}

fn merge(piece: Piece, snapshot: &mut Snapshot, without_value: &mut [Vec<NoValue>; 2]) {
    let Piece { source, said, .. } = piece;
    let [candidate, baseline] = without_value;
    let is_baseline = source.baseline;
    snapshot.sources.push(source);
    if is_baseline {
        snapshot.baseline.extend(said.metrics);
        baseline.extend(said.unmeasured);
        return;
    }
    candidate.extend(said.unmeasured);
    snapshot.candidate.extend(said.metrics);
    fill(&mut snapshot.metadata, said.metadata);
    for (key, value) in said.tags {
        snapshot.tags.entry(key).or_insert(value);
    }
    snapshot.card.extend(said.card);
    snapshot.artifacts.extend(said.artifacts);
    snapshot.tests.extend(said.tests);
    snapshot.usages.extend(said.usages);
    snapshot.forecasts.extend(said.forecasts);
    snapshot.scans.extend(said.scans);
    snapshot.findings.extend(said.findings);
    snapshot.approvals.extend(said.approvals);
    snapshot.transitions.extend(said.transitions);
    snapshot.current = snapshot.current.take().or(said.current);
    snapshot.documents.extend(said.documents);
}

/// What earlier sources left open.
fn fill(metadata: &mut Metadata, from: Metadata) {
    let Metadata {
        owner,
        license,
        framework,
        description,
        created_at,
        source_run,
        source_commit,
        training_dataset,
    } = metadata;
    *owner = owner.take().or(from.owner);
    *license = license.take().or(from.license);
    *framework = framework.take().or(from.framework);
    *description = description.take().or(from.description);
    *created_at = created_at.take().or(from.created_at);
    *source_run = source_run.take().or(from.source_run);
    *source_commit = source_commit.take().or(from.source_commit);
    *training_dataset = training_dataset.take().or(from.training_dataset);
}

/// Takes out the values of metrics that another source of the same version says have none.
///
/// MLflow keeps NaN for a run and turns it into 0 for the logged model of that run, so one of the
/// two words must count, and no value is the one that passes nothing. A measurement repeated
/// later does not heal it either: whoever repeats one gives the new evidence, not both.
fn set_aside(metrics: &mut Vec<Metric>, mut without_value: Vec<NoValue>) -> Vec<Unmeasured> {
    without_value.sort();
    without_value.dedup();
    let mut aside: Vec<Aside> = without_value.iter().map(|_| Aside::default()).collect();
    // By what an entry is about: the first of those that are about the same.
    let mut first = BTreeMap::new();
    for (index, entry) in without_value.iter().enumerate() {
        first.entry(entry.about()).or_insert(index);
    }
    metrics.retain(|metric| {
        let covered = NoValue::covering(metric).iter().find_map(|about| first.get(about));
        if let Some(aside) = covered.and_then(|index| aside.get_mut(*index)) {
            aside.add(metric);
        }
        covered.is_none()
    });
    let told = |(entry, aside): (NoValue, Aside)| {
        let mut reason = format!("{} in `{}`", entry.word, entry.source);
        for (what, value) in [("dataset", entry.dataset), ("slice", entry.slice)] {
            if let Some(value) = value {
                reason = format!("{reason}, {what} `{value}`");
            }
        }
        if aside.count > 0 {
            reason = format!("{reason}; set aside: {aside}");
        }
        Unmeasured { name: entry.name, reason, source: entry.source }
    };
    without_value.into_iter().zip(aside).map(told).collect()
}

/// The values that one entry without a value has taken out.
#[derive(Default)]
struct Aside {
    told: Vec<String>,
    count: usize,
}

impl Aside {
    /// Values that are told one by one.
    const MOST: usize = 20;

    fn add(&mut self, metric: &Metric) {
        self.count += 1;
        if self.told.len() < Self::MOST {
            self.told.push(format!("{} in `{}`", metric.value, metric.source));
            self.told.sort();
        }
    }
}

impl fmt::Display for Aside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told.join(", "))?;
        match self.count - self.told.len() {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// Puts every list in the order that the contract promises. What that leaves equal is ordered by
/// its JSON, which differs wherever anything does.
fn order(snapshot: &mut Snapshot) {
    snapshot.sources.sort_by(|a, b| (a.baseline, &a.name).cmp(&(b.baseline, &b.name)));
    sort(&mut snapshot.artifacts, |a, b| a.path.cmp(&b.path), json);
    for metrics in [&mut snapshot.candidate, &mut snapshot.baseline] {
        // Measurements that differ in their source alone stay in the order of precedence, so that
        // the first of them is the one to keep.
        let rest = |metric: &Metric| json(&Metric { source: "".into(), ..metric.clone() });
        let names = |a: &Metric, b: &Metric| {
            (&a.name, &a.dataset, &a.slice).cmp(&(&b.name, &b.dataset, &b.slice))
        };
        sort(metrics, names, rest);
    }
    sort(&mut snapshot.unmeasured, |a, b| a.name.cmp(&b.name), json);
    sort(&mut snapshot.tests, |a, b| (&a.suite, &a.name).cmp(&(&b.suite, &b.name)), json);
    sort(&mut snapshot.usages, |a, b| a.started_at.cmp(&b.started_at), json);
    sort(&mut snapshot.forecasts, |a, b| a.metric.cmp(&b.metric), json);
    sort(&mut snapshot.scans, |a, b| a.scanner.cmp(&b.scanner), json);
    let worst_first = |a: &Finding, b: &Finding| {
        (b.severity, &a.scanner, &a.id).cmp(&(a.severity, &b.scanner, &b.id))
    };
    sort(&mut snapshot.findings, worst_first, json);
    sort(&mut snapshot.approvals, |a, b| a.at.cmp(&b.at), json);
    sort(&mut snapshot.transitions, |a, b| a.at.cmp(&b.at), json);
    snapshot.documents.sort_by(|a, b| a.name.cmp(&b.name));
}

/// Sorts by `names`, and what that leaves equal by `rest`, which is asked of nothing else.
fn sort<T>(items: &mut [T], names: impl Fn(&T, &T) -> Ordering, rest: impl Fn(&T) -> String) {
    items.sort_by(&names);
    for equal in items.chunk_by_mut(|a, b| names(a, b).is_eq()).filter(|equal| equal.len() > 1) {
        equal.sort_by_cached_key(&rest);
    }
}

fn json(item: &impl Serialize) -> String {
    serde_json::to_string(item).unwrap_or_default()
}

/// Keeps one of several equal measurements: a run and the logged model made from it state the
/// same ones. Measurements that differ in anything all stay, for policies to judge.
fn drop_repeated(ordered: &mut Vec<Metric>) {
    ordered.dedup_by(|later, earlier| {
        // Looked at first, as most differ in it.
        later.name == earlier.name && {
            let source = earlier.source.clone();
            Metric { source, ..later.clone() } == *earlier
        }
    });
}

fn contradictions(pieces: &[Piece]) -> Vec<EvidenceError> {
    let candidates = || pieces.iter().filter(|piece| !piece.source.baseline);
    let mut errors = Vec::new();
    let mut documents = BTreeMap::new();
    for piece in candidates() {
        for document in &piece.said.documents {
            if let Some(first) = documents.insert(&document.name, &piece.source.name) {
                let text = format!(
                    "gives the document `{}`, as `{first}` does; rename one",
                    document.name
                );
                errors.push(Problem::whole(text).of(&piece.source.name));
            }
        }
    }
    let mut told = candidates().filter_map(|piece| Some((piece, piece.said.current.as_ref()?)));
    if let Some((first, version)) = told.next() {
        for (piece, other) in told.filter(|(_, other)| *other != version) {
            let text = format!(
                "says that the target means version `{other}` now, and `{}` says `{version}`; remove the wrong one",
                first.source.name
            );
            errors.push(Problem::whole(text).of(&piece.source.name));
        }
    }
    let origins: Vec<_> = candidates()
        .filter_map(|piece| Some((&piece.source.name, piece.said.registered_from.as_ref()?)))
        .collect();
    for piece in candidates() {
        let Some(own) = &piece.said.logged_model else { continue };
        if let Some((version, from)) = origins.iter().find(|(_, from)| *from != own) {
            let text = format!(
                "is another logged model than `{from}`, from which `{version}` says the version was registered"
            );
            errors.push(Problem::mismatch("", text).of(&piece.source.name));
        }
    }
    errors
}
