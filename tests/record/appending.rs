//! Recording decisions, and having them back.

use lockgate::decision::Verdict;
use lockgate::model::{Origin, Target};
use lockgate::record::RecordError;
use lockgate::report::{Context, Format, write};

use super::places::{Place, decision, entry, entry_of, entry_with_evidence};

super::on_every_database!(
    what_is_recorded_can_be_had_back,
    evidence_is_kept_once,
    appending_the_same_twice_is_no_error,
    another_decision_under_an_id_that_is_taken_is_refused,
    many_at_once_are_all_recorded,
    what_can_never_be_stored_is_refused_and_keeps_nobody_else_waiting,
    a_record_that_is_closed_or_opened_for_reading_takes_nothing,
    text_of_any_kind_comes_back_as_it_was,
);

async fn what_is_recorded_can_be_had_back(place: Place) {
    let record = place.open().await;
    let mut asked = entry("fraud", Verdict::Deny);
    asked.origin = Origin::Mlflow;
    record.append(asked.clone()).await.unwrap();
    let recorded = record.get(asked.id).await.unwrap().unwrap();
    let summary = &recorded.summary;
    assert_eq!(summary.id, asked.id);
    assert_eq!(summary.origin, Origin::Mlflow);
    assert_eq!(summary.asked_by.as_deref(), Some("token:ci"));
    assert_eq!(summary.verdict, Verdict::Deny);
    assert_eq!((&*summary.model, &*summary.version), ("fraud", "7"));
    assert_eq!(summary.target, Target::Stage("Production".to_owned()));
    assert_eq!((recorded.sequence, recorded.snapshot), (1, None));
    let told = |decision: &lockgate::decision::Decision| {
        let mut out = Vec::new();
        let context = Context { gate_file: None, color: false, width: 80 };
        write(Format::Json, decision, &context, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    assert_eq!(told(&recorded.decision().unwrap()), told(&asked.decision));
    assert_eq!(record.get(entry("fraud", Verdict::Deny).id).await.unwrap(), None);

    // Also by the next process.
    record.close().await;
    let again = place.open_to_read().await;
    assert_eq!(again.get(asked.id).await.unwrap(), Some(recorded));
}

async fn evidence_is_kept_once(place: Place) {
    let record = place.open().await;
    let [first, second, other] =
        [("a", 0.9), ("b", 0.9), ("a", 0.8)].map(|(model, auc)| entry_with_evidence(model, auc));
    for entry in [&first, &second, &other] {
        record.append(entry.clone()).await.unwrap();
    }
    let frozen = first.snapshot.unwrap();
    let kept = record.snapshot(frozen.digest).await.unwrap();
    assert_eq!(kept.as_deref(), Some(&*frozen.canonical));
    let recorded = record.get(second.id).await.unwrap().unwrap();
    assert_eq!(recorded.snapshot, Some(frozen.digest));
    assert_eq!(place.count("SELECT count(*) FROM {}snapshots").await, 2);
    assert!(record.verify(&[]).await.unwrap().is_intact());

    // Evidence under a digest that is not its own is not given out.
    let digest = place.bytes(&frozen.digest.hex());
    let bytes = place.bytes("7b7d");
    place
        .tamper(&format!("UPDATE {{}}snapshots SET canonical = {bytes} WHERE digest = {digest}"))
        .await;
    let error = record.snapshot(frozen.digest).await.unwrap_err();
    assert!(matches!(error, RecordError::Tampered { .. }), "{error}");
}

async fn appending_the_same_twice_is_no_error(place: Place) {
    let record = place.open().await;
    let entry = entry("fraud", Verdict::Allow);
    record.append(entry.clone()).await.unwrap();
    record.append(entry.clone()).await.unwrap();
    let (one, other) = tokio::join!(record.append(entry.clone()), record.append(entry));
    assert_eq!((one, other), (Ok(()), Ok(())));
    // Also before it is there, and while others wait for the writer to come round.
    let [first, new] = ["churn", "fraud"].map(|model| super::places::entry(model, Verdict::Deny));
    let answers = tokio::join!(
        record.append(first),
        record.append(new.clone()),
        record.append(new.clone()),
        record.append(new)
    );
    assert_eq!(answers, (Ok(()), Ok(()), Ok(()), Ok(())));
    let verification = record.verify(&[]).await.unwrap();
    assert_eq!((verification.decisions(), verification.is_intact()), (3, true));
}

async fn another_decision_under_an_id_that_is_taken_is_refused(place: Place) {
    let record = place.open().await;
    let first = entry("fraud", Verdict::Deny);
    record.append(first.clone()).await.unwrap();
    let mut second = entry("fraud", Verdict::Allow);
    second.id = first.id;
    // Beside others, who have nothing to do with it.
    let beside = entry("churn", Verdict::Allow);
    let (refused, taken) = tokio::join!(record.append(second), record.append(beside));
    assert_eq!(refused, Err(RecordError::Duplicate { id: first.id }));
    assert_eq!(taken, Ok(()));
    let recorded = record.get(first.id).await.unwrap().unwrap();
    assert_eq!(recorded.summary.verdict, Verdict::Deny);
    let verification = record.verify(&[]).await.unwrap();
    assert!(verification.is_intact());
    assert_eq!(verification.decisions(), 2);
}

async fn many_at_once_are_all_recorded(place: Place) {
    let record = place.open().await;
    let tasks: Vec<_> = (0..64)
        .map(|task| {
            let record = record.clone();
            tokio::spawn(async move {
                for number in 0..10 {
                    let entry = match number % 2 {
                        0 => entry(&format!("model-{task}"), Verdict::Allow),
                        _ => entry_with_evidence(&format!("model-{task}"), f64::from(number)),
                    };
                    let id = entry.id;
                    record.append(entry).await.unwrap();
                    assert!(record.get(id).await.unwrap().is_some());
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let verification = record.verify(&[]).await.unwrap();
    assert_eq!(verification.faults, []);
    assert_eq!((verification.chains.len(), verification.decisions()), (1, 640));
}

async fn what_can_never_be_stored_is_refused_and_keeps_nobody_else_waiting(place: Place) {
    let record = place.open().await;
    let named = |name: &str| entry(name, Verdict::Allow);
    let asked_by = |name: &str| {
        let mut entry = entry("fraud", Verdict::Allow);
        entry.asked_by = Some(name.to_owned());
        entry
    };
    let elsewhere = {
        let mut decision = decision("fraud", Verdict::Allow);
        decision.evidence.digest = Some(lockgate::model::Digest::of(b"other evidence"));
        entry_of(decision, entry_with_evidence("fraud", 0.9).snapshot)
    };
    let long = "x".repeat(1025);
    let nowhere = {
        let mut decision = decision("fraud", Verdict::Allow);
        decision.promotion.target = Target::Alias("a:b".to_owned());
        entry_of(decision, None)
    };
    for unfit in [nowhere, named("a\0b"), named(&long), asked_by(&long), asked_by("\0"), elsewhere]
    {
        let id = unfit.id;
        let (refused, taken) = tokio::join!(record.append(unfit), record.append(named("fraud")));
        let refused = refused.unwrap_err();
        assert!(matches!(refused, RecordError::Unfit { .. }), "{refused}");
        assert!(!refused.leaves_outcome_open());
        assert_eq!(taken, Ok(()));
        assert_eq!(record.get(id).await.unwrap(), None);
    }
    // At its longest a name still fits into every index.
    record.append(named(&long[1..])).await.unwrap();
}

async fn a_record_that_is_closed_or_opened_for_reading_takes_nothing(place: Place) {
    let record = place.open().await;
    record.check_writable().await.unwrap();
    let reader = place.open_to_read().await;
    let entry = entry("fraud", Verdict::Allow);
    assert_eq!(reader.append(entry.clone()).await, Err(RecordError::ReadOnly));
    assert_eq!(reader.check_writable().await, Err(RecordError::ReadOnly));
    let before = "2030-01-01".parse().unwrap();
    assert_eq!(reader.prune(before).await, Err(RecordError::ReadOnly));
    record.clone().close().await;
    assert_eq!(record.append(entry.clone()).await, Err(RecordError::Closed));
    assert_eq!(record.check_writable().await, Err(RecordError::Closed));
    assert_eq!(reader.get(entry.id).await.unwrap(), None);
}

async fn text_of_any_kind_comes_back_as_it_was(place: Place) {
    let record = place.open().await;
    let name = "naïve 模型 🜁 '\"; DROP TABLE entries; -- \u{202e}\u{1b}[31m\n%_";
    let mut decision = decision(name, Verdict::Undecided);
    decision.promotion.requested_by = Some(name.to_owned());
    let mut asked = entry_of(decision, None);
    asked.asked_by = Some(name.to_owned());
    record.append(asked.clone()).await.unwrap();
    let recorded = record.get(asked.id).await.unwrap().unwrap();
    assert_eq!(recorded.summary.model, name);
    assert_eq!(recorded.summary.asked_by.as_deref(), Some(name));
    let back = recorded.decision().unwrap();
    assert_eq!(back.promotion, asked.decision.promotion);
    assert_eq!(back.undecided, asked.decision.undecided);
    assert!(!recorded.document.contains('\u{202e}'));
}
