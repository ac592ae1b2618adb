//! What goes wrong around a record, and that it goes on once that is over.

use std::path::Path;
use std::time::Duration;

use lockgate::decision::Verdict;
use lockgate::record::{Entry, Options, Record, RecordError};

use super::cluster::Cluster;
use super::places::{Place, entry};

fn allow() -> Entry {
    entry("fraud", Verdict::Allow)
}

async fn until(mut done: impl AsyncFnMut() -> bool) {
    while !done().await {
        tokio::task::yield_now().await;
    }
}

/// Appends until that works again.
async fn until_recorded(record: &Record) {
    until(async || record.append(allow()).await.is_ok()).await;
    until(async || record.check_writable().await.is_ok()).await;
}

async fn intact(record: &Record) -> u64 {
    let verification = record.verify(&[]).await.unwrap();
    assert_eq!(verification.faults, []);
    verification.decisions()
}

/// Every entry that was answered for is there, and none of those that were refused.
async fn hold(record: &Record, answered: &[(Entry, Result<(), RecordError>)]) {
    for (entry, answer) in answered {
        let there = record.get(entry.id).await.unwrap().is_some();
        match answer {
            Ok(()) => assert!(there, "{} was lost", entry.id),
            Err(error) if error.leaves_outcome_open() => {}
            Err(error) => assert!(!there, "{} is there in spite of `{error}`", entry.id),
        }
    }
}

#[tokio::test]
async fn a_file_that_is_gone_takes_nothing_until_it_is_back() {
    let place = Place::sqlite();
    let record = place.open().await;
    record.append(allow()).await.unwrap();
    let directory = place.file().parent().unwrap().to_owned();
    let away = directory.with_extension("away");
    std::fs::rename(&directory, &away).unwrap();
    for error in
        [record.append(allow()).await.unwrap_err(), record.check_writable().await.unwrap_err()]
    {
        assert!(matches!(error, RecordError::Unavailable { .. }), "{error}");
        assert!(error.to_string().contains("is gone"), "{error}");
    }
    assert!(!directory.exists());
    std::fs::rename(&away, &directory).unwrap();
    record.append(allow()).await.unwrap();
    assert_eq!(intact(&record).await, 2);
}

/// To a file without a name everything can be written, and nobody will ever read it.
#[tokio::test]
async fn a_file_that_was_deleted_takes_nothing() {
    let place = Place::sqlite();
    let record = place.open().await;
    record.append(allow()).await.unwrap();
    std::fs::remove_file(place.file()).unwrap();
    let error = record.append(allow()).await.unwrap_err();
    assert!(error.to_string().contains("is gone"), "{error}");
    assert!(!place.file().exists());
}

#[tokio::test]
async fn an_earlier_copy_in_place_of_the_file_takes_nothing() {
    let place = Place::sqlite();
    let record = place.open().await;
    record.append(allow()).await.unwrap();
    record.close().await;
    let copy = place.file().with_extension("copy");
    std::fs::copy(place.file(), &copy).unwrap();
    let record = place.open().await;
    record.append(allow()).await.unwrap();
    for suffix in ["-wal", "-shm"] {
        let path = format!("{}{suffix}", place.text());
        std::fs::remove_file(path).unwrap();
    }
    std::fs::rename(copy, place.file()).unwrap();
    let error = record.append(allow()).await.unwrap_err();
    assert!(matches!(error, RecordError::Rewound { sequence: 2, .. }), "{error}");
}

/// Another process that holds the file for writing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_whose_turn_does_not_come_in_time_is_not_written_later() {
    let place = Place::sqlite();
    let options = Options { deadline: Duration::from_millis(100), ..Options::write() };
    let record = Record::open(&place.location(), options).await.unwrap();
    record.append(allow()).await.unwrap();
    let other = rusqlite::Connection::open(place.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let late = allow();
    let answer = record.append(late.clone()).await;
    assert_eq!(answer, Err(RecordError::Overdue));
    // Also one that nobody waits for at all any more.
    let dropped = allow();
    let append = record.append(dropped.clone());
    assert!(tokio::time::timeout(Duration::from_millis(10), append).await.is_err());
    other.execute_batch("ROLLBACK").unwrap();
    until_recorded(&record).await;
    hold(&record, &[(late, answer), (dropped, Err(RecordError::Overdue))]).await;
    assert_eq!(intact(&record).await, 2);
}

