//! Somebody at the database itself: whatever they change shows, and where.

use lockgate::decision::Verdict;
use lockgate::record::{Fault, Head, Problem, Record, RecordError, Verification};

use super::places::{Place, entry, entry_with_evidence};

super::on_every_database!(
    a_record_that_nobody_touched_is_intact,
    a_change_of_any_column_shows,
    a_changed_row_is_not_given_out,
    a_row_that_is_written_anew_with_its_hash_shows_at_the_next,
    a_dropped_row_shows,
    reordered_rows_show,
    an_inserted_row_shows,
    a_cut_end_shows,
    a_cut_end_with_its_head_shows_against_an_earlier_head,
    a_chain_that_is_written_anew_shows_against_an_earlier_head,
    a_chain_that_is_gone_shows_against_an_earlier_head,
    a_head_that_is_changed_or_gone_shows,
    a_snapshot_that_is_changed_or_gone_shows,
    a_writer_does_not_go_on_from_an_end_that_was_cut,
    after_a_restart_a_broken_chain_is_left_as_it_is,
);

/// Five decisions, the third with evidence.
async fn five(place: &Place) -> Record {
    let record = place.open().await;
    for number in 1..=5 {
        let entry = match number {
            3 => entry_with_evidence("fraud", 0.9),
            _ => entry("fraud", Verdict::Deny),
        };
        record.append(entry).await.unwrap();
    }
    record
}

/// What is wrong, with the numbers of the rows.
fn faults(verification: &Verification) -> Vec<(Option<u64>, Problem)> {
    assert_eq!(verification.fault_count, verification.faults.len() as u64);
    let told = |fault: &Fault| (fault.sequence, fault.problem.clone());
    verification.faults.iter().map(told).collect()
}

async fn verified(place: &Place, earlier: &[Head]) -> Vec<(Option<u64>, Problem)> {
    faults(&place.open_to_read().await.verify(earlier).await.unwrap())
}

async fn head(record: &Record) -> Head {
    record.verify(&[]).await.unwrap().chains[0].head.clone()
}

async fn a_record_that_nobody_touched_is_intact(place: Place) {
    let record = place.open().await;
    let empty = record.verify(&[]).await.unwrap();
    assert!(empty.is_intact());
    assert_eq!(empty.decisions(), 0);
    record.close().await;

    let record = five(&place).await;
    let first = head(&record).await;
    assert_eq!(first.sequence, 5);
    record.append(entry("fraud", Verdict::Allow)).await.unwrap();
    let verification = record.verify(&[first]).await.unwrap();
    assert!(verification.is_intact(), "{:?}", verification.faults);
    assert_eq!((verification.chains.len(), verification.decisions()), (1, 6));
}

async fn a_change_of_any_column_shows(place: Place) {
    let record = five(&place).await;
    let digest = place.bytes(&lockgate::model::Digest::of(b"another").hex());
    let other_id = "0198c6a5-6f2e-7b1a-9c3d-2f4e5a6b7c8d";
    let changes = [
        ("id", format!("'{other_id}'")),
        ("recorded_at", "recorded_at + 1".to_owned()),
        ("origin", "'bypassed'".to_owned()),
        ("asked_by", "'eve'".to_owned()),
        ("asked_by", "NULL".to_owned()),
        ("asked_by", "''".to_owned()),
        ("verdict", "'undecided'".to_owned()),
        ("registry", "'local'".to_owned()),
        ("model", "'Fraud'".to_owned()),
        ("version", "'8'".to_owned()),
        ("target", "'stage:Staging'".to_owned()),
        ("requested_by", "'eve'".to_owned()),
        ("requested_by", "NULL".to_owned()),
        ("snapshot", "NULL".to_owned()),
        ("document", "replace(document, 'mlflow', 'mlfl0w')".to_owned()),
        ("document", "document || ' '".to_owned()),
        ("previous", digest.clone()),
        ("hash", digest),
    ];
    place.tamper("CREATE TABLE kept AS SELECT * FROM {}entries").await;
    let mut columns: Vec<&str> = changes.iter().map(|(column, _)| *column).collect();
    columns.dedup();
    for (column, value) in &changes {
        place
            .tamper(&format!("UPDATE {{}}entries SET {column} = {value} WHERE sequence = 3"))
            .await;
        let faults = verified(&place, &[]).await;
        assert!(faults.contains(&(Some(3), Problem::Edited)), "{column} = {value}: {faults:?}");
        place
            .tamper(&format!(
                "UPDATE {{}}entries SET {column} = (SELECT {column} FROM kept WHERE sequence = 3)
                 WHERE sequence = 3"
            ))
            .await;
        assert_eq!(verified(&place, &[]).await, [], "{column}");
    }
    // Which are all of the columns but the two of the next test.
    columns.extend(["writer", "sequence"]);
    let all = match &place {
        Place::Sqlite(_) => "SELECT count(*) FROM pragma_table_info('entries')",
        Place::Postgres(_) => {
            "SELECT count(*) FROM information_schema.columns WHERE table_name = 'lockgate_entries'"
        }
    };
    assert_eq!(place.count(all).await, columns.len() as i64);
    place.tamper("UPDATE {}entries SET sequence = 33 WHERE sequence = 3").await;
    let gap = |expected| Problem::Gap { expected };
    assert_eq!(
        verified(&place, &[]).await,
        [
            (Some(4), gap(3)),
            (Some(33), gap(6)),
            (Some(33), Problem::Edited),
            (Some(33), Problem::HeadDiffers),
        ]
    );
    place.tamper("UPDATE {}entries SET sequence = 3 WHERE sequence = 33").await;
    place.tamper(&format!("UPDATE {{}}entries SET writer = '{other_id}' WHERE sequence = 3")).await;
    let faults = verified(&place, &[]).await;
    assert!(faults.contains(&(Some(3), Problem::Edited)), "{faults:?}");
    assert!(faults.contains(&(Some(4), gap(3))), "{faults:?}");
    assert!(faults.contains(&(None, Problem::Headless)), "{faults:?}");
    drop(record);
}

