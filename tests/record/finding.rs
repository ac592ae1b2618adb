//! Finding decisions again.

use lockgate::decision::{Movement, Verdict};
use lockgate::model::{DecisionId, Origin, Target, Timestamp};
use lockgate::record::{Cursor, Filter, Page, PageSize, Record};
use proptest::prelude::{Strategy as _, any};
use proptest::test_runner::{Config, TestRunner};

use super::places::{Place, entry, entry_of};

super::on_every_database!(
    a_filter_finds_what_it_names_and_nothing_else,
    pages_hold_everything_once_newest_first,
    a_page_stays_where_it_was_while_decisions_are_added,
    times_are_those_at_which_was_asked,
    a_removal_is_told_from_a_promotion,
    filters_are_served_by_indices,
);

async fn ids(record: &Record, filter: &Filter) -> Vec<DecisionId> {
    let listing = record.list(filter, Page::default()).await.unwrap();
    assert_eq!(listing.next, None);
    listing.decisions.iter().map(|summary| summary.id).collect()
}

async fn a_filter_finds_what_it_names_and_nothing_else(place: Place) {
    let record = place.open().await;
    let mut made = Vec::new();
    for (model, version, target, verdict, origin) in [
        ("fraud", "1", "stage:Production", Verdict::Allow, Origin::Api),
        ("fraud", "2", "stage:Production", Verdict::Deny, Origin::Mlflow),
        ("fraud", "2", "alias:champion", Verdict::Undecided, Origin::Mlflow),
        ("churn", "2", "alias:champion", Verdict::Deny, Origin::Bypassed),
        ("churn%", "10", "env:prod", Verdict::Deny, Origin::Kubernetes),
    ] {
        let mut decision = super::places::decision(model, verdict);
        decision.promotion.subject.version = version.to_owned();
        decision.promotion.target = target.parse().unwrap();
        let entry = lockgate::record::Entry { origin, ..entry_of(decision, None) };
        made.push(entry.id);
        record.append(entry).await.unwrap();
    }
    made.reverse();
    let all = Filter::default;
    let target = |text: &str| -> Option<Target> { Some(text.parse().unwrap()) };
    for (filter, wanted) in [
        (all(), &[0, 1, 2, 3, 4][..]),
        (Filter { model: Some("fraud".to_owned()), ..all() }, &[2, 3, 4]),
        (Filter { model: Some("churn%".to_owned()), ..all() }, &[0]),
        (Filter { model: Some("FRAUD".to_owned()), ..all() }, &[]),
        (Filter { version: Some("2".to_owned()), ..all() }, &[1, 2, 3]),
        (Filter { target: target("alias:champion"), ..all() }, &[1, 2]),
        (Filter { verdict: Some(Verdict::Deny), ..all() }, &[0, 1, 3]),
        (Filter { origin: Some(Origin::Bypassed), ..all() }, &[1]),
        (
            Filter {
                model: Some("fraud".to_owned()),
                target: target("stage:Production"),
                verdict: Some(Verdict::Deny),
                ..all()
            },
            &[3],
        ),
    ] {
        let wanted: Vec<_> = wanted.iter().map(|index| made[*index]).collect();
        assert_eq!(ids(&record, &filter).await, wanted, "{filter:?}");
    }
}

async fn a_removal_is_told_from_a_promotion(place: Place) {
    let record = place.open().await;
    let mut made = Vec::new();
    for movement in [Movement::Promotion, Movement::Removal] {
        let decision = super::places::decision("fraud", Verdict::Deny);
        let entry = entry_of(lockgate::decision::Decision { movement, ..decision }, None);
        made.push((entry.id, movement));
        record.append(entry).await.unwrap();
    }
    let listing = record.list(&Filter::default(), Page::default()).await.unwrap();
    let mut listed: Vec<_> =
        listing.decisions.iter().map(|summary| (summary.id, summary.movement)).collect();
    listed.reverse();
    assert_eq!(listed, made);
    for (id, movement) in made {
        let recorded = record.get(id).await.unwrap().unwrap();
        assert_eq!(recorded.summary.movement, movement);
        assert_eq!(recorded.decision().unwrap().movement, movement);
    }
}