/// Runs a test of the same name in a process that may write so much and no more. For SQLite a
/// file that may not grow is as a disk that is full.
fn in_a_process_with_little_room(test: &str, place: &Path) {
    // Who ignores the signal is told by an error instead.
    let status = std::process::Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--ignored"])
        .env("LOCKGATE_TEST_RECORD", place)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&status.stdout).into_owned();
    let said = said + &String::from_utf8_lossy(&status.stderr);
    assert!(status.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn a_disk_that_is_full_takes_nothing_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("record.db");
    in_a_process_with_little_room("faults::with_little_room", &place);
}

/// The same on a disk that is full in earnest. Not in every container may a user make one; whoever
/// cannot leaves this test out, as `make test` does, and says so.
#[test]
fn a_small_disk_that_is_full_takes_nothing_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let in_own_namespace = || {
        let mut command = std::process::Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c"]);
        command
    };
    let mount = "mount -t tmpfs -o size=4m none \"$0\"";
    let tried = in_own_namespace().arg(mount).arg(folder.path()).output().unwrap();
    assert!(
        tried.status.success(),
        "this user may not mount a file system here, so this cannot be tested; leave it out with `{}`: {}",
        "cargo nextest run -E 'not test(a_small_disk_that_is_full)'",
        String::from_utf8_lossy(&tried.stderr)
    );
    let run = in_own_namespace()
        .arg(format!("{mount} && exec \"$@\""))
        .arg(folder.path())
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "faults::on_a_small_disk", "--nocapture", "--ignored"])
        .env("LOCKGATE_TEST_RECORD", folder.path().join("record.db"))
        .output()
        .unwrap();
    let status = run.status;
    let said =
        [run.stdout, run.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by another test, in a process of its own"]
async fn on_a_small_disk() {
    let Some(place) = std::env::var_os("LOCKGATE_TEST_RECORD") else { return };
    let record = Record::open(&Path::new(&place).into(), Options::write()).await.unwrap();
    let filler = Path::new(&place).with_file_name("filler");
    let mut answered = Vec::new();
    for _ in 0..3 {
        record.append(allow()).await.unwrap();
        // All that is left, up to the last byte.
        let mut file = std::fs::File::create(&filler).unwrap();
        for size in [4096, 1] {
            while std::io::Write::write_all(&mut file, &vec![0; size]).is_ok() {}
        }
        // Blocks of a file that is open are not given back.
        drop(file);
        for _ in 0..20 {
            let entry = allow();
            let answer = record.append(entry.clone()).await;
            answered.push((entry, answer));
        }
        let (_, last) = answered.last().unwrap();
        assert!(matches!(last, Err(RecordError::Unavailable { .. })), "{last:?}");
        assert!(record.check_writable().await.is_err());
        std::fs::remove_file(&filler).unwrap();
        record.append(allow()).await.unwrap();
        record.check_writable().await.unwrap();
    }
    hold(&record, &answered).await;
    let recorded = answered.iter().filter(|(_, answer)| answer.is_ok()).count();
    assert_eq!(intact(&record).await, 6 + recorded as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by another test, in a process of its own"]
async fn with_little_room() {
    let Some(place) = std::env::var_os("LOCKGATE_TEST_RECORD") else { return };
    let location = Path::new(&place).into();
    let record = Record::open(&location, Options::write()).await.unwrap();
    let room = |bytes| {
        use nix::sys::resource::{RLIM_INFINITY, Resource, setrlimit};
        setrlimit(Resource::RLIMIT_FSIZE, bytes, RLIM_INFINITY).unwrap();
    };
    let mut answered = Vec::new();
    for _ in 0..3 {
        record.append(allow()).await.unwrap();
        let written = std::fs::metadata(format!("{location}-wal")).unwrap().len();
        room(written + 100_000);
        let mut failed = 0;
        while failed < 20 {
            let entries: Vec<_> = (0..8).map(|_| allow()).collect();
            let appends = entries.iter().map(|entry| {
                let (record, entry) = (record.clone(), entry.clone());
                tokio::spawn(async move { (entry.clone(), record.append(entry).await) })
            });
            for append in appends.collect::<Vec<_>>() {
                let (entry, answer) = append.await.unwrap();
                failed += usize::from(answer.is_err());
                answered.push((entry, answer));
            }
        }
        room(1);
        assert!(record.check_writable().await.is_err());
        room(nix::sys::resource::RLIM_INFINITY);
        record.append(allow()).await.unwrap();
        record.check_writable().await.unwrap();
    }
    hold(&record, &answered).await;
    let recorded = answered.iter().filter(|(_, answer)| answer.is_ok()).count();
    let unknown = answered
        .iter()
        .filter(|(_, answer)| answer.as_ref().is_err_and(RecordError::leaves_outcome_open));
    assert!(recorded > 0);
    let there = intact(&record).await;
    let least = u64::try_from(recorded).unwrap() + 6;
    assert!((least..=least + unknown.count() as u64).contains(&there), "{there}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_gone_takes_nothing_until_it_is_back() {
    let mut cluster = Cluster::start();
    let record = Record::open(&cluster.url().parse().unwrap(), Options::write()).await.unwrap();
    let mut recorded = 0;
    for _ in 0..2 {
        record.append(allow()).await.unwrap();
        cluster.crash();
        let mut answered = Vec::new();
        for _ in 0..3 {
            let entry = allow();
            let answer = record.append(entry.clone()).await;
            assert!(answer.is_err());
            answered.push((entry, answer));
        }
        let error = record.check_writable().await.unwrap_err();
        assert!(matches!(error, RecordError::Unavailable { .. }), "{error}");
        assert!(record.list(&Default::default(), Default::default()).await.is_err());
        cluster.go_on();
        until_recorded(&record).await;
        hold(&record, &answered).await;
        recorded += 2;
    }
    assert_eq!(intact(&record).await, recorded);
}

/// Crashes with statements on their way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_crashes_under_load_loses_nothing_that_was_answered_for() {
    let mut cluster = Cluster::start();
    let record = Record::open(&cluster.url().parse().unwrap(), Options::write()).await.unwrap();
    let mut answered = Vec::new();
    for _ in 0..3 {
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let (seen, mut recorded) = tokio::sync::mpsc::unbounded_channel();
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let (record, stopped, seen) = (record.clone(), stopped.clone(), seen.clone());
                tokio::spawn(async move {
                    let mut answered = Vec::new();
                    while !*stopped.borrow() {
                        let entry = allow();
                        let answer = record.append(entry.clone()).await;
                        if answer.is_ok() {
                            let _ = seen.send(());
                        }
                        answered.push((entry, answer));
                        tokio::task::yield_now().await;
                    }
                    answered
                })
            })
            .collect();
        for _ in 0..200 {
            recorded.recv().await.unwrap();
        }
        tokio::task::block_in_place(|| cluster.crash());
        stop.send(true).unwrap();
        for task in tasks {
            answered.extend(task.await.unwrap());
        }
        tokio::task::block_in_place(|| cluster.go_on());
        until_recorded(&record).await;
    }
    hold(&record, &answered).await;
    let recorded = answered.iter().filter(|(_, answer)| answer.is_ok()).count();
    assert!(recorded >= 600);
    assert!(intact(&record).await >= recorded as u64);
}

/// A statement that the database holds up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_holds_up_a_statement_is_not_waited_for_for_ever() {
    let cluster = Cluster::start();
    let options = Options { deadline: Duration::from_millis(500), ..Options::write() };
    let record = Record::open(&cluster.url().parse().unwrap(), options).await.unwrap();
    record.append(allow()).await.unwrap();
    let client = cluster.client().await;
    client.batch_execute("BEGIN; LOCK TABLE lockgate_entries IN EXCLUSIVE MODE").await.unwrap();
    let mut answered = Vec::new();
    for _ in 0..3 {
        let entry = allow();
        let answer = record.append(entry.clone()).await;
        assert!(answer.is_err());
        answered.push((entry, answer));
    }
    client.batch_execute("ROLLBACK").await.unwrap();
    until_recorded(&record).await;
    hold(&record, &answered).await;
    let open = answered
        .iter()
        .filter(|(_, answer)| answer.as_ref().is_err_and(RecordError::leaves_outcome_open));
    assert!((2..=2 + open.count() as u64).contains(&intact(&record).await));
}

