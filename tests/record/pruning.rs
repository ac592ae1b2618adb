//! Removing what is old, so that the rest can still be verified.

use lockgate::decision::Verdict;
use lockgate::record::{Head, Problem, Pruned, Record, RecordError};

use super::places::{Place, entry, entry_with_evidence};

super::on_every_database!(
    what_is_old_goes_and_the_rest_verifies,
    everything_can_go_and_the_chain_goes_on,
    what_is_changed_is_not_pruned,
    a_checkpoint_that_is_changed_or_gone_shows,
    a_head_from_before_still_holds,
    a_row_from_the_future_goes_with_those_after_it,
);

const SOON: &str = "2100-01-01";

async fn intact(record: &Record, earlier: &[Head]) -> (u64, u64) {
    let verification = record.verify(earlier).await.unwrap();
    assert_eq!(verification.faults, []);
    let chain = &verification.chains[0];
    assert_eq!(verification.chains.len(), 1);
    (chain.pruned, chain.decisions)
}

/// So many decisions that slices do not come out even, and then the time at which the rest begins.
async fn old_and_new(
    place: &Place,
    old: usize,
    new: usize,
) -> (Record, Vec<lockgate::model::DecisionId>, lockgate::model::Timestamp) {
    let record = place.open().await;
    let mut ids = Vec::new();
    let add = async |number: usize, auc| {
        let entries: Vec<_> = (0..number).map(|_| entry_with_evidence("fraud", auc)).collect();
        for entry in entries {
            record.append(entry.clone()).await.unwrap();
        }
    };
    add(old, 0.9).await;
    let cut = wait_for_the_next_second();
    let newer = entry_with_evidence("fraud", 0.8);
    record.append(newer.clone()).await.unwrap();
    ids.push(newer.id);
    add(new - 1, 0.8).await;
    (record, ids, cut)
}

/// Pruning goes by whole seconds.
fn wait_for_the_next_second() -> lockgate::model::Timestamp {
    let now = || {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        now.as_secs()
    };
    let next = now() + 1;
    while now() < next {
        std::thread::yield_now();
    }
    lockgate::model::Timestamp::from_seconds(next).unwrap()
}

async fn what_is_old_goes_and_the_rest_verifies(place: Place) {
    let (record, kept, cut) = old_and_new(&place, 450, 5).await;
    let old = super::places::frozen(0.9).digest;
    assert_eq!(record.prune("2020-01-01".parse().unwrap()).await, Ok(Pruned::default()));
    assert_eq!(intact(&record, &[]).await, (0, 455));
    assert_eq!(record.prune(cut).await, Ok(Pruned { decisions: 450, snapshots: 1 }));
    assert_eq!(intact(&record, &[]).await, (450, 5));
    assert_eq!(record.snapshot(old).await, Ok(None));
    assert!(record.get(kept[0]).await.unwrap().is_some());
    assert_eq!(record.prune(cut).await, Ok(Pruned::default()));
    record.append(entry_with_evidence("fraud", 0.9)).await.unwrap();
    assert_eq!(intact(&record, &[]).await, (450, 6));
    assert!(record.snapshot(old).await.unwrap().is_some());
}

async fn everything_can_go_and_the_chain_goes_on(place: Place) {
    let record = place.open().await;
    for _ in 0..3 {
        record.append(entry("fraud", Verdict::Allow)).await.unwrap();
    }
    assert_eq!(record.prune(SOON.parse().unwrap()).await.map(|pruned| pruned.decisions), Ok(3));
    assert_eq!(intact(&record, &[]).await, (3, 0));
    record.append(entry("fraud", Verdict::Allow)).await.unwrap();
    assert_eq!(intact(&record, &[]).await, (3, 1));
    record.close().await;
    // Also when it is opened anew.
    let record = place.open().await;
    record.append(entry("fraud", Verdict::Allow)).await.unwrap();
    assert_eq!(intact(&record, &[]).await, (3, 2));
    record.prune(SOON.parse().unwrap()).await.unwrap();
    record.close().await;
    let record = place.open().await;
    record.append(entry("fraud", Verdict::Allow)).await.unwrap();
    assert_eq!(intact(&record, &[]).await, (5, 1));
}

