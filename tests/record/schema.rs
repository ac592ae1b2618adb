//! What is there when a record is opened.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt};

use lockgate::decision::Verdict;
use lockgate::record::{Location, Options, Record, RecordError};

use super::places::{Place, entry};

super::on_every_database!(
    whoever_only_reads_makes_nothing,
    a_record_of_a_later_version_is_refused,
    many_can_make_the_same_record_at_once,
);

async fn opened(place: &Place, options: Options) -> Result<Record, RecordError> {
    Record::open(&place.location(), options).await
}

async fn whoever_only_reads_makes_nothing(place: Place) {
    for _ in 0..2 {
        let error = opened(&place, Options::read()).await.err().unwrap();
        assert!(matches!(error, RecordError::Missing { .. }), "{error}");
    }
    if let Place::Sqlite(folder) = &place {
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

async fn a_record_of_a_later_version_is_refused(place: Place) {
    place.open().await.close().await;
    match &place {
        Place::Sqlite(_) => place.tamper("PRAGMA user_version = 2").await,
        Place::Postgres(_) => place.tamper("UPDATE {}record SET version = 2").await,
    }
    for options in [Options::read(), Options::write()] {
        let error = opened(&place, options).await.err().unwrap();
        assert!(matches!(error, RecordError::Newer { found: 2, known: 1, .. }), "{error}");
    }
}

async fn many_can_make_the_same_record_at_once(place: Place) {
    let opening: Vec<_> = (0..4)
        .map(|_| {
            let location = place.location();
            tokio::spawn(async move {
                let record = Record::open(&location, Options::write()).await.unwrap();
                record.append(entry("fraud", Verdict::Allow)).await.unwrap();
            })
        })
        .collect();
    for opening in opening {
        opening.await.unwrap();
    }
    let verification = place.open_to_read().await.verify(&[]).await.unwrap();
    assert_eq!(
        (verification.faults, verification.chains.iter().map(|c| c.decisions).sum()),
        (vec![], 4_u64)
    );
}

#[tokio::test]
async fn a_file_and_its_directory_are_for_their_owner_alone() {
    let place = Place::sqlite();
    let record = place.open().await;
    record.append(entry("fraud", Verdict::Allow)).await.unwrap();
    let directory = place.file().parent().unwrap().to_owned();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    let files: Vec<_> =
        std::fs::read_dir(&directory).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 3, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn a_file_that_everybody_may_open_is_refused() {
    let place = Place::sqlite();
    place.open().await.close().await;
    for mode in [0o604, 0o602] {
        std::fs::set_permissions(place.file(), PermissionsExt::from_mode(mode)).unwrap();
        let error = opened(&place, Options::write()).await.err().unwrap();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
    std::fs::set_permissions(place.file(), PermissionsExt::from_mode(0o660)).unwrap();
    assert!(opened(&place, Options::write()).await.is_ok());
}

#[tokio::test]
async fn a_file_of_another_kind_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(
        &text,
        "nothing to do with it, and longer than the header of a database\n".repeat(40),
    )
    .unwrap();
    let other = folder.path().join("other.db");
    rusqlite::Connection::open(&other)
        .unwrap()
        .execute_batch("CREATE TABLE notes (note TEXT)")
        .unwrap();
    for path in [text, other] {
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        let before = std::fs::read(&path).unwrap();
        for options in [Options::read(), Options::write()] {
            let error = Record::open(&Location::Sqlite(path.clone()), options).await.err().unwrap();
            assert!(matches!(error, RecordError::Unusable { .. }), "{error}");
        }
        assert!(std::fs::read(&path).unwrap() == before, "{}", path.display());
    }
}

#[tokio::test]
async fn a_server_that_does_not_wait_for_its_disk_is_refused() {
    let place = Place::postgres();
    place.tamper("ALTER SYSTEM SET fsync = off").await;
    let Place::Postgres(mut cluster) = place else { panic!() };
    cluster.crash();
    cluster.go_on();
    let location = cluster.url().parse().unwrap();
    let error = Record::open(&location, Options::write()).await.err().unwrap();
    assert!(error.to_string().contains("`fsync = off`"), "{error}");
}

/// Where the server is set to answer before its disk has, our sessions are not.
#[tokio::test]
async fn commits_are_waited_for_whatever_the_server_is_set_to() {
    let place = Place::postgres();
    place.tamper("ALTER SYSTEM SET synchronous_commit = off").await;
    place.tamper("SELECT pg_reload_conf()").await;
    // A trigger tells what the writer's own session is set to.
    let record = place.open().await;
    place
        .tamper(
            "CREATE TABLE seen (setting TEXT);
             CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NEW; END $$;
             CREATE TRIGGER look BEFORE INSERT ON {}entries FOR EACH ROW EXECUTE FUNCTION look()",
        )
        .await;
    record.append(entry("fraud", Verdict::Allow)).await.unwrap();
    assert_eq!(place.count("SELECT count(*) FROM seen WHERE setting = 'on'").await, 1);
}
