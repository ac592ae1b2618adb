//! Several who write to one place.

use lockgate::decision::Verdict;

use super::places::{Place, entry, entry_with_evidence};

super::on_every_database!(
    two_who_write_at_once_get_everything_recorded,
    what_the_last_process_left_is_gone_on_with,
    whoever_prunes_keeps_nobody_from_writing,
);

async fn two_who_write_at_once_get_everything_recorded(place: Place) {
    let writers = [place.open().await, place.open().await];
    let tasks: Vec<_> = (0..16)
        .map(|task| {
            let record = writers[task % 2].clone();
            tokio::spawn(async move {
                for number in 0..10 {
                    record.append(entry_with_evidence("fraud", f64::from(number))).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let verification = writers[0].verify(&[]).await.unwrap();
    assert_eq!(verification.faults, []);
    assert_eq!(verification.decisions(), 160);
    let chains = match place {
        Place::Sqlite(_) => 1,
        Place::Postgres(_) => 2,
    };
    assert_eq!(verification.chains.len(), chains);
}

async fn what_the_last_process_left_is_gone_on_with(place: Place) {
    for round in 1..=3 {
        let record = place.open().await;
        record.append(entry("fraud", Verdict::Allow)).await.unwrap();
        let verification = record.verify(&[]).await.unwrap();
        assert_eq!((verification.chains.len(), verification.decisions()), (1, round));
        record.close().await;
        // The server notices in its own time that the connection is gone, and only then lets go
        // of the chain.
        if let Place::Postgres(cluster) = &place {
            let client = cluster.client().await;
            let held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'";
            while client.query_one(held, &[]).await.unwrap().get::<_, i64>(0) > 0 {
                tokio::task::yield_now().await;
            }
        }
    }
}

async fn whoever_prunes_keeps_nobody_from_writing(place: Place) {
    let record = place.open().await;
    for number in 0..250 {
        record.append(entry_with_evidence("fraud", f64::from(number % 7))).await.unwrap();
    }
    let pruning = {
        let other = place.open().await;
        tokio::spawn(async move { other.prune("2100-01-01".parse().unwrap()).await })
    };
    let mut appended = 0;
    while !pruning.is_finished() || appended < 10 {
        record.append(entry_with_evidence("fraud", f64::from(appended % 7))).await.unwrap();
        appended += 1;
    }
    assert!(pruning.await.unwrap().unwrap().decisions >= 250);
    let verification = record.verify(&[]).await.unwrap();
    assert_eq!(verification.faults, []);
    let all: u64 = verification.chains.iter().map(|chain| chain.pruned + chain.decisions).sum();
    assert_eq!(all, 250 + u64::try_from(appended).unwrap());
}

/// After its connection was lost, a writer finds that another has gone on with its chain.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_meet_on_one_chain_part_and_lose_nothing() {
    let place = Place::postgres();
    let first = place.open().await;
    first.append(entry("fraud", Verdict::Allow)).await.unwrap();
    let Place::Postgres(cluster) = &place else { panic!() };
    let client = cluster.client().await;
    let holders = "SELECT pg_terminate_backend(pid) FROM pg_locks
        WHERE locktype = 'advisory' AND pid <> pg_backend_pid()";
    assert_eq!(client.query(holders, &[]).await.unwrap().len(), 1);
    while client.query(holders, &[]).await.unwrap().len() == 1 {}
    let second = place.open().await;
    second.append(entry("fraud", Verdict::Allow)).await.unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let record = [&first, &second][task % 2].clone();
            tokio::spawn(async move {
                for _ in 0..20 {
                    record.append(entry("fraud", Verdict::Allow)).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let verification = first.verify(&[]).await.unwrap();
    assert_eq!(verification.faults, []);
    assert_eq!((verification.chains.len(), verification.decisions()), (2, 162));
}