/// Whatever size the pages have.
async fn pages_hold_everything_once_newest_first(place: Place) {
    let record = place.open().await;
    let mut made = Vec::new();
    for number in 0..37 {
        let entry = entry(["fraud", "churn"][number % 2], Verdict::Allow);
        made.push(entry.id);
        record.append(entry).await.unwrap();
    }
    made.reverse();
    let mut runner = TestRunner::new(Config { cases: 16, ..Config::default() });
    let handle = tokio::runtime::Handle::current();
    tokio::task::block_in_place(|| {
        runner.run(
            &((1_u16..=40).prop_filter_map("", PageSize::new), any::<bool>()),
            |(size, some)| {
                let filter =
                    Filter { model: some.then(|| "churn".to_owned()), ..Filter::default() };
                let wanted =
                    made.iter().copied().enumerate().filter(|(at, _)| !some || at % 2 == 1);
                let wanted: Vec<_> = wanted.map(|(_, id)| id).collect();
                let found = handle.block_on(async {
                    let mut found = Vec::new();
                    let mut page = Page { size, after: None };
                    loop {
                        let listing = record.list(&filter, page).await.unwrap();
                        assert!(listing.decisions.len() <= usize::from(size.get()));
                        found.extend(listing.decisions.iter().map(|summary| summary.id));
                        page.after = match listing.next {
                            Some(next) => Some(next.to_string().parse::<Cursor>().unwrap()),
                            None => return found,
                        };
                        assert_eq!(listing.decisions.len(), usize::from(size.get()));
                    }
                });
                assert_eq!(found, wanted);
                Ok(())
            },
        )
    })
    .unwrap();
}

async fn a_page_stays_where_it_was_while_decisions_are_added(place: Place) {
    let record = place.open().await;
    let add = || async {
        let entry = entry("fraud", Verdict::Allow);
        record.append(entry.clone()).await.unwrap();
        entry.id
    };
    let (first, second) = (add().await, add().await);
    let size = PageSize::new(1).unwrap();
    let newest = record.list(&Filter::default(), Page { size, after: None }).await.unwrap();
    assert_eq!(newest.decisions[0].id, second);
    add().await;
    let after = newest.next;
    let next = record.list(&Filter::default(), Page { size, after }).await.unwrap();
    assert_eq!((next.decisions[0].id, next.next), (first, None));
}

async fn times_are_those_at_which_was_asked(place: Place) {
    let record = place.open().await;
    let old: DecisionId = "0198c6a5-6f2e-7b1a-9c3d-2f4e5a6b7c8d".parse().unwrap();
    let asked = Timestamp::from_milliseconds(old.milliseconds()).unwrap();
    let mut earlier = entry("fraud", Verdict::Allow);
    earlier.id = old;
    let later = entry("fraud", Verdict::Allow);
    record.append(earlier).await.unwrap();
    record.append(later.clone()).await.unwrap();
    let between = |since, until| Filter { since, until, ..Filter::default() };
    let next = Timestamp::from_seconds(asked.seconds() + 1);
    assert_eq!(ids(&record, &between(None, next)).await, [old]);
    assert_eq!(ids(&record, &between(Some(asked), next)).await, [old]);
    assert_eq!(ids(&record, &between(next, None)).await, [later.id]);
    assert_eq!(ids(&record, &between(None, Some(asked))).await, []);
}

/// A page of what is rare among much must not read all of it.
async fn filters_are_served_by_indices(place: Place) {
    let record = place.open().await;
    for condition in ["model = 'x'", "target = 'x'", "verdict = 'x'", "origin = 'x'", "TRUE"] {
        let sql = format!("SELECT id FROM {{}}entries WHERE {condition} ORDER BY id DESC LIMIT 10");
        let plan = match &place {
            Place::Sqlite(_) => {
                let connection = rusqlite::Connection::open(place.file()).unwrap();
                let sql = format!("EXPLAIN QUERY PLAN {}", sql.replace("{}", ""));
                let mut statement = connection.prepare(&sql).unwrap();
                let rows = statement.query_map([], |row| row.get::<_, String>(3)).unwrap();
                rows.map(Result::unwrap).collect::<Vec<_>>().join("\n")
            }
            Place::Postgres(cluster) => {
                let client = cluster.client().await;
                client
                    .batch_execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
                    .await
                    .unwrap();
                let sql = format!("EXPLAIN {}", sql.replace("{}", "lockgate_"));
                let rows = client.query(&sql, &[]).await.unwrap();
                rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join("\n")
            }
        };
        assert!(plan.contains("entries_by_"), "{plan}");
        for word in ["TEMP B-TREE", "Sort", "Seq Scan"] {
            assert!(!plan.contains(word), "{condition}: {plan}");
        }
    }
    drop(record);
}
