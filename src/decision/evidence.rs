use super::Gate;
use crate::model::{Snapshot, Source, Timestamp, Undecided};

/// How far a source's clock may run ahead of the evaluation time before the source is taken to
/// be misdated, seconds.
const CLOCK_SKEW: u64 = 300;

/// Reasons why the snapshot is not what `gate` requires.
pub(super) fn missing(gate: &Gate, snapshot: &Snapshot, at: Timestamp) -> Vec<Undecided> {
    let mut reasons = Vec::new();
    for requirement in &gate.require {
        let kind = requirement.kind;
        let mut sources = snapshot.sources_of(kind).peekable();
        if sources.peek().is_none() {
            reasons.push(Undecided::EvidenceMissing { gate: gate.name.clone(), kind });
        }
        let Some(limit) = requirement.max_age else { continue };
        for source in sources {
            let Some(collected_at) = source.collected_at else {
                reasons.push(Undecided::EvidenceUndated {
                    gate: gate.name.clone(),
                    kind,
                    source_name: name(source),
                });
                continue;
            };
            let age = collected_at.age_at(at);
            if collected_at.seconds() > at.seconds().saturating_add(CLOCK_SKEW) {
                reasons.push(Undecided::EvidenceFromFuture {
                    gate: gate.name.clone(),
                    kind,
                    source_name: name(source),
                    collected_at,
                });
            } else if age > limit {
                reasons.push(Undecided::EvidenceStale {
                    gate: gate.name.clone(),
                    kind,
                    source_name: name(source),
                    age_seconds: age.as_secs(),
                    limit_seconds: limit.as_secs(),
                });
            }
        }
    }
    reasons
}

fn name(source: &Source) -> String {
    source.name.as_ref().to_owned()
}
