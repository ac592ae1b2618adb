//! A writer that is killed.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use lockgate::decision::Verdict;
use lockgate::model::DecisionId;
use lockgate::record::{Options, Record};

use super::places::{Place, entry, entry_with_evidence};

super::on_every_database!(a_writer_that_is_killed_loses_nothing_that_it_answered_for);

async fn a_writer_that_is_killed_loses_nothing_that_it_answered_for(place: Place) {
    let mut answered: Vec<DecisionId> = Vec::new();
    for round in 1..=4 {
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::write_until_killed", "--nocapture", "--ignored"])
            .env("LOCKGATE_TEST_RECORD", place.text())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines().map(Result::unwrap);
        // Not always at the same point.
        answered.extend(
            lines.by_ref().filter_map(|line| line.parse::<DecisionId>().ok()).take(100 * round + 7),
        );
        writer.kill().unwrap();
        // What it still had said until then; the last line may be but a part of one.
        answered.extend(lines.filter_map(|line| line.parse::<DecisionId>().ok()));
        writer.wait().unwrap();

        let record = place.open().await;
        for id in &answered {
            assert!(record.get(*id).await.unwrap().is_some(), "{id} was lost");
        }
        let verification = record.verify(&[]).await.unwrap();
        assert_eq!(verification.faults, []);
        assert!(verification.decisions() >= answered.len() as u64);
        record.append(entry("fraud", Verdict::Allow)).await.unwrap();
        record.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by another test, in a process of its own"]
async fn write_until_killed() {
    let Ok(place) = std::env::var("LOCKGATE_TEST_RECORD") else { return };
    let record = Record::open(&place.parse().unwrap(), Options::write()).await.unwrap();
    let tasks: Vec<_> = (0..16)
        .map(|task| {
            let record = record.clone();
            tokio::spawn(async move {
                let mut told = Ok(());
                while told.is_ok() {
                    let entry = entry_with_evidence("fraud", f64::from(task));
                    let id = entry.id;
                    record.append(entry).await.unwrap();
                    told = writeln!(std::io::stdout().lock(), "{id}");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}