async fn a_changed_row_is_not_given_out(place: Place) {
    let record = place.open().await;
    let entry = entry("fraud", Verdict::Deny);
    record.append(entry.clone()).await.unwrap();
    place.tamper("UPDATE {}entries SET verdict = 'allow'").await;
    let error = record.get(entry.id).await.unwrap_err();
    assert!(matches!(error, RecordError::Tampered { .. }), "{error}");
    assert!(error.to_string().contains("verify-log"), "{error}");
    let error = record.list(&Default::default(), Default::default()).await.unwrap_err();
    assert!(error.to_string().contains(&entry.id.to_string()), "{error}");
    place.tamper("UPDATE {}entries SET verdict = 'perhaps'").await;
    assert!(record.get(entry.id).await.is_err());
    let error = record.list(&Default::default(), Default::default()).await.unwrap_err();
    assert!(matches!(error, RecordError::Tampered { .. }), "{error}");
}

/// Whoever knows how hashes are made can make one, but not for the rest of the chain as well
/// without writing that anew.
async fn a_row_that_is_written_anew_with_its_hash_shows_at_the_next(place: Place) {
    let record = five(&place).await;
    record.close().await;
    // A row of another record is such a row: it holds.
    let other = match &place {
        Place::Sqlite(_) => Place::sqlite(),
        Place::Postgres(_) => Place::postgres(),
    };
    let foreign = five(&other).await;
    let summary = foreign.list(&Default::default(), Default::default()).await.unwrap();
    let recorded = foreign.get(summary.decisions[2].id).await.unwrap().unwrap();
    let hash = place.bytes(&recorded.hash.hex());
    // Its hash under a row that it does not belong to, and the link of the next set right.
    place.tamper(&format!("UPDATE {{}}entries SET hash = {hash} WHERE sequence = 3")).await;
    assert_eq!(
        verified(&place, &[]).await,
        [(Some(3), Problem::Edited), (Some(4), Problem::Unlinked)]
    );
    place.tamper(&format!("UPDATE {{}}entries SET previous = {hash} WHERE sequence = 4")).await;
    assert_eq!(
        verified(&place, &[]).await,
        [(Some(3), Problem::Edited), (Some(4), Problem::Edited)]
    );
}

async fn a_dropped_row_shows(place: Place) {
    five(&place).await;
    place.tamper("DELETE FROM {}entries WHERE sequence = 3").await;
    assert_eq!(verified(&place, &[]).await, [(Some(4), Problem::Gap { expected: 3 })]);
    place.tamper("DELETE FROM {}entries WHERE sequence < 3").await;
    assert_eq!(verified(&place, &[]).await, [(Some(4), Problem::Gap { expected: 1 })]);
}

async fn reordered_rows_show(place: Place) {
    five(&place).await;
    for (from, to) in [(2, 99), (4, 2), (99, 4)] {
        place
            .tamper(&format!("UPDATE {{}}entries SET sequence = {to} WHERE sequence = {from}"))
            .await;
    }
    assert_eq!(
        verified(&place, &[]).await,
        [
            (Some(2), Problem::Unlinked),
            (Some(2), Problem::Edited),
            (Some(3), Problem::Unlinked),
            (Some(4), Problem::Unlinked),
            (Some(4), Problem::Edited),
            (Some(5), Problem::Unlinked),
        ]
    );
}

async fn an_inserted_row_shows(place: Place) {
    five(&place).await;
    let columns = "previous, hash, recorded_at, origin, asked_by, verdict, registry, model, \
         version, target, requested_by, snapshot, document";
    place
        .tamper(&format!(
            "INSERT INTO {{}}entries (writer, sequence, id, {columns})
             SELECT writer, 6, '0198c6a5-6f2e-7b1a-9c3d-2f4e5a6b7c8d', {columns}
             FROM {{}}entries WHERE sequence = 5"
        ))
        .await;
    assert_eq!(
        verified(&place, &[]).await,
        [(Some(6), Problem::Unlinked), (Some(6), Problem::Edited), (Some(6), Problem::HeadDiffers),]
    );
}

