//! Many pieces of evidence become one snapshot, whatever order they came in.

use std::collections::BTreeMap;
use std::cmp::Reverse;

use serde::Serialize;

use super::collector::Piece;
use super::error::{EvidenceError, Problem};
use super::said::NoValue;
use crate::model::{Digest, Metadata, Metric, Snapshot, Unmeasured};

/// All evidence of one decision and what identifies it.
#[derive(Clone, Debug)]
pub struct Frozen {
    /// The evidence.
    pub snapshot: Snapshot,
    /// SHA-256 of `canonical`.
    pub digest: Digest,
    /// The snapshot as canonical JSON (RFC 8785).
    pub canonical: Vec<u8>,
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
    let mut no_values = Vec::new();
    for piece in pieces {
        merge(piece, &mut snapshot, &mut no_values);
    }
    settle_unmeasured(&mut snapshot, no_values);
    order(&mut snapshot);
    drop_repeated(&mut snapshot.candidate);
    drop_repeated(&mut snapshot.baseline);
    let canonical = serde_json_canonicalizer::to_vec(&snapshot).map_err(|error| {
        vec![Problem::whole(format!("cannot be written as canonical JSON: {error}")).of("snapshot")]
    })?;
    Ok(Frozen { digest: Digest::of(&canonical), snapshot, canonical })
}

fn merge(piece: Piece, snapshot: &mut Snapshot, no_values: &mut Vec<NoValue>) {
    let Piece { source, said, .. } = piece;
    let baseline = source.baseline;
    snapshot.sources.push(source);
    if baseline {
        let values = said.metrics.into_iter();
        // A value that the same version's other sources say does not exist is none there either.
        snapshot.baseline.extend(values);
        return;
    }
    fill(&mut snapshot.metadata, said.metadata);
    for (key, value) in said.tags {
        snapshot.tags.entry(key).or_insert(value);
    }
    snapshot.card.extend(said.card);
    snapshot.artifacts.extend(said.artifacts);
    snapshot.candidate.extend(said.metrics);
    no_values.extend(said.unmeasured);
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