/// Holds up whatever is inserted right before its commit, for as long as the client that is
/// returned holds the lock.
async fn hold_up_commits(cluster: &Cluster) -> tokio_postgres::Client {
    let client = cluster.client().await;
    client
        .batch_execute(
            "CREATE FUNCTION stay() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN PERFORM pg_advisory_xact_lock(1, 1); RETURN NULL; END $$;
             CREATE CONSTRAINT TRIGGER stay AFTER INSERT ON lockgate_entries
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION stay();
             SELECT pg_advisory_lock(1, 1)",
        )
        .await
        .unwrap();
    client
}

/// The process of the server that is held up.
async fn held_up(client: &tokio_postgres::Client) -> i32 {
    let waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'advisory'";
    loop {
        if let Some(row) = client.query_opt(waiting, &[]).await.unwrap() {
            return row.get(0);
        }
    }
}

/// The connection goes between a statement and its answer: the writer finds out what became of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_is_lost_is_sent_again() {
    let cluster = Cluster::start();
    let record = Record::open(&cluster.url().parse().unwrap(), Options::write()).await.unwrap();
    record.append(allow()).await.unwrap();
    let client = hold_up_commits(&cluster).await;
    let held = allow();
    let append = {
        let (record, held) = (record.clone(), held.clone());
        tokio::spawn(async move { record.append(held).await })
    };
    let process = held_up(&client).await;
    client.query("SELECT pg_terminate_backend($1)", &[&process]).await.unwrap();
    client.batch_execute("SELECT pg_advisory_unlock(1, 1)").await.unwrap();
    assert_eq!(append.await.unwrap(), Ok(()));
    assert!(record.get(held.id).await.unwrap().is_some());
    assert_eq!(intact(&record).await, 2);
}