/// Pruning is no way of getting rid of traces.
async fn what_is_changed_is_not_pruned(place: Place) {
    let record = place.open().await;
    for _ in 0..3 {
        record.append(entry("fraud", Verdict::Deny)).await.unwrap();
    }
    place.tamper("UPDATE {}entries SET verdict = 'allow' WHERE sequence = 2").await;
    let error = record.prune(SOON.parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, RecordError::Tampered { .. }), "{error}");
    assert!(error.to_string().contains("row 2"), "{error}");
    place.tamper("DELETE FROM {}entries WHERE sequence = 2").await;
    let error = record.prune(SOON.parse().unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("row 2"), "{error}");
    assert_eq!(place.count("SELECT count(*) FROM {}entries").await, 2);
}

async fn a_checkpoint_that_is_changed_or_gone_shows(place: Place) {
    let record = place.open().await;
    for _ in 0..2 {
        record.append(entry("fraud", Verdict::Allow)).await.unwrap();
        record.prune(SOON.parse().unwrap()).await.unwrap();
    }
    record.append(entry("fraud", Verdict::Allow)).await.unwrap();
    assert_eq!(intact(&record, &[]).await, (2, 1));
    let digest = place.bytes(&lockgate::model::Digest::of(b"another").hex());
    place.tamper("CREATE TABLE kept AS SELECT * FROM {}checkpoints").await;
    for (column, value) in [
        ("writer", "'0198c6a5-6f2e-7b1a-9c3d-2f4e5a6b7c8d'"),
        ("number", "7"),
        ("sequence", "5"),
        ("hash", &digest),
        ("pruned_at", "1"),
        ("previous", &digest),
        ("seal", &digest),
    ] {
        for number in [1, 2] {
            place
                .tamper(&format!(
                    "UPDATE {{}}checkpoints SET {column} = {value} WHERE number = {number}"
                ))
                .await;
            let verification = record.verify(&[]).await.unwrap();
            assert!(!verification.is_intact(), "{column} of {number}");
            place
                .tamper("DELETE FROM {}checkpoints; INSERT INTO {}checkpoints SELECT * FROM kept")
                .await;
        }
    }
    assert_eq!(intact(&record, &[]).await, (2, 1));
    place.tamper("DELETE FROM {}checkpoints WHERE number = 2").await;
    let faults = record.verify(&[]).await.unwrap().faults;
    assert_eq!(faults[0].problem, Problem::Gap { expected: 2 });
    place.tamper("DELETE FROM {}checkpoints").await;
    let faults = record.verify(&[]).await.unwrap().faults;
    assert_eq!(faults[0].problem, Problem::Gap { expected: 1 });
}

async fn a_head_from_before_still_holds(place: Place) {
    let record = place.open().await;
    let mut heads = Vec::new();
    for _ in 0..3 {
        record.append(entry("fraud", Verdict::Allow)).await.unwrap();
        heads.push(record.verify(&[]).await.unwrap().chains[0].head.clone());
    }
    record.prune(SOON.parse().unwrap()).await.unwrap();
    assert_eq!(intact(&record, &heads).await, (3, 0));
    heads[2].hash = heads[1].hash;
    let faults = record.verify(&heads).await.unwrap().faults;
    assert_eq!(faults[0].problem, Problem::OffHead);
}

/// They are not what was written, and so are not removed; but they were looked at, which they were
/// not if what comes after so many did not tell how old they are.
async fn a_row_from_the_future_goes_with_those_after_it(place: Place) {
    let record = place.open().await;
    for _ in 0..201 {
        record.append(entry("fraud", Verdict::Allow)).await.unwrap();
    }
    let ahead = "UPDATE {}entries SET recorded_at = recorded_at + 315360000000";
    place.tamper(&format!("{ahead} WHERE sequence < 201")).await;
    let later = wait_for_the_next_second().seconds() + 60 * 60;
    let later = lockgate::model::Timestamp::from_seconds(later).unwrap();
    let error = record.prune(later).await.unwrap_err();
    assert!(error.to_string().contains("row 1 is not"), "{error}");
    // Nothing tells how old they are.
    place.tamper(&format!("{ahead} WHERE sequence = 201")).await;
    assert_eq!(record.prune(later).await, Ok(Pruned::default()));
}