async fn a_cut_end_shows(place: Place) {
    five(&place).await;
    place.tamper("DELETE FROM {}entries WHERE sequence > 3").await;
    assert_eq!(verified(&place, &[]).await, [(Some(3), Problem::Truncated { expected: 5 })]);
    place.tamper("DELETE FROM {}entries").await;
    assert_eq!(verified(&place, &[]).await, [(Some(0), Problem::Truncated { expected: 5 })]);
}

/// What the record alone cannot show.
async fn a_cut_end_with_its_head_shows_against_an_earlier_head(place: Place) {
    let record = five(&place).await;
    let earlier = head(&record).await;
    place.tamper("DELETE FROM {}entries WHERE sequence > 3").await;
    place
        .tamper(
            "UPDATE {}heads SET sequence = 3,
                 hash = (SELECT hash FROM {}entries WHERE sequence = 3)",
        )
        .await;
    assert_eq!(verified(&place, &[]).await, []);
    let behind = Problem::BehindHead { expected: 5 };
    assert_eq!(verified(&place, &[earlier]).await, [(Some(3), behind)]);
}

async fn a_chain_that_is_written_anew_shows_against_an_earlier_head(place: Place) {
    let record = five(&place).await;
    let mut earlier = head(&record).await;
    assert_eq!(verified(&place, std::slice::from_ref(&earlier)).await, []);
    earlier.hash = lockgate::model::Digest::of(b"what it was before");
    assert_eq!(verified(&place, &[earlier.clone()]).await, [(Some(5), Problem::OffHead)]);
    earlier.sequence = 2;
    assert_eq!(verified(&place, &[earlier]).await, [(Some(2), Problem::OffHead)]);
}

async fn a_chain_that_is_gone_shows_against_an_earlier_head(place: Place) {
    let record = five(&place).await;
    let earlier = head(&record).await;
    place.tamper("DELETE FROM {}entries; DELETE FROM {}heads").await;
    assert_eq!(verified(&place, &[]).await, []);
    assert_eq!(verified(&place, &[earlier]).await, [(None, Problem::ChainMissing)]);
}

async fn a_head_that_is_changed_or_gone_shows(place: Place) {
    five(&place).await;
    let digest = place.bytes(&lockgate::model::Digest::of(b"another").hex());
    for (change, problem) in [
        ("sequence = 4".to_owned(), Problem::HeadDiffers),
        ("sequence = 6".to_owned(), Problem::Truncated { expected: 6 }),
        (format!("sequence = 5, hash = {digest}"), Problem::HeadDiffers),
    ] {
        place.tamper(&format!("UPDATE {{}}heads SET {change}")).await;
        assert_eq!(verified(&place, &[]).await, [(Some(5), problem)]);
    }
    place.tamper("DELETE FROM {}heads").await;
    assert_eq!(verified(&place, &[]).await, [(None, Problem::Headless)]);
}

async fn a_snapshot_that_is_changed_or_gone_shows(place: Place) {
    let record = five(&place).await;
    let digest = super::places::frozen(0.9).digest;
    place.tamper(&format!("UPDATE {{}}snapshots SET canonical = {}", place.bytes("7b7d"))).await;
    let edited = Problem::SnapshotEdited { digest: digest.to_string() };
    assert_eq!(verified(&place, &[]).await, [(None, edited)]);
    place.tamper("DELETE FROM {}snapshots").await;
    assert_eq!(verified(&place, &[]).await, [(Some(3), Problem::SnapshotMissing)]);
    assert_eq!(record.snapshot(digest).await, Ok(None));
}

async fn a_writer_does_not_go_on_from_an_end_that_was_cut(place: Place) {
    let record = five(&place).await;
    place.tamper("DELETE FROM {}entries WHERE sequence > 3").await;
    place
        .tamper(
            "UPDATE {}heads SET sequence = 3,
                 hash = (SELECT hash FROM {}entries WHERE sequence = 3)",
        )
        .await;
    for _ in 0..2 {
        let refused = record.append(entry("fraud", Verdict::Allow)).await.unwrap_err();
        assert!(matches!(refused, RecordError::Rewound { sequence: 5, .. }), "{refused}");
    }
    assert_eq!(place.count("SELECT count(*) FROM {}entries").await, 3);
}

async fn after_a_restart_a_broken_chain_is_left_as_it_is(place: Place) {
    five(&place).await.close().await;
    place.tamper("DELETE FROM {}entries WHERE sequence > 3").await;
    let record = place.open().await;
    record.append(entry("fraud", Verdict::Allow)).await.unwrap();
    let verification = record.verify(&[]).await.unwrap();
    assert_eq!(faults(&verification), [(Some(3), Problem::Truncated { expected: 5 })]);
    let rows: Vec<_> = verification.chains.iter().map(|chain| chain.decisions).collect();
    assert_eq!(rows, [3, 1]);
}