/// The network goes, and the server does not notice and goes on with the statement.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_goes_on_after_its_connection_is_found() {
    let (cluster, network, record) = over_a_network(Duration::from_secs(60)).await;
    let client = hold_up_commits(&cluster).await;
    let held = allow();
    let append = {
        let (record, held) = (record.clone(), held.clone());
        tokio::spawn(async move { record.append(held).await })
    };
    held_up(&client).await;
    network.cut();
    // Until the second attempt waits for the first.
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    while client.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) < 2 {}
    client.batch_execute("SELECT pg_advisory_unlock(1, 1)").await.unwrap();
    assert_eq!(append.await.unwrap(), Ok(()));
    assert!(record.get(held.id).await.unwrap().is_some());
    assert_eq!(intact(&record).await, 2);
}

/// As above, and it is not over before whoever waits has to be answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_goes_on_for_too_long_is_left_open_and_can_be_asked_for_again() {
    let (cluster, network, record) = over_a_network(Duration::from_secs(1)).await;
    let client = hold_up_commits(&cluster).await;
    let held = allow();
    let append = {
        let (record, held) = (record.clone(), held.clone());
        tokio::spawn(async move { record.append(held).await })
    };
    held_up(&client).await;
    network.cut();
    let answer = append.await.unwrap();
    assert!(matches!(answer, Err(RecordError::Unknown { .. })), "{answer:?}");
    client.batch_execute("SELECT pg_advisory_unlock(1, 1)").await.unwrap();
    until(async || record.append(held.clone()).await.is_ok()).await;
    assert!(record.get(held.id).await.unwrap().is_some());
    assert_eq!(intact(&record).await, 2);
}

/// A record of one decision, behind a network that can be cut.
async fn over_a_network(deadline: Duration) -> (Cluster, Network, Record) {
    let cluster = Cluster::start();
    let network = Network::to(cluster.socket()).await;
    let options = Options { deadline, ..Options::write() };
    let record = Record::open(&network.url().parse().unwrap(), options).await.unwrap();
    record.append(allow()).await.unwrap();
    (cluster, network, record)
}

/// Carries what is sent to a socket and back, until it is cut.
struct Network {
    port: u16,
    cuts: tokio::sync::watch::Sender<()>,
}

impl Network {
    async fn to(socket: std::path::PathBuf) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (cuts, _) = tokio::sync::watch::channel(());
        let cut = cuts.clone();
        tokio::spawn(async move {
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let mut far = tokio::net::UnixStream::connect(&socket).await.unwrap();
                let mut cut = cut.subscribe();
                tokio::spawn(async move {
                    let carried = tokio::io::copy_bidirectional(&mut near, &mut far);
                    tokio::select! {
                        _ = carried => {}
                        _ = cut.changed() => {
                            drop(near);
                            // The far end is not told, as is the way of networks.
                            std::mem::forget(far);
                        }
                    }
                });
            }
        });
        Self { port, cuts }
    }

    fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Cuts all connections that there are.
    fn cut(&self) {
        self.cuts.send_replace(());
    }
}
